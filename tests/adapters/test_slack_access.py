"""What Slack vouches for: who is an admin or in a group, and which files the bot may read."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from contract import PICTURE
from slack_lab import Lab, lab, running_lab

from bot.errors import AttachmentError
from bot.messages import Attachment, Author, IncomingMessage
from bot.settings.access import AccessSettings


async def told(opened: Lab, command: str = "reload") -> str:
    """What Ada is told when she gives an admin's command."""
    await opened.ada.commands(opened.general, "/preceptor", command)
    return (await opened.general.next_message()).shown


@pytest.mark.parametrize(
    ("named", "admin", "owner", "allowed"),
    [
        ("slack:admin", False, False, False),
        ("slack:admin", True, False, True),
        ("slack:admin", False, True, True),
        ("slack:owner", True, False, False),
        ("slack:owner", False, True, True),
        ("slack:admin@T0LOOPBACK", True, False, True),
        ("slack:admin@T0ELSEWHERE", True, False, False),
        ("discord:owner", True, True, False),
    ],
)
async def test_admins_and_owners_are_admins_where_the_settings_say_so(
    tmp_path: Path, named: str, admin: bool, owner: bool, allowed: bool
) -> None:
    async with running_lab(tmp_path, access={"admin_roles": [named]}) as opened:
        opened.ada.admin, opened.ada.owner = admin, owner
        assert ("is for admins" not in await told(opened)) is allowed


async def test_an_owner_of_the_workspace_is_no_admin_of_the_bot_by_himself(tmp_path: Path) -> None:
    async with running_lab(tmp_path) as opened:
        opened.ada.admin = opened.ada.owner = True
        assert "is for admins" in await told(opened)
        assert not opened.slack.calls_of("users.info")


async def test_members_of_a_group_are_admins_where_the_settings_say_so(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        group = opened.slack.usergroup("keepers", [opened.ada])
        access = AccessSettings(admin_roles=(f"slack:group:{group.id}",))
        opened.settings = opened.settings.model_copy(update={"access": access})
        async with opened.running():
            assert "is for admins" not in await told(opened)
            grace = opened.slack.user("Grace")
            await grace.commands(opened.general, "/preceptor", "reload")
            assert "is for admins" in (await opened.general.next_message()).shown


async def test_people_of_another_workspace_have_no_standing_here(tmp_path: Path) -> None:
    async with running_lab(tmp_path, access={"admin_roles": ["slack:admin"]}) as opened:
        opened.ada.admin = True
        opened.slack.workspace.team = "T0ANOTHER"
        assert "is for admins" in await told(opened)


async def test_where_slack_does_not_tell_nobody_is_an_admin(tmp_path: Path) -> None:
    async with running_lab(tmp_path, access={"admin_roles": ["slack:admin"]}) as opened:
        opened.ada.admin = True
        opened.slack.fail_next("users.info", error="missing_scope")
        assert "is for admins" in await told(opened)
        assert "is for admins" not in await told(opened)


async def test_slack_is_not_asked_again_for_five_minutes(tmp_path: Path) -> None:
    async with running_lab(tmp_path, access={"admin_roles": ["slack:admin", "slack:owner"]}) as opened:
        opened.ada.admin = True
        for number in range(3):
            asked = IncomingMessage(str(number), opened.place(), Author(opened.ada.id), "", command="reload")
            assert await opened.bot.roles(asked) == {"admin"}
        assert len(opened.slack.calls_of("users.info")) == 1
        assert len(opened.slack.calls_of("usergroups.list")) == 1


# Files


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Lab]:
    async with running_lab(tmp_path) as opened:
        yield opened


async def fetched(opened: Lab, url: str, media_type: str = "image/png") -> bytes:
    attachment = Attachment("holiday.png", media_type, 1, url)
    return b"".join([piece async for piece in opened.bot.download(attachment)])


async def test_a_file_is_fetched_with_the_token(running: Lab) -> None:
    file = running.slack.file("holiday.png", PICTURE, user=running.ada)
    assert await fetched(running, file.url) == PICTURE


async def test_a_file_that_slack_names_only_by_its_id_is_asked_for(running: Lab) -> None:
    file = running.slack.file("holiday.png", PICTURE, user=running.ada)
    assert await fetched(running, f"slack-file:{file.id}") == PICTURE


async def test_a_login_page_is_no_picture(running: Lab) -> None:
    running.slack.scopes.discard("files:read")
    file = running.slack.file("holiday.png", PICTURE, user=running.ada)
    with pytest.raises(AttachmentError, match="files:read"):
        await fetched(running, file.url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/holiday.png",
        "https://slack.com.example.com/holiday.png",
        "https://example.com/slack.com",
        "http://files.slack.com/holiday.png",
        "https://evil-slack.com/holiday.png",
        "http://127.0.0.1:9/holiday.png",
        "file:///etc/passwd",
        "https://[",
        "",
    ],
)
async def test_the_token_goes_to_slack_alone(running: Lab, url: str) -> None:
    with pytest.raises(AttachmentError, match="does not lie at Slack"):
        await fetched(running, url)


async def test_a_file_that_is_gone_is_named(running: Lab) -> None:
    with pytest.raises(AttachmentError, match="It could not be fetched"):
        await fetched(running, f"{running.slack.workspace.base}/files-pri/{running.slack.team}-F0/holiday.png")


async def test_of_files_that_slack_no_longer_shows_the_reason_is_told(running: Lab) -> None:
    gone = {"id": "F1", "mode": "hidden_by_limit"}
    dm = running.slack.dm(running.ada)
    said = dm.seed(running.ada, "/describe")
    event = {"type": "message", "channel": dm.id, "channel_type": "im", "user": running.ada.id, "ts": said.ts}
    await running.slack.send_event(event | {"text": "/describe", "files": [gone]})
    await dm.message_that("older than what the workspace's plan shows")
