"""Who may do what: the one place where that is decided. What is not allowed is refused, and so is what is not known."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from sqlalchemy import bindparam
from sqlalchemy.dialects.sqlite import insert

from bot.access_policy import Policy
from bot.access_rules import PAIRED, Asker, is_for_admins, wanted
from bot.access_store import AccessStore
from bot.audit import Audit, told_name
from bot.database import Change, Database
from bot.errors import NotAllowedError, PreceptorError
from bot.messages import IncomingMessage, Place, Reply
from bot.place_names import PLATFORMS
from bot.settings.access import AccessSettings
from bot.tables import rate_limits
from bot.tries import Tries

log = structlog.get_logger(__name__)

ADMIN = "preceptor:admin"
"""The role an adapter vouches for when the author runs this machine or has shown an admin key.

It is written as no platform writes its own: to be an admin of Slack's is to be none here, unless the settings say so.
"""

UNKNOWN = "preceptor:unknown"
"""The role an adapter vouches for where it could not find out the author's: what hangs on one is denied."""

Spelled = Callable[[Place, str], str]
"""Give a command as people write it in a place: see `Adapter.spelled`."""

LookUp = Callable[[IncomingMessage], Awaitable[frozenset[str]]]
"""Ask the platform for an author's roles: see `Adapter.roles`."""

_TOLD_SECONDS = 3600.0
"""How long somebody who was refused in a channel is not told so again."""

_REMEMBERED = 10_000

_REFUSALS_A_MINUTE = 30
"""Of one person, that are noted: more would tell nothing more, and hide what others do."""

_DOINGS = {"ask": "ask me", "diagnose": "have symptoms judged", "describe": "have pictures described"}

_say = insert(rate_limits).values(name=bindparam("told"), full_again_at=bindparam("until"))
_SAY = (
    _say.on_conflict_do_update(
        index_elements=["name"],
        set_={"full_again_at": _say.excluded.full_again_at},
        where=rate_limits.c.full_again_at <= bindparam("now"),
    ),
)


async def _no_more_roles(message: IncomingMessage) -> frozenset[str]:
    return message.author.roles


def _with_a_stroke(place: Place, command: str) -> str:
    return f"/{command}"


class Access:
    """The policy, as the settings and the admins in the chats have it.

    Args:
        settings: who is an admin, and the first rules.
        database: where the other rules are kept; None: there are none, and nobody is paired.
        look_up: asks the platform for an author's roles; only where a decision hangs on them.
        spelled: gives a command as people write it in a place.
        look_up_seconds: how long the platform may take; what hangs on it is denied then.
        fresh_seconds: how long it takes at the most until what one process was told holds in the others, too.

    Attributes:
        admins: the people whom the settings name, admins of all places.
        admin_roles: the roles they name.
        roles_named: all roles that any setting of access names.
    """

    def __init__(
        self,
        settings: AccessSettings,
        database: Database | None = None,
        look_up: LookUp = _no_more_roles,
        spelled: Spelled = _with_a_stroke,
        *,
        look_up_seconds: float = 5.0,
        fresh_seconds: float = 2.0,
    ) -> None:
        self.admins = frozenset(settings.admins)
        self.admin_roles = frozenset(settings.admin_roles)
        self._database = database
        self._look_up = look_up
        self._look_up_seconds = look_up_seconds
        self._spelled = spelled
        self.roles_named = settings.roles_named
        self._told: dict[str, float] = {}
        self._refusals = Tries(_REFUSALS_A_MINUTE)
        self.rules = AccessStore(settings.rules, database, fresh_seconds)
        self.audit = Audit(database, settings.audit_days) if database else None

    def is_admin(self, message: IncomingMessage) -> bool:
        """Say whether the author may use admin commands, by the roles that the message vouches for."""
        roles = message.author.roles
        named = {f"{message.place.platform}:{role}" for role in roles}
        return self.is_operator(message) or not self.admin_roles.isdisjoint(named)

    def is_operator(self, message: IncomingMessage) -> bool:
        """Say whether the author is an admin of all places: by name or key, not by a role in one of them."""
        return ADMIN in message.author.roles or message.person_id in self.admins

    def require_admin(self, message: IncomingMessage, action: str) -> None:
        """Let admins pass.

        Raises:
            NotAllowedError: for everybody else.
        """
        if not self.is_admin(message):
            raise NotAllowedError(*_for_admins(action))

    async def refusal(self, message: IncomingMessage) -> Reply | None:
        """Give what is said to an author who may not do what the message wants; None where they may.

        It is empty, and nothing is sent, where they were told within the hour and nothing waits for an answer.

        Raises:
            StorageError: the rules cannot be read, or a refused use of an admin command not be noted.
        """
        commands = wanted(message)
        if await self.allows(message, commands):
            return None
        await self._note_refused(message, commands)
        if not await self._is_told(message):
            return Reply("", outcome="refused", ephemeral=True, error=NotAllowedError.code)
        sentence, fix = await self._sentence(message, commands)
        return Reply(
            f"{sentence} {fix}".strip(),
            outcome="refused",
            ephemeral=True,
            error=NotAllowedError.code,
            data={"sentence": sentence, "fix": fix},
        )

    async def _note_refused(self, message: IncomingMessage, commands: Sequence[str]) -> None:
        for command in filter(is_for_admins, commands):
            if self.audit is not None and not self._refusals.take(message.person_id):
                await self.audit.note(message, command, "refused")

    async def require(self, message: IncomingMessage, command: str) -> None:
        """Let pass who may use a command here. Raises what `allows` does, and:

        Raises:
            NotAllowedError: for everybody else.
        """
        if not await self.allows(message, (command,)):
            raise NotAllowedError(*await self._sentence(message, (command,)))

    async def allows(self, message: IncomingMessage, commands: Sequence[str]) -> bool:
        """Say whether the author may use all these commands here.

        Raises:
            StorageError: the rules cannot be read.
        """
        if self.is_admin(message) or not commands:
            return True
        if message.place.platform not in PLATFORMS:
            return False
        policy = await self.rules.policy()
        verdict = policy.allows(_asker(message), commands)
        # Only where it matters: on some platforms it takes a call.
        return verdict or await self._allows_known(message, commands, policy)

    async def offers(self, message: IncomingMessage, command: str) -> bool:
        """Say whether a command is of any use to the author here. Raises what `allows` does."""
        if command == "pair":
            return await self.asks_for_pairing(message) and not await self.is_paired(message)
        return await self.allows(message, (command,))

    async def _allows_known(self, message: IncomingMessage, commands: Sequence[str], policy: Policy) -> bool:
        roles = await self._roles(message)
        known = replace(message, author=replace(message.author, roles=roles))
        if self.is_admin(known):
            return True
        paired = {PAIRED} if policy.names_paired and await self.is_paired(message) else set()
        # What an adapter says of pairing counts for nothing.
        asker = replace(_asker(known), roles=(roles - {PAIRED}) | paired, is_known=UNKNOWN not in roles)
        return policy.allows(asker, commands) is True

    async def _roles(self, message: IncomingMessage) -> frozenset[str]:
        try:
            async with asyncio.timeout(self._look_up_seconds):
                return await self._look_up(message)
        # Whatever an adapter's library raises: who cannot be known is denied what hangs on it.
        except Exception as error:  # noqa: BLE001
            log.warning("roles not known", platform=message.place.platform, error=type(error).__name__)
            return message.author.roles | {UNKNOWN}

    async def is_paired(self, message: IncomingMessage) -> bool:
        """Say whether the author has paired."""
        return await self.rules.is_paired(message.person_id)

    async def asks_for_pairing(self, message: IncomingMessage) -> bool:
        """Say whether whoever pairs may do more where the message was written."""
        return (await self.rules.policy()).asks_for_pairing(_asker(message))

    async def _sentence(self, message: IncomingMessage, commands: Sequence[str]) -> tuple[str, str]:
        first = commands[0]
        if is_for_admins(first):
            return _for_admins(self._spelled(message.place, first))
        if await self.asks_for_pairing(message) and not await self.is_paired(message):
            return "Before you write to me directly, pair with me.", "Ask an admin for a code, and write: pair CODE"
        doing = " or ".join(_DOINGS.get(command, f"use {command}") for command in commands)
        return f"You may not {doing} here.", "Admins decide who may; ask one of them."

    async def _is_told(self, message: IncomingMessage) -> bool:
        """Say whether a refusal is said: always where something waits, else once an hour, by one process of all."""
        if not message.message_id or message.about or self._database is None:
            return True
        name, now = told_name(message), datetime.now(UTC).timestamp()
        if self._told.get(name, 0.0) > time.monotonic():
            return False
        row = {"told": name, "until": now + _TOLD_SECONDS, "now": now}
        try:
            is_first = await self._database.write(Change(_SAY, ([row],), counted=True)) == 1
        except PreceptorError:
            log.warning("not noted who was told", exc_info=True)
            return True
        self._remember(name)
        return is_first

    def _remember(self, name: str) -> None:
        """Spare the database those who go on asking."""
        if len(self._told) >= _REMEMBERED:
            self._told.clear()
        self._told[name] = time.monotonic() + _TOLD_SECONDS / 60


def _asker(message: IncomingMessage) -> Asker:
    return Asker(message.person_id, message.place, message.groups_of_place, message.author.roles - {PAIRED})


def _for_admins(action: str) -> tuple[str, str]:
    """Give the sentence, and the fix, for whoever is no admin."""
    return f"{action} is for admins.", "The settings access.admins and access.admin_roles name them."
