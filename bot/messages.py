"""What goes in and what comes out: the messages that adapters and the core exchange.

Text is CommonMark in both directions; an adapter translates to and from its platform's own markup.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Outcome = Literal["answered", "declined", "done", "refused", "failed"]
"""How a message ended: a question was answered or declined, a command done, the asker at fault, or the bot."""

Capability = Literal["answer", "symptoms", "diagnosis", "picture"]
"""What a question was put to: the knowledge base, even where it sounds like symptoms, what judges symptoms, or what
looks at pictures."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a message. `id` is the platform's own; `roles` are what the adapter vouches for (see `bot.access`)."""

    id: str
    name: str = ""
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message was written. `workspace` is the guild on Discord; fields a platform lacks are empty."""

    platform: str
    workspace: str = ""
    channel: str = ""
    thread: str = ""

    @property
    def id(self) -> str:
        """One string for the place, unique over all platforms."""
        return "/".join((self.platform, self.workspace, self.channel, self.thread))

    @property
    def workspace_id(self) -> str:
        """One string for the workspace, unique over all platforms."""
        return f"{self.platform}/{self.workspace}"

    @property
    def channel_id(self) -> str:
        """The same without the thread: what is set for a channel holds in its threads, too."""
        return "/".join((self.platform, self.workspace, self.channel))

    @property
    def names(self) -> tuple[str, ...]:
        """What the settings may call it, from the narrowest to the widest: itself, its channel, workspace, platform."""
        return (self.id, self.channel_id, self.workspace_id, self.platform)

    @property
    def is_direct(self) -> bool:
        """Whether it is a conversation with one person alone: Slack's have ids of their own, Discord's no server."""
        direct_on = {"discord": not self.workspace, "slack": self.channel[:1] in ("D", "U", "W")}
        return direct_on.get(self.platform, False)

    @classmethod
    def of_id(cls, place_id: str) -> "Place":
        """Give the place that an `id` names."""
        return cls(*place_id.split("/", 3))


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message: its name, its media type as claimed, its size in bytes and where it lies."""

    name: str
    media_type: str
    size: int
    url: str


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """One event that wants an answer.

    Attributes:
        key: the event's own name on its platform, unique for ever: it is answered once.
        place: where the answer goes.
        author: who asked.
        text: what was asked (CommonMark), or a command's argument when `command` is given.
        form: what came with a command besides, by name: texts that no audit and no log repeats.
        command: the command the platform named (``reload``); empty where the text decides.
        conversation_id: the conversation it continues; empty where place and author decide.
        opens_conversation: whether it opens a new one where `conversation_id` is empty, whatever was said before.
        message_id: the platform's name for the message, so that the answer can refer to it.
        attachments: files that came with it.
        passages: how many passages the answer may rest on, or None for the setting.
        generator: who is to write the answer, by name, before the others of the chain; empty for their order.
        source: the source (a file or folder of `knowledge.sources`) that it is to come from; empty for all.
        streaming: whether the asker wants to see the answer grow.
        private: whether the asker alone should see the answer.
        revises: the key of an earlier message of which this is the edited form, or which the command ``withdraw``
            takes back; its answer is put right in place.
        about: the platform's name of the message that was pressed, reacted to or chosen; empty for ordinary ones.
        mentions: whom and what it names, besides the bot: ``user:ID``, ``role:ID``, ``group:ID``, ``channel:ID``.
        groups_of_place: what the adapter vouches for as the groups of channels that the place lies in
            (``category:ID``, see `bot.access_rules`); empty where it knows of none.
        route: the platform's own way back to the asker (an interaction's token, a response URL), valid for minutes.
        received_at: when the adapter heard of it (UTC).
    """

    key: str
    place: Place
    author: Author
    text: str
    command: str = ""
    conversation_id: str = ""
    opens_conversation: bool = False
    message_id: str = ""
    attachments: tuple[Attachment, ...] = ()
    passages: int | None = None
    generator: str = ""
    source: str = ""
    streaming: bool = False
    private: bool = False
    revises: str = ""
    about: str = ""
    mentions: tuple[str, ...] = ()
    groups_of_place: tuple[str, ...] = ()
    route: str = ""
    received_at: datetime = field(default_factory=_now)
    form: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def person_id(self) -> str:
        """One string for the author, unique over all platforms."""
        return f"{self.place.platform}:{self.author.id}"

    @property
    def reference(self) -> str:
        """What a reply to this message names as the message it answers."""
        return self.message_id or self.key


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage that an answer rests on; `number` is how the answer's text refers to it, from 1.

    `matched` says where words of the question stand in `text`: first character, and the one behind the last, in order.
    """

    number: int
    title: str
    text: str
    source: str
    location: str
    url: str
    score: float
    matched: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Button:
    """Something the reader may press: it sends `text` as a message of theirs, with `command` as its command."""

    label: str
    text: str
    command: str


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes with a reply; its content is text."""

    name: str
    media_type: str
    text: str


@dataclass(frozen=True, slots=True)
class Sight:
    """A picture as it is remembered: by its embedding (float16, little-endian, base64) and the model that made it."""

    model: str
    embedding: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the bot says to one message, or one part of it where a platform needs several (see `Adapter.parts`).

    Attributes:
        text: CommonMark; refers to citations as ``[1]``. Where it is empty, nothing is sent.
        outcome: how the message ended.
        in_reply_to: the `reference` of the message it answers.
        citations: what the text rests on.
        buttons: what the reader may do next.
        files: what goes with it.
        note: what the reader should know of how it was written, in small print under the sources; plain text.
        mentions: the people and groups it calls, as ``user:ID``, ``role:ID`` or ``group:ID``; nobody else is pinged.
        ephemeral: whether the asker alone should see it.
        complete: False while the answer still grows; the last edit is complete.
        part: which part of the whole reply this is, from 0.
        route: the message's own `route`.
        revises: the key of the message whose answer this takes the place of; empty for a new one.
        answer_id: the number under which the answer is kept; 0 where it is not.
        told_with: the inbox key of the message with which it is kept and taken back, where that is another one than
            it answers: who presses "What may it point to?" told of it before.
        conversation_id: the conversation it belongs to; empty where none is kept.
        question: what was asked, as it was understood.
        confidence: calibrated probability that the answer fits, 0 to 1.
        generator: who wrote the answer; empty where nobody had to.
        capability: what the question was put to; what was said of symptoms is no history for generators.
        elapsed_ms: from acceptance to this reply, in milliseconds.
        offers_diagnosis: whether it was asked in a way that sounds like symptoms, and judging them is offered.
        sights: the pictures it tells of, to be remembered where the answer is kept.
        error: the code of what went wrong (see `bot.errors`); empty where nothing did.
        data: the same for machines (a reload's report), JSON values only.
    """

    text: str
    outcome: Outcome = "done"
    in_reply_to: str = ""
    citations: tuple[Citation, ...] = ()
    buttons: tuple[Button, ...] = ()
    files: tuple[File, ...] = ()
    note: str = ""
    mentions: tuple[str, ...] = ()
    ephemeral: bool = False
    complete: bool = True
    part: int = 0
    route: str = ""
    revises: str = ""
    answer_id: int = 0
    told_with: str = ""
    conversation_id: str = ""
    question: str = ""
    confidence: float = 0.0
    generator: str = ""
    capability: Capability = "answer"
    elapsed_ms: float = 0.0
    offers_diagnosis: bool = False
    sights: tuple[Sight, ...] = ()
    error: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_placeholder(self) -> bool:
        """Whether it only says that an answer is coming: nobody has written anything of it yet."""
        return not self.complete and not self.generator


def diagnosis_document(reply: Reply) -> dict[str, Any]:
    """Give the JSON form of what symptoms may point to."""
    return {
        **reply.data,
        "answer": reply.text,
        "answer_id": _name(reply),
        "conversation_id": reply.conversation_id,
        "elapsed_ms": round(reply.elapsed_ms, 1),
    }


def description_document(reply: Reply) -> dict[str, Any]:
    """Give the JSON form of what is in pictures."""
    return {
        "pictures": reply.data.get("pictures", []),
        "answer": reply.text,
        "citations": _sources(reply),
        "note": reply.note,
        "answer_id": _name(reply),
        "conversation_id": reply.conversation_id,
        "elapsed_ms": round(reply.elapsed_ms, 1),
    }


def answer_document(reply: Reply) -> dict[str, Any]:
    """Give the JSON form of an answer, the same on the command line and over HTTP."""
    return {
        "question": reply.question,
        "answer": reply.text,
        "abstained": reply.outcome == "declined",
        "confidence": round(reply.confidence, 4),
        "generator": reply.generator,
        "note": reply.note,
        "citations": _sources(reply),
        "offers_diagnosis": reply.offers_diagnosis,
        "answer_id": _name(reply),
        "conversation_id": reply.conversation_id,
        "elapsed_ms": round(reply.elapsed_ms, 1),
    }


def _name(reply: Reply) -> str:
    """Name the answer by its number: as text, since it has more digits than JavaScript's numbers hold."""
    return str(reply.answer_id) if reply.answer_id else ""


def _sources(reply: Reply) -> list[dict[str, Any]]:
    return [citation_document(citation) for citation in reply.citations]


def citation_document(citation: Citation) -> dict[str, Any]:
    """Give the JSON form of a passage that an answer rests on."""
    return {
        "title": citation.title,
        "text": citation.text,
        "source": citation.source,
        "location": citation.location,
        "url": citation.url,
        "score": round(citation.score, 4),
        "matched": [list(span) for span in citation.matched],
    }
