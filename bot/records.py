"""What the core remembers, as far as an adapter may ask: of its own platform only."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.sqlite import insert

from bot.access import Access
from bot.adapter import Opened, Records, Session, Visited
from bot.database import Change, Database
from bot.delivery import platform_key
from bot.messages import IncomingMessage, Place
from bot.sessions import Sessions
from bot.tables import inbox, kept_values
from knowledge import KnowledgeBase, KnowledgeError

_insert = insert(kept_values)
_KEEP = (_insert.on_conflict_do_update(index_elements=["name"], set_={"value": _insert.excluded.value}),)


class PlatformRecords(Records):
    """The records of one platform."""

    def __init__(
        self, platform: str, database: Database, knowledge: KnowledgeBase, threads: Executor, access: Access
    ) -> None:
        self._platform = Place(platform)
        self._database = database
        self._knowledge = knowledge
        self._threads = threads
        self._access = access
        self._sessions = Sessions(database)

    async def has_accepted(self, key: str) -> bool:
        """Say whether a message was accepted under this key."""
        query = select(exists().where(inbox.c.key == platform_key(self._platform, key)))
        return bool(await self._database.read(lambda connection: connection.scalar(query)))

    async def accepted_at(self, key: str) -> datetime | None:
        """Say when a message was accepted under this key."""
        query = select(inbox.c.received_at).where(inbox.c.key == platform_key(self._platform, key))
        return await self._database.read(lambda connection: connection.scalar(query))

    async def takes_part(self, place: Place) -> bool:
        """Say whether anything was asked of the bot in this place before."""
        query = select(exists().where(inbox.c.place_id == place.id))
        return bool(await self._database.read(lambda connection: connection.scalar(query)))

    async def visited(self, since: datetime) -> Sequence[Visited]:
        """Give the places in which something was asked since a moment; `first` is as far back as keys are kept."""
        ends = (
            select(inbox.c.place_id, func.min(inbox.c.id).label("first"), func.max(inbox.c.id).label("last"))
            .where(inbox.c.place_id != "")
            .group_by(inbox.c.place_id)
            .subquery()  # of the index alone, without a look at the rows
        )
        first, last = inbox.alias(), inbox.alias()
        query = (
            select(ends.c.place_id, first.c.received_at, last.c.received_at)
            .join(first, first.c.id == ends.c.first)
            .join(last, last.c.id == ends.c.last)
            .where(last.c.platform == self._platform.platform, last.c.received_at >= since)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [Visited(Place.of_id(place), first, last) for place, first, last in rows]

    async def titles(self, asker: IncomingMessage, limit: int) -> Sequence[str]:
        """Give titles that begin so; none while the knowledge base is not open, or to whoever may not ask."""
        if not await self._access.allows(asker, ("ask",)):
            return ()
        try:
            find = self._knowledge.titles
            return await asyncio.get_running_loop().run_in_executor(self._threads, find, asker.text, limit)
        except KnowledgeError:
            return ()

    async def value(self, name: str) -> str:
        """Give what was kept under a name; empty where nothing is."""
        query = select(kept_values.c.value).where(kept_values.c.name == platform_key(self._platform, name))
        return await self._database.read(lambda connection: connection.scalar(query)) or ""

    async def keep_value(self, name: str, value: str) -> None:
        """Keep a small text under a name."""
        row = {"name": platform_key(self._platform, name), "value": value}
        await self._database.write(Change(_KEEP, ([row],)))

    async def open_session(self, person: str, key_digest: str, lasts: timedelta) -> Opened:
        """Open a session."""
        return await self._sessions.open(person, key_digest, lasts)

    async def session(self, token: str) -> Session | None:
        """Give the session of a token; None where there is none, or none any more."""
        return await self._sessions.find(token)

    async def end_session(self, token: str) -> None:
        """End the session of a token."""
        await self._sessions.end(token)
