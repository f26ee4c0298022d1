"""The documents about conversations, and about what a page has to know of the bot."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from adapters.http.documents import Source
from bot.conversation_list import LONGEST_TITLE
from bot.feedback import LONGEST_COMMENT

_ID = "6f1c3a9b0d3e4c2f8a7b5d4e3c2b1a09"

Capability = Literal["answer", "symptoms", "diagnosis", "picture"]


class Message(BaseModel):
    """A question or an answer of a conversation; what only answers have is missing from questions."""

    role: Literal["question", "answer"]
    text: str
    at: str = Field(description="When (ISO 8601, UTC).")
    capability: Capability = Field(
        description="What the question was put to; `symptoms`: to the knowledge base, but it may tell of symptoms."
    )
    answer_id: str | None = Field(None, description="By this its asker may judge it.")
    outcome: str | None = None
    confidence: float | None = None
    generator: str | None = None
    elapsed_ms: float | None = None
    citations: list[Source] | None = None
    verdict: Literal["up", "down"] | None = Field(None, description="What the asker thinks of it.")
    comment: str | None = Field(None, description="And why, in their own words; may be empty.")


class Conversation(BaseModel):
    """A conversation, oldest message first."""

    conversation_id: str = Field(examples=[_ID])
    messages: list[Message]


class ListedConversation(BaseModel):
    """A conversation in the list."""

    conversation_id: str = Field(examples=[_ID])
    title: str = Field(description="What its owner calls it, or else its first question, shortened.")
    started_at: str = Field(description="When (ISO 8601, UTC).")
    last_at: str = Field(description="When something was last asked in it (ISO 8601, UTC).")
    messages: int = Field(description="Questions and answers together.")


class Conversations(BaseModel):
    """One's own conversations, newest first."""

    conversations: list[ListedConversation]
    next: str | None = Field(description="Send it as `before` for the next page; null where there is none.")


class Renaming(BaseModel):
    """What a conversation is to be called."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"title": "Circuits"}]})

    title: str = Field(max_length=LONGEST_TITLE, description="Its title; an empty one brings back the first question.")


class Judgement(BaseModel):
    """What the asker thinks of an answer."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"verdict": "up"}, {"verdict": "down", "comment": "It closes at 4."}]},
    )

    verdict: Literal["up", "down"]
    comment: str | None = Field(
        None,
        max_length=LONGEST_COMMENT,
        description="Why. It takes the place of an earlier one, also where it is empty; left out, an earlier one stays,"
        " unless the verdict is another one now.",
    )


class Judged(BaseModel):
    """What is noted of an answer."""

    answer_id: str
    verdict: Literal["up", "down"]
    comment: str


class AboutPerson(BaseModel):
    """Who is asking."""

    id: str = Field(examples=["http:key-2bb80d537b1d"])
    name: str = Field(description="May be empty.")


class AboutPictures(BaseModel):
    """What may be done with pictures."""

    looking: Literal["on", "off", "on request"]
    most: int = Field(description="How many at once.")
    megabytes: int = Field(description="How large they may be, together, in MiB.")


class About(BaseModel):
    """Who is asking, what they may choose and what they could ask; what they may not is empty."""

    person: AboutPerson
    is_admin: bool
    is_guest: bool = Field(description="Whether nobody knows them by a key.")
    needs_key: bool = Field(description="Whether there are keys at all; where there are none, everybody is an admin.")
    generators: list[str] = Field(description="Who can write answers, the one to be asked first first.")
    sources: list[str] = Field(description="What the knowledge base was read from.")
    examples: list[str] = Field(description="Questions that it answers; others each day.")
    diagnosis: bool = Field(description="Whether symptoms are judged.")
    pictures: AboutPictures
    keeps: bool = Field(description="Whether what is asked is kept, so that there is a list of conversations.")
    question_length: int = Field(description="Characters in the longest question.")
    version: str
