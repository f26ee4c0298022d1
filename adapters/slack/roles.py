"""What Slack vouches for about people: admins and owners of the workspace, members of user groups."""

import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

import structlog

from adapters.slack.errands import FAILURES, reason
from adapters.slack.recent import Recent
from adapters.slack.web import Web

log = structlog.get_logger(__name__)

_FRESH_SECONDS = 300.0
_REMEMBERED = 1_000

Value = TypeVar("Value")


class _Remembered(Generic[Value]):
    """Looks things up and remembers them for a while."""

    def __init__(self, look_up: Callable[[str], Awaitable[Value]]) -> None:
        self._look_up = look_up
        self._found: Recent[str, tuple[float, Value]] = Recent(_REMEMBERED)

    async def get(self, name: str) -> Value:
        at, value = self._found.get(name, (float("-inf"), None))
        if value is None or time.monotonic() - at > _FRESH_SECONDS:
            value = await self._look_up(name)
            self._found[name] = time.monotonic(), value
        return value


class Roles:
    """Looks up the roles that the settings name, and no others: a role that nobody asked for opens no door.

    Args:
        web: where to ask.
        named: the setting `access.admin_roles`.
    """

    def __init__(self, web: Web, named: Iterable[str]) -> None:
        self._web = web
        self._named = frozenset(role.removeprefix("slack:") for role in named if role.startswith("slack:"))
        self._people = _Remembered(self._standing)
        self._groups = _Remembered(self._members)

    async def of(self, user: str) -> frozenset[str]:
        """Give a person's roles, each also with the workspace's id behind it; those that Slack will not tell are not.

        They are ``admin``, ``owner`` and ``group:ID``.
        """
        found = set()
        for role in self._named:
            name, _, team = role.partition("@")
            if await self._has(user, name, team):
                found.add(role)
        return frozenset(found)

    async def _has(self, user: str, role: str, team: str) -> bool:
        try:
            if team and team != self._web.identity.team:
                return False
            kind, _, group = role.partition(":")
            if kind == "group":
                return user in await self._groups.get(group)
            return role in await self._people.get(user)
        except FAILURES as error:
            log.warning("role not known", role=role, user=user, reason=reason(error))
            return False

    async def _standing(self, user: str) -> frozenset[str]:
        """Ask for a person's standing in this workspace; people from elsewhere have none here."""
        said = (await self._web.call(self._web.client.users_info(user=user)))["user"]
        if said.get("team_id") != self._web.identity.team or said.get("deleted"):
            return frozenset()
        owner = bool(said.get("is_owner") or said.get("is_primary_owner"))
        admin = owner or bool(said.get("is_admin"))
        return frozenset(role for role, held in (("admin", admin), ("owner", owner)) if held)

    async def _members(self, group: str) -> frozenset[str]:
        said = await self._web.call(self._web.client.usergroups_users_list(usergroup=group))
        return frozenset(said.get("users", ()))
