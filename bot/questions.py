"""Questions for admins to look at: those that found no answer, and those whose answers people did not like."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, select

from bot.database import Database
from bot.errors import QuestionError
from bot.messages import IncomingMessage, Reply
from bot.tables import citations, conversations, feedback, messages

UNANSWERED, DISLIKED = "unanswered", "disliked"

MOST = 200

_SHOWN = ("answer", "picture")
"""What questions were put to. What was said of symptoms, or sounded like them, is nobody else's business."""

_question = messages.alias("asked")
_FIX = "Write `unanswered` or `disliked`, how many, and the answer's number before which they were asked."

_rows = (
    select(
        messages.c.id,
        messages.c.text,
        messages.c.at,
        messages.c.confidence,
        conversations.c.place_id,
        select(_question.c.text)
        .where(
            _question.c.conversation_id == messages.c.conversation_id,
            _question.c.role == "question",
            _question.c.capability.in_(_SHOWN),
            _question.c.id < messages.c.id,
        )
        .order_by(_question.c.id.desc())
        .limit(1)
        .scalar_subquery()
        .label("question"),
    )
    .join(conversations)
    .where(messages.c.capability.in_(_SHOWN))
    .order_by(messages.c.id.desc())
)


class Questions:
    """The command ``questions``: a page of them, newest first, without who asked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tell(self, message: IncomingMessage) -> Reply:
        """Give a page: ``unanswered 50`` the newest, ``disliked 50 1234`` those before answer 1234.

        Raises:
            QuestionError: the text says something else.
        """
        kind, limit, before = _read(message.text)
        rows = await self._database.read(lambda connection: _page(connection, kind, limit, before))
        last = rows[-1]["answer_id"] if len(rows) == limit else None
        return Reply(_in_words(rows), ephemeral=True, data={"questions": rows, "next": last})


def _read(text: str) -> tuple[str, int, int]:
    kind, limit, before, *rest = (*text.split(), "", "", "")[:4]
    numbers = [
        int(word) if word.isascii() and word.isdecimal() and len(word) < len(str(2**62)) else -1
        for word in (limit or "50", before or "0")
    ]
    if kind not in (UNANSWERED, DISLIKED) or not 1 <= numbers[0] <= MOST or numbers[1] < 0 or any(rest):
        raise QuestionError("That asks for no questions.", _FIX)
    return kind, numbers[0], numbers[1]


def _wanted(kind: str) -> Select[Any]:
    if kind == UNANSWERED:
        return _rows.where(messages.c.outcome == "declined")
    disliked = select(feedback.c.message_id).where(feedback.c.verdict == -1)
    return _rows.where(messages.c.id.in_(disliked), messages.c.role == "answer")


def _page(connection: Connection, kind: str, limit: int, before: int) -> list[dict[str, Any]]:
    query = _wanted(kind).limit(limit)
    rows = connection.execute(query.where(messages.c.id < before) if before else query).all()
    numbers = [row.id for row in rows]
    verdicts, comments = _judged(connection, numbers)
    cited = _cited(connection, numbers)
    return [
        {
            "answer_id": str(row.id),
            "question": row.question or "",
            "answer": row.text,
            "at": row.at.isoformat(),
            "place": row.place_id,
            "confidence": round(row.confidence or 0.0, 4),
            "verdicts": verdicts[row.id],
            "comments": comments[row.id],
            "citations": cited[row.id],
        }
        for row in rows
    ]


def _judged(
    connection: Connection, numbers: Sequence[int]
) -> tuple[Mapping[int, Mapping[str, int]], Mapping[int, Sequence[str]]]:
    """Give the verdicts on answers, and what people wrote to them."""
    counts: dict[int, dict[str, int]] = defaultdict(lambda: {"up": 0, "down": 0})
    comments: dict[int, list[str]] = defaultdict(list)
    given = select(feedback.c.message_id, feedback.c.verdict, feedback.c.comment).where(
        feedback.c.message_id.in_(numbers)
    )
    for number, verdict, comment in connection.execute(given.order_by(feedback.c.at)):
        counts[number]["up" if verdict > 0 else "down"] += 1
        if comment:
            comments[number].append(comment)
    return counts, comments


def _cited(connection: Connection, numbers: Sequence[int]) -> Mapping[int, Sequence[Mapping[str, str]]]:
    cited: dict[int, list[Mapping[str, str]]] = defaultdict(list)
    columns = [citations.c[name] for name in ("message_id", "title", "source", "location", "url")]
    named = select(*columns).where(citations.c.message_id.in_(numbers))
    for number, *fields in connection.execute(named.order_by(citations.c.message_id, citations.c.number)):
        cited[number].append(dict(zip(("title", "source", "location", "url"), fields, strict=True)))
    return cited


def _in_words(rows: Sequence[Mapping[str, Any]]) -> str:
    return f"{len(rows)} questions." if rows else "There are none."
