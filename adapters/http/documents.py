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


class Source(BaseModel):
    """A passage that an answer rests on; its place in the list, from 1, is the number in the answer's text."""

    title: str
    text: str
    source: str = Field(description="The file it came from.")
    location: str = Field(description="Where in the file.")
    url: str = Field(description="Where to read more; may be empty.")
    score: float = Field(description="How well it fits the question; comparable within one answer.")


class Answer(BaseModel):
    """An answer, or the statement that there is none."""

    question: str
    answer: str = Field(description="CommonMark; refers to the citations as [1], [2] …")
    abstained: bool = Field(description="True when the knowledge base has no answer.")
    confidence: float = Field(ge=0, le=1, description="Calibrated probability that the answer fits.")
    generator: str = Field(description="Who wrote the answer.")
    note: str = Field(description="What there is to know of how it was written; may be empty.")
    citations: list[Source]
    conversation_id: str = Field(examples=[_ID])
    elapsed_ms: float
    suggestions: list[str] = Field(description='"Did you mean", when there is no answer.')


class Reference(BaseModel):
    """What a kept answer rested on."""

    title: str
    source: str
    location: str
    url: str


class Message(BaseModel):
    """A question or an answer of a conversation; what only answers have is missing from questions."""

    role: Literal["question", "answer"]
    text: str
    at: str = Field(description="When (ISO 8601, UTC).")
    outcome: str | None = None
    confidence: float | None = None
    generator: str | None = None
    elapsed_ms: float | None = None
    citations: list[Reference] | None = None


class Conversation(BaseModel):
    """A conversation, oldest message first."""

    conversation_id: str = Field(examples=[_ID])
    messages: list[Message]


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

    pointer: str = Field(description="JSON pointer, as a URI fragment.", examples=["#/top_k"])
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
