"""The documents of the pages for admins: how the bot is, what was asked, who may do what, what is kept."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Moment = Annotated[str, Field(description="ISO 8601, UTC.", examples=["2026-03-14T12:00:00+00:00"])]
Day = Annotated[str, Field(description="UTC.", examples=["2026-03-14"])]

PlaceName = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^\S+$")]


class _Wish(BaseModel):
    """What a request's body is made of."""

    model_config = ConfigDict(extra="forbid", strict=True)


class FrontDoor(BaseModel):
    """One adapter."""

    name: str
    is_up: bool = Field(description="Whether it hears and reaches its platform now.")
    reason: str = Field(description="Why not, or what else is known; may be empty.")
    address: str = Field(description="Its URL; empty where it has none.")


class Queue(BaseModel):
    """What is not finished."""

    waiting: int
    answering: int = Field(description="By this process.")
    unsent: int = Field(description="Parts of replies.")
    oldest_seconds: float = Field(description="How long the oldest message is open; 0 where none is.")


class Memory(BaseModel):
    """What this process takes."""

    bytes: int


class LoadedModel(BaseModel):
    """A model of this machine."""

    what: str = Field(description='What it is for: "answers", "symptoms", "labels", "captions".')
    name: str = Field(description="Empty where it is not known before it is loaded.")
    state: Literal["loaded", "not loaded", "unavailable", "off"]


class GeneratorState(BaseModel):
    """Who writes answers, and whether they are asked now."""

    name: str
    state: Literal["closed", "open", "half-open", "over budget"] = Field(description="closed: it is asked.")
    reason: str
    model: str


class LoggedError(BaseModel):
    """A warning or an error of the log, without any text of anybody's."""

    id: str = Field(description="The line's `error_id`.")
    at: Moment
    level: Literal["warning", "error", "critical"]
    event: str
    where: str = Field(description="The place in the code.")
    kind: str = Field(description="The error's type or code; may be empty.")
    times: int = Field(description="How often the same was said of the same place; id and time are those of the last.")


class Cleaned(BaseModel):
    """The last time that what is kept no longer was deleted."""

    at: Moment
    deleted: dict[str, int]
    failed: list[str]


class Status(BaseModel):
    """How the process is now."""

    running_since: Moment
    version: str
    adapters: list[FrontDoor]
    queue: Queue
    loop_lag_ms: float = Field(description="The 99th percentile of the last minute.")
    memory: Memory
    disk_free: int = Field(description="Bytes, on the disk of the data.")
    models: list[LoadedModel]
    generators: list[GeneratorState]
    cleaned: Cleaned | None
    errors: list[LoggedError] = Field(description="The newest hundred, newest first.")


class Times(BaseModel):
    """How long answers took, in milliseconds (nearest rank); 0 where there were none."""

    p50: float
    p95: float
    answers: int


class DayInPlace(BaseModel):
    """One day in one workspace."""

    day: Day
    place: str = Field(examples=["discord/81384788765712384", "http"])
    questions: int
    answered: int
    declined: int
    failed: int
    helpful: int = Field(description="Verdicts that were given on that day.")
    not_helpful: int
    latency_ms: Times


class DayOfAnswers(Times):
    """One day, all places together."""

    day: Day


class DayOfGenerator(Times):
    """One day of who wrote answers; tokens and cost are those of the model of that name."""

    day: Day
    generator: str
    input_tokens: int
    output_tokens: int
    cost: float


class Statistics(BaseModel):
    """What was asked and answered; more figures may be added."""

    model_config = ConfigDict(extra="allow")

    running_since: Moment
    windows: dict[str, dict[str, Any]] = Field(description="The same of the last day, the last week, and in all.")
    days: list[DayInPlace] = Field(description="Oldest first; days on which nothing was are left out.")
    latency: list[DayOfAnswers]
    total: Times
    generators: list[DayOfGenerator]


class Verdicts(BaseModel):
    """What people thought of an answer."""

    up: int
    down: int


class CitedPlace(BaseModel):
    """What an answer rested on."""

    title: str
    source: str
    location: str
    url: str


class QuestionToLookAt(BaseModel):
    """A question that found no answer, or none that people liked. Nothing tells who asked."""

    answer_id: str
    question: str
    answer: str
    at: Moment
    place: str
    confidence: float = Field(ge=0, le=1)
    verdicts: Verdicts
    comments: list[str]
    citations: list[CitedPlace]


class QuestionsToLookAt(BaseModel):
    """A page of them, newest first."""

    questions: list[QuestionToLookAt]
    next: str | None = Field(description="Send it as `before` for the next page; null where there is none.")


class AccessRule(BaseModel):
    """A rule of access."""

    number: int = Field(description="0: it is of the settings.")
    rule: str = Field(examples=["deny discord:role:1 in discord/2 to diagnose"])
    effect: Literal["allow", "deny"]
    who: str
    where: str
    what: str
    by: str = Field(description="Who made it; empty where that is the settings, or somebody forgotten.")
    is_of_settings: bool


class PairedPerson(BaseModel):
    """Who has paired by a code."""

    id: str
    by: str
    at: Moment


class AccessPolicy(BaseModel):
    """Who may do what; what is of all places is missing for who is an admin of one alone."""

    rules: list[AccessRule]
    unreadable: list[int] = Field(description="Numbers of rules that cannot be read: they deny all but admins all.")
    admins: list[str] = Field([], description="Of the settings; who has an admin key is one, too.")
    admin_roles: list[str] = []
    paired: list[PairedPerson] = []
    codes: int = Field(0, description="Codes that wait to be used.")


class AccessChange(_Wish):
    """A change of access, in the words of the command `access`."""

    change: str = Field(min_length=1, max_length=500, examples=["deny everyone in discord/2 to describe", "remove 4"])


class ChangedAccess(BaseModel):
    """What was changed: `rules` that hold now, the number `removed`, or a `code` and when it `expires_at`."""

    model_config = ConfigDict(extra="allow")


class AuditEntry(BaseModel):
    """One use of an admin command."""

    at: Moment
    person_id: str = Field(description="Empty: somebody who was forgotten.")
    place_id: str
    action: str
    argument: str
    outcome: str


class AuditEntries(BaseModel):
    """The newest uses, newest first."""

    entries: list[AuditEntry]


class PlaceSetting(BaseModel):
    """What is set for a place."""

    place: str
    name: Literal["keep", "redact", "retention_days"]
    value: str
    by_admin: bool = Field(description="Else it is of the settings.")


class SetPlaces(BaseModel):
    """What is set for places, and what holds elsewhere."""

    places: list[PlaceSetting]
    defaults: dict[str, str]


class PlaceChange(_Wish):
    """What is to hold in a place."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"place": "http", "name": "keep", "value": "default"}]})

    place: PlaceName = Field(description="A platform, workspace, channel or thread.")
    name: Literal["keep", "redact", "retention"]
    value: PlaceName = Field(description='"on" or "off", or a number of days; "default" takes it back.')


class RetentionOfPlace(PlaceSetting):
    """For how long conversations of a place are kept."""

    days: int = Field(description="0: for ever.")


class KeptFor(BaseModel):
    """How long conversations are kept."""

    default_days: int = Field(description="Where nothing else is set; 0: for ever.")
    places: list[RetentionOfPlace]
    due: int = Field(description="Conversations that a cleaning would delete now.")
    cleaning_hour: int = Field(description="UTC.")
    cleaned: Moment | None = Field(description="When it was cleaned last.")
    last_cleaning: Cleaned | None


class DoneCleaning(Cleaned):
    """What a cleaning deleted."""

    conversations: int


class UndeliveredReply(BaseModel):
    """A reply that was given up."""

    key: str
    place: str
    since: Moment
    reason: str


class UndeliveredReplies(BaseModel):
    """The replies that were given up, oldest first."""

    undelivered: list[UndeliveredReply]


class Retried(BaseModel):
    """How many are tried again."""

    retried: int


class KnownPerson(BaseModel):
    """Somebody of whom conversations are kept."""

    id: str = Field(examples=["discord:81384788765712384"])
    name: str
    conversations: int
    last_at: Moment | None


class KnownPeople(BaseModel):
    """Whom a search found, by name."""

    people: list[KnownPerson]


class ReportEntry(BaseModel):
    """A report of an evaluation, or of the training of a model."""

    id: str
    kind: str = Field(description='"evaluation", or what the trained model is for.')
    name: str
    at: Moment
    files: list[str]


class ReportEntries(BaseModel):
    """The reports, newest first."""

    reports: list[ReportEntry]
