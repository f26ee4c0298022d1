"""Pictures in the midst of talk: beside symptoms, beside words that ask nothing, several at once, shown anew."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from kept_questions import KeptQuestions, Person
from picture_gallery import VIT_TINY, Gallery, direction, drawn, photograph

from bot.application import Application
from bot.messages import Author, Reply
from bot.picture_words import first_told
from bot.seen_pictures import SeenPictures, sight_of
from bot.settings import Settings
from tests.conftest import Conversation
from tests.models.loopback_openai import MODEL, LoopbackOpenAI
from tests.models.vision.tiny_picture_models import tiny_classifier, tiny_pair

with_vit = pytest.mark.skipif(not VIT_TINY.is_dir(), reason="needs ../shared/models/vit-tiny-patch16-224")
FLOOR = {"labels": "floor", "captions": "floor"}
HEART = "I have crushing chest pain that spreads to my left arm, and I am sweating"
RASH = "I have itchy red patches with silvery scales on my elbows and knees like these"


@asynccontextmanager
async def _running(settings: Settings, models: dict[str, str], **more: Any) -> AsyncIterator[Conversation]:
    changed = Settings(**(settings.model_dump() | {"models": {"images": models}} | more))
    async with Application(changed).running([gallery := Gallery()]):
        yield Conversation(gallery)


async def _show(ada: Conversation, *files: bytes, text: str = "", **fields: Any) -> Reply:
    gallery = ada.adapter
    assert isinstance(gallery, Gallery)
    attachments = tuple(gallery.hang(f"picture-{number}.png", file) for number, file in enumerate(files, start=1))
    return await ada.say(text, attachments=attachments, **fields)


@asynccontextmanager
async def _translated(settings: Settings, folder: Path) -> AsyncIterator[tuple[Conversation, LoopbackOpenAI]]:
    """Captions of a model that speaks by lot, and who translates them is not in the house."""
    async with LoopbackOpenAI() as elsewhere:
        sections = {
            "openai": {"base_url": elsewhere.base_url, "model": MODEL, "retries": 0},
            "images": {"translator": "openai", "language": "German"},
        }
        models = {"labels": "floor", "captions": str(tiny_pair(folder, "bert"))}
        async with _running(settings, models, **sections) as ada:
            yield ada, elsewhere


async def test_what_is_seen_in_a_picture_beside_symptoms_is_told_no_translator_elsewhere(
    settings: Settings, tmp_path: Path
) -> None:
    async with _translated(settings, tmp_path / "captioner") as (ada, elsewhere):
        beside = await _show(ada, drawn(), text=RASH)
        after = await _show(ada, drawn())
        assert [asked.body for asked in elsewhere.asked] == []
        await _show(ada.other(author=Author("bob")), drawn())
        assert len(elsewhere.asked) == 1
    assert beside.data["pictures"][0]["caption"]
    assert after.data["pictures"][0]["caption"]


@pytest.mark.parametrize("text", ["👀", "?!", "…"])
async def test_signs_beside_a_picture_are_no_words(settings: Settings, text: str) -> None:
    async with _running(settings, FLOOR) as ada:
        reply = await _show(ada, drawn(), text=text)
    assert "PNG picture" in reply.text


async def test_nor_are_they_a_request_where_pictures_are_looked_at_only_on_request(settings: Settings) -> None:
    async with _running(settings, FLOOR, images={"looking": "on request"}) as ada:
        reply = await _show(ada, drawn(), text="👀")
    assert "only when I am asked to" in reply.text


async def test_of_several_pictures_beside_a_question_each_is_named(settings: Settings) -> None:
    async with _running(settings, FLOOR) as ada:
        reply = await _show(ada, drawn("red"), b"just words", drawn("blue"), text="When does the office open?")
    lines = reply.text.splitlines()
    assert "The office is open from 8" in reply.text
    for number in (1, 2, 3):
        assert any(line.startswith(f"**{number}. picture-{number}.png**: ") for line in lines)


@with_vit
async def test_what_a_follow_up_asks_for_is_what_several_pictures_showed(settings: Settings, handbook: Path) -> None:
    (handbook / "drinks.md").write_text("# Drinks\n\n## Espresso\n\nAn espresso holds 60 milligrams of caffeine.\n")
    async with _running(settings, {"labels": str(VIT_TINY), "captions": "floor"}) as ada:
        shown = await _show(ada, photograph("coffee.png"), photograph("coffee.png"))
        reply = await ada.say("How much caffeine does it hold?")
    assert shown.text.startswith("1. **picture-1.png**")
    assert "espresso" in first_told(shown.text)
    assert "60 milligrams" in reply.text


async def test_a_picture_beside_a_description_of_symptoms_is_said_not_to_be_looked_at(settings: Settings) -> None:
    async with _running(settings, FLOOR) as ada:
        reply = await _show(ada, drawn(), text=f"diagnose: {RASH}")
    assert "psoriasis" in reply.text
    assert "did not look at the picture" in reply.text + reply.note


async def test_beside_an_emergency_each_file_s_refusal_is_told_to_machines_all_the_same(settings: Settings) -> None:
    async with _running(settings, FLOOR) as ada:
        reply = await _show(ada, b"words", b"more words", text=HEART, command="describe")
    assert reply.error == "attachment_refused"
    assert "emergency" in reply.text.lower()
    assert [bool(picture["error"]) for picture in reply.data["pictures"]] == [True, True]


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ({"message_id": "m1"}, {"message_id": "m1", "about": "m1"}),
        ({"message_id": "m1"}, {"message_id": "m1", "about": "general/m1"}),
        ({"message_id": "m1", "about": "general/m1"}, {"message_id": "m1", "about": "general/m1"}),
    ],
)
async def test_one_message_s_picture_that_two_ask_about_was_not_shown_before(
    kept: KeptQuestions, first: dict[str, str], again: dict[str, str]
) -> None:
    cat = sight_of(direction(1), "vit")
    await kept.answered(Person("ada").message(**first), capability="picture", sights=(cat,))
    seen = SeenPictures(kept.database, 0.98)
    assert not await seen.earlier(Person("bob").message(**again), cat, open_threads=False)
    assert await seen.earlier(Person("bob").message(message_id="m2"), cat, open_threads=False)


async def test_while_a_model_is_loaded_the_asker_is_told_so_and_not_afterwards(
    settings: Settings, tmp_path: Path
) -> None:
    models = {"labels": str(tiny_classifier(tmp_path / "classifier")), "captions": "floor"}
    async with _running(settings, models, answers={"deadline_seconds": 120}) as ada:
        said = [await _growing(ada) for _ in range(2)]
    assert ["Waking up" in text for text in said] == [True, False]


async def _growing(ada: Conversation) -> str:
    gallery = ada.adapter
    assert isinstance(gallery, Gallery)
    message = ada.message("", attachments=(gallery.hang("a.png", drawn()),), streaming=True)
    exchange = await gallery.post(message)
    said = [await exchange.next()]
    while not said[-1].complete:
        said.append(await exchange.next())
    return "\n".join(reply.text for reply in said)
