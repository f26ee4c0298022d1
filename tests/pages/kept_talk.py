"""Writes talk into a Preceptor's database as if it had been had there: what pages show of a month takes a month."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, create_engine
from sqlalchemy.dialects.sqlite import insert

from bot.messages import Place
from bot.tables import citations, conversations, feedback, generation_usage, inbox, messages, people, places, workspaces

_BEGAN = datetime.fromisoformat("2020-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Talk:
    """One question with its answer, a conversation of its own.

    Attributes:
        cites: title, text, file and place in it; empty where nothing was cited.
        verdict: 1, -1, or 0 where nobody judged.
        tokens: that a generator took and gave, and what it cost.
    """

    at: datetime
    place: Place
    person: str
    name: str
    question: str
    answer: str
    outcome: str = "answered"
    generator: str = "extractive"
    confidence: float = 0.9
    elapsed_ms: float = 20.0
    capability: str = "answer"
    cites: tuple[str, str, str, str] | tuple[()] = ()
    verdict: int = 0
    comment: str = ""
    tokens: tuple[int, int, float] = (0, 0, 0.0)
    title: str = ""


def keep(data_directory: Path, talks: Iterable[Talk]) -> None:
    """Write talks into the database of a Preceptor that has been started once and does not run now."""
    engine = create_engine(f"sqlite:///{data_directory / 'preceptor.sqlite3'}")
    with engine.begin() as connection:
        rows = [row for number, talk in enumerate(talks) for row in _rows(number, talk)]
        for table in (workspaces, places, people, conversations, messages, citations, feedback, inbox):
            _write(connection, table, [values for one, values in rows if one is table])
        _write(connection, generation_usage, [values for one, values in rows if one is generation_usage])
    engine.dispose()


def _write(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table).on_conflict_do_nothing(), rows)


def _rows(number: int, talk: Talk) -> Iterable[tuple[Table, dict[str, Any]]]:
    place, platform = talk.place, talk.place.platform
    person, event = f"{platform}:{talk.person}", f"{platform}:kept-{number}"
    conversation = f"{number:032x}"
    answer = (int((talk.at - _BEGAN) / timedelta(milliseconds=1)) << 22) + 2 * number + 1
    ended = talk.at + timedelta(milliseconds=talk.elapsed_ms)
    said = {"conversation_id": conversation, "inbox_key": event, "capability": talk.capability}
    unset = {"outcome": None, "generator": None, "confidence": None, "elapsed_ms": None}
    judged = {"outcome": talk.outcome, "confidence": talk.confidence, "elapsed_ms": talk.elapsed_ms}
    yield workspaces, {"id": place.workspace_id, "platform": platform, "external_id": place.workspace}
    yield (
        places,
        {
            "id": place.id,
            "workspace_id": place.workspace_id,
            "channel": place.channel,
            "thread": place.thread,
        },
    )
    yield people, {"id": person, "platform": platform, "external_id": talk.person, "name": talk.name}
    yield (
        conversations,
        {
            "id": conversation,
            "place_id": place.id,
            "person_id": person,
            "started_at": talk.at,
            "last_at": ended,
            "title": talk.title,
        },
    )
    yield messages, said | unset | {"id": answer - 1, "role": "question", "text": talk.question, "at": talk.at}
    yield (
        messages,
        said
        | judged
        | {"id": answer, "role": "answer", "text": talk.answer, "at": ended}
        | {"generator": talk.generator if talk.outcome == "answered" else ""},
    )
    yield (
        inbox,
        {
            "key": event,
            "platform": platform,
            "person_id": person,
            "place_id": place.id,
            "received_at": talk.at,
            "is_open": False,
            "outcome": talk.outcome,
        },
    )
    if talk.cites:
        title, text, source, location = talk.cites
        cited = {"title": title, "text": text, "source": source, "location": location, "url": "", "score": 9.5}
        yield citations, {"message_id": answer, "number": 1} | cited
    if talk.verdict:
        verdict = {"message_id": answer, "person_id": person, "verdict": talk.verdict, "comment": talk.comment}
        yield feedback, verdict | {"at": ended + timedelta(seconds=30)}
    if any(talk.tokens):
        taken, given, cost = talk.tokens
        yield (
            generation_usage,
            {
                "day": talk.at.date().isoformat(),
                "at": talk.at,
                "workspace_id": place.workspace_id,
                "conversation_id": conversation,
                "generator": talk.generator,
                "model": f"{talk.generator}-model",
                "input_tokens": taken,
                "output_tokens": given,
                "cost": cost,
            },
        )
