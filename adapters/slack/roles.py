"""What Slack vouches for about people: admins and owners of the workspace, members of user groups."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Set
from typing import Generic, TypeVar

import structlog

from adapters.slack.errands import FAILURES, reason
from adapters.slack.recent import Recent
from adapters.slack.web import Web
from bot.access import UNKNOWN

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
    """Looks up people's roles.

    Args:
        web: where to ask.
        named: the roles that the settings of access name. Who is Slack's admin or owner is asked for only where one
            of them does: it takes a scope of its own.
    """

    def __init__(self, web: Web, named: Iterable[str]) -> None:
        self._web = web
        asked = {role.removeprefix("slack:") for role in named if role.startswith("slack:")}
        self._standings = {role for role in asked if role.partition("@")[0] in ("admin", "owner")}
        self._people = _Remembered(self._standing)
        self._groups = _Remembered(self._members)

    async def of(self, user: str) -> frozenset[str]:
        """Give a person's roles: ``group:ID``, and where it is asked for ``admin`` and ``owner``.

        Each may have ``@`` and the workspace's id behind it. Where Slack does not tell, `UNKNOWN` is among them.
        """
        groups = await self._certain(self._groups.get("all"))
        if groups is None or not self._web.is_known:
            found = frozenset({UNKNOWN})
        else:
            found = _with_team({f"group:{group}" for group, users in groups.items() if user in users}, self._web)
        if self._standings:
            standing = await self._certain(self._people.get(user))
            found |= {UNKNOWN} if standing is None else self._standings & _with_team(standing, self._web)
        return found

    async def _certain(self, looking_up: Awaitable[Value]) -> Value | None:
        try:
            return await looking_up
        except FAILURES as error:
            log.warning("roles not known", reason=reason(error))
            return None

    async def _standing(self, user: str) -> frozenset[str]:
        """Ask for a person's standing in this workspace; people from elsewhere have none here."""
        said = (await self._web.call(self._web.client.users_info(user=user)))["user"]
        if said.get("team_id") != self._web.identity.team or said.get("deleted"):
            return frozenset()
        owner = bool(said.get("is_owner") or said.get("is_primary_owner"))
        admin = owner or bool(said.get("is_admin"))
        return frozenset(role for role, held in (("admin", admin), ("owner", owner)) if held)

    async def _members(self, which: str) -> Mapping[str, frozenset[str]]:
        said = await self._web.call(self._web.client.usergroups_list(include_users=True))
        return {str(group["id"]): frozenset(group.get("users", ())) for group in said.get("usergroups", ())}


def _with_team(roles: Set[str], web: Web) -> frozenset[str]:
    return frozenset(roles | ({f"{role}@{web.identity.team}" for role in roles} if web.is_known else set()))
