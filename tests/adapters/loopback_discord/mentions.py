"""Who a message pings: what its text names, cut down to what `allowed_mentions` lets through."""

import re
from dataclasses import dataclass
from typing import Any

_CODE = re.compile(r"```.*?```|``.*?``|`[^`\n]*`", re.DOTALL)
_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")


@dataclass(frozen=True, slots=True)
class Pings:
    """The ids of the users and roles that are notified, and whether everyone is."""

    users: frozenset[int] = frozenset()
    roles: frozenset[int] = frozenset()
    everyone: bool = False

    @property
    def nobody(self) -> bool:
        """Whether no one is notified."""
        return not (self.users or self.roles or self.everyone)


def named_in(text: str) -> Pings:
    """Give what a text names outside its code."""
    plain = _CODE.sub(" ", text)
    return Pings(
        users=frozenset(map(int, _USER.findall(plain))),
        roles=frozenset(map(int, _ROLE.findall(plain))),
        everyone=_EVERYONE.search(plain) is not None,
    )


def pinged_by(text: str, allowed: dict[str, Any] | None, replied_to: int | None) -> Pings:
    """Give who is notified by a text sent with `allowed_mentions` in answer to a message of the user `replied_to`.

    Without `allowed_mentions` everything that is named is notified, and so is the author of the message replied to.
    """
    named = named_in(text)
    if allowed is None:
        users = named.users | ({replied_to} if replied_to else set())
        return Pings(users, named.roles, named.everyone)
    parse = allowed.get("parse") or []
    users = named.users if "users" in parse else named.users & set(map(int, allowed.get("users") or []))
    roles = named.roles if "roles" in parse else named.roles & set(map(int, allowed.get("roles") or []))
    if replied_to and allowed.get("replied_user"):
        users |= {replied_to}
    return Pings(users, roles, named.everyone and "everyone" in parse)
