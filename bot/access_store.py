"""The rules of access as admins made them, kept in the database, and the policy that they give with the settings'."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from bot.access_policy import Policy
from bot.access_rules import EVERYONE, EVERYTHING, EVERYWHERE, Rule, checked
from bot.database import Database
from bot.tables import access_rules, paired_people

log = structlog.get_logger(__name__)


class AccessStore:
    """The rules. What the settings say stands before what admins said, and is not to be changed here.

    Args:
        of_settings: the rules of the settings.
        database: where the others are kept; None where there are no others.
        fresh_seconds: how long what was read holds.
    """

    def __init__(self, of_settings: Iterable[Rule], database: Database | None, fresh_seconds: float) -> None:
        self._of_settings = tuple(of_settings)
        self._database = database
        self._fresh_seconds = fresh_seconds
        self._policy = Policy(self._of_settings)
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def policy(self) -> Policy:
        """Give the policy as it stands, or stood `fresh_seconds` ago at the most.

        Raises:
            StorageError: it cannot be read.
        """
        if time.monotonic() - self._read_at < self._fresh_seconds or self._database is None:
            return self._policy
        async with self._reading:
            if time.monotonic() - self._read_at >= self._fresh_seconds:
                began = time.monotonic()
                rows = await self._database.read(lambda connection: connection.execute(_EVERY).all())
                self._policy, self._read_at = self._made_of(rows), began
        return self._policy

    def _made_of(self, rows: Sequence[Any]) -> Policy:
        rules, unreadable = list(self._of_settings), []
        for row in rows:
            try:
                rules.append(checked(row.effect, row.who, row.place, row.command, row.id, row.by))
            except ValueError:
                unreadable.append(row.id)
                log.error("access rule not readable: all but admins are denied", rule=row.id)  # noqa: TRY400 - its words
        return Policy(tuple(rules), tuple(unreadable))

    async def add(self, rules: Sequence[Rule], by: str) -> list[Rule]:
        """Keep rules, and give them with their numbers; one that is there already keeps its own.

        Raises:
            StorageError: none was kept.
        """
        now = datetime.now(UTC)

        def _add(connection: Connection) -> list[Rule]:
            return [replace(rule, number=_added(connection, rule, by, now), by=by) for rule in rules]

        added = await self._the_database.transact(_add)
        self._read_at = float("-inf")
        return added

    async def remove(self, number: int) -> bool:
        """Take a rule back; False where there is none of that number, as in the settings.

        Raises:
            StorageError: it was not taken back.
        """

        def _remove(connection: Connection) -> bool:
            return connection.execute(delete(access_rules).where(access_rules.c.id == number)).rowcount == 1

        is_removed = await self._the_database.transact(_remove)
        self._read_at = float("-inf")
        return is_removed

    async def is_paired(self, person_id: str) -> bool:
        """Say whether somebody has paired."""
        if self._database is None:
            return False
        query = select(paired_people.c.person_id).where(paired_people.c.person_id == person_id)
        return await self._database.read(lambda connection: connection.scalar(query)) is not None

    @property
    def _the_database(self) -> Database:
        if self._database is None:
            raise RuntimeError("rules that are nowhere kept cannot be changed")
        return self._database


_EVERY = select(
    access_rules.c.id,
    access_rules.c.effect,
    access_rules.c.who,
    access_rules.c.place,
    access_rules.c.command,
    access_rules.c.by,
).order_by(access_rules.c.id)


def _added(connection: Connection, rule: Rule, by: str, now: datetime) -> int:
    words = {"effect": rule.effect, "who": rule.who, "place": rule.place, "command": rule.command}
    same = select(access_rules.c.id).filter_by(**words)
    there = connection.scalar(same)
    if there is not None:
        return int(there)
    statement = insert(access_rules).values(**words, by=by, at=now).returning(access_rules.c.id)
    return int(connection.execute(statement).scalar_one())


def unreadable_in_words(number: int) -> str:
    """Give a rule that cannot be read as a line of CommonMark."""
    return f"**{number}.** cannot be read: all but admins are denied everything until it is removed"


def in_words(rule: Rule) -> str:
    """Give a rule as a line of CommonMark: ``**4.** deny `discord:1` in `discord/2` to `diagnose` ``."""
    number = f"**{rule.number}.**" if rule.number else "(settings)"
    where = f"in `{rule.place}`" if rule.place else EVERYWHERE
    who = f"`{rule.who}`" if rule.who else EVERYONE
    what = f"`{rule.command}`" if rule.command else EVERYTHING
    return f"{number} {rule.effect} {who} {where} to {what}"
