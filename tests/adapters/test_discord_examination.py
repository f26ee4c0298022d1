"""What the doctor finds of a Discord set-up, asked of the loopback Discord."""

import json
import socket
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from loopback_discord import Intent, LoopbackDiscord, Permission

from adapters.discord.application_id import of_token
from adapters.discord.examination import examine
from adapters.discord.needed_permissions import needed, total
from bot.examination import Examined, Finding
from bot.messages import Place
from bot.settings import Settings

pytestmark = pytest.mark.usefixtures("environment")

_ALL = Permission(total(needed(Settings(discord={"thread_channels": ["*"]}).discord)))


@pytest.fixture
async def discord() -> AsyncIterator[LoopbackDiscord]:
    async with LoopbackDiscord() as discord:
        yield discord


def _settings(discord: LoopbackDiscord, **changes: Any) -> Settings:
    return Settings(discord={"enabled": True, "base_url": discord.rest_url, "token": discord.token} | changes)


async def _found(settings: Settings, channels: Mapping[Place, tuple[str, ...]] | None = None) -> dict[str, Finding]:
    found = {finding.name: finding async for finding in examine(Examined(settings, channels or {}))}
    said = json.dumps([(one.meaning, one.fix) for one in found.values()])
    assert settings.discord.token.get_secret_value() not in said
    return found


def _verdicts(found: dict[str, Finding]) -> dict[str, str]:
    return {name.removeprefix("discord: "): finding.verdict for name, finding in found.items()}


async def test_a_set_up_in_order_says_who_the_bot_is_and_where(discord: LoopbackDiscord) -> None:
    guild = discord.guild("Lab")
    found = await _found(_settings(discord))
    assert _verdicts(found) == {
        "token": "ok",
        "clock": "ok",
        "application": "warning",
        "message content": "ok",
        "servers": "ok",
        f"permissions in Lab ({guild.id})": "ok",
    }
    assert str(discord.bot_user.id) in found["discord: token"].meaning
    assert "The bot is public" in found["discord: application"].meaning
    assert "Lab" in found["discord: servers"].meaning


async def test_a_bot_without_a_server_is_told_how_to_invite_it(discord: LoopbackDiscord) -> None:
    finding = (await _found(_settings(discord)))["discord: servers"]
    assert finding.verdict == "warning"
    assert "`preceptor discord invite`" in finding.fix


async def test_a_refused_token_is_told_and_nothing_else_is_guessed(discord: LoopbackDiscord) -> None:
    found = await _found(_settings(discord, token=discord.token[:-1] + "x"))
    assert (found["discord: token"].verdict, found["discord: clock"].verdict) == ("failed", "ok")
    assert "Reset Token" in found["discord: token"].fix
    others = ("application", "message content", "servers and permissions")
    assert [_verdicts(found)[name] for name in others] == ["unknown"] * 3


@pytest.mark.parametrize("token", ["abc", "xoxb-1-slack", "a.b.c", "BotMTAw.Loopbk.0123456789", "é" * 70])
async def test_a_token_of_the_wrong_shape_is_told_without_asking(discord: LoopbackDiscord, token: str) -> None:
    found = await _found(_settings(discord, token=token))
    assert found["discord: token"].verdict == "failed"
    assert not discord.requests


def test_the_applications_id_is_read_from_a_token(discord: LoopbackDiscord) -> None:
    assert of_token(discord.token) == "1000000000000000000"


async def test_an_intent_that_is_wanted_and_not_granted_is_a_failure(discord: LoopbackDiscord) -> None:
    finding = (await _found(_settings(discord, message_content=True)))["discord: message content"]
    assert finding.verdict == "failed"
    assert "4014" in finding.meaning
    assert "Message Content Intent" in finding.fix


async def test_an_intent_that_is_granted_is_in_order_wanted_or_not() -> None:
    async with LoopbackDiscord(intents=Intent.MESSAGE_CONTENT) as discord:
        wanted = (await _found(_settings(discord, message_content=True)))["discord: message content"]
        unused = (await _found(_settings(discord)))["discord: message content"]
    assert (wanted.verdict, unused.verdict) == ("ok", "ok")
    assert "not used" in unused.meaning


async def test_what_a_channel_denies_is_named(discord: LoopbackDiscord) -> None:
    guild = discord.guild("Lab")
    channel = guild.channel(
        "questions", deny={guild.everyone: Permission.CREATE_PUBLIC_THREADS, guild.bot: Permission.SEND_MESSAGES}
    )
    found = await _found(_settings(discord, thread_channels=[str(channel.id)]))
    finding = found[f"discord: permissions in #questions ({channel.id})"]
    assert (finding.verdict, finding.meaning) == ("failed", "Missing: Send Messages, Create Public Threads.")


async def test_what_a_channel_grants_the_bots_role_counts(discord: LoopbackDiscord) -> None:
    guild = discord.guild("Lab", everyone=Permission(0))
    role = guild.bot.roles[0]
    channel = guild.channel("questions", deny={guild.everyone: _ALL}, allow={role: _ALL})
    found = await _found(_settings(discord, thread_channels=[str(channel.id)]))
    assert found[f"discord: permissions in #questions ({channel.id})"].verdict == "ok"
    server = found[f"discord: permissions in Lab ({guild.id})"]
    assert server.verdict == "warning"
    assert "View Channel, Send Messages" in server.meaning


async def test_administrators_and_owners_lack_nothing(discord: LoopbackDiscord) -> None:
    guild = discord.guild("Lab", everyone=Permission(0), bot=Permission.ADMINISTRATOR)
    channel = guild.channel("questions", deny={guild.everyone: _ALL})
    found = await _found(_settings(discord, thread_channels=[str(channel.id)]))
    assert found[f"discord: permissions in #questions ({channel.id})"].verdict == "ok"


async def test_a_channel_that_the_bot_cannot_see_lacks_view_channel(discord: LoopbackDiscord) -> None:
    guild = discord.guild("Lab")
    channel = guild.channel("secret", deny={guild.everyone: Permission.VIEW_CHANNEL})
    found = await _found(_settings(discord, thread_channels=[str(channel.id)]))
    assert found[f"discord: permissions in channel {channel.id}"].meaning == "Missing: View Channel."


async def test_channels_that_are_none_are_told(discord: LoopbackDiscord) -> None:
    found = await _found(_settings(discord, thread_channels=["questions", "1234567890", "*"]))
    assert "no channel's id" in found["discord: channel questions"].meaning
    assert "no such channel" in found["discord: channel 1234567890"].meaning


async def test_a_threads_permissions_are_its_channels(discord: LoopbackDiscord) -> None:
    guild = discord.guild("Lab")
    ada = guild.member("Ada")
    channel = guild.channel("general", deny={guild.everyone: Permission.SEND_MESSAGES_IN_THREADS})
    thread = await ada.starts_thread(channel, "Moon")
    found = await _found(_settings(discord), {Place("discord", str(guild.id), str(thread.id)): ()})
    finding = next(one for name, one in found.items() if str(thread.id) in name)
    assert finding.meaning == "Missing: Send Messages in Threads."


async def test_a_role_that_is_to_be_called_and_cannot_be_mentioned_is_a_warning(discord: LoopbackDiscord) -> None:
    guild = discord.guild("Lab")
    channel = guild.channel("help")
    quiet, loud = guild.role("Tutors"), guild.role("Helpers", mentionable=True)
    called = {
        Place("discord", str(guild.id), str(channel.id)): (f"role:{quiet.id}", f"role:{loud.id}", "user:1"),
        Place("slack", "T1", "C1"): ("group:S1",),
    }
    found = await _found(_settings(discord), called)
    finding = found[f"discord: people called in #help ({channel.id})"]
    assert finding.verdict == "warning"
    assert "Tutors" in finding.fix
    assert "Helpers" not in finding.fix
    guild.everyone.permissions |= Permission.MENTION_EVERYONE
    assert f"discord: people called in #help ({channel.id})" not in await _found(_settings(discord), called)


async def test_without_a_connection_it_says_what_could_not_be_checked(discord: LoopbackDiscord) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/api/v10"
        found = await _found(_settings(discord, base_url=closed))
    assert set(_verdicts(found).values()) == {"unknown"}
    assert "no connection to 127.0.0.1" in found["discord: token"].meaning


async def test_a_connection_that_ends_half_way_leaves_the_rest_unknown(discord: LoopbackDiscord) -> None:
    discord.lose_answer("GET /users/@me/guilds")
    found = await _found(_settings(discord))
    assert found["discord: token"].verdict == "ok"
    assert found["discord: the rest"].verdict == "unknown"


async def test_trouble_at_discord_is_no_failure_of_the_set_up(discord: LoopbackDiscord) -> None:
    guild = discord.guild("Lab")
    for route in ("GET /applications/@me", "GET /guilds/{guild_id}"):
        discord.fail_next(status=502, route=route)
    verdicts = _verdicts(await _found(_settings(discord)))
    names = ("application", "message content", f"permissions in Lab ({guild.id})")
    assert [verdicts[name] for name in names] == ["unknown"] * 3
    discord.rate_limit("GET /users/@me", 1.0)
    assert _verdicts(await _found(_settings(discord)))["token"] == "unknown"


async def test_another_server_at_the_address_is_told(discord: LoopbackDiscord) -> None:
    found = await _found(_settings(discord, base_url=f"{discord.rest_url}/nothing"))
    assert found["discord: token"].verdict == "failed"
    assert "discord.base_url" in found["discord: token"].fix
    assert _verdicts(await _found(_settings(discord, base_url="nonsense"))) == {"address": "failed"}
