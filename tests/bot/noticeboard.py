"""A platform for tests: messages stand on it until they are edited or taken down, and it can be made to fail."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.adapter import InMemoryAdapter, Limits
from bot.database import Database
from bot.messages import Place, Reply
from bot.settings import Settings
from bot.tables import inbox


class Noticeboard(InMemoryAdapter):
    """Every paragraph of a reply is a message of its own; what stands is in `standing`, by its name."""

    def __init__(self, limits: Limits | None = None) -> None:
        super().__init__(limits or Limits(streaming=True, reaches_later=True, buttons=True))
        self.standing: dict[str, Reply] = {}
        self.sent: list[str] = []
        self.failing: list[Exception] = []
        self.loses_receipts = 0
        self._changed = asyncio.Condition()

    @property
    def texts(self) -> list[str]:
        """What stands there now, oldest first."""
        return [reply.text for reply in self.standing.values()]

    async def until(self, holds: Callable[[list[str]], object]) -> list[str]:
        """Wait until what stands there fulfils a condition, and give it."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: holds(self.texts))
            return self.texts

    def parts(self, reply: Reply) -> Sequence[Reply]:
        return [replace(reply, text=paragraph) for paragraph in reply.text.split("\n\n")]

    async def send(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        if self.failing:
            raise self.failing.pop(0)
        self.sent.append(idempotency_key)
        await self._put(idempotency_key, reply)
        if self.loses_receipts:
            self.loses_receipts -= 1
            raise ConnectionError("the platform took it and hung up")
        return idempotency_key

    async def edit(self, place: Place, sent_id: str, reply: Reply) -> None:
        if self.failing:
            raise self.failing.pop(0)
        await self._put(sent_id, reply)

    async def delete(self, place: Place, sent_id: str) -> None:
        async with self._changed:
            self.standing.pop(sent_id, None)
            self._changed.notify_all()

    async def find(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        return idempotency_key if idempotency_key in self.standing else ""

    async def _put(self, name: str, reply: Reply) -> None:
        async with self._changed:
            self.standing[name] = reply
            if reply.complete:
                self._exchanges.pop(reply.in_reply_to, None)
            self._changed.notify_all()


async def ended(settings: Settings, key: str) -> str:
    """Wait until a message is done, and say how it ended."""
    database = Database(settings.database_file)
    try:
        query = inbox.select().where(inbox.c.key == f"memory/{key}", ~inbox.c.is_open)
        async with asyncio.timeout(30):
            while True:
                row = await database.read(lambda c: c.execute(query).one_or_none())
                if row is not None:
                    return str(row.outcome)
    finally:
        await database.close()
