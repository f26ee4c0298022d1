"""What the core remembers, as far as an adapter may ask: of its own platform only."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor

from sqlalchemy import exists, select
from sqlalchemy.dialects.sqlite import insert

from bot.adapter import Records
from bot.database import Change, Database
from bot.delivery import platform_key
from bot.messages import Place
from bot.tables import inbox, kept_values
from knowledge import KnowledgeBase, KnowledgeError

_insert = insert(kept_values)
_KEEP = (_insert.on_conflict_do_update(index_elements=["name"], set_={"value": _insert.excluded.value}),)


class PlatformRecords(Records):
    """The records of one platform."""

    def __init__(self, platform: str, database: Database, knowledge: KnowledgeBase, threads: Executor) -> None:
        self._platform = Place(platform)
        self._database = database
        self._knowledge = knowledge
        self._threads = threads

    async def has_accepted(self, key: str) -> bool:
        """Say whether a message was accepted under this key."""
        query = select(exists().where(inbox.c.key == platform_key(self._platform, key)))
        return bool(await self._database.read(lambda connection: connection.scalar(query)))

    async def takes_part(self, place: Place) -> bool:
        """Say whether anything was asked of the bot in this place before."""
        query = select(exists().where(inbox.c.place_id == place.id))
        return bool(await self._database.read(lambda connection: connection.scalar(query)))

    async def titles(self, beginning: str, limit: int) -> Sequence[str]:
        """Give titles that begin so; none while the knowledge base is not open."""
        try:
            find = self._knowledge.titles
            return await asyncio.get_running_loop().run_in_executor(self._threads, find, beginning, limit)
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
