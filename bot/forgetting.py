"""Deletes what is kept of a person, wherever it came to lie; what admins decided about them stays."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Executable,
    Update,
    bindparam,
    delete,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    true,
    update,
)

from bot.database import Change, Database
from bot.tables import (
    conversations,
    escalations,
    feedback,
    generation_usage,
    inbox,
    messages,
    outbox,
    people,
    pictures,
    place_settings,
    places,
    rate_limits,
    sessions,
    undelivered,
    workspaces,
)

_FORGET_CONVERSATION = (
    delete(conversations).where(conversations.c.id == bindparam("forgotten")),
    # What answers took is still counted; for whom is not known any more.
    update(generation_usage)
    .where(generation_usage.c.conversation_id == bindparam("forgotten"))
    .values(conversation_id=""),
)


class Forgetting:
    """Deletes, for good: what is deleted is written over in the database's file and in its write-ahead log.

    Args:
        database: where it is kept.
        others: statements that forget a person in tables of others, with the parameter ``forgotten``; done first. What
            they would find is kept of that person.
    """

    def __init__(self, database: Database, others: Sequence[Update | Delete] = ()) -> None:
        self._database = database
        self._others = others

    async def conversation(self, conversation_id: str) -> None:
        """Delete a conversation with everything said in it."""
        rows = ([{"forgotten": conversation_id}],) * len(_FORGET_CONVERSATION)
        await self._database.write(Change(_FORGET_CONVERSATION, rows))
        await self._database.wipe()

    async def count(self, person_id: str, within: str = "", but_for: str = "") -> int | None:
        """Say how many conversations of a person are kept; None where nothing at all is kept of them.

        Args:
            person_id: ``platform:id``.
            within: the beginning of the place ids that count, as ``slack/T012AB3CD/``; empty for all places.
            but_for: the key in the inbox of an event that does not count; who asks for oneself makes one by asking.
        """
        theirs = (conversations.c.person_id == person_id) & _inside(conversations.c.place_id, within)
        events = (inbox.c.person_id == person_id) & _inside(inbox.c.place_id, within) & (inbox.c.key != but_for)
        known: list[ColumnElement[bool]] = [exists().where(theirs), exists().where(events)]
        known += [_shown(person_id, within), _judged(person_id, within), _called(person_id, within)]
        if not within:
            known += [exists().where(people.c.id == person_id), exists().where(place_settings.c.by == person_id)]
            known.append(exists().where(_sessions_of(person_id)))
            known += [_concerned(statement) for statement in self._others]
        number = select(func.count()).select_from(conversations).where(theirs)
        query = select(number.scalar_subquery()).where(or_(*known))
        return await self._database.read(lambda connection: connection.scalar(query, {"forgotten": person_id}))

    async def person(self, person_id: str, within: str = "") -> None:
        """Delete a person with everything they said and were told; of their events only keys and places stay.

        Args:
            person_id: ``platform:id``.
            within: the beginning of the place ids in which they are forgotten; empty for everywhere.

        Raises:
            StorageError: nothing was deleted.
        """

        def _forget(connection: Connection) -> None:
            for other in self._others if not within else ():
                connection.execute(other, {"forgotten": person_id})
            for statement in _statements(person_id, within):
                connection.execute(statement)

        await self._database.transact(_forget)
        await self._database.wipe()


def _statements(person_id: str, within: str) -> Iterator[Executable]:
    """Give what forgets somebody; what looks for rows comes before what deletes them."""
    theirs = (conversations.c.person_id == person_id) & _inside(conversations.c.place_id, within)
    counted = generation_usage.c.conversation_id.in_(select(conversations.c.id).where(theirs))
    yield update(generation_usage).where(counted).values(conversation_id="")
    yield from _of_events(person_id, within)
    answers = _answers_in(within)
    yield delete(feedback).where(feedback.c.person_id == person_id, feedback.c.message_id.in_(answers))
    yield delete(escalations).where(escalations.c.person_id == person_id, escalations.c.message_id.in_(answers))
    solved = (escalations.c.solved_by == person_id) & escalations.c.message_id.in_(answers)
    yield update(escalations).where(solved).values(solved_by="")
    yield delete(conversations).where(theirs)
    yield delete(pictures).where(pictures.c.person_id == person_id, _inside(pictures.c.channel_id + "/", within))
    lost = ~exists().where(conversations.c.person_id == people.c.id)
    yield delete(people).where(people.c.id == person_id, lost)
    # A direct message's place may be named for the person.
    yield from UNUSED_PLACES
    if not within:
        yield from _of_the_bot(person_id)


def _of_events(person_id: str, within: str) -> Iterator[Executable]:
    theirs = (inbox.c.person_id == person_id) & _inside(inbox.c.place_id, within)
    name = person_id.partition(":")[2]
    told = outbox.c.inbox_key.in_(select(inbox.c.key).where(theirs))
    yield update(outbox).where(told).values(payload=null())
    yield delete(undelivered).where(undelivered.c.inbox_key.in_(select(inbox.c.key).where(theirs)))
    # Who is named in the key itself put a reaction on something: what comes of a second one is no harm.
    named = func.substr(inbox.c.key, -len(name) - 1) == f"/{name}"
    yield delete(inbox).where(theirs, named, inbox.c.is_open.is_(False))
    direct = (inbox.c.place_id + "/").contains(f"/{name}/", autoescape=True)
    yield update(inbox).where(theirs, direct).values(place_id="")
    blank = (inbox.c.person_id == person_id) & (_inside(inbox.c.place_id, within) | (inbox.c.place_id == ""))
    yield update(inbox).where(blank).values(person_id="", lane="", payload=null(), is_open=False)


def _of_the_bot(person_id: str) -> Iterator[Executable]:
    """Give what forgets that somebody steered the bot, and what it told them.

    How much they asked of it just now stays (see `bot.limits.asker`): else forgetting oneself would lift every limit.
    """
    name = person_id.partition(":")[2]
    yield update(place_settings).where(place_settings.c.by == person_id).values(by="")
    yield delete(sessions).where(_sessions_of(person_id))
    buckets = rate_limits.c.name
    yield delete(rate_limits).where(
        or_(
            buckets.startswith(f"told/{person_id}/", autoescape=True),
            buckets.endswith(f"/{name}", autoescape=True),
        )
    )


UNUSED_PLACES = (
    delete(places).where(~exists().where(conversations.c.place_id == places.c.id)),
    delete(workspaces).where(~exists().where(places.c.workspace_id == workspaces.c.id)),
)
"""Delete places in which nothing that was said is kept any more."""


def _inside(place_id: ColumnElement[Any], within: str) -> ColumnElement[bool]:
    return func.substr(place_id, 1, len(within)) == within if within else literal(value=True)


def _sessions_of(person_id: str) -> ColumnElement[bool]:
    """Give the condition that a session, which there are over HTTP alone, is a person's."""
    return literal("http:") + sessions.c.person == person_id


def _answers_in(within: str) -> Any:  # noqa: ANN401 - SQLAlchemy's select has no better type
    return select(messages.c.id).join(conversations).where(_inside(conversations.c.place_id, within))


def _judged(person_id: str, within: str) -> ColumnElement[bool]:
    return exists().where(feedback.c.person_id == person_id, feedback.c.message_id.in_(_answers_in(within)))


def _shown(person_id: str, within: str) -> ColumnElement[bool]:
    return exists().where(pictures.c.person_id == person_id, _inside(pictures.c.channel_id + "/", within))


def _concerned(statement: Update | Delete) -> ColumnElement[bool]:
    """Give the condition that a statement would change or delete a row."""
    where = true() if statement.whereclause is None else statement.whereclause
    return select(literal(1)).select_from(statement.table).where(where).exists()


def _called(person_id: str, within: str) -> ColumnElement[bool]:
    theirs = (escalations.c.person_id == person_id) | (escalations.c.solved_by == person_id)
    return exists().where(theirs, escalations.c.message_id.in_(_answers_in(within)))
