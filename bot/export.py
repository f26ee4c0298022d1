"""Everything that is kept about a person, as one JSON document for them, and nothing of anybody else's."""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, exists, func, literal, select

from bot.database import Database
from bot.knowledge_desk import counted
from bot.messages import File, IncomingMessage, Place, Reply
from bot.tables import (
    access_rules,
    audit,
    channel_people,
    citations,
    conversations,
    escalations,
    feedback,
    inbox,
    messages,
    outbox,
    paired_people,
    people,
    pictures,
    place_settings,
    sessions,
)

FILE_NAME = "preceptor-export.json"

_OF_THE_BODY = ("symptoms", "diagnosis")


Elsewhere = Callable[[str], Awaitable[Mapping[str, Any]]]
"""Gives what is kept of a person outside the database, by name."""


async def _nothing(person_id: str) -> Mapping[str, Any]:
    return {}


class Export:
    """Hands people what is kept about them.

    Args:
        database: where it is kept.
        elsewhere: gives what is kept besides.
    """

    def __init__(self, database: Database, elsewhere: Elsewhere = _nothing) -> None:
        self._database = database
        self._elsewhere = elsewhere

    async def give(self, message: IncomingMessage) -> Reply:
        """Give the author their document, as a file and for machines; moments in UTC, numbers of answers as text."""
        return await self._given(message.person_id, "", "Here is what I keep of you")

    async def give_of(self, person_id: str, within: str) -> Reply:
        """Give the document of somebody else, for an admin.

        Args:
            person_id: ``platform:id``.
            within: the beginning of the place ids that it is of, as ``slack/T012AB3CD/``; empty for all places. Where
                it is not, what they said of symptoms is left out: that is not for those they work with.
        """
        return await self._given(person_id, within, f"Here is what I keep of `{person_id}`")

    async def _given(self, person_id: str, within: str, said: str) -> Reply:
        more = {} if within else await self._elsewhere(person_id)
        document, text = await self._database.read(lambda connection: _written(connection, person_id, within, more))
        number = sum(len(conversation["messages"]) for conversation in document["conversations"])
        kept = f"{counted(len(document['conversations']), 'conversation')}, {counted(number, 'message')}"
        file = File(FILE_NAME, "application/json", text)
        return Reply(f"{said}: {kept}.", files=(file,), ephemeral=True, data=document)


def _written(
    connection: Connection, person_id: str, within: str, more: Mapping[str, Any]
) -> tuple[dict[str, Any], str]:
    document = {**_document(connection, person_id, within), **more}
    return document, json.dumps(document, ensure_ascii=False, indent=2)


def _document(connection: Connection, person_id: str, within: str) -> dict[str, Any]:
    def every(query: Select[Any], form: Callable[[Row[Any]], Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [form(row) for row in connection.execute(query)]

    platform, _, author_id = person_id.partition(":")
    there = select(messages.c.id).join(conversations).where(_inside(conversations.c.place_id, within))
    person = select(people).where(people.c.id == person_id)
    judged = (
        select(feedback, messages.c.capability)
        .join(messages)
        .where(feedback.c.person_id == person_id, feedback.c.message_id.in_(there))
    )
    asked = select(escalations).where(escalations.c.person_id == person_id, escalations.c.message_id.in_(there))
    solved = select(escalations).where(escalations.c.solved_by == person_id, escalations.c.message_id.in_(there))
    events = select(inbox).where(inbox.c.person_id == person_id, _inside(inbox.c.place_id, within))
    shown = select(pictures).where(
        pictures.c.person_id == person_id, _inside(pictures.c.channel_id + literal("/"), within)
    )
    if within:
        shown = shown.where(pictures.c.message_id.in_(there.where(messages.c.capability.not_in(_OF_THE_BODY))))
    called = select(channel_people.c.channel_id).where(
        channel_people.c.mention == f"user:{author_id}",
        channel_people.c.channel_id.startswith(within or f"{platform}/", autoescape=True),
    )
    document = {
        "person": next(iter(every(person, lambda row: dict(row._mapping))), {"id": person_id}),
        "conversations": _conversations(connection, person_id, within),
        "pictures": every(shown.order_by(pictures.c.at, pictures.c.number), _picture),
        "feedback": every(judged.order_by(feedback.c.at), lambda row: _verdict(row, within)),
        "people_asked_for": every(asked.order_by(escalations.c.asked_at), _call),
        "requests_solved": every(solved.order_by(escalations.c.solved_at), _solution),
        "called_in": list(connection.scalars(called)),
        "events": every(events.order_by(inbox.c.id), _event),
        "undelivered": _undelivered(connection, person_id, within),
    }
    return document if within else document | _of_the_bot(connection, person_id)


def _undelivered(connection: Connection, person_id: str, within: str) -> list[dict[str, Any]]:
    """Give the replies that wait to be sent, or could not be."""
    theirs = select(inbox.c.key).where(inbox.c.person_id == person_id, _inside(inbox.c.place_id, within))
    waiting = select(outbox).where(outbox.c.inbox_key.in_(theirs), outbox.c.payload.is_not(None))
    rows = connection.execute(waiting.order_by(outbox.c.created_at, outbox.c.part))
    replies = [(row, json.loads(row.payload)) for row in rows]
    return [
        {"key": row.inbox_key, "text": reply["text"], "created_at": _at(row.created_at)}
        for row, reply in replies
        if not within or _is_for_others(reply)
    ]


def _is_for_others(reply: Mapping[str, Any]) -> bool:
    """Say whether a reply tells nothing of somebody's body: what went wrong may have advice for it in front."""
    return reply["outcome"] in ("answered", "declined") and reply["capability"] not in _OF_THE_BODY


def _of_the_bot(connection: Connection, person_id: str) -> dict[str, Any]:
    """Give what they did to the bot, and what it was told of them; other people's names are left out."""
    did = select(audit).where(audit.c.person_id == person_id).order_by(audit.c.id)
    put = select(place_settings).where(place_settings.c.by == person_id).order_by(place_settings.c.at)
    rules = select(access_rules).where(access_rules.c.who == person_id).order_by(access_rules.c.id)
    paired = select(paired_people).where(paired_people.c.person_id == person_id)
    ends = select(sessions.c.expires_at).where(literal("http:") + sessions.c.person == person_id)
    return {
        "done_as_admin": [
            {"at": _at(row.at), "place": _place(row.place_id), "action": row.action, "outcome": row.outcome}
            for row in connection.execute(did)
        ],
        "settings_made": [
            {"at": _at(row.at), "place": row.place, "name": row.name, "value": row.value}
            for row in connection.execute(put)
        ],
        "rules_about_them": [
            {"at": _at(row.at), "effect": row.effect, "place": row.place, "command": row.command}
            for row in connection.execute(rules)
        ],
        "paired_at": [_at(row.at) for row in connection.execute(paired)],
        "signed_in_until": [_at(moment) for moment in connection.scalars(ends.order_by(sessions.c.expires_at))],
    }


def _conversations(connection: Connection, person_id: str, within: str) -> list[dict[str, Any]]:
    theirs = (conversations.c.person_id == person_id) & _inside(conversations.c.place_id, within)
    told = messages.c.capability.not_in(_OF_THE_BODY) if within else literal(value=True)
    of_the_body = exists().where(messages.c.conversation_id == conversations.c.id, ~told)
    opened = (
        select(conversations, of_the_body.label("is_of_the_body"))
        .where(theirs)
        .order_by(conversations.c.started_at, conversations.c.id)
    )
    said = select(messages).join(conversations).where(theirs, told).order_by(messages.c.id)
    cited = select(citations).select_from(citations.join(messages).join(conversations)).where(theirs, told)
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


def _inside(place_id: ColumnElement[Any], within: str) -> ColumnElement[bool]:
    return func.substr(place_id, 1, len(within)) == within if within else literal(value=True)


def _conversation(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "place": _place(row.place_id),
        # What a conversation is called tells what was said in it.
        "title": "" if row.is_of_the_body else row.title,
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


def _verdict(row: Row[Any], within: str) -> dict[str, Any]:
    return {
        "answer_id": str(row.message_id),
        "verdict": "up" if row.verdict > 0 else "down",
        "comment": "" if within and row.capability in _OF_THE_BODY else row.comment,
        "at": _at(row.at),
    }


def _call(row: Row[Any]) -> dict[str, Any]:
    # Who solved it is somebody else's matter.
    return {"answer_id": str(row.message_id), "asked_at": _at(row.asked_at), "solved_at": _at(row.solved_at)}


def _solution(row: Row[Any]) -> dict[str, Any]:
    return {"answer_id": str(row.message_id), "at": _at(row.solved_at)}


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
