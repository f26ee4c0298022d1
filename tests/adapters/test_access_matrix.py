"""Every command, for everybody, everywhere, on both platforms: who gets in is what the tables here say, and no more."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from contract import contract_settings

from bot.access import ADMIN
from bot.access_rules import NO_CATEGORY
from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.messages import Author, IncomingMessage, Place, Reply

Platform = Literal["discord", "slack"]

OPEN = (
    *("", "ask", "diagnose", "describe", "help", "history", "knowledge"),
    *("feedback", "person", "share", "alt_text", "diagnose_that"),
)
OWN = ("forget", "export", "pair", "solved")
ADMIN_COMMANDS = ("reload", "people", "settings", "delivery", "access", "audit", "unheard_of")
GIVEN = ("stats",)

ADMINS = frozenset({"operator", "admin by id", "admin by role", "owner of the server"})
NOBODY_ELSE: frozenset[str] = frozenset()
ORDINARY = frozenset({"nobody", "staff", "guest", "paired"})
"""Those whom no rule shuts out. Shut out everywhere are: whom a rule denies by id, whom one denies by a role, and who
may have that role for all that is known."""

EVERYBODY = (*ADMINS, *ORDINARY, "denied by id", "denied by role", "of unknown roles")

MAY_ASK: dict[str, frozenset[str]] = {
    "open channel": ORDINARY,
    "thread of it": ORDINARY,
    "closed channel": frozenset({"staff", "guest"}),
    "thread of the closed one": frozenset({"staff", "guest"}),
    "silent channel": NOBODY_ELSE,
    "channel in a closed category": frozenset({"staff", "guest"}),
    "channel of unknown category": NOBODY_ELSE,
    "direct message (on)": ORDINARY,
    "direct message (off)": NOBODY_ELSE,
    "direct message (pairing)": frozenset({"paired"}),
}
"""Who besides the admins may do there what is open to all; their own data all get everywhere."""

ONLY_DISCORD = {"channel in a closed category", "channel of unknown category"}

WORKSPACE = {"discord": "81384788765712384", "slack": "T012AB3CD"}
NO_LIMITS = dict.fromkeys(("person_per_minute", "channel_per_minute", "workspace_per_minute", "person_at_once"), 0)
CATEGORY = "category:281870553235193856"
_CHANNELS = {
    "open channel": ("381870553235193801", "C0OPEN"),
    "closed channel": ("381870553235193802", "C0CLOSED"),
    "silent channel": ("381870553235193803", "C0SILENT"),
    "channel in a closed category": ("381870553235193804", ""),
    "direct message": ("381870553235193805", "D0DIRECT"),
}
_IDS = {name: (f"803511102246789{10 + at}", f"U0{at}PERSON") for at, name in enumerate(EVERYBODY)}
_ROLES = {
    "staff": ("role:1573959186461491201", "group:S0STAFF"),
    "denied by role": ("role:1573959186461491202", "group:S0BANNED"),
    "admin by role": ("role:1573959186461491203", "group:S0CHIEFS"),
    "owner of the server": ("owner", "owner"),
    "operator": (ADMIN, ADMIN),
}


def of(platform: Platform, both: tuple[str, str]) -> str:
    return both[platform == "slack"]


def is_let_in(person: str, place: str, command: str) -> bool:
    """Say what the tables say."""
    if person in ADMINS or command in OWN:
        return True
    if command in ADMIN_COMMANDS:
        return False
    return person == "staff" if command in GIVEN else person in MAY_ASK[place]


def policy(platform: Platform, mode: str) -> dict[str, Any]:
    """The settings under which the tables hold."""

    def named(person: str) -> str:
        return f"{platform}:{of(platform, _IDS[person])}"

    def role(person: str) -> str:
        return f"{platform}:{of(platform, _ROLES[person])}"

    def channel(name: str) -> str:
        return f"{platform}/{WORKSPACE[platform]}/{of(platform, _CHANNELS[name])}"

    closed = [channel("closed channel")]
    if platform == "discord":
        closed.append(f"{platform}/{WORKSPACE[platform]}/{CATEGORY}")
    return {
        "admins": [named("admin by id")],
        "admin_roles": [role("admin by role"), role("owner of the server")],
        "allow": [
            {"who": [role("staff"), named("guest")], "where": closed},
            {"who": [role("staff")], "what": ["stats"]},
        ],
        "deny": [
            {"who": [named("denied by id"), role("denied by role")]},
            {"where": [channel("silent channel")]},
        ],
        "direct_messages": mode,
    }


def place_of(platform: Platform, name: str) -> tuple[Place, tuple[str, ...]]:
    """Where that is, and what the adapter vouches for as its category."""
    workspace = WORKSPACE[platform]
    if name.startswith("direct message"):
        direct = of(platform, _CHANNELS["direct message"])
        return Place(platform, "" if platform == "discord" else workspace, direct), ()
    thread = name.startswith("thread")
    base = {"thread of it": "open channel", "thread of the closed one": "closed channel"}.get(name, name)
    base = {"channel of unknown category": "channel in a closed category"}.get(base, base)
    groups = {"channel in a closed category": (CATEGORY,), "channel of unknown category": ()}.get(name, (NO_CATEGORY,))
    return Place(platform, workspace, of(platform, _CHANNELS[base]), "1700000000.000100" if thread else ""), groups


class _Platform(InMemoryAdapter):
    """A platform without its servers: it knows who has which role, and fails for some."""

    def __init__(self, name: Platform) -> None:
        super().__init__(Limits(reaches_later=False))
        self.name = name
        self._roles = {of(name, _IDS[person]): of(name, both) for person, both in _ROLES.items()}
        self._unknown = of(name, _IDS["of unknown roles"])

    async def roles(self, message: IncomingMessage) -> frozenset[str]:
        if message.author.id == self._unknown:
            raise ConnectionError("the platform does not answer")
        role = self._roles.get(message.author.id)
        return message.author.roles | ({role} if role else frozenset())

    async def hears(self, person: str, place: str, command: str) -> Reply:
        where, groups = place_of(self.name, place)  # type: ignore[arg-type]
        author = Author(of(self.name, _IDS[person]))  # type: ignore[arg-type]
        text = "1" if command in OPEN[7:] or command == "solved" else "When does the office open?"
        message = IncomingMessage(uuid.uuid4().hex, where, author, text, command, groups_of_place=groups)
        return await (await self.post(message)).complete()


@asynccontextmanager
async def opened(folder: Path, platform: Platform, mode: str) -> AsyncIterator[_Platform]:
    # What is judged and described is no matter here, only whether it would be.
    quick = {"diagnosis": {"enabled": False}, "images": {"looking": "off"}, "database": {"synchronous": "normal"}}
    settings = contract_settings(
        folder, access=policy(platform, mode), limits=NO_LIMITS, dispatch={"channel_queue": 1_000}, **quick
    )
    application, adapter = Application(settings), _Platform(platform)
    async with application.running([adapter]):
        where, _ = place_of(platform, "direct message")
        paired = of(platform, _IDS["paired"])
        code = await _code(adapter, where)
        await (await adapter.post(IncomingMessage("pairing", where, Author(paired), code, "pair"))).complete()
        yield adapter


async def _code(adapter: _Platform, where: Place) -> str:
    boss = Author(of(adapter.name, _IDS["operator"]), roles=frozenset({ADMIN}))  # type: ignore[arg-type]
    made = await (await adapter.post(IncomingMessage("code", where, boss, "pair", "access"))).complete()
    return str(made.data["code"])


def places_of(platform: Platform, mode: str) -> list[str]:
    """The places in which direct messages are so set; all others go with "on"."""
    own = [place for place in MAY_ASK if (place.partition("(")[2] or "on)") == f"{mode})"]
    return own if platform == "discord" else [place for place in own if place not in ONLY_DISCORD]


@pytest.mark.parametrize("mode", ["on", "off", "pairing"])
@pytest.mark.parametrize("platform", ["discord", "slack"])
async def test_who_gets_in_is_what_the_tables_say(tmp_path: Path, platform: Platform, mode: str) -> None:
    async with opened(tmp_path, platform, mode) as adapter:
        for place in places_of(platform, mode):
            asked = [(person, command) for person in EVERYBODY for command in (*OPEN, *OWN, *ADMIN_COMMANDS, *GIVEN)]
            replies = await asyncio.gather(*(adapter.hears(person, place, command) for person, command in asked))
            let_in = {cell for cell, reply in zip(asked, replies, strict=True) if reply.error != "not_allowed"}
            assert let_in == {cell for cell in asked if is_let_in(cell[0], place, cell[1])}, place
            assert all(reply.text for reply in replies), "whoever waits for an answer gets one"
            refused = [reply for cell, reply in zip(asked, replies, strict=True) if cell not in let_in]
            assert all(reply.ephemeral and reply.outcome == "refused" for reply in refused)
