"""The settings tree: what can be set, what it means and what it is when nobody sets it."""

import difflib
import json
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

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
        lists = {name for name, info in cls.model_fields.items() if str(info.annotation).startswith("tuple")}
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


PLATFORMS = ("console", "discord", "http", "memory", "slack")
"""The first part of every place's name; "memory" is the adapter of tests."""

GeneratorName = Literal["local", "gemini", "openai", "extractive"]


class GenerationSettings(_Section):
    """Who writes the answers, in which order, and what is done with what they write."""

    chain: tuple[GeneratorName, ...] = Field(
        ("extractive",),
        description="Who writes answers: local, gemini, openai. The next one takes over; extractive is always last.",
    )
    places: dict[str, tuple[GeneratorName, ...]] = Field(
        {},
        description='Another chain for a platform, workspace or channel, as "slack/T012AB3CD/C012AB3CD" = ["local"].',
    )
    first_token_seconds: float = Field(10.0, gt=0, le=600, description="How long a generator may take to begin.")
    seconds: float = Field(25.0, gt=0, le=600, description="How long all generators together may take.")
    failures: Positive = Field(3, description="Failures in a row after which a generator is left alone for a while.")
    pause_seconds: float = Field(60.0, gt=0, le=86_400, description="How long; then one question tries it again.")
    uncited: Literal["label", "withhold"] = Field(
        "label",
        description='An answer that rests on no passage says "not from the knowledge base", or is not given.',
    )
    verifier: str = Field(
        "", description="An NLI or embedding model, by name or folder, that checks written sentences, too."
    )

    @field_validator("places", mode="before")
    @classmethod
    def _places_from_text(cls, value: object) -> object:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except json.JSONDecodeError as error:
            raise ValueError('it must be JSON, as {"slack/T012AB3CD": ["local"]}') from error

    @field_validator("places")
    @classmethod
    def _platforms_are_known(cls, places: dict[str, tuple[GeneratorName, ...]]) -> dict[str, tuple[GeneratorName, ...]]:
        # A misspelt one would send to a cloud what was to stay in the house.
        for place in places:
            platform = place.partition("/")[0]
            if platform not in PLATFORMS:
                near = difflib.get_close_matches(platform.lower(), PLATFORMS, n=1)
                meant = f"; did you mean {near[0]}?" if near else f": {', '.join(PLATFORMS)}"
                raise ValueError(f"{place!r} begins with {platform!r}, which is no platform{meant}")
        return places


class LocalSettings(_Section):
    """The local model (transformers)."""

    model: str = Field(
        "", description="By hub name or folder; unset: what `preceptor models use` chose, else google/flan-t5-small."
    )
    revision: str = Field("", description="The commit of the hub's model to use; unset: what was pulled.")
    execution: Literal["auto", "ctranslate2", "torch"] = Field(
        "auto", description="auto: ctranslate2 for the T5 family where it is installed, torch otherwise."
    )
    precision: Literal["auto", "float32", "bfloat16", "int8"] = Field(
        "auto", description="auto: int8 with ctranslate2, float32 with torch; bfloat16 is torch's, int8 ctranslate2's."
    )
    max_tokens: Positive = Field(160, description="Tokens in the longest answer.")
    batch: Positive = Field(16, description="Answers written together at the most.")
    batch_wait_ms: float = Field(4.0, ge=0, le=1_000, description="How long the first one waits for others.")
    queue: Positive = Field(
        64, description="Questions that may wait for the model; beyond it the next generator answers."
    )
    threads: int = Field(0, ge=0, le=1_024, description="Threads that compute; 0: one for each core.")
    warm_up: bool = Field(True, description="Whether the model is loaded at the start, in the background.")


def _web_address(address: str) -> str:
    """Let an address pass, or nothing.

    Raises:
        ValueError: it is neither.
    """
    parts = urlsplit(address)
    if address and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("it must be an address as http://host:port")
    return address


WebAddress = Annotated[str, AfterValidator(_web_address)]


class BudgetSettings(_Section):
    """What a generator may take a day (UTC); over it, the next in the chain answers. 0 is no bound."""

    tokens: int = Field(0, ge=0, description="Tokens a day, read and written, over all workspaces.")
    cost: float = Field(0.0, ge=0, description="Cost a day over all workspaces, in the prices' currency.")
    workspace_tokens: int = Field(0, ge=0, description="Tokens a day for each workspace.")
    workspace_cost: float = Field(0.0, ge=0, description="Cost a day for each workspace.")


class _ServedSettings(_Section):
    """What generators behind a key or a server have in common."""

    temperature: float | None = Field(
        None, ge=0, le=2, description="0: always the likeliest word; unset: the model's own default."
    )
    max_tokens: Positive = Field(1_024, description="Tokens in the longest answer.")
    window: int = Field(16_000, ge=512, description="Tokens the prompt may have.")
    timeout_seconds: float = Field(20.0, gt=0, le=600, description="How long the server may keep silent.")
    retries: int = Field(2, ge=0, le=10, description="How often it is asked again when it is overloaded.")
    input_price: float = Field(0.0, ge=0, description="Price of a million tokens read.")
    output_price: float = Field(0.0, ge=0, description="Price of a million tokens written.")
    proxy: WebAddress = Field("", description="HTTP proxy, as http://host:port.")
    budget: BudgetSettings = BudgetSettings()

    @model_validator(mode="after")
    def _cost_has_prices(self) -> Self:
        if (self.budget.cost or self.budget.workspace_cost) and not (self.input_price or self.output_price):
            raise ValueError("a budget of cost needs input_price and output_price, or it never binds")
        return self


class GeminiSettings(_ServedSettings):
    """Google's Gemini API."""

    key: Token = Field(SecretStr(""), description="The API key, from Google AI Studio.")
    model: str = Field("gemini-3.5-flash-lite", description="The model's name.")
    base_url: WebAddress = Field(
        "https://generativelanguage.googleapis.com", description="The API, or a gateway before it."
    )
    api_version: str = Field("v1beta", description="The API's version.")
    thinking_level: Literal["", "minimal", "low", "medium", "high"] = Field(
        "", description="How much the model thinks, from Gemini 3 on; empty: its own default."
    )
    thinking_budget: int | None = Field(
        None, ge=-1, description="For Gemini 2.5: tokens it may think, 0 none, -1 as it likes; unset: its default."
    )
    redact: bool = Field(True, description="Whether e-mail addresses, numbers and the like are hidden from it.")
    safety: Literal["default", "none", "few", "some", "most"] = Field(
        "default", description="How much is blocked as harmful, by the API's own thresholds."
    )


class OpenAISettings(_ServedSettings):
    """Any server that speaks OpenAI's protocol: Ollama, vLLM, llama.cpp, OpenAI."""

    key: Token = Field(SecretStr(""), description="The API key; local servers need none.")
    model: str = Field("", description="The model's name on that server.")
    base_url: WebAddress = Field("http://127.0.0.1:11434/v1", description="The server, with /v1.")
    redact: bool | None = Field(
        None, description="The same as gemini.redact; unset: unless the server is on this machine."
    )


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
    generation: GenerationSettings = GenerationSettings()
    local: LocalSettings = LocalSettings()
    gemini: GeminiSettings = GeminiSettings()
    openai: OpenAISettings = OpenAISettings()
    http: HttpSettings = HttpSettings()
    discord: DiscordSettings = DiscordSettings()
    slack: SlackSettings = SlackSettings()

    @model_validator(mode="after")
    def _generators_are_set_up(self) -> "Settings":
        chains = (self.generation.chain, *self.generation.places.values())
        named = {name for chain in chains for name in chain}
        if "gemini" in named and not self.gemini.key.get_secret_value():
            raise ValueError(
                "generation names gemini, which needs gemini.key; docs/generators.md says where it is found"
            )
        if "openai" in named and not self.openai.model:
            raise ValueError("generation names openai, which needs openai.model: the model's name on that server")
        if named - {"extractive"} and self.generation.seconds >= self.answers.deadline_seconds:
            raise ValueError(
                "generation.seconds must be less than answers.deadline_seconds, or no time is left for another answer"
            )
        return self

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
    def models_directory(self) -> Path:
        """Where models that were trained or converted here lie, and which of them is in use."""
        return self.data_directory / "models"

    @property
    def index_directory(self) -> Path:
        """Where the built index lies."""
        return self.data_directory / "index"
