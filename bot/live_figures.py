"""The figures that are looked up when a monitoring system asks for them: what waits, and what is up."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select

from bot.adapter import Adapter
from bot.database import Database
from bot.delivery_statements import IS_OPEN
from bot.errors import StorageError
from bot.tables import inbox, outbox, undelivered

STATES = ("waiting", "answering", "unsent", "undelivered")
"""Where a message stands: nobody is at it, it is being answered here, its reply is written, its reply was given up."""

CIRCUITS = ("closed", "open", "half-open")

_LONGEST_SECONDS = 1.0
"""How long the database may take to answer: who collects figures does not wait longer, and has the others."""

_Rows = Mapping[tuple[str, ...], float]

_OPEN = select(func.count(), func.min(inbox.c.id)).where(IS_OPEN)
# A part that is shown while the answer grows is not written yet.
_UNSENT = (
    select(func.count(), func.min(outbox.c.created_at))
    .select_from(inbox.join(outbox, outbox.c.inbox_key == inbox.c.key))
    .where(IS_OPEN, outbox.c.is_sent.is_(False), outbox.c.payload.is_not(None))
)
_UNDELIVERED = select(func.count()).select_from(undelivered)


@dataclass(frozen=True, slots=True)
class Queues:
    """What the database says of messages on their way: how many, and since when the oldest is (UTC)."""

    open: int
    oldest_open: datetime | None
    unsent: int
    oldest_unsent: datetime | None
    undelivered: int


def read_queues(connection: Connection) -> Queues:
    """Read them, from the indexes of what is open: however much was answered before, it takes no longer."""
    number, first = connection.execute(_OPEN).one()
    since = connection.scalar(select(inbox.c.received_at).where(inbox.c.id == first)) if first else None
    unsent, written = connection.execute(_UNSENT).one()
    return Queues(number, since, unsent, written, connection.scalar(_UNDELIVERED) or 0)


@dataclass(frozen=True, slots=True)
class LiveSources:
    """Where the figures of the process come from; none of them may take any time.

    Attributes:
        adapters: gives the front doors by name.
        circuits: gives the state of each generator's circuit, one of `CIRCUITS`.
        answering: how many messages are being answered.
        passages: how many passages the knowledge base holds; 0 where it is not open.
    """

    adapters: Mapping[str, Adapter]
    circuits: Callable[[], Mapping[str, str]]
    answering: Callable[[], int]
    passages: Callable[[], int]


class LiveFigures(Collector):
    """Gives what `refresh` has found, and what the process knows by itself.

    Where the database does not answer, its figures are left out: a figure of before would look like one of now.
    """

    def __init__(self, database: Database, sources: LiveSources) -> None:
        self._database = database
        self._sources = sources
        self._queues: Queues | None = None

    async def refresh(self) -> None:
        """Ask the database what waits; a writer at work does not keep it from answering."""
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                self._queues = await self._database.read(read_queues)
        except (StorageError, TimeoutError):
            self._queues = None

    def collect(self) -> Iterator[Metric]:
        """Give all of it."""
        queues = self._queues
        yield _gauge("database_up", "Whether the database answered just now (1) or not (0)", int(queues is not None))
        if queues:
            yield from self._waiting(queues)
        yield _gauge("knowledge_passages", "Passages that answers can come from", self._sources.passages())
        up: _Rows = {(name,): float(one.health.is_up) for name, one in self._sources.adapters.items()}
        yield _family("adapter_up", "Whether a front door hears and reaches its platform", ("adapter",), up)
        now: _Rows = {
            (name, one): float(one == state) for name, state in self._sources.circuits().items() for one in CIRCUITS
        }
        states = "The circuit of a generator: 1 for the state that it is in"
        yield _family("generator_circuit", states, ("generator", "state"), now)

    def _waiting(self, queues: Queues) -> Iterator[Metric]:
        answering = min(self._sources.answering(), queues.open)
        numbers = (queues.open - answering, answering, queues.unsent, queues.undelivered)
        rows: _Rows = {(state,): float(number) for state, number in zip(STATES, numbers, strict=True)}
        yield _family("queue_messages", "Messages and parts of replies on their way, by state", ("state",), rows)
        now = datetime.now(UTC)
        for name, what, since in (
            ("inbox", "message that is not done", queues.oldest_open),
            ("outbox", "reply that is written and not sent", queues.oldest_unsent),
        ):
            yield _gauge(f"{name}_oldest_seconds", f"How long ago the oldest {what} was asked for", _age(since, now))


def _gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"preceptor_{name}", help_text, value=value)


def _family(name: str, help_text: str, labels: tuple[str, ...], rows: _Rows) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"preceptor_{name}", help_text, labels=labels)
    for values, value in rows.items():
        family.add_metric(values, value)
    return family


def _age(since: datetime | None, now: datetime) -> float:
    return max((now - since).total_seconds(), 0.0) if since else 0.0
