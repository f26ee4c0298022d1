"""Admins forget people, and export what is kept of them, on their behalf."""

from collections.abc import AsyncIterator

import pytest

from bot.access import ADMIN
from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.messages import Author, Place, Reply
from bot.settings import Settings
from tests.conftest import Conversation

ROOT = Author("root", "Root", frozenset({ADMIN}))
MANAGER = Author("max", "Max", frozenset({"manager"}))


@pytest.fixture
async def ada(settings: Settings) -> AsyncIterator[Conversation]:
    """Ada, where the managers of servers are admins."""
    access = settings.access.model_copy(update={"admin_roles": ("memory:manager",)})
    adapter = InMemoryAdapter(Limits(streaming=True, buttons=True))
    async with Application(settings.model_copy(update={"access": access})).running([adapter]):
        yield Conversation(adapter)


async def _asked_here_and_elsewhere(ada: Conversation) -> None:
    await ada.say("When does the office open?")
    await ada.say("I have itchy red patches with silvery scales.", command="diagnose")
    await ada.other(place=Place("memory", "lab2", "general")).say("Where do visitors park?")


def _questions(reply: Reply) -> list[str]:
    said = [message for conversation in reply.data["conversations"] for message in conversation["messages"]]
    return [message["text"] for message in said if message["role"] == "question"]


async def test_whoever_runs_the_machine_exports_and_forgets_anybody_everywhere(ada: Conversation) -> None:
    await _asked_here_and_elsewhere(ada)
    root = ada.other(author=ROOT)
    exported = await root.say("/export user:ada")
    assert len(_questions(exported)) == 3
    assert exported.ephemeral
    assert [file.name for file in exported.files] == ["preceptor-export.json"]
    asked = await root.say("/forget @Ada", mentions=("user:ada",))
    assert "3 conversations of `memory:ada`" in asked.text
    (button,) = asked.buttons
    assert (button.command, button.text) == ("forget", "memory:ada yes")
    done = await root.say(button.text, command=button.command)
    assert done.text == "Done: 3 conversations of theirs deleted."
    assert "keep nothing" in (await root.say("/forget memory:ada")).text
    assert _questions(await ada.say("/export")) == []


async def test_who_is_an_admin_by_a_role_acts_in_that_server_alone(ada: Conversation) -> None:
    await _asked_here_and_elsewhere(ada)
    manager = ada.other(author=MANAGER)
    assert _questions(await manager.say("/export user:ada")) == ["When does the office open?"]
    assert "2 conversations of `memory:ada` in this server" in (await manager.say("/forget user:ada")).text
    assert (await manager.say("/forget user:ada yes")).text == "Done: 2 conversations of theirs deleted in this server."
    assert _questions(await ada.say("/export")) == ["Where do visitors park?"]


@pytest.mark.parametrize("command", ["/export user:ada", "/forget user:ada", "/forget user:ada yes"])
async def test_nobody_else_may(ada: Conversation, command: str) -> None:
    await ada.say("When does the office open?")
    reply = await ada.other(author=Author("eve", "Eve")).say(command)
    assert (reply.error, reply.files, reply.data.get("conversations")) == ("not_allowed", (), None)
    assert "office" not in reply.text
    assert len(_questions(await ada.say("/export"))) == 1


async def test_naming_oneself_is_naming_nobody_else(ada: Conversation) -> None:
    await ada.say("When does the office open?")
    assert len(_questions(await ada.say("/export user:ada"))) == 1
    assert "yours" in (await ada.say("/forget @Ada yes", mentions=("user:ada",))).text


@pytest.mark.parametrize("words", ["Ada", "user:ada user:eve", "role:admins", "slack:", "everybody yes", "-- yes"])
async def test_what_names_no_single_person_is_refused(ada: Conversation, words: str) -> None:
    await ada.say("When does the office open?")
    for command in ("forget", "export"):
        reply = await ada.other(author=ROOT).say(f"/{command} {words}")
        assert (reply.error, reply.outcome) == ("question_invalid", "refused")
    assert len(_questions(await ada.say("/export"))) == 1


async def test_two_who_are_mentioned_are_none(ada: Conversation) -> None:
    reply = await ada.other(author=ROOT).say("/forget @Ada @Eve yes", mentions=("user:ada", "user:eve"))
    assert reply.error == "question_invalid"


async def test_an_admin_by_a_role_reaches_nobody_on_another_platform(ada: Conversation) -> None:
    for words in ("slack:ada", "discord:ada yes"):
        assert (await ada.other(author=MANAGER).say(f"/forget {words}")).error == "question_invalid"


async def test_it_is_written_down_who_did_it_but_not_who_was_forgotten(ada: Conversation) -> None:
    await ada.say("When does the office open?")
    root = ada.other(author=ROOT)
    await root.say("/export user:ada")
    assert "export memory:ada" in (await root.say("/audit")).text.replace("\\", "")
    await root.say("/forget user:ada yes")
    told = (await root.say("/audit")).text
    assert "forget" in told
    assert "memory:ada" not in told.replace("\\", "")


async def test_anybody_forgotten_may_come_back_as_if_they_had_never_been_there(ada: Conversation) -> None:
    await ada.say("When does the office open?")
    await ada.other(author=ROOT).say("/forget user:ada yes")
    assert (await ada.say("When does the office open?")).outcome == "answered"
    assert len(_questions(await ada.say("/export"))) == 1


async def test_who_left_no_more_than_an_event_is_forgotten_after_asking_back_too(ada: Conversation) -> None:
    await ada.say("/help")
    assert "other records, of yours" in (await ada.say("/forget")).text
    root = ada.other(author=ROOT)
    asked = await root.say("/forget user:ada")
    assert "no conversation, but other records, of `memory:ada`" in asked.text
    assert [button.text for button in asked.buttons] == ["memory:ada yes"]
    assert "deleted" in (await root.say("/forget user:ada yes")).text
    assert "keep nothing" in (await root.say("/forget user:ada")).text
    assert (await ada.say("/forget")).text == "I keep nothing of yours."


async def test_who_is_only_named_in_the_audit_is_kept_too(ada: Conversation) -> None:
    root = ada.other(author=ROOT)
    await root.say("/access deny memory:eve")
    assert (await root.say("/forget memory:eve")).data["asked_back"] is True
    await root.say("/forget memory:eve yes")
    assert "keep nothing" in (await root.say("/forget memory:eve")).text


async def test_an_id_that_nobody_can_have_is_named(ada: Conversation) -> None:
    reply = await ada.other(author=ROOT).say("/forget discord:abc yes")
    assert (reply.error, "'discord:abc' is nobody's id" in reply.text) == ("question_invalid", True)


async def test_what_is_said_of_answers_about_symptoms_is_not_for_the_admins_of_a_server(ada: Conversation) -> None:
    for command, comment in (("", "Too short."), ("diagnose", "It was my skin.")):
        answer = await ada.say("Where do visitors park, and what of my itchy red patches with scales?", command=command)
        await ada.say(f"down {answer.answer_id}: {comment}", command="feedback")
        await ada.say(f"Called: {comment}", command="rename", conversation_id=answer.conversation_id)
    office = await ada.say("When does the office open?", conversation_id="", opens_conversation=True)
    await ada.say(f"down {office.answer_id}: It closes at 4.", command="feedback")
    await ada.say("Hours", command="rename", conversation_id=office.conversation_id)
    told = (await ada.other(author=MANAGER).say("/export user:ada")).data
    assert [one["comment"] for one in told["feedback"]] == ["", "", "It closes at 4."]
    assert {one["title"] for one in told["conversations"]} == {"", "Hours"}
    own = (await ada.say("/export")).data
    assert {one["comment"] for one in own["feedback"]} == {"Too short.", "It was my skin.", "It closes at 4."}
