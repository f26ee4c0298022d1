"""Pictures shown to a running Preceptor: what comes back in words, what is kept, and where nobody looks."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from picture_gallery import VIT_TINY, Gallery, drawn, photograph, saved, scaled
from PIL import Image

from bot.application import Application
from bot.messages import Author, Place, Reply
from bot.settings import Settings
from tests.conftest import Conversation

with_vit = pytest.mark.skipif(not VIT_TINY.is_dir(), reason="needs ../shared/models/vit-tiny-patch16-224")
FLOOR = {"labels": "floor", "captions": "floor"}
TINY = {"labels": str(VIT_TINY), "captions": "floor"}


@asynccontextmanager
async def _running(
    settings: Settings, models: dict[str, str], *, open_threads: bool = False, **more: Any
) -> AsyncIterator[Conversation]:
    changed = Settings(**(settings.model_dump() | {"models": {"images": models}} | more))
    gallery = Gallery(open_threads=open_threads)
    async with Application(changed).running([gallery]):
        yield Conversation(gallery)


async def _show(ada: Conversation, *files: bytes, text: str = "", **fields: Any) -> Reply:
    gallery = ada.adapter
    assert isinstance(gallery, Gallery)
    attachments = tuple(gallery.hang(f"picture-{number}.png", file) for number, file in enumerate(files, start=1))
    return await ada.say(text, attachments=attachments, **fields)


async def test_without_a_model_the_file_itself_is_told_of_and_how_to_get_one(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    async with _running(settings, {}) as ada:
        reply = await _show(ada, drawn("red"))
    assert "`make images` adds them" in reply.note
    assert reply.outcome == "answered"
    assert "PNG picture of 64 × 48 pixels, landscape" in reply.text
    assert "white" in reply.text
    assert "red" in reply.text
    assert "Alt text" not in reply.text
    assert not any(button.command == "alt_text" for button in reply.buttons)


async def test_camera_and_day_are_told_and_where_it_was_taken_is_not(settings: Settings) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Nikon", "Nikon D90"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:03 14:07:21"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    exif[0x8298] = "Ada Secretkeeper"
    async with _running(settings, FLOOR) as ada:
        reply = await _show(ada, saved(Image.new("RGB", (40, 60), "blue"), "JPEG", exif=exif))
    assert "Nikon D90" in reply.text
    assert "2024-05-03" in reply.text
    assert "portrait" in reply.text
    said = reply.text + reply.note + json.dumps(dict(reply.data))
    assert not any(secret in said for secret in ("52", "Secretkeeper", "GPS"))


@with_vit
async def test_a_photograph_is_labelled_honestly_with_alt_text_to_post(settings: Settings) -> None:
    async with _running(settings, TINY) as ada:
        reply = await _show(ada, photograph("chelsea.png"), text="What is this?")
        (post,) = (button for button in reply.buttons if button.command == "alt_text")
        posted = await ada.say(post.text, command="alt_text")
        again = await ada.say(post.text, command="alt_text")
        stolen = await ada.other(author=Author("eve")).say(post.text, command="alt_text")
    (picture,) = reply.data["pictures"]
    assert "cat" in picture["labels"][0]["label"].lower()
    assert picture["labels"][0]["label"] in reply.text
    assert f"Alt text: `{picture['alt_text']}`" in reply.text
    assert posted.text == f"Alt text: {picture['alt_text']}"
    assert not posted.ephemeral
    assert (again.text, again.ephemeral) == ("That alt text is posted already.", True)
    assert stolen.outcome == "refused"
    assert "vit-tiny" in reply.note
    assert "make images" not in reply.note


@with_vit
async def test_below_the_threshold_the_bot_says_that_it_is_not_sure(settings: Settings) -> None:
    async with _running(settings, TINY, images={"threshold": 1.0, "labels": 2}) as ada:
        reply = await _show(ada, photograph("chelsea.png"))
    assert reply.text.startswith("I'm not sure, it may be: ")
    assert len(reply.data["pictures"][0]["labels"]) == 2
    assert "Alt text" not in reply.text


async def test_several_pictures_are_answered_together_numbered_and_a_bad_one_does_not_spoil_them(
    settings: Settings,
) -> None:
    async with _running(settings, FLOOR) as ada:
        reply = await _show(ada, drawn("red"), b"just words", drawn("blue", kind="JPEG"))
    assert [line[:2] for line in reply.text.splitlines() if line[:1].isdigit()] == ["1.", "2.", "3."]
    assert "JPEG" in reply.text
    first, second, third = reply.data["pictures"]
    assert (first["error"], third["error"]) == (None, None)
    assert "text" in second["error"]
    assert second["caption"] is None
    assert second["width"] is None


async def test_where_no_file_can_be_looked_at_the_reason_is_given(settings: Settings) -> None:
    async with _running(settings, FLOOR) as ada:
        one = await _show(ada, b"just words", command="describe")
        two = await _show(ada, b"just words", b"")
    assert one.outcome == two.outcome == "refused"
    assert one.text.startswith("picture-1.png: ")
    assert "none of these 2 files" in two.text
    assert "picture-2.png: It is empty." in two.text


async def test_more_files_than_are_looked_at_are_refused_with_both_numbers(settings: Settings) -> None:
    async with _running(settings, FLOOR, images={"most": 2}) as ada:
        reply = await _show(ada, *[drawn()] * 3)
    assert reply.outcome == "refused"
    assert "3 files; I look at 2" in reply.text
    assert "images.most" in reply.text


async def test_the_command_without_a_picture_asks_for_one(settings: Settings) -> None:
    async with _running(settings, FLOOR) as ada:
        reply = await ada.say("", command="describe")
    assert reply.outcome == "refused"
    assert "no picture with your message" in reply.text


async def test_of_an_animation_the_first_frame_is_told_of_and_that_is_said(settings: Settings) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue", "lime")]
    animation = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    async with _running(settings, FLOOR) as ada:
        reply = await _show(ada, animation)
    assert "It has 3 frames; I looked at the first." in reply.text
    assert "red" in reply.text
    assert "blue" not in reply.text


PLACES = {"memory/lab/quiet": "on request", "memory/lab/blind": "off"}


async def test_a_place_may_look_at_pictures_only_on_request(settings: Settings) -> None:
    async with _running(settings, FLOOR, images={"places": PLACES}) as everywhere:
        quiet = everywhere.other(place=Place("memory", "lab", "quiet"))
        silent = await _show(quiet, drawn())
        asked = await _show(quiet, drawn(), text="when does the office open?")
        by_word = await _show(quiet, drawn(), text="describe:")
        by_command = await _show(quiet, drawn(), command="describe")
        in_words = await _show(quiet, drawn(), text="What is in this picture?")
    assert silent.outcome == "refused" or silent.error == "not_set_up"
    assert "describe:" in silent.text
    assert "The office is open from 8" in asked.text
    assert "PNG" not in asked.text
    assert "did not look at the picture" in asked.note
    assert all("PNG picture" in reply.text for reply in (by_word, by_command, in_words))


async def test_a_place_may_look_at_none(settings: Settings) -> None:
    async with _running(settings, FLOOR, images={"places": PLACES}) as everywhere:
        blind = everywhere.other(place=Place("memory", "lab", "blind", "thread"))
        replies = [await _show(blind, drawn(), **how) for how in ({}, {"command": "describe"}, {"text": "describe:"})]
        asked = await _show(blind, drawn(), text="when does the office open?")
    assert all("I look at no pictures here." in reply.text for reply in replies)
    assert "The office is open from 8" in asked.text


@with_vit
async def test_a_question_with_a_picture_is_answered_from_the_knowledge_base(
    settings: Settings, handbook: Path
) -> None:
    (handbook / "drinks.md").write_text(
        "# Drinks\n\n## Espresso\n\nAn espresso holds about 60 milligrams of caffeine in 30 millilitres.\n"
        "\n## Tea\n\nA cup of black tea holds about 40 milligrams of caffeine.\n"
    )
    async with _running(settings, TINY) as ada:
        reply = await _show(ada, photograph("coffee.png"), text="How much caffeine does this hold?")
        apart = await _show(ada, photograph("coffee.png"), text="When does the office close on Fridays?")
        unknown = await _show(ada, photograph("chelsea.png"), text="Which passport does it have?")
    assert "espresso" in reply.text.splitlines()[0]
    assert "60 milligrams" in reply.text
    assert reply.citations
    assert "On Fridays it closes at 4" in apart.text
    assert "shared" not in unknown.note
    assert "cat" in unknown.text
    assert "nothing that answers your question" in unknown.text


@with_vit
async def test_a_picture_that_was_shown_before_is_recognised_in_another_size_and_format(settings: Settings) -> None:
    cat = photograph("chelsea.png")
    async with _running(settings, TINY, open_threads=True) as ada:
        first = await _show(ada, cat, message_id="m1")
        again = await _show(ada.other(author=Author("bob")), scaled(cat, 0.7), message_id="m2")
        other = await _show(ada, photograph("coffee.png"))
        elsewhere = await _show(ada.other(place=Place("memory", "lab", "random")), cat)
    assert "before" not in first.text
    assert "This picture was shown here before: [" in again.text
    assert "https://gallery.example/general/m1" in again.text
    assert again.data["pictures"][0]["seen_before"]["link"].endswith("/m1")
    assert "before" not in other.text
    assert "before" not in elsewhere.text


@with_vit
async def test_nothing_is_remembered_where_nothing_is_kept(settings: Settings) -> None:
    cat = photograph("chelsea.png")
    async with _running(settings, TINY, conversations={"not_kept": ["memory/lab"]}) as ada:
        replies = [await _show(ada, cat) for _ in range(2)]
    assert all("before" not in reply.text for reply in replies)
    assert not replies[0].answer_id


@with_vit
async def test_what_a_follow_up_asks_for_is_what_the_picture_showed(settings: Settings, handbook: Path) -> None:
    (handbook / "drinks.md").write_text("# Drinks\n\n## Espresso\n\nAn espresso holds 60 milligrams of caffeine.\n")
    async with _running(settings, TINY) as ada:
        await _show(ada, photograph("coffee.png"))
        reply = await ada.say("How much caffeine does it hold?")
    assert "60 milligrams" in reply.text


async def test_a_message_names_its_files_without_their_markup(settings: Settings) -> None:
    async with _running(settings, FLOOR) as ada:
        gallery = ada.adapter
        assert isinstance(gallery, Gallery)
        file = gallery.hang("**@everyone** [x](https://evil.example).png", b"words")
        reply = await ada.say("", attachments=(file,))
    assert "@everyone" not in reply.text
    assert "](" not in reply.text


async def test_forgetting_and_history_know_of_pictures(settings: Settings) -> None:
    async with _running(settings, FLOOR) as ada:
        await _show(ada, drawn())
        history = await ada.say("", command="history")
        await ada.say("yes", command="forget")
        gone = await ada.say("", command="history")
    assert "What is in this picture?" in history.text
    assert "PNG picture" in history.text
    assert "Nothing was said" in gone.text


async def test_sixteen_at_once_are_all_answered(settings: Settings) -> None:
    async with _running(settings, FLOOR) as ada:
        people = [ada.other(author=Author(f"person-{number}")) for number in range(16)]
        replies = await asyncio.gather(*(_show(one, drawn()) for one in people))
    assert all("PNG picture" in reply.text for reply in replies)


async def test_an_edited_message_keeps_its_answer_right(settings: Settings) -> None:
    async with _running(settings, FLOOR) as ada:
        message = ada.message("", key="k1", attachments=(ada.adapter.hang("a.png", drawn()),))  # type: ignore[attr-defined]
        await (await ada.adapter.post(message)).complete()
        edited = replace(message, key="k1-2", revises="k1", text="When does the office open?")
        reply = await (await ada.adapter.post(edited)).complete()
    assert "The office is open from 8" in reply.text
