"""Who hears of symptoms: no generator on another machine, nobody but the asker, and whoever may, in the right order."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.diagnosing import Diagnosing, adds
from bot.diagnosis_words import in_words
from bot.messages import Place
from bot.settings import Settings
from bot.settings.tree import DiagnosisSettings
from models.diagnosis import Diagnosis, RedFlag, SymptomClassifier
from models.diagnosis.diagnosing import LONGEST, Diagnoser
from models.errors import ModelUnusableError
from tests.conftest import Conversation
from tests.models.loopback_openai import MODEL, LoopbackOpenAI

PSORIASIS = "itchy red patches with silvery scales on my elbows and knees"
ASKED = f"I have {PSORIASIS}, where does the cream lie?"
HEART = "crushing chest pain that spreads to my left arm, and I am sweating"
OPENING = "When does the office open?"
DIRECTLY = Place("memory", "", "ada")

Talk = Callable[..., AbstractAsyncContextManager[Conversation]]


@pytest.fixture
async def elsewhere() -> AsyncIterator[LoopbackOpenAI]:
    """A generator that is not in the house."""
    async with LoopbackOpenAI() as server:
        yield server


@pytest.fixture
def talk(settings: Settings, handbook: Path, elsewhere: LoopbackOpenAI) -> Talk:
    """Give what opens a conversation with a Preceptor that writes with a generator elsewhere."""
    (handbook / "first_aid.md").write_text(
        "# First aid\n\n## Cream\n\nThe cream for itchy red patches with silvery scales on elbows and knees lies in the"
        " first aid room. The bandage for crushing chest pain lies there, too.\n",
        encoding="utf-8",
    )

    @asynccontextmanager
    async def _talk(**sections: Any) -> AsyncIterator[Conversation]:
        chain = {
            "generation": {"chain": ("openai",)},
            "openai": {"base_url": elsewhere.base_url, "model": MODEL, "retries": 0},
        }
        adapter = InMemoryAdapter(Limits(buttons=True))
        async with Application(Settings(**settings.model_dump() | chain | sections)).running([adapter]):
            yield Conversation(adapter)

    return _talk


def heard_by(server: LoopbackOpenAI) -> str:
    return "\n".join(asked.body for asked in server.asked)


async def test_a_question_that_sounds_like_symptoms_is_asked_of_no_generator_elsewhere(
    talk: Talk, elsewhere: LoopbackOpenAI
) -> None:
    async with talk() as ada:
        assert (await ada.say(ASKED)).outcome == "answered"
        assert elsewhere.asked == []
        await ada.say(OPENING)
        assert len(elsewhere.asked) == 1


async def test_nor_where_it_is_not_offered_to_judge_it(talk: Talk, elsewhere: LoopbackOpenAI) -> None:
    async with talk(diagnosis={"offer": False}) as ada:
        reply = await ada.say(ASKED)
    assert (reply.outcome, "sounds like symptoms" in reply.text, elsewhere.asked) == ("answered", False, [])


async def test_nor_as_history_of_the_next_question(talk: Talk, elsewhere: LoopbackOpenAI) -> None:
    async with talk() as ada:
        await ada.say(ASKED)
        await ada.say("What is Newton's first law?")
        await ada.say("and the third one?")
    assert "third" in heard_by(elsewhere)
    assert "silvery scales on my" not in heard_by(elsewhere)


async def test_nor_where_it_has_signs_of_an_emergency_and_names_nobody(talk: Talk, elsewhere: LoopbackOpenAI) -> None:
    async with talk() as ada:
        reply = await ada.say("crushing chest pain spreading to the left arm, where does the bandage lie?")
    assert reply.text.startswith("⚠️ **")
    assert elsewhere.asked == []


async def test_nor_what_is_said_of_oneself_right_after_a_description(talk: Talk, elsewhere: LoopbackOpenAI) -> None:
    async with talk() as ada:
        await ada.say(PSORIASIS, command="diagnose")
        reply = await ada.say("I want the cream of the first aid room")
        assert (reply.outcome, elsewhere.asked) == ("answered", [])
        await ada.say(OPENING)
        assert len(elsewhere.asked) == 1


@pytest.mark.parametrize("question", [f"I have {PSORIASIS}", "my knee hurts so much since the weekend"])
async def test_what_nobody_can_judge_in_time_counts_as_symptoms(question: str) -> None:
    def damaged() -> SymptomClassifier:
        raise ModelUnusableError("The model is damaged.", "Train it anew.")

    diagnoser = Diagnoser(damaged)
    heard = await Diagnosing(diagnoser, DiagnosisSettings()).listen(question)
    await diagnoser.close()
    assert (heard.is_sensitive, heard.is_offered) == (True, False)


async def test_what_a_button_has_judged_is_for_the_asker_alone_where_answers_stand_in_threads(talk: Talk) -> None:
    async with talk(diagnosis={"reply": "thread"}) as ada:
        ada = ada.other(place=Place("memory", "lab", "general", "thread"))
        asked = await ada.say(ASKED, private=True)
        offer = next(button for button in asked.buttons if button.command == "diagnose_that")
        judged = await ada.say(offer.text, command=offer.command)
        assert (judged.capability, judged.ephemeral) == ("diagnosis", True)


async def test_what_is_added_where_no_thread_is_goes_to_the_asker_alone(talk: Talk) -> None:
    async with talk(diagnosis={"reply": "thread"}) as ada:
        assert (await ada.say(PSORIASIS, command="diagnose", private=True)).ephemeral
        assert (await ada.say("and my nails have small pits")).ephemeral
        in_thread = ada.other(place=Place("memory", "lab", "general", "thread"))
        assert not (await in_thread.say(f"diagnose: {PSORIASIS}")).ephemeral


async def test_no_person_is_called_to_look_at_a_diagnosis(talk: Talk) -> None:
    async with talk(access={"admins": ("memory:ada",)}) as ada:
        await ada.say("<@grace>", command="people", mentions=("user:grace",))
        judged = await ada.say(PSORIASIS, command="diagnose")
        down = await ada.say(f"down {judged.answer_id}", command="feedback")
        assert (down.text, down.buttons) == ("Thanks, noted.", ())
        called = await ada.say(str(judged.answer_id), command="person")
        assert called.error == "conversation_not_found"
        assert "silvery" not in called.text
        plain = await ada.say(OPENING)
        assert (await ada.say(f"down {plain.answer_id}", command="feedback")).buttons


async def test_what_was_answered_in_a_direct_message_goes_on_there(talk: Talk) -> None:
    async with talk() as ada:
        first = await ada.say("diagnose: fever and chills for three days")
        assert first.ephemeral
        directly = ada.other(place=DIRECTLY)
        more = await directly.say("and now yellow eyes, yellow skin and dark urine")
        assert (more.conversation_id, more.capability) == (first.conversation_id, "diagnosis")
        assert more.data["conditions"][0]["label"] == "jaundice"
        eve = directly.other(author=replace(ada.author, id="eve"))
        assert (await eve.say("and dark urine")).capability != "diagnosis"


async def test_what_was_said_directly_does_not_go_on_where_others_read(talk: Talk) -> None:
    async with talk() as ada:
        await ada.other(place=DIRECTLY).say("fever and chills for three days", command="diagnose")
        assert (await ada.say("and now yellow eyes")).capability != "diagnosis"


async def test_an_emergency_is_told_where_the_rest_cannot_be(talk: Talk) -> None:
    long = f"{HEART}. {'It hurts. ' * 2_500}"
    async with talk() as ada:
        for command in ("diagnose", ""):
            reply = await ada.say(long, command=command)
            assert reply.error == "question_too_long"
            assert reply.text.startswith("⚠️ **"), command
            assert "characters long" in reply.text


async def test_an_emergency_is_shown_before_the_answer_grows(settings: Settings) -> None:
    adapter = InMemoryAdapter(Limits(streaming=True))
    async with Application(settings).running([adapter]):
        ada = Conversation(adapter)
        exchange = await adapter.post(ada.message(f"I have {HEART}. When is the office open?", streaming=True))
        shown = [await exchange.next()]
        while not shown[-1].complete:
            shown.append(await exchange.next())
    assert len(shown) > 1
    assert all(reply.text.startswith("⚠️ **") for reply in shown)


async def test_what_is_added_to_a_long_description_is_judged(talk: Talk) -> None:
    async with talk() as ada:
        await ada.say(f"I feel ill. {'It is so. ' * (LONGEST // 10)}", command="diagnose")
        more = await ada.say(f"and {PSORIASIS}")
    assert more.data["conditions"][0]["label"] == "psoriasis"


@pytest.mark.parametrize("text", ["+ a cough", "+fever"])
def test_a_plus_adds(text: str) -> None:
    assert adds(text)


async def test_looking_for_an_emergency_does_not_hold_the_loop() -> None:
    diagnoser = Diagnoser(lambda: pytest.fail("it is not needed"))
    diagnosing = Diagnosing(diagnoser, DiagnosisSettings())
    looking = asyncio.create_task(diagnosing.alarms(HEART * 200))
    await asyncio.sleep(0)
    assert not looking.done()
    assert "heart" in await looking
    await diagnoser.close()


def test_a_classifier_that_does_not_work_is_said_beside_an_emergency() -> None:
    flag = RedFlag("Possible heart attack", "Call {emergency}.")
    told = in_words(Diagnosis((), True, (flag,), "floor", "unavailable"), {}, "112")
    assert told.startswith("⚠️ **Possible heart attack**: Call 112.")
    assert "does not work at the moment" in told
