"""Commands in the conversation: help, typos, reload for admins, forgetting."""

from pathlib import Path

import pytest
from sqlalchemy import select

from bot.access import ADMIN
from bot.adapter import InMemoryAdapter
from bot.application import Application
from bot.database import Database
from bot.messages import Author
from bot.settings import Settings
from bot.tables import inbox
from tests.conftest import Conversation


@pytest.fixture
def admin(ada: Conversation) -> Conversation:
    return ada.other(author=Author("root", "Root", frozenset({ADMIN})))


async def test_help_lists_what_one_may_do(ada: Conversation, admin: Conversation) -> None:
    assert "/forget" in (await ada.say("/help")).text
    assert "/reload" not in (await ada.say("/help")).text
    assert "/reload" in (await admin.say("/help")).text


@pytest.mark.parametrize(("typo", "meant"), [("/halp", "/help"), ("/forgte", "/forget"), ("/Histroy", "/history")])
async def test_a_command_with_a_typo_is_met_with_a_suggestion(ada: Conversation, typo: str, meant: str) -> None:
    reply = await ada.say(typo)
    assert reply.error == "command_unknown"
    assert f"Did you mean {meant}?" in reply.text


async def test_a_path_in_a_question_is_no_command(ada: Conversation) -> None:
    assert (await ada.say("/etc/passwd of the office?")).error == ""


async def test_reload_is_for_admins(ada: Conversation) -> None:
    reply = await ada.say("/reload")
    assert (reply.outcome, reply.error) == ("refused", "not_allowed")


async def test_the_settings_name_admins(settings: Settings) -> None:
    from bot.adapter import InMemoryAdapter

    named = settings.model_copy(update={"access": settings.access.model_copy(update={"admins": ("memory:ada",)})})
    adapter = InMemoryAdapter()
    async with Application(named).running([adapter]):
        assert (await Conversation(adapter).say("/reload")).outcome == "done"


async def test_reload_says_what_changed_and_the_new_is_answered(admin: Conversation, handbook: Path) -> None:
    assert (await admin.say("Where is the canteen?")).outcome == "declined"
    (handbook / "canteen.md").write_text("# Canteen\n\nThe canteen is on the second floor, beside the library.\n")
    (handbook / "broken.json").write_text('[{"context": "a",}]')
    report = await admin.say("/reload")
    assert report.outcome == "done"
    assert report.data["added"] == 1
    assert "broken.json" in report.text
    assert "second floor" in (await admin.say("Where is the canteen?")).text


async def test_a_reload_that_would_leave_nothing_keeps_the_old(admin: Conversation, handbook: Path) -> None:
    for file in handbook.iterdir():
        file.unlink()
    report = await admin.say("/reload")
    assert (report.outcome, report.error) == ("failed", "knowledge_unavailable")
    assert "8 in the morning" in (await admin.say("When does the office open?")).text


async def test_history_shows_the_conversation(ada: Conversation) -> None:
    assert "Nothing was said" in (await ada.say("/history")).text
    await ada.say("When does the office open?")
    reply = await ada.say("/history")
    assert "When does the office open?" in reply.text
    assert reply.data["messages"][1]["citations"][0]["title"] == "Office handbook › Opening hours"


async def test_forget_asks_first_and_then_deletes_all_of_ones_own(ada: Conversation) -> None:
    grace = ada.other(author=Author("grace"))
    await ada.say("When does the office open?")
    await grace.say("When does the office open?")
    asked = await ada.say("/forget")
    assert "/forget yes" in asked.text
    assert [(button.command, button.text) for button in asked.buttons] == [("forget", "yes")]
    assert "When does" in (await ada.say("/history")).text
    assert "deleted" in (await ada.say("/forget yes")).text
    assert "keep nothing" in (await ada.say("/forget")).text
    assert "Nothing was said" in (await ada.say("/history")).text
    assert "When does" in (await grace.say("/history")).text


async def test_forget_leaves_no_trace_of_somebody_who_never_asked_anything(
    ada: Conversation, settings: Settings
) -> None:
    await ada.say("/help")
    assert "no conversation, but other records" in (await ada.say("/forget")).text
    assert "deleted" in (await ada.say("/forget yes")).text
    database = Database(settings.database_file)
    kept = await database.read(lambda connection: connection.scalars(select(inbox.c.person_id)).all())
    await database.close()
    assert set(kept) == {""}


async def test_somebody_elses_conversation_does_not_exist(ada: Conversation) -> None:
    mine = (await ada.say("When does the office open?")).conversation_id
    grace = ada.other(author=Author("grace"))
    for reply in (
        await grace.say("And on Fridays?", conversation_id=mine),
        await grace.say("", command="history", conversation_id=mine),
        await grace.say("", command="forget", conversation_id=mine),
    ):
        assert reply.error == "conversation_not_found"
    assert (await ada.say("", command="history", conversation_id=mine)).outcome == "done"


async def test_knowledge_says_what_is_known(ada: Conversation) -> None:
    assert "5 passages" in (await ada.say("/knowledge")).text


async def test_a_question_may_be_written_as_a_command(ada: Conversation) -> None:
    reply = await ada.say("/ask When does the office open?")
    assert reply.outcome == "answered"
    assert "8 in the morning" in reply.text


class _Shouting(InMemoryAdapter):
    def spelled(self, command: str) -> str:
        return f"!{command.upper()}"


async def test_commands_are_spelled_as_the_platform_writes_them(settings: Settings) -> None:
    adapter = _Shouting()
    async with Application(settings).running([adapter]):
        ada = Conversation(adapter)
        assert "- `!HISTORY`: " in (await ada.say("/help")).text
        assert (await ada.say("/histroy")).text == "There is no command !HISTROY. Did you mean !HISTORY?"
        assert (await ada.say("/reload")).text.startswith("!RELOAD is for admins.")


@pytest.mark.parametrize("role", ["admin", "owner", "Admin"])
async def test_who_is_an_admin_of_the_platform_is_none_here_unless_the_settings_say_so(
    ada: Conversation, role: str
) -> None:
    reply = await ada.other(author=Author("eve", roles=frozenset({role}))).say("/reload")
    assert (reply.outcome, reply.error) == ("refused", "not_allowed")


@pytest.mark.parametrize(("named", "outcome"), [("memory:manager", "done"), ("slack:admin", "refused")])
async def test_holders_of_a_role_that_the_settings_name_are_admins(
    settings: Settings, named: str, outcome: str
) -> None:
    access = settings.access.model_copy(update={"admin_roles": (named,)})
    adapter = InMemoryAdapter()
    async with Application(settings.model_copy(update={"access": access})).running([adapter]):
        manager = Conversation(adapter, author=Author("max", roles=frozenset({"manager"})))
        assert (await manager.say("/reload")).outcome == outcome
