"""Pictures on Discord, on Slack and over HTTP: how they are shown, who sees the answer, and what is made of it."""

import io
import re
from collections.abc import AsyncIterator
from pathlib import Path

import discord_lab
import httpx
import pytest
import slack_lab
from http_serving import Serve
from loopback_discord import Upload
from PIL import Image

from adapters.http.documents import Description

VIT_TINY = Path(__file__).parents[2].parent / "shared" / "models" / "vit-tiny-patch16-224"
ALT_TEXT = "Alt text: A picture, most likely of: "


def picture(width: int, height: int, colour: str = "red") -> bytes:
    """Draw a picture of one colour, as PNG."""
    drawn = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(drawn, "PNG")
    return drawn.getvalue()


LARGER = picture(30, 20)
SMALLER = picture(8, 12, "blue")
LARGER_TOLD, SMALLER_TOLD = "30 × 20 pixels", "8 × 12 pixels"


@pytest.fixture
async def discord(tmp_path: Path) -> AsyncIterator[discord_lab.Lab]:
    """A bot on Discord without models."""
    async with discord_lab.running_lab(tmp_path) as opened:
        yield opened


@pytest.fixture
async def slack(tmp_path: Path) -> AsyncIterator[slack_lab.Lab]:
    """A bot on Slack, without models."""
    async with slack_lab.running_lab(tmp_path) as opened:
        yield opened


@pytest.fixture
def model() -> dict[str, object]:
    """Settings under which a classifier looks at pictures, and says so however sure it is."""
    if not VIT_TINY.is_dir():
        pytest.skip(f"{VIT_TINY.name} is not there: the alt text needs a model's word for the picture")
    # What is loaded by the first answer takes longer than an answer is waited for on a busy machine.
    pytest.importorskip("models.vision.labels")
    models = {"images": {"labels": str(VIT_TINY), "captions": "floor"}}
    return {"models": models, "images": {"threshold": 0.0}, "attachments": {"megabytes": 20}}


@pytest.fixture
def flower() -> bytes:
    """A photograph of a flower."""
    sklearn = pytest.importorskip("sklearn.datasets")
    return (Path(sklearn.__file__).parent / "images" / "flower.jpg").read_bytes()


# Discord


async def test_on_discord_a_picture_with_a_mention_is_described(discord: discord_lab.Lab) -> None:
    shown = (Upload("red.png", LARGER),)
    said = await discord.ada.says(discord.general, mentions_bot=True, attachments=shown)
    answer = await discord.general.next_answer()
    assert LARGER_TOLD in answer.content
    assert answer.reference is said


async def test_on_discord_so_is_one_in_a_direct_message_without_a_word(discord: discord_lab.Lab) -> None:
    await discord.ada.says(discord.ada.dm, attachments=(Upload("red.png", LARGER),))
    assert LARGER_TOLD in (await discord.ada.dm.next_answer()).content


async def test_on_discord_several_are_numbered(discord: discord_lab.Lab) -> None:
    shown = (Upload("red.png", LARGER), Upload("blue.png", SMALLER), Upload("notes.txt", b"Only words."))
    await discord.ada.says(discord.ada.dm, attachments=shown)
    told = (await discord.ada.dm.next_answer()).content
    assert re.search(rf"1\. .*red\.png.*{LARGER_TOLD}.*2\. .*blue\.png.*{SMALLER_TOLD}.*3\. .*notes\.txt", told, re.S)


async def test_on_discord_the_command_takes_four_and_a_question(discord: discord_lab.Lab) -> None:
    options = {"picture": Upload("1.png", LARGER)} | {f"picture{n}": Upload(f"{n}.png", SMALLER) for n in (2, 3, 4)}
    asked = await discord.ada.invokes(discord.general, "describe", options)
    answer = await asked.answer()
    assert re.search(r"1\.png.*2\.png.*3\.png.*4\.png", answer.content, re.DOTALL)
    assert not answer.ephemeral
    question = {"picture": Upload("1.png", LARGER), "question": "When does the office open?"}
    asked = await discord.ada.invokes(discord.general, "describe", question)
    assert "8 in the morning" in (await asked.answer()).content


async def test_on_discord_the_command_answers_privately_where_that_is_wished(discord: discord_lab.Lab) -> None:
    options = {"picture": Upload("red.png", LARGER), "private": True}
    asked = await discord.ada.invokes(discord.general, "describe", options)
    answer = await asked.answer()
    assert answer.ephemeral
    assert LARGER_TOLD in answer.content


async def test_on_discord_somebody_elses_picture_is_described_from_its_menu(discord: discord_lab.Lab) -> None:
    grace = discord.guild.member("Grace")
    theirs = await grace.says(discord.general, "When does the office open?", attachments=(Upload("red.png", LARGER),))
    asked = await discord.ada.invokes_on(theirs, "Describe image")
    answer = await asked.answer()
    assert LARGER_TOLD in answer.content
    assert "8 in the morning" not in answer.content


async def test_on_discord_what_is_asked_beside_a_picture_is_answered_from_its_menu(discord: discord_lab.Lab) -> None:
    grace = discord.guild.member("Grace")
    theirs = await grace.says(discord.general, "When does the office open?", attachments=(Upload("red.png", LARGER),))
    asked = await discord.ada.invokes_on(theirs, "Answer this")
    await discord.discord.until(lambda: any("8 in the morning" in one.content for one in asked.messages))
    assert any(LARGER_TOLD in one.content for one in asked.messages)


async def test_on_discord_a_forwarded_picture_counts(discord: discord_lab.Lab) -> None:
    theirs = await discord.guild.member("Grace").says(
        discord.general, "Look!", attachments=(Upload("red.png", LARGER),)
    )
    forwarded = await discord.ada.forwards(theirs, discord.ada.dm)
    assert LARGER_TOLD in (await discord.ada.dm.next_answer()).content
    again = await discord.ada.invokes_on(forwarded, "Describe image")
    assert LARGER_TOLD in (await again.answer()).content


async def test_on_discord_one_that_is_larger_than_it_was_said_to_be_is_refused_while_it_comes(
    discord: discord_lab.Lab,
) -> None:
    huge = Upload("huge.png", LARGER + bytes(3 << 20), claimed_size=100)
    await discord.ada.says(discord.general, mentions_bot=True, attachments=(huge,))
    answer = await discord.general.next_answer()
    assert "huge.png" in answer.content
    assert "1 MiB" in answer.content


async def test_on_discord_a_menu_on_a_message_without_pictures_says_so(discord: discord_lab.Lab) -> None:
    theirs = await discord.guild.member("Grace").says(discord.general, "Just words.")
    asked = await discord.ada.invokes_on(theirs, "Describe image")
    await discord.discord.until(lambda: any("I see no picture" in one.content for one in asked.messages))


async def test_on_discord_a_button_whose_command_has_two_words_can_be_pressed(discord: discord_lab.Lab) -> None:
    symptoms = "I have itchy red patches with silvery scales on my elbows and knees"
    await discord.ada.says(discord.ada.dm, symptoms)
    offer = await discord.ada.dm.next_answer()
    await discord.ada.presses(offer, "What may it point to?")
    assert "psoriasis" in (await discord.ada.dm.next_answer()).content


async def test_on_discord_the_alt_text_of_a_private_answer_is_posted_for_all_at_a_press(
    tmp_path: Path, model: dict[str, object], flower: bytes
) -> None:
    async with discord_lab.running_lab(tmp_path, **model) as lab:
        options = {"picture": Upload("flower.jpg", flower), "private": True}
        answer = await (await lab.ada.invokes(lab.general, "describe", options)).answer()
        assert answer.ephemeral
        await lab.ada.presses(answer, "Post the alt text")
        posted = await lab.general.next_answer()
        assert posted.content.startswith(ALT_TEXT)
        assert posted.content.removeprefix("Alt text: ") in answer.content
        assert not posted.ephemeral


# Slack


async def test_on_slack_a_picture_with_a_mention_is_described(slack: slack_lab.Lab) -> None:
    said = await slack.ada.says(slack.general, "<@BOT>", files=[("red.png", LARGER)])
    answer = await slack.general.message_that(LARGER_TOLD)
    assert answer.thread_ts == said.ts
    assert not answer.ephemeral_for


async def test_on_slack_so_is_one_in_a_direct_message_without_a_word(slack: slack_lab.Lab) -> None:
    dm = slack.slack.dm(slack.ada)
    await slack.ada.says(dm, "", files=[("red.png", LARGER)])
    await dm.message_that(LARGER_TOLD)


async def test_on_slack_several_are_numbered(slack: slack_lab.Lab) -> None:
    files = [("red.png", LARGER), ("blue.png", SMALLER), ("notes.txt", b"Only words.")]
    await slack.ada.says(slack.general, "<@BOT>", files=files)
    told = (await slack.general.message_that(SMALLER_TOLD)).shown
    assert re.search(rf"1\. .*red\.png.*{LARGER_TOLD}.*2\. .*blue\.png.*{SMALLER_TOLD}.*3\. .*notes\.txt", told, re.S)


async def test_on_slack_a_question_beside_a_picture_is_answered(slack: slack_lab.Lab) -> None:
    await slack.ada.says(slack.general, "<@BOT> When does the office open?", files=[("red.png", LARGER)])
    answer = await slack.general.message_that("8 in the morning")
    assert LARGER_TOLD in answer.shown


async def test_on_slack_somebody_elses_picture_is_described_from_its_menu(slack: slack_lab.Lab) -> None:
    grace = slack.slack.user("Grace")
    theirs = await grace.says(slack.general, "When does the office open?", files=[("red.png", LARGER)])
    await slack.ada.uses_shortcut(theirs, "describe_image")
    answer = await slack.general.message_that(LARGER_TOLD)
    assert answer.ephemeral_for == slack.ada.id
    assert "8 in the morning" not in answer.shown


async def test_on_slack_the_command_brings_no_file_and_says_how_one_is_shown(slack: slack_lab.Lab) -> None:
    await slack.ada.commands(slack.general, "/describe", "my cat")
    answer = await slack.general.next_message()
    assert answer.ephemeral_for == slack.ada.id
    assert "I see no picture" in answer.shown
    assert "message" in answer.shown


async def test_on_slack_one_that_is_larger_than_it_was_said_to_be_is_refused_while_it_comes(
    slack: slack_lab.Lab,
) -> None:
    huge = slack.slack.file("huge.png", LARGER, length=64 << 20, claimed_size=100, streamed=True, user=slack.ada)
    await slack.ada.says(slack.general, "<@BOT>", files=[huge])
    answer = await slack.general.message_that("1 MiB")
    assert "huge.png" in answer.shown
    assert huge.downloads[0].sent < 32 << 20


async def test_on_slack_a_forwarded_picture_counts_and_a_link_s_preview_does_not(slack: slack_lab.Lab) -> None:
    dm = slack.slack.dm(slack.ada)
    for name, content, is_share in (("red.png", LARGER, False), ("blue.png", SMALLER, True)):
        file = slack.slack.file(name, content, user=slack.ada)
        forwarded = {"is_msg_unfurl": True, "is_share": is_share, "text": "Look!", "files": [file.to_json()]}
        said = dm.seed(slack.ada, "")
        event = {"type": "message", "channel": dm.id, "channel_type": "im", "user": slack.ada.id, "ts": said.ts}
        await slack.slack.send_event(event | {"text": "", "attachments": [forwarded]})
    await dm.message_that(SMALLER_TOLD)
    assert not [one for one in dm.from_bot if LARGER_TOLD in one.shown]


async def test_on_slack_one_that_slack_keeps_back_is_explained(slack: slack_lab.Lab) -> None:
    old = slack.slack.file("old.png", LARGER, user=slack.ada)
    old.mode = "hidden_by_limit"
    said = await slack.ada.says(slack.general, "", files=[old])
    await slack.ada.uses_shortcut(said, "describe_image")
    assert "plan" in (await slack.general.message_that("keeps it back")).shown


async def test_on_slack_a_deleted_one_is_none(slack: slack_lab.Lab) -> None:
    gone = slack.slack.file("gone.png", LARGER, user=slack.ada)
    gone.mode = "tombstone"
    said = await slack.ada.says(slack.general, "", files=[gone])
    await slack.ada.uses_shortcut(said, "describe_image")
    await slack.general.message_that("I see no picture")


async def test_on_slack_without_the_permission_the_reason_is_told(slack: slack_lab.Lab) -> None:
    slack.slack.scopes.discard("files:read")
    await slack.ada.says(slack.general, "<@BOT>", files=[("red.png", LARGER)])
    await slack.general.message_that("files:read")


async def test_on_slack_the_alt_text_is_posted_for_all_at_a_press(
    tmp_path: Path, model: dict[str, object], flower: bytes
) -> None:
    async with slack_lab.running_lab(tmp_path, **model) as lab:
        said = await lab.ada.says(lab.general, "look", files=[("flower.jpg", flower)])
        await lab.ada.uses_shortcut(said, "describe_image")
        answer = await lab.general.message_that("Most likely")
        assert answer.ephemeral_for == lab.ada.id
        await lab.ada.presses(answer, "Post the alt text")
        posted = await lab.general.message_that(lambda one: one.shown.startswith(ALT_TEXT))
        assert not posted.ephemeral_for


# HTTP


async def test_over_http_the_whole_document_is_given(serve: Serve) -> None:
    async with serve() as served:
        told = await _described(served.api, ("red.png", LARGER), ("notes.txt", b"Only words."))
    first, second = told["pictures"]
    assert (first["name"], first["format"], first["width"], first["height"]) == ("red.png", "PNG", 30, 20)
    assert (first["caption"], first["labels"], first["error"]) == (None, [], None)
    assert second["error"]
    assert LARGER_TOLD in told["answer"]


async def test_over_http_a_model_s_labels_are_told_with_their_scores(
    serve: Serve, model: dict[str, object], flower: bytes
) -> None:
    async with serve(**model) as served:
        told = await _described(served.api, ("flower.jpg", flower))
    labels = told["pictures"][0]["labels"]
    assert labels
    assert [one["score"] for one in labels] == sorted((one["score"] for one in labels), reverse=True)
    assert labels[0]["label"] in told["answer"]


async def test_over_http_a_conversation_goes_on(serve: Serve) -> None:
    async with serve() as served:
        first = await _described(served.api, ("red.png", LARGER))
        files = {"file": ("blue.png", SMALLER)}
        data = {"conversation_id": first["conversation_id"], "question": "What is Ohm's law?"}
        told = (await served.api.post("/v1/describe", files=files, data=data)).json()
        kept = (await served.api.get(f"/v1/conversations/{first['conversation_id']}")).json()
    assert told["conversation_id"] == first["conversation_id"]
    assert "V = I R" in told["answer"]
    assert [one["name"] for one in told["pictures"]] == ["blue.png"]
    assert [message["role"] for message in kept["messages"]] == ["question", "answer"] * 2


async def test_over_http_where_none_can_be_looked_at_each_reason_is_told(serve: Serve) -> None:
    async with serve() as served:
        files = [("file", ("a.png", b"words")), ("file", ("b.png", LARGER[:40]))]
        response = await served.api.post("/v1/describe", files=files)
    assert response.status_code == 422
    assert response.json()["type"] == "urn:preceptor:error:attachment_refused"
    assert [error["pointer"] for error in response.json()["errors"]] == ["#/file/0", "#/file/1"]


async def test_over_http_pictures_that_are_switched_off_are_a_problem(serve: Serve) -> None:
    async with serve(images={"looking": "off"}) as served:
        response = await served.api.post("/v1/describe", files={"file": ("red.png", LARGER)})
    assert (response.status_code, response.json()["type"]) == (501, "urn:preceptor:error:not_set_up")


async def _described(api: httpx.AsyncClient, *files: tuple[str, bytes]) -> dict[str, object]:
    response = await api.post("/v1/describe", files=[("file", file) for file in files])
    assert response.status_code == 200, response.text
    Description.model_validate(response.json())
    return dict(response.json())
