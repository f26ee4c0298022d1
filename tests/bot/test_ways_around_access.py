"""What people without rights, and admins of one place, try so as to reach further than they may."""

import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from kept_questions import GENERAL, KeptQuestions, Person

from bot.access_rules import wanted
from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.audit import Audit
from bot.delivery import Part, idempotency_key
from bot.export import Export
from bot.forgetting import Forgetting
from bot.messages import Attachment, Author, IncomingMessage, Place, Reply
from bot.settings import Settings
from tests.conftest import Conversation

SERVER, CHANNEL = "81384788765712384", "381870553235193857"
ADA, BOSS, CHIEF, RIVAL = "80351110224678912", "80351110224678913", "80351110224678914", "80351110224678915"
HERE, DIRECT = Place("discord", SERVER, CHANNEL), Place("discord", "", "381870553235193999")
ASKED = "When does the office open?"

Talk = Callable[..., AbstractAsyncContextManager[Conversation]]


class _Discord(InMemoryAdapter):
    """An adapter that calls itself by the platform's name, and where an answer can be put right."""

    name = "discord"


@pytest.fixture
def talk(settings: Settings) -> Talk:
    """Open a Preceptor on a Discord of its own with Ada in it; who manages a server is an admin there."""

    @asynccontextmanager
    async def _talk(limits: Any = None, **access: Any) -> AsyncIterator[Conversation]:
        admins = {"admins": (f"discord:{BOSS}",), "admin_roles": ("discord:manage_server",)}
        sections: dict[str, Any] = {"access": settings.access.model_validate(admins | access)}
        if limits:
            sections["limits"] = settings.limits.model_copy(update=limits)
        adapter = _Discord(Limits(reaches_later=False))
        async with Application(settings.model_copy(update=sections)).running([adapter]):
            yield Conversation(adapter, Author(ADA, "Ada"), HERE)

    return _talk


def _chief(ada: Conversation, name: str = CHIEF) -> Conversation:
    return ada.other(author=Author(name, "Chief", frozenset({"manage_server"})))


def test_a_question_about_a_picture_takes_the_right_to_ask_by_the_command_too() -> None:
    picture = Attachment("cat.png", "image/png", 10, "https://example.org/cat.png")
    message = IncomingMessage("1", HERE, Author(ADA), "Who owns it?", command="describe", attachments=(picture,))
    assert wanted(message) == ("ask", "describe")
    assert wanted(replace(message, text="")) == ("describe",)


async def test_who_may_set_things_in_one_channel_does_not_set_them_for_the_whole_server(talk: Talk) -> None:
    allowed = {"who": [f"discord:{ADA}"], "where": [HERE.channel_id], "what": ["settings"]}
    async with talk(allow=(allowed,)) as ada:
        refused = await ada.say("/settings retention 1 server")
        assert (refused.error, "narrower" in refused.text) == ("not_allowed", True)
        assert (await ada.say("/settings retention 1 channel")).outcome == "done"
        assert (await _chief(ada).say("/settings retention 30 server")).outcome == "done"


async def test_an_admin_of_one_server_does_not_undo_what_others_have_paired(talk: Talk) -> None:
    async with talk(direct_messages="pairing") as ada:
        boss = ada.other(author=Author(BOSS, "Boss"))
        for maker, undone in ((boss, False), (_chief(ada), True)):
            code = (await maker.say("/access pair")).data["code"]
            await ada.other(place=DIRECT).say(f"pair {code}")
            assert (await _chief(ada, RIVAL).say(f"/access unpair discord:{ADA}")).error == "question_invalid"
            assert ((await _chief(ada).say(f"/access unpair discord:{ADA}")).outcome == "done") is undone
            await boss.say(f"/access unpair discord:{ADA}")


async def test_questions_put_in_other_words_count_as_questions_do(talk: Talk) -> None:
    async with talk(limits={"person_per_minute": 2}) as ada:
        first = await ada.say(ASKED, key="k")
        edits = [await ada.say(ASKED, key=f"k/{number}", revises="k") for number in range(3)]
    assert first.outcome == "answered"
    assert [reply.error for reply in edits] == ["", "too_many", "too_many"]


async def test_who_tries_to_reach_somebody_elses_data_is_in_the_audit(talk: Talk, settings: Settings) -> None:
    async with talk() as ada:
        for words in (f"/export discord:{BOSS}", f"/forget discord:{BOSS} yes"):
            assert (await ada.say(words)).error == "not_allowed"
    with sqlite3.connect(settings.database_file) as database:
        found = database.execute("SELECT person_id, action, argument, outcome FROM audit ORDER BY id").fetchall()
    database.close()
    assert found == [(f"discord:{ADA}", name, f"discord:{BOSS}", "refused") for name in ("export", "forget")]


@pytest.mark.parametrize("name", ["deny", "user", "everyone", "in"])
async def test_a_name_of_ones_own_choice_does_not_empty_the_audit(kept: KeptQuestions, name: str) -> None:
    audit, eve = Audit(kept.database, 365), Person("u77evil")
    told = replace(eve.message(ASKED), author=Author("u77evil", name))
    await kept.answered(told)
    for argument in ("deny user:someone in general", f"allow @{name} (user:u77evil)", f"is @{name} sick?"):
        await audit.note_of("memory:root", GENERAL.id, "access", argument, "done")
    await Forgetting(kept.database, Audit.forget_statements).person("memory:u77evil")
    words = [entry.argument for entry in await audit.entries()][::-1]
    assert "someone" in words[0]
    assert words[1] == ""
    assert words[2] == "is @… sick?"


async def test_an_admin_of_one_server_is_not_handed_what_was_to_be_said_of_symptoms(kept: KeptQuestions) -> None:
    ada = Person("ada")
    for key, capability, text in (("q1", "diagnosis", "It may be psoriasis."), ("q2", "answer", "It opens at 8.")):
        message = ada.message("What is it?", key=key)
        await kept.delivery.accept(message)
        reply: Any = Reply(text, outcome="answered", capability=capability)  # type: ignore[arg-type]
        await kept.database.write(kept.delivery.putting_out(message, [Part(idempotency_key(message, 0), reply)]))
    export = Export(kept.database)
    theirs = json.dumps((await export.give_of("memory:ada", "memory/lab/")).data["undelivered"])
    assert ("8" in theirs, "psoriasis" in theirs) == (True, False)
    all_of_it = json.dumps((await export.give_of("memory:ada", "")).data["undelivered"])
    assert "psoriasis" in all_of_it


async def test_nobody_loses_a_pairing_by_forget_without_having_confirmed_it(talk: Talk) -> None:
    async with talk(direct_messages="pairing") as ada:
        direct = ada.other(place=DIRECT)
        code = (await ada.other(author=Author(BOSS, "Boss")).say("/access pair")).data["code"]
        await direct.say(f"pair {code}")
        assert (await direct.say("/forget")).data == {"conversations": 0, "asked_back": True}
        assert (await direct.say(ASKED)).outcome == "answered"
        await direct.say("/forget yes")
        assert (await direct.say(ASKED)).outcome == "refused"


async def test_an_admin_is_not_told_that_nothing_is_kept_of_somebody_whose_events_are(talk: Talk) -> None:
    async with talk() as ada:
        boss = ada.other(author=Author(BOSS, "Boss"))
        await ada.say("/help")
        assert (await boss.say(f"/forget discord:{ADA}")).data["asked_back"]
        await boss.say(f"/forget discord:{ADA} yes")
        assert "keep nothing" in (await boss.say(f"/forget discord:{ADA}")).text


@pytest.mark.parametrize("number", ["1", "deny", "user", "*", "?"])
async def test_forgetting_a_short_or_made_up_id_does_not_empty_the_audit(kept: KeptQuestions, number: str) -> None:
    audit = Audit(kept.database, 365)
    long, theirs = f"deny discord:{ADA} in server", f"unpair discord:{number}"
    for argument in (long, theirs, f"deny @someone (user:{number})", f"pair <@{number}>"):
        await audit.note_of("memory:root", GENERAL.id, "access", argument, "done")
    await Forgetting(kept.database, Audit.forget_statements).person(f"discord:{number}")
    assert [entry.argument for entry in await audit.entries()] == ["", "", "", long]


async def test_an_id_that_was_typed_alone_goes_from_the_audit_too(kept: KeptQuestions) -> None:
    audit = Audit(kept.database, 365)
    await audit.note_of("memory:root", GENERAL.id, "access", f"unpair {ADA}", "refused")
    await Forgetting(kept.database, Audit.forget_statements).person(f"discord:{ADA}")
    assert [entry.argument for entry in await audit.entries()] == [""]


async def test_who_has_asked_too_much_does_not_ask_on_by_being_forgotten(talk: Talk, settings: Settings) -> None:
    async with talk(limits={"person_per_minute": 1}) as ada:
        await ada.say(ASKED)
        assert (await ada.say(ASKED)).error == "too_many"
        await ada.say("/forget yes")
        assert (await ada.say(ASKED)).error == "too_many"
    with sqlite3.connect(settings.database_file) as database:
        names = [name for (name,) in database.execute("SELECT name FROM rate_limits WHERE name LIKE 'person%'")]
    database.close()
    assert len(names) == 1
    assert ADA not in names[0]


async def test_who_sent_too_many_wrong_codes_does_not_try_on_by_being_forgotten(talk: Talk) -> None:
    async with talk(direct_messages="pairing") as ada:
        direct = ada.other(place=DIRECT)
        for _ in range(5):
            assert (await direct.say("pair AAAA-AAAA")).error == "question_invalid"
        await direct.say("/forget yes")
        assert (await direct.say("pair AAAA-AAAA")).error == "not_allowed"
