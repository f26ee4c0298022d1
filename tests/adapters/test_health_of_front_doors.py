"""Whether a front door reaches its platform now: told by the door itself, with the reason and since when."""

import asyncio
from pathlib import Path

import pytest
from loopback_discord import LoopbackDiscord
from slack_lab import lab as slack_lab
from slack_lab import running_lab as running_slack

from adapters.discord import DiscordAdapter
from adapters.discord.connection import Backoff
from bot.adapter import Adapter, InMemoryAdapter, Receipt, Records
from bot.messages import IncomingMessage
from bot.settings.tree import DiscordSettings


async def _nobody(message: IncomingMessage) -> Receipt:
    raise AssertionError(f"{message.key} was not expected")


async def _is_up(door: Adapter, is_up: bool = True) -> str:
    """Wait until a door is up, or is not, and give what it says."""
    async with asyncio.timeout(10):
        while door.health.is_up is not is_up:  # noqa: ASYNC110 - nothing tells of a change of health
            await asyncio.sleep(0.01)
    return door.health.reason


async def test_discord_is_down_while_the_gateway_takes_nobody_and_up_again_after_it() -> None:
    async with LoopbackDiscord() as discord:
        settings = DiscordSettings(enabled=True, token=discord.token, base_url=discord.rest_url)
        door = DiscordAdapter(settings, Records(), Backoff(first=0.01, longest=0.05))
        await door.start(_nobody)
        await discord.connected()
        await _is_up(door)
        with discord.gateway.shut():
            await discord.drop_connection(4000)
            reason = await _is_up(door, False)
            assert "since 20" in reason
            assert "I keep trying" in reason
        await _is_up(door)
        await door.stop()


async def test_a_discord_that_is_not_reached_is_told_with_since_when() -> None:
    settings = DiscordSettings(enabled=True, token="MTIz.wrong.token", base_url="http://127.0.0.1:9/api")
    door = DiscordAdapter(settings, Records())
    await door.start(_nobody)
    reason = await _is_up(door, False)
    assert "Discord is not reached since 20" in reason
    assert "wrong" not in reason
    await door.stop()


async def test_a_token_that_discord_revoked_is_told_with_what_to_do() -> None:
    async with LoopbackDiscord() as discord:
        settings = DiscordSettings(enabled=True, token=discord.token, base_url=discord.rest_url)
        door = DiscordAdapter(settings, Records())
        await door.start(_nobody)
        await discord.connected()
        await discord.drop_connection(4004)
        await asyncio.wait_for(door.closed(), 5)
        health = door.health
        assert not health.is_up
        assert "does not know the bot's token" in health.reason
        assert discord.token not in health.reason
        await door.stop()


async def test_slack_is_up_once_the_line_stands_and_down_without_it(tmp_path: Path) -> None:
    async with running_slack(tmp_path) as opened:
        await _is_up(opened.bot)
        opened.slack.faults.down = True
        opened.slack.drop_connections()
        assert "was last heard at 20" in await _is_up(opened.bot, False)
        opened.slack.faults.down = False
        await _is_up(opened.bot)


async def test_in_http_mode_it_is_told_when_slack_last_called(tmp_path: Path) -> None:
    async with running_slack(tmp_path, "http") as opened:
        assert await _is_up(opened.bot) == "Slack has not called yet."
        await opened.ask()
        assert opened.bot.health.reason.startswith("Slack last called at 20")


async def test_a_slack_that_is_away_is_told_with_since_when(tmp_path: Path) -> None:
    async with slack_lab(tmp_path) as opened:
        opened.slack.faults.down = True
        application = opened.application_of()
        async with application.running(opened.doors(application)):
            assert "Slack is not reached since 20" in await _is_up(opened.bot, False)


@pytest.mark.parametrize("door", [InMemoryAdapter()])
async def test_a_door_without_a_platform_is_up(door: Adapter) -> None:
    assert door.health.is_up
