"""Symptoms in a chat: what they may point to, what is urgent, what is added to them, and what is kept of them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.diagnosing import adds
from bot.messages import Place
from bot.settings import Settings
from tests.conftest import Conversation

PSORIASIS = "itchy red patches with silvery scales on my elbows and knees"
MIGRAINE = "throbbing pain on one side of my head, light hurts my eyes and I feel sick"
HEART = "crushing chest pain that spreads to my left arm, and I am sweating"


@pytest.fixture
async def ada(settings: Settings) -> AsyncIterator[Conversation]:
    """Ada, on a platform with buttons."""
    adapter = InMemoryAdapter(Limits(buttons=True))
    async with Application(settings).running([adapter]):
        yield Conversation(adapter)


async def test_a_description_is_told_what_it_may_point_to_and_why(ada: Conversation) -> None:
    reply = await ada.say(PSORIASIS, command="diagnose")
    first = reply.data["conditions"][0]
    assert (reply.outcome, first["label"]) == ("answered", "psoriasis")
    assert first["because"]
    assert all(phrase in PSORIASIS for phrase in first["because"])
    assert "**psoriasis**: likely (over 95%)" in reply.text
    assert "not a doctor" in reply.text
    assert "Judged on this machine, by floor." in reply.note


async def test_the_answer_is_for_the_asker_alone(ada: Conversation) -> None:
    reply = await ada.say(PSORIASIS, command="diagnose")
    assert reply.ephemeral
    assert [button.label for button in reply.buttons] == ["👍", "👎"]


@pytest.mark.parametrize("text", [f"diagnose: {PSORIASIS}", f"/diagnose {PSORIASIS}", f"Diagnose – {PSORIASIS}"])
async def test_a_mention_that_begins_with_the_word_is_a_description(ada: Conversation, text: str) -> None:
    reply = await ada.say(text)
    assert (reply.capability, reply.data["conditions"][0]["label"]) == ("diagnosis", "psoriasis")


async def test_an_emergency_comes_first_with_whom_to_call(settings: Settings) -> None:
    settings = settings.model_copy(
        update={"diagnosis": settings.diagnosis.model_copy(update={"emergency": "the night porter (ext. 7)"})}
    )
    adapter = InMemoryAdapter()
    async with Application(settings).running([adapter]):
        reply = await Conversation(adapter).say(HEART, command="diagnose")
    assert reply.text.startswith("⚠️ **")
    assert "the night porter (ext. 7)" in reply.text.split("\n\n")[0]
    assert "the night porter" in reply.data["red_flags"][0]["advice"]


async def test_an_emergency_in_an_ordinary_question_is_told_as_well(ada: Conversation) -> None:
    reply = await ada.say(f"When is the office open? I have {HEART}")
    assert reply.text.startswith("⚠️ **")


async def test_what_is_added_goes_on_with_the_description(ada: Conversation) -> None:
    first = await ada.say("fever and chills for three days", command="diagnose")
    more = await ada.say("and now yellow eyes, yellow skin and dark urine")
    assert more.conversation_id == first.conversation_id
    assert more.data["conditions"][0]["label"] == "jaundice"
    last = await ada.say("and pale stools", command="diagnose")
    assert last.conversation_id == first.conversation_id


async def test_a_new_description_stands_for_itself(ada: Conversation) -> None:
    first = await ada.say(PSORIASIS, command="diagnose")
    second = await ada.say(MIGRAINE, command="diagnose")
    assert second.conversation_id != first.conversation_id
    assert second.data["conditions"][0]["label"] == "migraine"
    assert "psoriasis" not in second.text


async def test_an_ordinary_question_after_a_description_is_answered_from_the_knowledge_base(ada: Conversation) -> None:
    await ada.say(PSORIASIS, command="diagnose")
    reply = await ada.say("And when is the office open?")
    assert reply.capability == "answer"
    assert "8 in the morning" in reply.text


async def test_what_is_said_of_symptoms_is_no_history_for_generators(settings: Settings, ada: Conversation) -> None:
    application = Application(settings)
    adapter = InMemoryAdapter()
    async with application.running([adapter]):
        somebody = Conversation(adapter)
        told = await somebody.say(PSORIASIS, command="diagnose")
        conversations = application.dispatcher._conversations
        assert await conversations.history(told.conversation_id, 4) == []
        assert await conversations.descriptions(told.conversation_id) == [PSORIASIS]


async def test_something_else_or_too_little_is_not_judged(ada: Conversation) -> None:
    for text in ("What is Newton's first law?", "help", "My cat has been sick on the carpet"):
        reply = await ada.say(text, command="diagnose")
        assert (reply.outcome, reply.data["abstained"]) == ("declined", True), text
        assert "I can't tell" in reply.text
        assert "not a doctor" in reply.text


async def test_nothing_said_is_asked_for(ada: Conversation) -> None:
    reply = await ada.say("", command="diagnose")
    assert reply.error == "question_empty"
    assert "itchy red patches" in reply.text


async def test_too_long_a_description_is_refused_with_the_limit(ada: Conversation) -> None:
    reply = await ada.say("itchy " * 4_000, command="diagnose")
    assert reply.error == "question_too_long"
    assert "20,000" in reply.text


async def test_a_question_that_sounds_like_symptoms_is_offered_to_be_judged(ada: Conversation) -> None:
    asked = await ada.say(f"I have {PSORIASIS}")
    assert asked.outcome == "declined"
    assert "sounds like symptoms" in asked.text
    offer = next(button for button in asked.buttons if button.command == "diagnose_that")
    judged = await ada.say(offer.text, command=offer.command)
    assert judged.data["conditions"][0]["label"] == "psoriasis"
    assert judged.question == f"I have {PSORIASIS}"


async def test_nobody_else_may_press_that_button(ada: Conversation) -> None:
    asked = await ada.say(f"I have {PSORIASIS}")
    offer = next(button for button in asked.buttons if button.command == "diagnose_that")
    grace = ada.other(author=replace(ada.author, id="grace"))
    pressed = await grace.say(offer.text, command=offer.command)
    assert pressed.error == "conversation_not_found"


async def test_a_question_of_knowledge_is_not_offered(ada: Conversation) -> None:
    for text in ("What causes psoriasis?", "When is the office open?", "I need a parking permit"):
        assert "sounds like symptoms" not in (await ada.say(text)).text


async def test_in_a_place_that_does_not_keep_nothing_is_kept(settings: Settings) -> None:
    conversations = settings.conversations.model_copy(update={"not_kept": ("memory/clinic",)})
    settings = settings.model_copy(update={"conversations": conversations})
    adapter = InMemoryAdapter(Limits(buttons=True))
    async with Application(settings).running([adapter]):
        patient = Conversation(adapter, place=Place("memory", "clinic", "desk"))
        for command in ("diagnose", "ask"):
            reply = await patient.say(PSORIASIS, command=command)
            assert (reply.conversation_id, reply.answer_id) == ("", 0)
        assert "Nothing was said" in (await patient.say("/history")).text
    for file in settings.data_directory.glob("preceptor.sqlite3*"):
        assert b"silvery" not in file.read_bytes()


async def test_switched_off_it_says_so(settings: Settings) -> None:
    settings = settings.model_copy(update={"diagnosis": settings.diagnosis.model_copy(update={"enabled": False})})
    adapter = InMemoryAdapter()
    async with Application(settings).running([adapter]):
        reply = await Conversation(adapter).say(PSORIASIS, command="diagnose")
        assert (reply.error, "switched off" in reply.text) == ("not_set_up", True)
        assert "sounds like symptoms" not in (await Conversation(adapter).say(f"I have {PSORIASIS}")).text


async def test_a_chosen_model_that_cannot_be_loaded_leaves_the_floor(settings: Settings, tmp_path: Path) -> None:
    diagnosis = settings.diagnosis.model_copy(update={"model": str(tmp_path / "nowhere")})
    adapter = InMemoryAdapter()
    async with Application(settings.model_copy(update={"diagnosis": diagnosis})).running([adapter]):
        reply = await Conversation(adapter).say(PSORIASIS, command="diagnose")
    assert reply.data["model"] == "floor"


async def test_markup_in_a_description_is_repeated_as_text(ada: Conversation) -> None:
    reply = await ada.say(f"{PSORIASIS}, **[scales](http://evil.example)** <@everyone>", command="diagnose")
    assert "](http" not in reply.text


@pytest.mark.parametrize(
    "text", ["and now a fever", "Also my eyes itch.", "plus a cough", "I cough too", "now my neck is stiff"]
)
def test_what_goes_on_is_seen(text: str) -> None:
    assert adds(text)


@pytest.mark.parametrize(
    "text", ["and what is gravity?", "Now, how do planes fly?", "I have a fever", "android phones", "And is it open?"]
)
def test_what_is_a_question_of_its_own_is_seen(text: str) -> None:
    assert not adds(text)
