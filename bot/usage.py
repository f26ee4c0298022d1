"""What written answers took: kept by conversation, and held against the budgets of the day."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import structlog
from sqlalchemy import Connection, bindparam, case, delete, func, insert, select, update

from bot.database import Change, Database
from bot.errors import StorageError
from bot.messages import IncomingMessage
from bot.settings.generators import BudgetSettings
from bot.tables import generation_usage
from models.generation import Usage

log = structlog.get_logger(__name__)

_KEEP = (insert(generation_usage),)
_SETTLE = (
    update(generation_usage)
    .where(generation_usage.c.id == bindparam("reserved"))
    .values({name: bindparam(f"took_{name}") for name in ("model", "input_tokens", "output_tokens", "cost")}),
)
_RELEASE = (delete(generation_usage).where(generation_usage.c.id == bindparam("reserved")),)

_UNFINISHED = "unfinished"
"""The model of what is only reserved; where a process died it stays, as the answer may well have been paid for."""

_LATELY = 20
"""The newest answers of a generator whose mean is reserved for the next one."""

_TYPICAL = Usage(1_500, 500)
"""What is reserved for the first answers of a generator: a prompt with five passages, and a paragraph."""

_MOST = 10**9
"""Tokens, or cost, of one answer: a server may say anything of itself, and the database holds no number at all."""


class UsageLedger:
    """Writes down what answers take, and says whether a generator's budget has room. Days are UTC's.

    An answer is let through as long as the budget has any room. What it will take is not known then: the mean of the
    last ones is reserved for it, in the database, until what it took is known. So of answers that are written at the
    same time, in however many processes, no more are let through than are likely to have room; a budget is overrun by
    the last of them, and by what they take more than others did.

    Args:
        database: where it is kept.
        budgets: by the generator's name in the settings; none means no bound.
        expected: what an answer may take, by the same names, as long as none was written.
        tell: is told what each answer took, with the generator's name in the settings.
    """

    def __init__(
        self,
        database: Database,
        budgets: Mapping[str, BudgetSettings],
        expected: Mapping[str, Usage] | None = None,
        tell: Callable[[str, Usage], None] = lambda generator, usage: None,
    ) -> None:
        self._tell = tell
        self._database = database
        self._budgets = budgets
        self._expected = expected or {}
        self._writing: set[asyncio.Task[None]] = set()

    def account(self, message: IncomingMessage, conversation_id: str) -> "Account":
        """Open the account on which one question is answered."""
        return Account(self, message, conversation_id)

    async def has_room(self, generator: str, workspace_id: str) -> bool:
        """Say whether today's budgets have room; where that cannot be known, they have none."""
        if self._bounds(generator) is None:
            return True
        await self._charged()
        try:
            return await self._database.read(lambda connection: self._is_free(connection, generator, workspace_id))
        except StorageError as error:
            log.warning("budget not known", generator=generator, reason=error.sentence)
            return False

    async def reserve(self, row: Mapping[str, Any]) -> int | None:
        """Reserve what one more answer may take; give the reservation's number, 0 where there is no budget.

        Args:
            row: who is to write, for whom.

        Returns:
            None where the budgets have no room, or that cannot be known.
        """
        if self._bounds(row["generator"]) is None:
            return 0
        await self._charged()
        try:
            return await self._database.transact(lambda connection: self._reserved(connection, row))
        except StorageError as error:
            log.warning("budget not known", generator=row["generator"], reason=error.sentence)
            return None

    def write(self, row: Mapping[str, Any], reserved: int = 0) -> None:
        """Write down what an answer took, beside its own road: the answer does not wait for it.

        Args:
            row: what it took, and for whom.
            reserved: the number of the reservation that it takes the place of.
        """
        self._tell(row["generator"], Usage(row["input_tokens"], row["output_tokens"], row["cost"]))
        if reserved:
            took = {f"took_{name}": row[name] for name in ("model", "input_tokens", "output_tokens", "cost")}
            self._write_beside(Change(_SETTLE, ([{"reserved": reserved} | took],)))
        else:
            self._write_beside(Change(_KEEP, ([row],)))

    def release(self, reserved: Sequence[int]) -> None:
        """Give back what was reserved for answers that nobody wrote."""
        if reserved:
            self._write_beside(Change(_RELEASE, ([{"reserved": number} for number in reserved],)))

    def _bounds(self, generator: str) -> tuple[float, ...] | None:
        budget = self._budgets.get(generator, BudgetSettings())
        if budget == BudgetSettings():
            return None
        return (budget.tokens, budget.cost, budget.workspace_tokens, budget.workspace_cost)

    def _is_free(self, connection: Connection, generator: str, workspace_id: str) -> bool:
        spent = _spent(connection, generator, workspace_id)
        return all(
            not bound or taken < bound for bound, taken in zip(self._bounds(generator) or (), spent, strict=True)
        )

    def _reserved(self, connection: Connection, row: Mapping[str, Any]) -> int | None:
        generator = row["generator"]
        if not self._is_free(connection, generator, row["workspace_id"]):
            return None
        likely = _lately(connection, generator) or self._expected.get(generator, _TYPICAL)
        keys = connection.execute(_KEEP[0], {**row, "model": _UNFINISHED, **_figures(likely)}).inserted_primary_key
        return int(keys[0]) if keys else None

    async def _charged(self) -> None:
        # What is charged from now on is not waited for: where much is asked, that would never end.
        if self._writing:
            await asyncio.wait(set(self._writing))

    def _write_beside(self, change: Change) -> None:
        task = asyncio.create_task(self._write(change), name="usage")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, change: Change) -> None:
        try:
            await self._database.write(change)
        except StorageError:
            log.exception("usage not kept", rows=[_counted(row) for row in change.rows[0]])

    async def written(self) -> None:
        """Wait until all that was charged is kept."""
        while self._writing:
            await asyncio.wait(set(self._writing))


class Account:
    """On whose account one question is answered; see `models.generation.chain.Account`.

    Leaving it gives back what was reserved and is not used.
    """

    def __init__(self, ledger: UsageLedger, message: IncomingMessage, conversation_id: str) -> None:
        self.reference = message.key
        self._ledger = ledger
        self._workspace_id = message.place.workspace_id
        self._conversation_id = conversation_id
        self._reserved: dict[str, list[int]] = defaultdict(list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ledger.release([number for numbers in self._reserved.values() for number in numbers])
        self._reserved.clear()

    async def allows(self, generator: str) -> bool:
        """Say whether the budgets have room for that generator, and reserve it."""
        reserved = await self._ledger.reserve(self._row(generator))
        if reserved:
            self._reserved[generator].append(reserved)
        return reserved is not None

    def charge(self, generator: str, model: str, usage: Usage) -> None:
        """Write down what an answer took."""
        reserved = self._reserved[generator].pop() if self._reserved[generator] else 0
        self._ledger.write({**self._row(generator), "model": model, **_figures(usage)}, reserved)

    def _row(self, generator: str) -> dict[str, Any]:
        now = datetime.now(UTC)
        return {
            "day": f"{now:%Y-%m-%d}",
            "at": now,
            "workspace_id": self._workspace_id,
            "conversation_id": self._conversation_id,
            "generator": generator,
        }


def _figures(usage: Usage) -> dict[str, float]:
    return {
        "input_tokens": min(max(usage.input_tokens, 0), _MOST),
        "output_tokens": min(max(usage.output_tokens, 0), _MOST),
        "cost": min(max(usage.cost, 0.0), _MOST),
    }


def _counted(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give of a row what may be in the log."""
    return {name: value for name, value in row.items() if "tokens" in name or "cost" in name or name == "reserved"}


def _lately(connection: Connection, generator: str) -> Usage | None:
    """Give the mean of what a generator's newest answers took; None where there is none."""
    usage = generation_usage.c
    newest = (
        select(usage.input_tokens, usage.output_tokens, usage.cost)
        .where(usage.generator == generator, usage.model != _UNFINISHED)
        .order_by(usage.id.desc())
        .limit(_LATELY)
        .subquery()
    )
    row = connection.execute(select(*(func.avg(column) for column in newest.c))).one()
    return None if row[0] is None else Usage(round(row[0]), round(row[1]), row[2])


def _spent(connection: Connection, generator: str, workspace: str) -> Sequence[float]:
    """Give today's tokens and cost over all, and those of the workspace."""
    usage = generation_usage.c
    tokens, ours = usage.input_tokens + usage.output_tokens, usage.workspace_id == workspace
    columns = (tokens, usage.cost, *(case((ours, taken), else_=0) for taken in (tokens, usage.cost)))
    sums = [func.coalesce(func.sum(column), 0) for column in columns]
    today = (usage.generator == generator, usage.day == f"{datetime.now(UTC):%Y-%m-%d}")
    return connection.execute(select(*sums).where(*today)).one()
