"""What askers choose: who writes the answer, and from which source it comes."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.settings import Settings
from tests.conftest import Conversation
from tests.models.loopback_gemini import LoopbackGemini
from tests.models.loopback_openai import MODEL, LoopbackOpenAI
from tests.models.loopback_server import Refuses

QUESTION = "When does the office open?"
GEMINI = "gemini-3.5-flash-lite"
SYMPTOMS = "I have itchy red patches with silvery scales on my elbows and knees, where does the cream lie?"

Talk = Callable[..., AbstractAsyncContextManager[Conversation]]


@pytest.fixture
async def ollama() -> AsyncIterator[LoopbackOpenAI]:
    async with LoopbackOpenAI() as server:
        yield server


@pytest.fixture
async def gemini() -> AsyncIterator[LoopbackGemini]:
    async with LoopbackGemini(key="AIza-loopback") as server:
        yield server


@pytest.fixture
def talk(settings: Settings, handbook: Path, ollama: LoopbackOpenAI, gemini: LoopbackGemini) -> Talk:
    """Give what starts a Preceptor that asks a server on this machine first, and one elsewhere then."""
    (handbook / "first_aid.md").write_text(
        "# First aid\n\nThe cream for itchy red patches with silvery scales on elbows and knees lies in the drawer.\n"
    )
    (handbook.parent / "canteen").mkdir()
    (handbook.parent / "canteen" / "canteen.md").write_text("# Canteen\n\nThe canteen of the office opens at noon.\n")

    @asynccontextmanager
    async def _talk(**sections: Any) -> AsyncIterator[Conversation]:
        adapter = InMemoryAdapter(Limits(streaming=True))
        generation = {
            "generation": {"chain": ("openai", "gemini")},
            "openai": {"base_url": ollama.base_url, "model": MODEL, "retries": 0},
            "gemini": {"base_url": gemini.origin, "key": "AIza-loopback", "retries": 0},
            "knowledge": {"sources": [str(handbook), str(handbook.parent / "canteen")]},
        }
        async with Application(Settings(**settings.model_dump() | generation | sections)).running([adapter]):
            yield Conversation(adapter)

    return _talk


@pytest.mark.parametrize(("chosen", "writer"), [("", MODEL), ("openai", MODEL), ("gemini", GEMINI)])
async def test_who_is_chosen_writes(talk: Talk, chosen: str, writer: str) -> None:
    async with talk() as ada:
        assert (await ada.say(QUESTION, generator=chosen)).generator == writer


async def test_the_extractive_one_can_always_be_chosen(
    talk: Talk, ollama: LoopbackOpenAI, gemini: LoopbackGemini
) -> None:
    async with talk() as ada:
        reply = await ada.say(QUESTION, generator="extractive")
        assert (reply.generator, reply.note) == ("extractive", "")
        assert "8 in the morning" in reply.text
    assert not ollama.asked
    assert not gemini.asked


async def test_where_the_chosen_one_fails_the_rest_of_the_chain_answers(talk: Talk, gemini: LoopbackGemini) -> None:
    gemini.always = Refuses(500)
    async with talk() as ada:
        reply = await ada.say(QUESTION, generator="gemini")
        assert (reply.generator, reply.note) == (MODEL, f"Written by {MODEL}.")


@pytest.mark.parametrize("chosen", ["local", "Gemini", "gpt-9", "x" * 90])
async def test_who_is_not_there_is_told_with_those_who_are(talk: Talk, chosen: str) -> None:
    async with talk() as ada:
        reply = await ada.say(QUESTION, generator=chosen)
        assert (reply.error, reply.outcome) == ("choice_unknown", "refused")
        assert reply.text == "There is no such generator here. There are: openai, gemini, extractive."


async def test_a_place_that_does_without_a_generator_cannot_be_asked_for_it(talk: Talk) -> None:
    async with talk(generation={"chain": ("openai", "gemini"), "places": {"memory/lab": ("openai",)}}) as ada:
        assert (await ada.say(QUESTION, generator="gemini")).error == "choice_unknown"
        assert (await ada.say(QUESTION, generator="openai")).outcome == "answered"


async def test_symptoms_are_not_told_to_the_chosen_one_elsewhere_and_that_is_said(
    talk: Talk, gemini: LoopbackGemini
) -> None:
    async with talk() as ada:
        reply = await ada.say(SYMPTOMS, generator="gemini")
        assert reply.outcome == "answered"
        assert reply.generator == "extractive"
        assert "nobody outside this machine was asked" in reply.note
    assert not gemini.asked


@pytest.mark.parametrize(("source", "title"), [("handbook", "Office handbook › Opening hours"), ("canteen", "Canteen")])
async def test_an_answer_comes_from_the_chosen_source(talk: Talk, source: str, title: str) -> None:
    async with talk() as ada:
        reply = await ada.say("When does the office open?", generator="extractive", source=source)
        assert {citation.title for citation in reply.citations} == {title}


async def test_a_source_that_is_not_there_is_told_with_those_that_are(talk: Talk) -> None:
    async with talk() as ada:
        reply = await ada.say(QUESTION, source="../../etc")
        assert reply.error == "choice_unknown"
        assert reply.text == "The knowledge base has no such source. It has: handbook, canteen."


async def test_words_of_the_question_are_marked_in_what_is_cited(talk: Talk) -> None:
    async with talk() as ada:
        (citation,) = (await ada.say("When do offices open on Fridays?", source="handbook")).citations
        marked = [citation.text[start:end] for start, end in citation.matched]
        assert marked == ["office", "open", "Fridays"]
