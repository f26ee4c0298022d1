"""The documents that the API takes and gives, as its OpenAPI page shows them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_OHM = "What is Ohm's law?"
_ID = "6f1c3a9b0d3e4c2f8a7b5d4e3c2b1a09"


def _whole_characters(text: object) -> object:
    """Mend a string that was cut in the middle of a character, as JavaScript's `slice` does with an emoji."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(text, str) else text


class Question(BaseModel):
    """What is asked."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [{"question": _OHM}, {"question": "And in AC circuits?", "conversation_id": _ID}]
        },
    )

    question: Annotated[str, BeforeValidator(_whole_characters)] = Field(
        description="The question, in words. Always taken as a question, also where it looks like a command."
    )
    top_k: int | None = Field(None, ge=1, le=50, description="How many passages the answer may rest on.")
    conversation_id: str | None = Field(None, description="The conversation it continues; left out, a new one opens.")
    generator: str = Field(
        "",
        max_length=100,
        description="Who is to write the answer, before the others of the chain; `GET /v1/about` names them. What may"
        " tell of symptoms is written on this machine all the same.",
    )
    source: str = Field(
        "",
        max_length=1_000,
        description="The source that the answer is to come from; `GET /v1/about` names them. Left out, from all.",
    )


class Symptoms(BaseModel):
    """What is to be judged."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {"symptoms": "itchy red patches with silvery scales on my elbows"},
                {"symptoms": "and now my finger joints are swollen", "conversation_id": _ID},
            ]
        },
    )

    symptoms: Annotated[str, BeforeValidator(_whole_characters)] = Field(
        description="How somebody feels, in their own words."
    )
    conversation_id: str | None = Field(
        None, description="That of an earlier description, to which this one adds; left out, a new one opens."
    )


class Condition(BaseModel):
    """A condition that the description may point to."""

    label: str
    probability: float = Field(ge=0, le=1, description="Calibrated.")
    because: list[str] = Field(description="The phrases of the description that spoke for it, the strongest first.")
    likelihood: str = Field(description="The probability in words.")
    sentence: str = Field(description="What the condition is; empty for labels of one's own.")
    course: str = Field(description="How it usually goes.")
    urgent: list[str] = Field(description="When it wants a doctor without delay.")


class Alarm(BaseModel):
    """A sign of an emergency."""

    name: str
    advice: str = Field(description="What to do now.")


class Diagnosis(BaseModel):
    """What a description of symptoms may point to. It is no diagnosis by a doctor."""

    conditions: list[Condition] = Field(description="Likeliest first; empty when it abstains.")
    abstained: bool = Field(description="True when nothing is likely enough, or no symptoms are described.")
    reason: Literal["", "nothing likely", "too little", "language", "unavailable"] = Field(
        description="Why it abstains."
    )
    red_flags: list[Alarm] = Field(description="Signs of an emergency, looked for whatever the classifier says.")
    model: str = Field(description='Which classifier judged: "floor", or the name of a trained one.')
    disclaimer: str
    answer: str = Field(description="The same in words, as a chat shows it (CommonMark).")
    answer_id: str = Field(description="By this its asker may judge it; empty where nothing is kept.")
    conversation_id: str = Field(description="To add to the description; empty where nothing is kept.", examples=[_ID])
    elapsed_ms: float


class PictureLabel(BaseModel):
    """What a picture may show."""

    label: str
    index: int = Field(description="Its number among the model's labels.")
    score: float = Field(ge=0, le=1, description="Its probability.")


class PictureColour(BaseModel):
    """One of the colours that a picture mostly has."""

    name: str
    code: str = Field(examples=["#1f3a5f"])
    share: float = Field(ge=0, le=1)


class EarlierSight(BaseModel):
    """When nearly the same picture was shown before."""

    at: str = Field(description="When (ISO 8601, UTC).")
    link: str = Field(description="The address of the message; may be empty.")


class Picture(BaseModel):
    """What is in one picture, or why it was not looked at; more may be added."""

    model_config = ConfigDict(extra="allow")

    name: str
    caption: str | None = Field(description="One sentence; null where no captioner is installed.")
    labels: list[PictureLabel] = Field(description="Likeliest first; empty where no classifier is installed.")
    width: int | None = Field(description="In pixels, as it is meant to be seen; null where it was not looked at.")
    height: int | None = Field(description="In pixels; null where it was not looked at.")
    format: str | None = Field(description='"PNG", "JPEG" …, by its content; null where it was not looked at.')
    error: str | None = Field(description="Why it was not looked at; null where it was.")
    frames: int | None = Field(description="How many pictures the file holds; what is told is of the first.")
    orientation: Literal["landscape", "portrait", "square"] | None
    camera: str = Field(description="Maker and model, from EXIF; may be empty.")
    taken: str = Field(description="When, by the camera's clock, from EXIF; may be empty.")
    colours: list[PictureColour] = Field(description="Largest share first.")
    alt_text: str = Field(description="Ready to be used; empty where no model knows what to say.")
    seen_before: EarlierSight | None = Field(description="Null where it was not, or nothing is kept.")


class Source(BaseModel):
    """A passage that an answer rests on; its place in the list, from 1, is the number in the answer's text."""

    title: str
    text: str
    source: str = Field(description="The file it came from.")
    location: str = Field(description="Where in the file.")
    url: str = Field(description="Where to read more; may be empty.")
    score: float = Field(description="How well it fits the question; comparable within one answer.")
    matched: list[Annotated[list[int], Field(min_length=2, max_length=2)]] = Field(
        description="Where words of the question stand in the text: first character, and the one behind the last"
        " (code points), in order."
    )


class Description(BaseModel):
    """What is in pictures."""

    pictures: list[Picture] = Field(description="In the order in which they came.")
    answer: str = Field(description="The same in words, as a chat shows it (CommonMark); the answer to the question.")
    citations: list[Source] = Field(description="What the answer to the question rests on.")
    note: str = Field(description="What there is to know of how it was written; may be empty.")
    answer_id: str = Field(description="By this its asker may judge it; empty where nothing is kept.")
    conversation_id: str = Field(description="To ask more of it; empty where nothing is kept.", examples=[_ID])
    elapsed_ms: float


class Answer(BaseModel):
    """An answer, or the statement that there is none."""

    question: str
    answer: str = Field(description="CommonMark; refers to the citations as [1], [2] …")
    abstained: bool = Field(description="True when the knowledge base has no answer.")
    confidence: float = Field(ge=0, le=1, description="Calibrated probability that the answer fits.")
    generator: str = Field(description="Who wrote the answer.")
    note: str = Field(description="What there is to know of how it was written; may be empty.")
    citations: list[Source]
    offers_diagnosis: bool = Field(
        description="Whether it sounds like symptoms: `POST /v1/diagnose` tells what they may point to."
    )
    answer_id: str = Field(description="By this its asker may judge it; empty where nothing is kept.")
    conversation_id: str = Field(examples=[_ID])
    elapsed_ms: float
    suggestions: list[str] = Field(description='"Did you mean", when there is no answer.')


class PersonalData(BaseModel):
    """Everything that is kept of a person; more may be added."""

    model_config = ConfigDict(extra="allow")

    person: dict[str, str] = Field(description="`id`, and `name` where it is known.")
    conversations: list[dict[str, Any]] = Field(description="With all their messages, oldest first.")
    events: list[dict[str, Any]] = Field(description="What the platform told of them, without texts.")


class Forgotten(BaseModel):
    """What was deleted."""

    conversations: int


class Knowledge(BaseModel):
    """What the answers come from; more figures may be added."""

    model_config = ConfigDict(extra="allow")

    version: str
    files: int
    passages: int


class Reload(BaseModel):
    """What a reload changed; more figures may be added."""

    model_config = ConfigDict(extra="allow")

    version: str
    files: int
    passages: int
    added: int
    removed: int
    duplicates: int
    changed: bool
    problems: list[dict[str, Any]] = Field(description="What could not be used, with file, line and fix.")
    elapsed_ms: float


class Health(BaseModel):
    """Whether the process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether questions are answered, and if not, what is waited for."""

    status: Literal["ready", "starting"]
    waiting_for: str = ""


class FieldError(BaseModel):
    """What is wrong with one part of the body."""

    pointer: str = Field(
        description="JSON pointer, as a URI fragment; of a form, its field, and of several files the number, from 0.",
        examples=["#/top_k", "#/file/1"],
    )
    detail: str


class ProblemDocument(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(examples=["urn:preceptor:error:question_empty"])
    title: str
    status: int
    detail: str = Field(description="One sentence.")
    instance: str = Field(description="Names this one occurrence, in the log, too.")
    fix: str | None = Field(None, description="What to do about it.")
    errors: list[FieldError] | None = None
