"""Access: who is refused, how often they are told, and that what goes wrong in the look-up lets nobody in."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text, update

from bot import database_file
from bot.access import ADMIN, UNKNOWN, Access
from bot.access_rules import checked
from bot.database import Database
from bot.errors import StorageError
from bot.messages import Author, IncomingMessage, Place, Reply
from bot.pairing import Pairing
from bot.settings.access import AccessSettings
from bot.tables import access_rules, rate_limits

TEAM, CHANNEL = "T012AB3CD", "C012AB3CD"
ADA = "U012AB3CD"
HERE, DIRECT = Place("slack", TEAM, CHANNEL, "1.2"), Place("slack", TEAM, "D012AB3CD", "1.2")

Policy = dict[str, Any]


def rules(*allow: Policy, deny: tuple[Policy, ...] = (), **others: Any) -> AccessSettings:
    return AccessSettings.model_validate({"allow": allow, "deny": deny} | others)


def asks(command: str = "", place: Place = HERE, who: str = ADA, **fields: Any) -> IncomingMessage:
    """A message as somebody writes it, which nothing waits for: it has an id."""
    whole: dict[str, Any] = {"message_id": "7", "author": Author(who), "text": "Why?", "command": command} | fields
    return IncomingMessage("1", place, **whole)


async def _put(database: Database, **row: str) -> None:
    """Write a rule as nobody but a newer version, or an editor of databases, would."""
    statement = insert(access_rules).values(**row, by="", at=datetime.now(UTC))
    await database.transact(lambda connection: connection.execute(statement) and None)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    file = tmp_path / "kept.sqlite3"
    database_file.upgrade(file)
    opened = Database(file)
    await opened.open()
    yield opened
    await opened.close()


class Platform:
    """Vouches for roles, counts how often it is asked, and fails on demand."""

    def __init__(self, *roles: str) -> None:
        self.roles = frozenset(roles)
        self.asked: list[IncomingMessage] = []
        self.failing: Exception | None = None

    async def __call__(self, message: IncomingMessage) -> frozenset[str]:
        self.asked.append(message)
        if self.failing:
            raise self.failing
        return message.author.roles | self.roles


async def refused(access: Access, message: IncomingMessage) -> Reply:
    reply = await access.refusal(message)
    assert reply is not None
    assert (reply.outcome, reply.error, reply.ephemeral) == ("refused", "not_allowed", True)
    return reply


async def test_without_rules_nobody_is_asked_for_roles_and_all_may_ask(database: Database) -> None:
    platform = Platform()
    access = Access(AccessSettings(), database, platform)
    assert await access.refusal(asks()) is None
    assert not platform.asked


async def test_roles_are_asked_for_only_where_a_decision_hangs_on_them(database: Database) -> None:
    platform = Platform("group:S1ABC")
    closed = {"who": ["slack:group:S1ABC"], "where": [f"slack/{TEAM}/{CHANNEL}"], "what": ["diagnose"]}
    access = Access(rules(closed), database, platform)
    assert await access.refusal(asks()) is None
    assert await access.refusal(asks("diagnose", place=DIRECT)) is None
    assert platform.asked == []
    assert await access.refusal(asks("diagnose")) is None
    assert len(platform.asked) == 1


async def test_who_is_refused_is_told_where_that_was_decided_and_what_to_do(database: Database) -> None:
    access = Access(rules(deny=({"who": [f"slack:{ADA}"], "what": ["diagnose"]},)), database)
    reply = await refused(access, asks("diagnose"))
    assert reply.text == "You may not have symptoms judged here. Admins decide who may; ask one of them."
    assert await access.refusal(asks("diagnose", who="U0OTHER")) is None


async def test_the_refused_are_told_once_an_hour_in_each_channel(database: Database) -> None:
    access = Access(rules(deny=({"who": [f"slack:{ADA}", "slack:U0GRACE"]},)), database)
    assert (await refused(access, asks())).text
    assert not (await refused(access, asks())).text
    assert not (await refused(access, asks(place=replace(HERE, thread="3.4")))).text
    assert (await refused(access, asks(place=replace(HERE, channel="C0OTHER")))).text
    assert (await refused(access, asks(who="U0GRACE"))).text


async def test_two_processes_tell_the_refused_once(database: Database) -> None:
    both = [Access(rules(deny=({},)), database) for _ in range(2)]
    told = await asyncio.gather(*(refused(access, asks()) for access in both for _ in range(5)))
    assert len([reply for reply in told if reply.text]) == 1


async def test_after_an_hour_the_refused_are_told_again(database: Database) -> None:
    assert (await refused(Access(rules(deny=({},)), database), asks())).text
    past = update(rate_limits).values(full_again_at=1.0)
    await database.transact(lambda connection: connection.execute(past) and None)
    assert (await refused(Access(rules(deny=({},)), database), asks())).text


@pytest.mark.parametrize(
    "waiting",
    [{"message_id": ""}, {"about": "9", "command": "share", "text": "1"}, {"about": "9", "command": "ask"}],
    ids=["slash command", "button", "menu"],
)
async def test_whoever_waits_for_an_answer_is_told_every_time(database: Database, waiting: dict[str, Any]) -> None:
    access = Access(rules(deny=({},)), database)
    for _ in range(3):
        assert (await refused(access, asks(**waiting))).text


async def test_a_reaction_is_no_request(database: Database) -> None:
    access = Access(rules(deny=({},)), database)
    assert await access.refusal(asks("solved", about="9", text="")) is None


@pytest.mark.parametrize("failure", [ConnectionError("gone"), TimeoutError(), KeyError("slack"), ValueError("odd")])
@pytest.mark.parametrize("effect", ["allow", "deny"])
async def test_where_the_platform_fails_nobody_gets_in_by_a_role(
    database: Database, failure: Exception, effect: str
) -> None:
    platform = Platform("group:S1ABC")
    rule = {"who": ["slack:group:S1ABC" if effect == "allow" else "slack:group:S2ABC"]}
    access = Access(rules(**{effect: (rule,)}) if effect == "deny" else rules(rule), database, platform)
    assert await access.refusal(asks()) is None
    platform.failing = failure
    await refused(access, asks())
    await refused(access, asks("reload"))


async def test_where_the_platform_does_not_know_nobody_gets_in_by_a_role(database: Database) -> None:
    denied = Access(rules(deny=({"who": ["slack:group:S2ABC"]},)), database, Platform(UNKNOWN))
    await refused(denied, asks())
    assert await denied.refusal(asks(who="U0OTHER", author=Author("U0OTHER", roles=frozenset({ADMIN})))) is None


async def test_a_platform_that_hangs_lets_nobody_in(database: Database) -> None:
    async def _hang(message: IncomingMessage) -> frozenset[str]:
        await asyncio.Event().wait()
        return frozenset()

    settings = rules(deny=({"who": ["slack:group:S2ABC"]},))
    await refused(Access(settings, database, _hang, look_up_seconds=0.01), asks())


async def test_a_platform_that_nobody_knows_is_closed() -> None:
    access = Access(AccessSettings())
    await refused(access, asks(place=Place("teams", "1", "2")))


async def test_a_rule_that_cannot_be_read_closes_all_doors_but_the_admins(database: Database) -> None:
    await _put(database, effect="deny", who="slack:@nobody", place="", command="")
    access = Access(rules(admins=["slack:U0BOSS"]), database)
    await refused(access, asks())
    await refused(access, asks("forget"))
    assert await access.refusal(asks(who="U0BOSS")) is None
    assert await access.refusal(asks("access", who="U0BOSS")) is None


async def test_where_the_rules_cannot_be_read_at_all_nobody_gets_in(database: Database) -> None:
    access = Access(AccessSettings(), database)
    await database.transact(lambda connection: connection.execute(text("DROP TABLE access_rules")) and None)
    with pytest.raises(StorageError):
        await access.refusal(asks())


async def test_a_rule_holds_at_once_where_it_was_made_and_soon_everywhere(database: Database) -> None:
    here, there = Access(AccessSettings(), database), Access(AccessSettings(), database, fresh_seconds=0.05)
    for access in (here, there):
        assert await access.refusal(asks()) is None
    (rule,) = await here.rules.add([checked("deny", f"slack:{ADA}", "", "")], by="slack:U0BOSS")
    await refused(here, asks())
    async with asyncio.timeout(5):
        while await there.refusal(asks()) is None:  # noqa: ASYNC110 - time itself is what is waited for
            await asyncio.sleep(0.01)
    assert await here.rules.remove(rule.number)
    assert not await here.rules.remove(rule.number)
    assert await here.refusal(asks()) is None


async def test_the_same_rule_twice_is_one(database: Database) -> None:
    access = Access(AccessSettings(), database)
    again = [await access.rules.add([checked("deny", "", "", "ask")], by="slack:U0BOSS") for _ in range(2)]
    assert again[0] == again[1]


async def test_who_is_named_in_the_settings_cannot_be_locked_out(database: Database) -> None:
    settings = rules(deny=({}, {"what": ["stats"]}), direct_messages="off", admins=["slack:U0BOSS"])
    access = Access(settings, database)
    await access.rules.add([checked("deny", "slack:U0BOSS", "", name) for name in ("", "stats")], by="slack:U0OTHER")
    for command in ("", "stats", "access", "delivery"):
        assert await access.refusal(asks(command, place=DIRECT, who="U0BOSS")) is None


async def test_a_holder_of_an_admins_role_is_an_admin_wherever_it_is_looked_up(database: Database) -> None:
    access = Access(rules(deny=({},), admin_roles=["slack:owner"]), database, Platform("owner"))
    assert await access.refusal(asks("access")) is None
    assert await access.refusal(asks()) is None


async def test_refused_tries_of_admin_commands_are_in_the_audit(database: Database) -> None:
    access = Access(AccessSettings(), database)
    await refused(access, asks("access", text="deny everyone"))
    assert access.audit is not None
    (entry,) = await access.audit.entries()
    assert (entry.person_id, entry.place_id, entry.action, entry.argument, entry.outcome) == (
        f"slack:{ADA}",
        HERE.id,
        "access",
        "deny everyone",
        "refused",
    )


async def test_nobody_fills_the_audit_with_refused_tries(database: Database) -> None:
    access = Access(AccessSettings(), database)
    for _ in range(50):
        await access.refusal(asks("stats"))
    await access.refusal(asks("stats", who="U0OTHER"))
    assert access.audit is not None
    entries = await access.audit.entries(100)
    assert len(entries) == 31
    assert entries[0].person_id == "slack:U0OTHER"


# Pairing


@pytest.fixture
async def pairing(database: Database) -> tuple[Access, Pairing]:
    access = Access(rules(direct_messages="pairing"), database)
    return access, Pairing(database, access)


def code(text_of_it: str, who: str = ADA) -> IncomingMessage:
    return asks("pair", place=DIRECT, who=who, text=text_of_it)


async def test_a_code_pairs_one_person_and_is_used_up(pairing: tuple[Access, Pairing]) -> None:
    access, desk = pairing
    reply = await refused(access, asks(place=DIRECT))
    assert "pair CODE" in reply.text
    made = await desk.new_code("slack", "slack:U0BOSS")
    assert await access.refusal(code(made.text)) is None
    assert "paired" in (await desk.pair(code(made.text.replace("-", "").lower()))).text
    assert await access.refusal(asks(place=DIRECT)) is None
    with pytest.raises(Exception, match="not valid"):
        await desk.pair(code(made.text, who="U0GRACE"))
    await refused(access, asks(place=DIRECT, who="U0GRACE"))
    assert "already" in (await desk.pair(code("AAAA-AAAA"))).text


async def test_whose_pairing_is_undone_is_out_again(pairing: tuple[Access, Pairing]) -> None:
    access, desk = pairing
    await desk.pair(code((await desk.new_code("", "slack:U0BOSS")).text))
    assert await desk.unpair(f"slack:{ADA}")
    assert not await desk.unpair(f"slack:{ADA}")
    await refused(access, asks(place=DIRECT))


async def test_a_code_is_for_its_own_platform(pairing: tuple[Access, Pairing]) -> None:
    _, desk = pairing
    with pytest.raises(Exception, match="not valid"):
        await desk.pair(code((await desk.new_code("discord", "discord:1")).text))


async def test_a_code_is_too_old_after_ten_minutes(pairing: tuple[Access, Pairing], database: Database) -> None:
    _, desk = pairing
    made = await desk.new_code("slack", "slack:U0BOSS")
    past = text("UPDATE pairing_codes SET expires_at = '2020-01-01 00:00:00.000000'")
    await database.transact(lambda connection: connection.execute(past) and None)
    with pytest.raises(Exception, match="not valid"):
        await desk.pair(code(made.text))


async def test_after_five_wrong_codes_even_the_right_one_is_not_looked_at(pairing: tuple[Access, Pairing]) -> None:
    _, desk = pairing
    made = await desk.new_code("slack", "slack:U0BOSS")
    for wrong in ("AAAA-AAAA", "BBBB-BBBB", "no code", "", "CCCC CCCC"):
        with pytest.raises(Exception, match="not valid"):
            await desk.pair(code(wrong))
    with pytest.raises(Exception, match="too many"):
        await desk.pair(code(made.text))
    assert "paired" in (await desk.pair(code(made.text, who="U0GRACE"))).text


async def test_no_code_is_kept_as_it_is(pairing: tuple[Access, Pairing], database: Database) -> None:
    _, desk = pairing
    made = await desk.new_code("slack", "slack:U0BOSS")
    kept = await database.read(lambda connection: connection.execute(text("SELECT * FROM pairing_codes")).all())
    assert kept
    assert made.text not in str(kept)
    assert made.text.replace("-", "") not in str(kept)


async def test_where_nobody_needs_to_pair_nobody_can(database: Database) -> None:
    access = Access(AccessSettings(), database)
    desk = Pairing(database, access)
    assert "no need" in (await desk.pair(code("AAAA-AAAA"))).text
