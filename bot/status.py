"""How the process is now: its front doors, what waits, memory, models, generators, and what went wrong lately."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from bot.adapter import Adapter
from bot.database import Database
from bot.delivery_statements import IS_OPEN
from bot.messages import IncomingMessage, Place, Reply
from bot.process_memory import resident_bytes
from bot.recent_errors import RECENT
from bot.tables import inbox, outbox


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the figures come from; each is asked when the status is.

    Attributes:
        adapters: the front doors by name.
        figures: what `bot.statistics` is told of the process, too: the loop's lag, the generators, the last cleaning.
        answering: how many messages are answered now.
        models: which models there are, as `bot.loaded_models` gives them.
        generators: gives the generators' document for their states.
    """

    adapters: Mapping[str, Adapter]
    figures: Callable[[Place], Awaitable[Mapping[str, Any]]]
    answering: Callable[[], int]
    models: Callable[[], Sequence[Mapping[str, str]]]
    generators: Callable[[Mapping[str, str]], Sequence[Mapping[str, str]]]


class Status:
    """The command ``status``, which pages ask again and again: it looks nothing up outside of this machine.

    Args:
        database: where what waits is.
        directory: the folder of the data; it is told how much room its disk has.
        running_since: when the process started (UTC).
        sources: where the rest comes from.
    """

    def __init__(self, database: Database, directory: Path, running_since: datetime, sources: Sources) -> None:
        self._database = database
        self._directory = directory
        self._running_since = running_since
        self._sources = sources
        self._version = version("preceptor")

    async def tell(self, message: IncomingMessage) -> Reply:
        """Give the status, for machines."""
        sources = self._sources
        figures = await sources.figures(message.place)
        answering = sources.answering()
        queue = await self._database.read(lambda connection: _queue(connection, message.received_at, answering))
        memory, free = await asyncio.to_thread(self._measured)
        document = {
            "running_since": self._running_since.isoformat(),
            "version": self._version,
            "adapters": [_door(name, adapter) for name, adapter in sources.adapters.items()],
            "queue": queue,
            "loop_lag_ms": figures["loop_lag_ms"],
            "memory": {"bytes": memory},
            "disk_free": free,
            "models": list(sources.models()),
            "generators": list(sources.generators(figures["generators"])),
            "cleaned": figures["cleaned"],
            "errors": RECENT.newest(),
        }
        return Reply(_in_words(document), ephemeral=True, data=document)

    def _measured(self) -> tuple[int, int]:
        return resident_bytes(), shutil.disk_usage(self._directory).free


def _door(name: str, adapter: Adapter) -> dict[str, Any]:
    health = adapter.health
    return {"name": name, "is_up": health.is_up, "reason": health.reason, "address": adapter.address}


def _queue(connection: Connection, now: datetime, answering: int) -> dict[str, Any]:
    """Give what waits for its answer, what is not sent, and how old the oldest of all is (seconds; 0 of none)."""
    number, oldest = connection.execute(select(func.count(), func.min(inbox.c.received_at)).where(IS_OPEN)).one()
    parts = select(func.count()).select_from(outbox.join(inbox)).where(outbox.c.is_sent.is_(False), IS_OPEN)
    age = max((now - oldest).total_seconds(), 0.0) if oldest else 0.0
    return {
        "waiting": max(number - answering, 0),
        "answering": answering,
        "unsent": connection.scalar(parts) or 0,
        "oldest_seconds": round(age, 1),
    }


def _in_words(document: Mapping[str, Any]) -> str:
    doors = (f"{one['name']}: {'up' if one['is_up'] else one['reason']}" for one in document["adapters"])
    queue = document["queue"]
    return f"{'; '.join(doors)}. {queue['waiting']:,} to answer, {queue['unsent']:,} to send."
