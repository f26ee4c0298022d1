"""The settings tree: what can be set, what it means and what it is when nobody sets it."""

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "PRECEPTOR_"
DELIMITER = "__"

Positive = Annotated[int, Field(ge=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _lists_from_text(cls, values: object) -> object:
        """Read a list that came as text, as environment variables do: JSON, or words between commas."""
        if not isinstance(values, dict):
            return values
        lists = {name for name, info in cls.model_fields.items() if "tuple" in str(info.annotation)}
        return {
            name: _list_from_text(value) if name in lists and isinstance(value, str) else value
            for name, value in values.items()
        }


def _bare_secret(secret: SecretStr) -> SecretStr:
    """Drop blanks around a token, as copying brings them along; within, there is none.

    Raises:
        ValueError: there is.
    """
    text = secret.get_secret_value().strip()
    if not text.isprintable() or any(character.isspace() for character in text):
        raise ValueError("it holds a blank or a line break; copy it once more")
    return SecretStr(text)


Token = Annotated[SecretStr, AfterValidator(_bare_secret)]


def _list_from_text(text: str) -> object:
    if text.lstrip().startswith("["):
        return json.loads(text)
    return tuple(part.strip() for part in text.split(",") if part.strip())


class LogSettings(_Section):
    """What the log says and how."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is logged.")
    format: Literal["console", "json"] = Field("console", description="One line for people, or JSON for machines.")


class KnowledgeSettings(_Section):
    """What the bot knows."""

    sources: tuple[str, ...] = Field(
        ("starter",),
        description='Files and folders to read; "starter" is the physics that ships with Preceptor.',
        min_length=1,
    )
    passage_length: int = Field(1200, ge=200, le=20_000, description="Characters in the longest passage.")
    passage_overlap: int = Field(200, ge=0, le=2_000, description="Characters repeated, at most, where a text is cut.")
    file_megabytes: Positive = Field(256, description="The largest file that is read, in MiB.")
    line_megabytes: Positive = Field(16, description="The longest line of a JSON Lines file that is read, in MiB.")


class AnswerSettings(_Section):
    """How a question is answered."""

    passages: int = Field(5, ge=1, le=50, description="How many passages an answer may rest on.")
    sentences: int = Field(3, ge=1, le=20, description="How many sentences an extractive answer quotes at the most.")
    question_length: Positive = Field(2_000, description="Characters in the longest question.")
    threshold: float | None = Field(
        None, ge=0, le=1, description="Confidence below which the bot declines; unset: the calibrated one."
    )
    suggestions: int = Field(3, ge=0, le=10, description='Titles offered as "did you mean" when declining.')
    history: int = Field(4, ge=0, le=50, description="Earlier turns of the conversation that are looked at.")
    deadline_seconds: float = Field(30.0, gt=0, le=600, description="How long one answer may take.")
    shown_after_seconds: float = Field(
        0.5, ge=0, le=10, description="How long an answer may take before a chat shows that it is coming, and grows."
    )
    edit_seconds: float = Field(60.0, ge=0, description="How long an edited question is answered anew, in place.")


class ConversationSettings(_Section):
    """How conversations are kept."""

    idle_minutes: Positive = Field(60, description="After this long a person's next question opens a new conversation.")


class DatabaseSettings(_Section):
    """Where conversations are kept."""

    path: Path = Field(Path("preceptor.sqlite3"), description="The SQLite file; relative to data_directory.")
    synchronous: Literal["full", "normal"] = Field(
        "full", description="full: a committed message survives a power cut. normal: it survives a crash of the bot."
    )
    busy_seconds: float = Field(5.0, ge=0, le=60, description="How long to wait for another process's lock.")


class DispatchSettings(_Section):
    """How much is done at once."""

    workers: Positive = Field(32, description="Conversations answered side by side.")
    queue: Positive = Field(1_000, description="Messages that may wait; beyond it the asker is told at once.")
    inference_threads: Positive = Field(
        1, description="Threads that search and infer; Python code runs in one at a time, so more help models only."
    )
    retry_seconds: float = Field(
        60.0, gt=0, le=3600, description="How long after a failed delivery it is tried again; then ever more rarely."
    )
    shutdown_seconds: float = Field(10.0, gt=0, le=300, description="How long a stop waits for what is being answered.")


class AccessSettings(_Section):
    """Who may do more than ask."""

    admins: tuple[str, ...] = Field((), description='People who may use admin commands, as "platform:id".')
    admin_roles: tuple[str, ...] = Field(
        (),
        description=(
            "Roles whose holders may use admin commands: discord:manage_server, discord:role:ID, slack:admin,"
            " slack:owner, slack:group:ID; with @ID behind it, of that server or workspace alone."
        ),
    )


class AttachmentSettings(_Section):
    """Files that come with a message."""

    megabytes: Positive = Field(20, description="The largest file that is fetched, in MiB.")


class DiscordSettings(_Section):
    """The Discord adapter."""

    enabled: bool = Field(False, description="Whether the bot is on Discord.")
    token: Token = Field(SecretStr(""), description="The bot's token, from the developer portal.")
    message_content: bool = Field(
        False, description="Whether the privileged message-content intent is switched on for this application."
    )
    thread_channels: tuple[str, ...] = Field(
        (), description='Channels, by id, in which every question gets a thread of its own; "*" is all.'
    )
    edits_per_second: float = Field(1.0, gt=0, le=5, description="How often a growing answer is edited.")
    development_servers: tuple[str, ...] = Field(
        (), description="Servers, by id, that get the commands at once; for development. Empty: all servers get them."
    )
    shards: int | None = Field(None, ge=1, description="How many shards; unset: as many as Discord advises.")
    base_url: str = Field("https://discord.com/api/v10", description="Discord's REST API, or a gateway before it.")
    proxy: str = Field("", description="HTTP proxy for Discord, as http://host:port.")

    @model_validator(mode="after")
    def _has_token(self) -> "DiscordSettings":
        if self.enabled and not self.token.get_secret_value():
            raise ValueError("discord.enabled needs discord.token; docs/discord.md says where it is found")
        return self


class SlackSettings(_Section):
    """The Slack adapter."""

    enabled: bool = Field(False, description="Whether the bot is on Slack.")
    mode: Literal["socket", "http"] = Field(
        "socket",
        description="socket: the bot calls Slack (needs app_token). http: Slack calls /slack/… on the HTTP API.",
    )
    bot_token: Token = Field(SecretStr(""), description="The bot user's token, xoxb-….")
    app_token: Token = Field(SecretStr(""), description="The app-level token for Socket Mode, xapp-….")
    signing_secret: Token = Field(SecretStr(""), description="What Slack signs its requests with, for HTTP mode.")
    streaming: bool = Field(True, description="Whether answers stream natively where Slack allows it.")
    edits_per_second: float = Field(0.8, gt=0, le=5, description="How often a growing answer is updated.")
    base_url: str = Field("https://slack.com/api/", description="Slack's Web API, or a gateway before it (GovSlack).")
    proxy: str = Field("", description="HTTP proxy for Slack, as http://host:port.")

    @model_validator(mode="after")
    def _has_tokens(self) -> "SlackSettings":
        needed = ("bot_token", "app_token" if self.mode == "socket" else "signing_secret")
        missing = [name for name in needed if not getattr(self, name).get_secret_value()]
        if self.enabled and missing:
            raise ValueError(f"slack.enabled needs slack.{missing[0]}; docs/slack.md says where it is found")
        return self


class HttpSettings(_Section):
    """The HTTP API."""

    enabled: bool = Field(True, description="Whether the HTTP API is served.")
    host: str = Field("127.0.0.1", description="Address to listen on; anything but this machine's own needs a key.")
    port: int = Field(8321, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    admin_keys: tuple[SecretStr, ...] = Field(
        (), description='Keys with every right, as they are or as "sha256:<hex>".'
    )
    user_keys: tuple[SecretStr, ...] = Field((), description="Keys that may ask and see their own conversations.")
    allowed_hosts: tuple[str, ...] = Field((), description="Host names under which the API is reached from elsewhere.")
    body_kilobytes: Positive = Field(64, description="The largest request body that is read, in KiB.")

    @field_validator("admin_keys", "user_keys")
    @classmethod
    def _keys_are_long_enough(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(key.get_secret_value()) < 16 for key in keys):
            raise ValueError("a key needs at least 16 characters; `preceptor settings new-key` makes a good one")
        return keys


class Settings(BaseSettings):
    """Everything that can be set. Frozen: a change takes effect at the next start."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=DELIMITER, extra="forbid", frozen=True, enable_decoding=False
    )

    data_directory: Path = Field(Path("data"), description="Where the database, the index and backups are kept.")
    log: LogSettings = LogSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    answers: AnswerSettings = AnswerSettings()
    conversations: ConversationSettings = ConversationSettings()
    database: DatabaseSettings = DatabaseSettings()
    dispatch: DispatchSettings = DispatchSettings()
    access: AccessSettings = AccessSettings()
    attachments: AttachmentSettings = AttachmentSettings()
    http: HttpSettings = HttpSettings()
    discord: DiscordSettings = DiscordSettings()
    slack: SlackSettings = SlackSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `load` read: the sources are told apart there, so that each value's origin is known."""
        return (init_settings,)

    @property
    def database_file(self) -> Path:
        """The SQLite file, absolute."""
        return self.data_directory / self.database.path

    @property
    def index_directory(self) -> Path:
        """Where the built index lies."""
        return self.data_directory / "index"
