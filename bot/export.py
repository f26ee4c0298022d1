"""Everything that is kept about a person, as one JSON document for them, and nothing of anybody else's."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from bot.database import Database
from bot.knowledge_desk import counted
from bot.messages import File, IncomingMessage, Place, Reply
from bot.tables import (
    channel_people,
    citations,
    conversations,
    escalations,
    feedback,
    inbox,
    messages,
    people,
    pictures,
)

FILE_NAME = "preceptor-export.json"


class Export:
    """Hands people what is kept about them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def give(self, message: IncomingMessage) -> Reply:
        """Give the author their document, as a file and for machines; moments in UTC, numbers of answers as text."""
        document, text = await self._database.read(lambda connection: _written(connection, message))
        said = sum(len(conversation["messages"]) for conversation in document["conversations"])
        kept = f"{counted(len(document['conversations']), 'conversation')}, {counted(said, 'message')}"
        file = File(FILE_NAME, "application/json", text)
        return Reply(f"Here is what I keep of you: {kept}.", files=(file,), ephemeral=True, data=document)


def _written(connection: Connection, message: IncomingMessage) -> tuple[dict[str, Any], str]:
    document = _document(connection, message.person_id, message.place.platform, message.author.id)
    return document, json.dumps(document, ensure_ascii=False, indent=2)


def _document(connection: Connection, person_id: str, platform: str, author_id: str) -> dict[str, Any]:
    def every(query: Select[Any], form: Callable[[Row[Any]], Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [form(row) for row in connection.execute(query)]

    person = select(people).where(people.c.id == person_id)
    judged = select(feedback).where(feedback.c.person_id == person_id).order_by(feedback.c.at)
    asked = select(escalations).where(escalations.c.person_id == person_id).order_by(escalations.c.asked_at)
    solved = select(escalations).where(escalations.c.solved_by == person_id).order_by(escalations.c.solved_at)
    events = select(inbox).where(inbox.c.person_id == person_id).order_by(inbox.c.id)
    shown = select(pictures).where(pictures.c.person_id == person_id).order_by(pictures.c.at, pictures.c.number)
    called = select(channel_people.c.channel_id).where(
        channel_people.c.mention == f"user:{author_id}",
        channel_people.c.channel_id.startswith(f"{platform}/", autoescape=True),
    )
    return {
        "person": next(iter(every(person, lambda row: dict(row._mapping))), {"id": person_id}),
        "conversations": _conversations(connection, person_id),
        "pictures": every(shown, _picture),
        "feedback": every(judged, _verdict),
        "people_asked_for": every(asked, _call),
        "requests_solved": every(solved, lambda row: {"answer_id": str(row.message_id), "at": _at(row.solved_at)}),
        "called_in": list(connection.scalars(called)),
        "events": every(events, _event),
    }


def _conversations(connection: Connection, person_id: str) -> list[dict[str, Any]]:
    theirs = conversations.c.person_id == person_id
    opened = select(conversations).where(theirs).order_by(conversations.c.started_at, conversations.c.id)
    said = select(messages).join(conversations).where(theirs).order_by(messages.c.id)
    cited = select(citations).select_from(citations.join(messages).join(conversations)).where(theirs)
    documents = {row.id: _conversation(row) for row in connection.execute(opened)}
    by_number = {}
    for row in connection.execute(said):
        if row.conversation_id in documents:
            by_number[row.id] = document = _message(row)
            documents[row.conversation_id]["messages"].append(document)
    for row in connection.execute(cited.order_by(citations.c.message_id, citations.c.number)):
        if row.message_id in by_number:
            by_number[row.message_id]["citations"].append(_citation(row))
    return list(documents.values())


def _conversation(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "place": _place(row.place_id),
        "started_at": _at(row.started_at),
        "last_at": _at(row.last_at),
        "messages": [],
    }


def _message(row: Row[Any]) -> dict[str, Any]:
    document = {"id": str(row.id), "role": row.role, "text": row.text, "at": _at(row.at)}
    if row.role == "question":
        return document
    answer = {name: row._mapping[name] for name in ("outcome", "generator", "confidence", "elapsed_ms")}
    return document | answer | {"citations": []}


def _citation(row: Row[Any]) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name != "message_id"}


def _picture(row: Row[Any]) -> dict[str, Any]:
    return {
        "answer_id": str(row.message_id),
        "number": row.number,
        "message_id": row.shown_as,
        "model": row.model,
        "embedding": base64.b64encode(row.embedding).decode("ascii"),
        "at": _at(row.at),
    }


def _verdict(row: Row[Any]) -> dict[str, Any]:
    return {"answer_id": str(row.message_id), "verdict": "up" if row.verdict > 0 else "down", "at": _at(row.at)}


def _call(row: Row[Any]) -> dict[str, Any]:
    # Who solved it is somebody else's matter.
    return {"answer_id": str(row.message_id), "asked_at": _at(row.asked_at), "solved_at": _at(row.solved_at)}


def _event(row: Row[Any]) -> dict[str, Any]:
    return {
        "key": row.key,
        "place": _place(row.place_id),
        "message_id": row.message_id,
        "received_at": _at(row.received_at),
        "outcome": row.outcome,
    }


def _place(place_id: str) -> dict[str, str]:
    # Events that an older version accepted have no place.
    place = Place.of_id(place_id) if place_id else Place("")
    return {
        "platform": place.platform,
        "workspace": place.workspace,
        "channel": place.channel,
        "thread": place.thread,
    }


def _at(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
