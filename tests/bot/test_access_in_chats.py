"""What admins say in a chat to see and change who may do what, and the audit of it."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot.access import ADMIN, Access
from bot.access_rules import ADMIN_COMMANDS, KEPT_COMMANDS, OPEN_COMMANDS, OWN_COMMANDS
from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.audit import Audit
from bot.database import Change, Database
from bot.messages import Author, Place
from bot.settings import Settings
from bot.settings.access import AccessSettings
from bot.tables import audit, people
from tests.conftest import Conversation

SERVER, CHANNEL, OTHER = "81384788765712384", "381870553235193857", "381870553235193858"
ADA, BOSS, CHIEF, GRACE = "80351110224678912", "80351110224678913", "80351110224678914", "80351110224678915"
ROLE = "1573959186461491201"
HERE = Place("discord", SERVER, CHANNEL)
ASKED = "When does the office open?"

Talk = Callable[..., AbstractAsyncContextManager[Conversation]]


class _Platform(InMemoryAdapter):
    """An adapter that calls itself by a platform's name."""

    def __init__(self, name: str) -> None:
        super().__init__(Limits(reaches_later=False))
        self.name = name


@pytest.fixture
def talk(settings: Settings) -> Talk:
    """Open a Preceptor on a Discord of its own, with Ada in it; BOSS is an admin everywhere, CHIEF in this server."""

    @asynccontextmanager
    async def _talk(**access: Any) -> AsyncIterator[Conversation]:
        admins = {"admins": (f"discord:{BOSS}",), "admin_roles": (f"discord:manage_server@{SERVER}",)}
        section = settings.access.model_validate(admins | access)
        adapter = _Platform("discord")
        async with Application(settings.model_copy(update={"access": section})).running([adapter]):
            yield Conversation(adapter, Author(ADA, "Ada"), HERE)

    return _talk


def boss(ada: Conversation, **fields: Any) -> Conversation:
    return ada.other(author=Author(BOSS, "Boss"), **fields)


def chief(ada: Conversation, **fields: Any) -> Conversation:
    roles = frozenset({"manage_server", f"manage_server@{SERVER}", f"role:{ROLE}"})
    return ada.other(author=Author(CHIEF, "Chief", roles), **fields)


async def test_an_admin_sees_the_rules_with_their_numbers_and_takes_one_back(talk: Talk) -> None:
    async with talk(deny=({"who": [f"discord:{GRACE}"]},)) as ada:
        assert "no rule" not in (await boss(ada).say("/access")).text
        made = await boss(ada).say("/access deny @Ada in here", mentions=(f"user:{ADA}",))
        assert "From now on" in made.text
        refused = await ada.say(ASKED)
        assert (refused.outcome, refused.error) == ("refused", "not_allowed")
        shown = (await boss(ada).say("/access")).text
        assert f"- (settings) deny `discord:{GRACE}` everywhere to everything" in shown
        assert f"- **1.** deny `discord:{ADA}` in `{HERE.channel_id}` to everything" in shown
        assert (await ada.other(place=Place("discord", SERVER, OTHER)).say(ASKED)).outcome == "answered"
        assert (await boss(ada).say("/access remove 1")).outcome == "done"
        assert (await ada.say(ASKED)).outcome == "answered"


async def test_a_channel_is_closed_to_all_but_a_role(talk: Talk) -> None:
    async with talk() as ada:
        await boss(ada).say("/access allow @Staff in here to ask", mentions=(f"role:{ROLE}",))
        assert (await ada.say(ASKED)).outcome == "refused"
        assert (
            await ada.other(author=Author(GRACE, roles=frozenset({f"role:{ROLE}"}))).say(ASKED)
        ).outcome == "answered"
        assert (await ada.say("diagnose: itchy red patches on my elbows")).outcome != "refused"
        assert "/diagnose" in (await ada.say("/help")).text
        assert "/ask" not in json.dumps((await ada.say("/help")).data)


async def test_an_admin_by_a_role_of_one_server_rules_there_alone(talk: Talk) -> None:
    async with talk() as ada:
        ada_too = (f"user:{ADA}",)
        for text in (
            "/access deny @Ada everywhere",
            "/access deny @Ada in discord",
            "/access deny @Ada in dms",
            "/access deny @Ada in discord/81384788765712385",
            "/access deny @Ada in discord/813847887657123840",
        ):
            refused = await chief(ada).say(text, mentions=ada_too)
            assert (refused.error, refused.outcome) == ("not_allowed", "refused"), text
        assert (await ada.say(ASKED)).outcome == "answered"
        assert (await chief(ada).say("/access deny @Ada", mentions=ada_too)).outcome == "done"
        assert (await ada.say(ASKED)).outcome == "refused"
        await boss(ada).say("/access deny @Grace everywhere", mentions=(f"user:{GRACE}",))
        await boss(ada).say("/access deny @Grace in discord/81384788765712385", mentions=(f"user:{GRACE}",))
        assert (await chief(ada).say("/access remove 2")).error == "not_allowed"
        assert (await chief(ada).say("/access remove 3")).error == "question_invalid"
        assert "**3.**" not in (await chief(ada).say("/access")).text
        assert "**3.**" in (await boss(ada).say("/access")).text
        elsewhere = chief(ada, place=Place("discord", "81384788765712385", CHANNEL))
        assert (await elsewhere.say("/access")).outcome == "done"


async def test_access_is_for_admins(talk: Talk) -> None:
    async with talk() as ada:
        for text in ("/access", "/access allow everyone", "/audit"):
            refused = await ada.say(text)
            assert (refused.outcome, refused.error) == ("refused", "not_allowed")
            assert "is for admins" in refused.text


async def test_an_admins_command_is_given_to_a_role(talk: Talk) -> None:
    async with talk() as ada:
        grace = ada.other(author=Author(GRACE, roles=frozenset({f"role:{ROLE}"})))
        assert (await grace.say("/stats")).outcome == "refused"
        await boss(ada).say("/access allow @Staff to stats", mentions=(f"role:{ROLE}",))
        assert (await grace.say("/stats")).outcome == "done"
        assert (await grace.say("/reload")).outcome == "refused"
        assert (await ada.say("/stats")).outcome == "refused"
        assert (await boss(ada).say("/access allow @Staff to access", mentions=(f"role:{ROLE}",))).error


@pytest.mark.parametrize(
    "text",
    ["/access fly", "/access deny", "/access deny Bob", "/access remove", "/access remove 0", "/access unpair @Bob"],
)
async def test_what_means_nothing_changes_nothing_and_says_what_would(talk: Talk, text: str) -> None:
    async with talk() as ada:
        reply = await boss(ada).say(text)
        assert (reply.outcome, reply.error) == ("refused", "question_invalid")
        assert (await ada.say(ASKED)).outcome == "answered"


async def test_slacks_standings_are_named_in_the_settings_alone(talk: Talk) -> None:
    async with talk(deny=({"who": ["slack:owner"], "where": ["slack/T012AB3CD"]},)) as ada:
        assert "users:read" in (await boss(ada).say("/access allow slack:admin in slack")).text
        assert (await boss(ada).say("/access allow slack:owner in slack")).outcome == "done"


async def test_direct_messages_by_pairing(talk: Talk) -> None:
    async with talk(direct_messages="pairing") as ada:
        direct = ada.other(place=Place("discord", "", OTHER))
        told = await direct.say(ASKED)
        assert told.outcome == "refused"
        assert "pair CODE" in told.text
        assert (await direct.say("/export")).outcome == "done"
        made = (await boss(ada).say("/access pair")).data["code"]
        assert (await direct.say("pair AAAA-AAAA")).error == "question_invalid"
        assert "paired" in (await direct.say(f"pair {made}")).text
        assert (await direct.say(ASKED)).outcome == "answered"
        assert (await boss(ada).say("/access unpair @Ada", mentions=(f"user:{ADA}",))).outcome == "done"
        assert (await direct.say(ASKED)).outcome == "refused"


async def test_direct_messages_are_opened_and_closed_in_the_chat(talk: Talk) -> None:
    async with talk() as ada:
        direct = ada.other(place=Place("discord", "", OTHER))
        assert (await direct.say(ASKED)).outcome == "answered"
        await boss(ada).say("/access deny everyone in dms")
        assert (await direct.say(ASKED)).outcome == "refused"
        assert (await ada.say(ASKED)).outcome == "answered"
        await boss(ada).say("/access remove 1")
        assert (await direct.say(ASKED)).outcome == "answered"


async def test_in_a_channel_pairing_is_no_command_but_words(talk: Talk) -> None:
    async with talk(direct_messages="pairing") as ada:
        assert (await ada.say("pair AAAA-AAAA")).outcome == "declined"


# The audit


async def test_every_use_of_an_admins_command_is_in_the_audit(talk: Talk) -> None:
    async with talk() as ada:
        await ada.say("/reload")
        await boss(ada).say("/reload")
        await boss(ada).say("/access deny @Ada in here", mentions=(f"user:{ADA}",))
        await boss(ada).say("/access fly")
        await chief(ada).say("/stats")
        await ada.say(ASKED)
        shown = await boss(ada).say("/audit")
        assert [
            (entry["person_id"], entry["action"], entry["argument"], entry["outcome"])
            for entry in shown.data["entries"]
        ] == [
            (f"discord:{BOSS}", "audit", "", "started"),
            (f"discord:{CHIEF}", "stats", "", "done"),
            (f"discord:{BOSS}", "access", "fly", "refused"),
            (f"discord:{BOSS}", "access", f"deny @Ada in here (user:{ADA})", "done"),
            (f"discord:{BOSS}", "reload", "", "done"),
            (f"discord:{ADA}", "reload", "", "refused"),
        ]
        assert all(entry["place_id"] == HERE.id and entry["at"] for entry in shown.data["entries"])
        assert "reload · refused" in shown.text


async def test_an_admin_of_one_server_sees_the_audit_of_that_one(talk: Talk) -> None:
    async with talk() as ada:
        await boss(ada, place=Place("discord", "81384788765712385", OTHER)).say("/reload")
        await boss(ada).say("/reload")
        assert len((await chief(ada).say("/audit")).data["entries"]) == 2
        assert len((await boss(ada).say("/audit")).data["entries"]) == 4


async def test_a_command_that_cannot_be_noted_is_not_done(talk: Talk, settings: Settings) -> None:
    async with talk() as ada:
        database = Database(settings.database_file)
        await database.open()
        await database.transact(lambda connection: audit.drop(connection))
        await database.close()
        reply = await boss(ada).say("/access deny @Ada in here", mentions=(f"user:{ADA}",))
        assert reply.outcome == "failed"
        assert (await ada.say(ASKED)).outcome == "answered"


async def test_the_audit_is_kept_for_a_year(talk: Talk, settings: Settings) -> None:
    async with talk() as ada:
        await boss(ada).say("/reload")
        await boss(ada).say("/stats")
    database = Database(settings.database_file)
    await database.open()
    records = Audit(database, 365)
    newest = (await records.entries())[0]
    aged = update(audit).where(audit.c.action == "reload").values(at=newest.at.replace(year=newest.at.year - 2))
    await database.transact(lambda connection: connection.execute(aged) and None)
    assert await records.prune(newest.at) == 1
    assert [entry.action for entry in await records.entries()] == ["stats"]
    assert [entry.action for entry in await records.entries(since=newest.at)] == ["stats"]
    await database.close()


async def test_who_is_forgotten_is_in_no_entry_of_the_audit(talk: Talk, settings: Settings) -> None:
    async with talk() as ada:
        await ada.say(ASKED)
        await ada.say("/reload now, says Ada")
        await boss(ada).say("/access deny @Ada in here", mentions=(f"user:{ADA}",))
        await boss(ada).say("/access remove 1")
        await boss(ada).say("/people @Ada", mentions=(f"user:{ADA}",))
    database = Database(settings.database_file)
    await database.open()
    forgotten = {"forgotten": f"discord:{ADA}"}
    await database.write(Change(Audit.forget_statements, ([forgotten],) * len(Audit.forget_statements)))
    rows = await database.read(lambda connection: connection.execute(select(audit)).all())
    assert len(rows) == 4
    assert ADA not in str(rows)
    assert "Ada" not in str(rows)
    assert "remove 1" in str(rows)
    assert await database.read(lambda c: c.scalar(select(func.count()).select_from(people)))
    await database.close()


async def test_every_command_is_known_to_access(talk: Talk) -> None:
    async with talk() as ada:
        for_all = {*(await ada.say("/help")).data["commands"]}
        for_admins = {*(await boss(ada).say("/help")).data["commands"]}
    assert for_all == {*OPEN_COMMANDS, *OWN_COMMANDS} - {"ask", "pair"}
    assert for_admins - for_all <= {*ADMIN_COMMANDS, *KEPT_COMMANDS}


def test_an_admin_by_key_is_one_everywhere() -> None:
    message = Conversation(InMemoryAdapter(), Author("root", roles=frozenset({ADMIN}))).message("")
    assert Access(AccessSettings()).is_operator(message)
