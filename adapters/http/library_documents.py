"""What the library's routes take and give, as JSON."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from adapters.http.documents import Reload

_Problems = Annotated[list[dict[str, Any]], Field(description="What could not be used, with file, line and fix.")]
_ANSWER_ID = "3f2a90c1b7de"


class KnowledgeFile(BaseModel):
    """A file that is read."""

    name: str = Field(description="As citations name it; of a file of the library, its own name there.")
    source: str = Field(description="What its source is called.")
    is_managed: bool = Field(description="Whether it is one of the library: then it may be replaced and deleted here.")
    passages: int = Field(description="How many of it can be found.")
    bytes: int
    changed_at: str = Field(description="When (ISO 8601, UTC); empty where that was just before it was read.")
    problems: _Problems


class KnowledgeFiles(BaseModel):
    """Everything that is read."""

    files: list[KnowledgeFile]
    version: str = Field(description="Names the index that answers.")
    problems: list[dict[str, Any]] = Field(description="What is wrong besides, with no file in particular.")


class PreviewedFile(BaseModel):
    """What one file would bring."""

    name: str
    replaces: bool = Field(description="Whether one of that name is there.")
    passages: int
    titles: list[str] = Field(description="The first ten different ones.")
    problems: _Problems
    refused: str = Field(description="Why it cannot be taken, nor what comes with it; empty where it can.")


class LibraryPreview(BaseModel):
    """What files would bring, if they were handed in."""

    files: list[PreviewedFile]
    added: int = Field(description="Passages that would be new in these files.")
    removed: int = Field(description="Passages that the files they replace have, and they have not.")


class Changed(Reload):
    """What a change of the library did: as a reload tells it."""

    version_id: int = Field(description="The version of the library that it made.")


class LibraryVersion(BaseModel):
    """A version of the library."""

    id: int
    at: str = Field(description="When (ISO 8601, UTC); empty where what is noted of it cannot be read.")
    by: str = Field(description="Who made it; empty where they were forgotten.")
    action: str = Field(description="What was done, in words.")
    files: list[str] = Field(description="The names of the files in it.")


class LibraryVersions(BaseModel):
    """The versions that are kept, newest first; the first is the one in use."""

    versions: list[LibraryVersion]


class Teaching(BaseModel):
    """The answer to a question, as it is to be given."""

    model_config = ConfigDict(extra="forbid")

    question: Annotated[str, StringConstraints(max_length=500)] = Field(examples=["When is the office open?"])
    answer: Annotated[str, StringConstraints(max_length=20_000)] = Field(
        description="CommonMark.", examples=["From 8 in the morning until 6 in the evening."]
    )
    title: Annotated[str, StringConstraints(max_length=200)] = ""


class Taught(Changed):
    """What teaching an answer did."""

    id: str = Field(description="Names the answer.", examples=[_ANSWER_ID])


class TaughtAnswer(BaseModel):
    """An answer that was taught."""

    id: str = Field(examples=[_ANSWER_ID])
    question: str
    answer: str
    title: str


class TaughtAnswers(BaseModel):
    """All of them, oldest first."""

    answers: list[TaughtAnswer]


class Term(BaseModel):
    """A word of the question that stands in a passage."""

    word: str = Field(description="As it was written.")
    term: str = Field(description="What it was looked up as.")
    weight: float = Field(description="Its share in the score.")


class ExplainedHit(BaseModel):
    """A passage that was found, and why it stands where it does."""

    title: str
    text: str
    source: str
    location: str
    url: str
    score: float
    confidence: float = Field(ge=0, le=1, description="Calibrated probability that it answers the question.")
    coverage: float = Field(ge=0, le=1, description="Share of the question, weighted by rarity, that it holds.")
    matched: list[tuple[int, int]] = Field(description="Where words of the question stand in the text (code points).")
    terms: list[Term]


class Explanation(BaseModel):
    """What a search finds, best first."""

    model_config = ConfigDict(extra="allow")

    hits: list[ExplainedHit]
    threshold: float = Field(description="The confidence below which the bot declines.")
