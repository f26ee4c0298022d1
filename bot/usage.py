"""What written answers took: kept by conversation, and held against the budgets of the day."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import Connection, case, func, insert, select

from bot.database import Change, Database
from bot.errors import StorageError
from bot.messages import IncomingMessage
from bot.settings.generators import BudgetSettings
from bot.tables import generation_usage
from models.generation import Usage

log = structlog.get_logger(__name__)

_KEEP = (insert(generation_usage),)

_MOST = 10**9
"""Tokens, or cost, of one answer: a server may say anything of itself, and the database holds no number at all."""


class UsageLedger:
    """Writes down what answers take, and says whether a generator's budget has room. Days are UTC's.

    An answer is let through as long as the budget has any room: what is being written at the same time is not known.

    Args:
        database: where it is kept.
        budgets: by the generator's name in the settings; none means no bound.
    """

    def __init__(self, database: Database, budgets: Mapping[str, BudgetSettings]) -> None:
        self._database = database
        self._budgets = budgets
        self._writing: set[asyncio.Task[None]] = set()

    def account(self, message: IncomingMessage, conversation_id: str) -> "Account":
        """Open the account on which one question is answered."""
        return Account(self, message, conversation_id)

    async def has_room(self, generator: str, workspace_id: str) -> bool:
        """Say whether today's budgets have room; where that cannot be known, they have none."""
        budget = self._budgets.get(generator, BudgetSettings())
        if budget == BudgetSettings():
            return True
        # What is charged from now on is not waited for: where much is asked, that would never end.
        if self._writing:
            await asyncio.wait(set(self._writing))
        try:
            spent = await self._database.read(lambda connection: _spent(connection, generator, workspace_id))
        except StorageError as error:
            log.warning("budget not known", generator=generator, reason=error.sentence)
            return False
        bounds = (budget.tokens, budget.cost, budget.workspace_tokens, budget.workspace_cost)
        return all(not bound or taken < bound for bound, taken in zip(bounds, spent, strict=True))

    def write(self, row: Mapping[str, Any]) -> None:
        """Write down what an answer took, beside its own road: the answer does not wait for it."""
        task = asyncio.create_task(self._write(row), name="usage")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, row: Mapping[str, Any]) -> None:
        try:
            await self._database.write(Change(_KEEP, ([row],)))
        except StorageError:
            log.exception("usage not kept", **{name: row[name] for name in _COUNTED})

    async def written(self) -> None:
        """Wait until all that was charged is kept."""
        while self._writing:
            await asyncio.wait(set(self._writing))


_COUNTED = ("generator", "input_tokens", "output_tokens", "cost")


class Account:
    """On whose account one question is answered; see `models.generation.chain.Account`."""

    def __init__(self, ledger: UsageLedger, message: IncomingMessage, conversation_id: str) -> None:
        self.reference = message.key
        self._ledger = ledger
        self._workspace_id = message.place.workspace_id
        self._conversation_id = conversation_id

    async def allows(self, generator: str) -> bool:
        """Say whether the budgets have room for that generator."""
        return await self._ledger.has_room(generator, self._workspace_id)

    def charge(self, generator: str, model: str, usage: Usage) -> None:
        """Write down what an answer took."""
        now = datetime.now(UTC)
        self._ledger.write(
            {
                "day": f"{now:%Y-%m-%d}",
                "at": now,
                "workspace_id": self._workspace_id,
                "conversation_id": self._conversation_id,
                "generator": generator,
                "model": model,
                "input_tokens": min(max(usage.input_tokens, 0), _MOST),
                "output_tokens": min(max(usage.output_tokens, 0), _MOST),
                "cost": min(max(usage.cost, 0.0), _MOST),
            }
        )


def _spent(connection: Connection, generator: str, workspace: str) -> Sequence[float]:
    """Give today's tokens and cost over all, and those of the workspace."""
    usage = generation_usage.c
    tokens, ours = usage.input_tokens + usage.output_tokens, usage.workspace_id == workspace
    columns = (tokens, usage.cost, *(case((ours, taken), else_=0) for taken in (tokens, usage.cost)))
    sums = [func.coalesce(func.sum(column), 0) for column in columns]
    today = (usage.generator == generator, usage.day == f"{datetime.now(UTC):%Y-%m-%d}")
    return connection.execute(select(*sums).where(*today)).one()
