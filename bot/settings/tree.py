"""The settings tree: what can be set, what it means and what it is when nobody sets it."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.settings.access import AccessSettings
from bot.settings.delivery import CatchUpSettings, DeliverySettings, DispatchSettings
from bot.settings.generators import GeminiSettings, GenerationSettings, LocalSettings, OpenAISettings
from bot.settings.limits import LimitSettings
from bot.settings.privacy import PrivacySettings
from bot.settings.section import FrontDoor, PlaceName, Positive, Section, Token, known_network
from bot.settings.web import WebSettings

PREFIX = "PRECEPTOR_"
DELIMITER = "__"


class LogSettings(Section):
    """What the log says and how."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is logged.")
    format: Literal["console", "json"] = Field("console", description="One line for people, or JSON for machines.")


class KnowledgeSettings(Section):
    """What the bot knows."""

    sources: tuple[str, ...] = Field(
        ("starter",),
        description='Files and folders to read; "starter" is the physics that ships with Preceptor.',
        min_length=1,
    )
    passage_length: int = Field(1200, ge=200, le=20_000, description="Characters in the longest passage.")
    passage_overlap: int = Field(200, ge=0, le=2_000, description="Characters repeated, at most, where a text is cut.")
    file_megabytes: Positive = Field(256, description="The largest file that is read, in MiB.")
    upload_megabytes: Positive = Field(
        32, description="How much may be handed in to the library at once over HTTP, in MiB."
    )
    line_megabytes: Positive = Field(16, description="The longest line of a JSON Lines file that is read, in MiB.")


class AnswerSettings(Section):
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


class DiagnosisSettings(Section):
    """What a description of symptoms may point to."""

    enabled: bool = Field(
        True,
        description="Whether the bot judges descriptions of symptoms, and watches for emergencies in all it is told.",
    )
    model: str = Field(
        "",
        description='By the name it was trained under, or folder; "floor"; unset: what `preceptor models use` chose,'
        " else the floor.",
    )
    languages: tuple[Annotated[str, Field(pattern="^[a-z]{2}$")], ...] = Field(
        ("en",), description="Languages it was trained on (ISO 639-1); of others it abstains. None: it takes any."
    )
    conditions: int = Field(3, ge=1, le=10, description="How many conditions are told at the most.")
    reply: Literal["private", "thread"] = Field(
        "private",
        description="private: the asker alone sees the answer. thread: it stands in a thread under what was written;"
        " commands are answered privately all the same.",
    )
    offer: bool = Field(True, description="Whether it is offered when a question sounds like symptoms.")
    emergency: str = Field(
        "112 in Europe and India, 911 in North America, 999 in the United Kingdom, 000 in Australia",
        description="The number of the emergency services, in words; it stands in the advice.",
        min_length=1,
    )
    text_length: int = Field(20_000, ge=100, le=100_000, description="Characters in the longest description.")


Looking = Literal["on", "off", "on request"]
"""on: every picture of a message to the bot is looked at. on request: where that is asked for. off: none is."""


class ImageSettings(Section):
    """Pictures that come with messages."""

    looking: Looking = Field(
        "on",
        description="on: every picture of a message to the bot is looked at. on request: only where the command, the"
        " menu or the word asks for it. off: none.",
    )
    places: dict[PlaceName, Looking] = Field(
        {}, description="The same for a platform, workspace or channel; the narrowest counts."
    )
    most: int = Field(8, ge=1, le=20, description="Pictures of one message that are looked at.")
    labels: int = Field(3, ge=1, le=10, description="How many labels are told at the most.")
    threshold: float = Field(
        0.5, ge=0, le=1, description="Below this probability the likeliest label is told as what it may be."
    )
    seen_before: bool = Field(
        True, description="Whether it is told that a picture was shown before; what that takes is kept with the answer."
    )
    likeness: float = Field(
        0.93, ge=0.5, le=1, description="Cosine of two pictures' embeddings from which on they count as the same."
    )
    language: str = Field(
        "", description='Language of captions, as "German", where `translator` is set. Unset: the captioner\'s own.'
    )
    languages: dict[PlaceName, str] = Field(
        {}, description="The same for a platform, workspace or channel; the narrowest counts."
    )
    translator: Literal["", "local", "gemini", "openai"] = Field(
        "", description="The generator that translates captions; unset: none does."
    )
    megapixels: int = Field(64, ge=1, le=500, description="The largest picture that is decoded, in millions of pixels.")
    frames: Positive = Field(1_000, description="Frames in the longest animation of which the first is looked at.")
    seconds: float = Field(10.0, gt=0, le=120, description="How long decoding a picture may take.")
    memory_megabytes: int = Field(
        1_024, ge=128, le=65_536, description="Memory that decoding a picture may take, in MiB."
    )
    queue: Positive = Field(64, description="Pictures that may wait; beyond it the asker is told at once.")
    warm_up: bool = Field(
        False, description="Whether the models are loaded at the start, in the background; else with the first picture."
    )


class ImageModelSettings(Section):
    """The models that look at pictures."""

    labels: str = Field(
        "",
        description="Classifier, by hub name, trained name or folder; unset: what `preceptor models use` chose, else"
        " google/vit-base-patch16-224.",
    )
    captions: str = Field(
        "",
        description="Captioner, by hub name or folder; unset: what `preceptor models use` chose, else"
        " microsoft/git-base.",
    )


class ModelSettings(Section):
    """Models that are no generators of answers, which have sections of their own."""

    images: ImageModelSettings = ImageModelSettings()


class ConversationSettings(Section):
    """How conversations are kept."""

    idle_minutes: Positive = Field(60, description="After this long a person's next question opens a new conversation.")
    not_kept: tuple[PlaceName, ...] = Field(
        (),
        description="Platforms, workspaces and channels of which nothing is kept, as slack/T012AB3CD/C012AB3CD.",
    )


class DatabaseSettings(Section):
    """Where conversations are kept."""

    path: Path = Field(Path("preceptor.sqlite3"), description="The SQLite file; relative to data_directory.")
    synchronous: Literal["full", "normal"] = Field(
        "full", description="full: a committed message survives a power cut. normal: it survives a crash of the bot."
    )
    busy_seconds: float = Field(5.0, ge=0, le=60, description="How long to wait for another process's lock.")


class AttachmentSettings(Section):
    """Files that come with a message."""

    megabytes: Positive = Field(20, description="The largest file that is fetched, in MiB.")
    allowed_networks: tuple[Annotated[str, AfterValidator(known_network)], ...] = Field(
        (),
        description="Private networks inside which files may lie, as 10.1.0.0/16; else none is fetched from there.",
    )


class DiscordSettings(FrontDoor):
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


class SlackSettings(FrontDoor):
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


class HttpSettings(FrontDoor):
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
    session_hours: float = Field(
        12.0, gt=0, le=8_760, description="How long somebody who signed in on the web page stays signed in."
    )
    guests: bool = Field(
        False,
        description="Whether, where keys are set, people without one may ask on the web page, each by themselves.",
    )

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
    delivery: DeliverySettings = DeliverySettings()
    catch_up: CatchUpSettings = CatchUpSettings()
    access: AccessSettings = AccessSettings()
    limits: LimitSettings = LimitSettings()
    privacy: PrivacySettings = PrivacySettings()
    attachments: AttachmentSettings = AttachmentSettings()
    images: ImageSettings = ImageSettings()
    models: ModelSettings = ModelSettings()
    generation: GenerationSettings = GenerationSettings()
    diagnosis: DiagnosisSettings = DiagnosisSettings()
    local: LocalSettings = LocalSettings()
    gemini: GeminiSettings = GeminiSettings()
    openai: OpenAISettings = OpenAISettings()
    http: HttpSettings = HttpSettings()
    web: WebSettings = WebSettings()
    discord: DiscordSettings = DiscordSettings()
    slack: SlackSettings = SlackSettings()

    @model_validator(mode="after")
    def _generators_are_set_up(self) -> "Settings":
        chains = (self.generation.chain, *self.generation.places.values())
        named = {name for chain in chains for name in chain}
        if (self.images.language or self.images.languages) and not self.images.translator:
            raise ValueError("images.language and images.languages need images.translator: local, gemini or openai")
        naming = dict.fromkeys(named, "generation") | {self.images.translator: "images.translator"}
        if "gemini" in naming and not self.gemini.key.get_secret_value():
            raise ValueError(
                f"{naming['gemini']} names gemini, which needs gemini.key; docs/generators.md says where it is found"
            )
        if "openai" in naming and not self.openai.model:
            raise ValueError(
                f"{naming['openai']} names openai, which needs openai.model: the model's name on that server"
            )
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
    def library_directory(self) -> Path:
        """Where the files lie that admins handed in, and the answers they taught."""
        return self.data_directory / "library"

    @property
    def staging_directory(self) -> Path:
        """Where files lie while they are on their way into the library."""
        return self.data_directory / "incoming"

    @property
    def reports_directory(self) -> Path:
        """Where reports of evaluations lie that the web pages show."""
        return self.data_directory / "reports"

    @property
    def index_directory(self) -> Path:
        """Where the built index lies."""
        return self.data_directory / "index"
