"""The loopback Discord's gateway, and what people do, as a real discord.py client hears it."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import discord
import httpx
import pytest
from loopback_discord import Guild, Intent, LoopbackDiscord, Member, Permission, Upload, pointed_at
from loopback_discord.listening import ListeningClient, listening


@pytest.fixture
async def loopback() -> AsyncIterator[LoopbackDiscord]:
    """A Discord without anything in it."""
    async with LoopbackDiscord() as running:
        yield running


@pytest.fixture
def lab(loopback: LoopbackDiscord) -> Guild:
    """A guild with one channel."""
    guild = loopback.guild("Lab")
    guild.channel("general")
    return guild


@pytest.fixture
def ada(lab: Guild) -> Member:
    """A member of the lab."""
    return lab.member("Ada")


@pytest.fixture
async def client(loopback: LoopbackDiscord, ada: Member) -> AsyncIterator[ListeningClient]:
    """A client that is ready and knows the lab."""
    async with listening(loopback) as ready:
        yield ready


async def test_a_client_becomes_ready_and_knows_its_guilds_channels_and_rights(
    loopback: LoopbackDiscord, lab: Guild, client: ListeningClient
) -> None:
    assert client.user
    assert client.user.id == loopback.bot_user.id
    (guild,) = client.guilds
    (channel,) = guild.text_channels
    assert (guild.id, guild.name, channel.name, guild.member_count) == (lab.id, "Lab", "general", 3)
    assert channel.permissions_for(guild.me).send_messages
    assert not channel.permissions_for(guild.me).manage_messages
    await loopback.until(lambda: loopback.gateway.heartbeats > 0)
    assert loopback.unknown_requests == []


async def test_a_wrong_token_is_refused(loopback: LoopbackDiscord) -> None:
    with pointed_at(loopback):
        async with ListeningClient() as stranger:
            with pytest.raises(discord.LoginFailure):
                await stranger.start("not-the-token")


async def test_an_intent_that_the_application_lacks_is_refused(loopback: LoopbackDiscord) -> None:
    intents = discord.Intents.default() | discord.Intents(message_content=True)
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with listening(loopback, intents=intents):
            pass


async def test_a_server_message_says_something_only_to_whom_it_mentions(
    loopback: LoopbackDiscord, lab: Guild, ada: Member, client: ListeningClient
) -> None:
    general = lab.channels[client.guilds[0].text_channels[0].id]
    answer = await client.guilds[0].text_channels[0].send("I am here")
    spoken = loopback.world.messages[answer.id]
    await ada.says(general, "to nobody", attachments=(Upload("a.txt", b"a"),))
    await ada.says(general, "to you", mentions_bot=True)
    await ada.says(general, "a reply", reply_to=spoken)
    await ada.says(general, "a quiet reply", reply_to=spoken, pings=False)
    await ada.says(ada.dm, "in private")
    await loopback.until(lambda: len(client.heard) == 5)
    assert client.texts == ["", "to you", "a reply", "", "in private"]
    assert client.heard[0].attachments == []
    assert client.user in client.heard[2].mentions
    assert client.heard[2].reference
    assert isinstance(client.heard[2].reference.resolved, discord.Message)
    assert isinstance(client.heard[4].channel, discord.DMChannel)


async def test_with_the_message_content_intent_every_message_says_what_it_says() -> None:
    intents = discord.Intents.default() | discord.Intents(message_content=True)
    async with LoopbackDiscord(intents=Intent.MESSAGE_CONTENT) as loopback:
        ada = (lab := loopback.guild("Lab")).member("Ada")
        general = lab.channel("general")
        async with listening(loopback, intents=intents) as client:
            await ada.says(general, "to nobody")
            await loopback.until(lambda: client.texts == ["to nobody"])
            assert client.application_flags.gateway_message_content_limited


async def test_edits_deletions_reactions_and_threads_are_heard(
    loopback: LoopbackDiscord, lab: Guild, ada: Member, client: ListeningClient
) -> None:
    general = lab.channel("more")
    message = await ada.says(general, "how heavy?", mentions_bot=True)
    await ada.edits(message, f"{loopback.bot_user.mention} how far?")
    await ada.reacts(message, "✅")
    thread = await ada.starts_thread(general, "moons", on=message)
    await ada.says(thread, "in here", mentions_bot=True)
    await ada.deletes(message)
    await loopback.until(lambda: len(client.deletions) == 1)
    assert client.edits[0].message.content.endswith("how far?")
    assert str(client.reactions[0].emoji) == "✅"
    assert (client.threads_opened[0].id, client.threads_opened[0].parent_id) == (message.id, general.id)
    assert isinstance(client.heard[-1].channel, discord.Thread)
    assert [version.content[-4:] for version in message.history] == ["avy?", "far?"]


async def test_an_edit_may_mention_the_bot_and_then_says_what_it_says(
    loopback: LoopbackDiscord, lab: Guild, ada: Member, client: ListeningClient
) -> None:
    message = await ada.says(lab.channel("more"), "how heavy?")
    await ada.edits(message, f"{loopback.bot_user.mention} how heavy?")
    await loopback.until(lambda: len(client.edits) == 1)
    assert client.edits[0].message.content.endswith("how heavy?")
    assert client.user in client.edits[0].message.mentions
    assert message.pings.nobody


async def test_a_links_preview_is_an_update_without_an_edit(
    loopback: LoopbackDiscord, ada: Member, client: ListeningClient
) -> None:
    await loopback.unfurl(await ada.says(ada.dm, "https://example.org/"))
    await loopback.until(lambda: len(client.edits) == 1)
    assert client.edits[0].message.edited_at is None
    assert client.edits[0].message.embeds[0].title == "A page"


async def test_a_channel_that_the_bot_may_not_see_is_not_heard(
    loopback: LoopbackDiscord, lab: Guild, ada: Member, client: ListeningClient
) -> None:
    secret = lab.channel("secret", deny={lab.everyone: Permission.VIEW_CHANNEL})
    await ada.says(secret, "hidden", mentions_bot=True)
    await ada.says(ada.dm, "seen")
    await loopback.until(lambda: client.texts == ["seen"])


async def test_a_redelivered_message_arrives_twice(
    loopback: LoopbackDiscord, ada: Member, client: ListeningClient
) -> None:
    await loopback.redeliver(await ada.says(ada.dm, "once"))
    await loopback.until(lambda: client.texts == ["once", "once"])
    assert client.heard[0].id == client.heard[1].id


async def test_an_event_that_discord_py_does_not_know_is_passed_over(
    loopback: LoopbackDiscord, ada: Member, client: ListeningClient
) -> None:
    await loopback.sends("GUILD_TELEPATHY_START", {"id": "1"})
    await ada.says(ada.dm, "still there")
    await loopback.until(lambda: client.texts == ["still there"])


async def test_what_happens_during_an_outage_is_replayed_in_order(
    loopback: LoopbackDiscord, ada: Member, client: ListeningClient
) -> None:
    async with loopback.outage():
        await loopback.until(lambda: not loopback.live_sessions)
        for number in range(20):
            await ada.says(ada.dm, str(number))
    await loopback.until(lambda: client.resumptions == 1)
    await loopback.until(lambda: client.texts == [str(number) for number in range(20)])
    assert len(loopback.sessions) == 1


@pytest.mark.parametrize("code", [1000, 1011, 4000, 4009])
async def test_after_a_closed_connection_the_client_is_back(
    loopback: LoopbackDiscord, ada: Member, client: ListeningClient, code: int
) -> None:
    await loopback.drop_connection(code)
    await loopback.until(lambda: client.resumptions == 1 or len(loopback.sessions) == 2)
    await loopback.connected()
    await ada.says(ada.dm, "again")
    await loopback.until(lambda: client.texts == ["again"])


async def test_a_session_that_is_forgotten_is_identified_anew(
    loopback: LoopbackDiscord, client: ListeningClient
) -> None:
    await loopback.drop_connection(resumable=False)
    await loopback.until(lambda: len(loopback.live_sessions) == 1 and len(loopback.sessions) == 2)
    assert client.resumptions == 0


async def test_a_request_to_reconnect_is_followed_by_a_resume(
    loopback: LoopbackDiscord, client: ListeningClient
) -> None:
    await loopback.request_reconnect()
    await loopback.until(lambda: client.resumptions == 1)


@pytest.mark.parametrize("resumable", [True, False])
async def test_an_invalid_session_is_resumed_where_it_may_be(
    loopback: LoopbackDiscord, client: ListeningClient, resumable: bool
) -> None:
    await loopback.invalidate_session(resumable=resumable)
    await loopback.until(lambda: client.resumptions == 1 if resumable else len(loopback.sessions) == 2)


async def test_a_silent_connection_is_given_up_and_resumed(loopback: LoopbackDiscord, ada: Member) -> None:
    loopback.gateway.heartbeat_interval = 0.1
    async with listening(loopback, heartbeat_timeout=0.5) as client:
        loopback.go_silent()
        await ada.says(ada.dm, "into the void")
        await loopback.until(lambda: client.resumptions >= 1)
        await loopback.until(lambda: "into the void" in client.texts)


async def test_an_authentication_that_fails_on_the_gateway_ends_the_client(loopback: LoopbackDiscord) -> None:
    loopback.gateway.session_starts_left = 0
    with pytest.raises(discord.ConnectionClosed) as closed:
        async with listening(loopback):
            pass
    assert closed.value.code == 4004


async def test_identifying_too_often_is_turned_away_until_the_window_is_over(loopback: LoopbackDiscord) -> None:
    loopback.gateway.identify_window = 0.3
    async with listening(loopback), listening(loopback) as second:
        assert second.is_ready()
    first, later = loopback.sessions
    assert (later.identified_at - first.identified_at).total_seconds() >= 0.3


async def test_each_guild_is_told_to_its_shard() -> None:
    async with LoopbackDiscord(shards=2) as loopback:
        guilds = [loopback.guild(name) for name in ("zero", "one")]
        people = [guild.member("Ada") for guild in guilds]
        channels = [guild.channel("general") for guild in guilds]
        async with listening(loopback) as client:
            for person, channel in zip(people, channels, strict=True):
                await person.says(channel, channel.mention, mentions_bot=True)
            await loopback.until(lambda: len(client.heard) == 2)
            assert [session.shard for session in loopback.sessions] == [(0, 2), (1, 2)]
            assert [message.guild and message.guild.shard_id for message in client.heard] == [0, 1]


async def test_a_client_leaves_no_connection_behind(loopback: LoopbackDiscord) -> None:
    async with listening(loopback):
        assert len(loopback.live_sessions) == 1
    await loopback.until(lambda: loopback.open_connections == 0)
    assert loopback.gateway.sessions == []


async def test_a_fault_of_the_loopback_itself_reaches_the_test() -> None:
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(pytest.raises(ExceptionGroup))
        loopback = await stack.enter_async_context(LoopbackDiscord())
        client = await stack.enter_async_context(httpx.AsyncClient())
        headers = {"Authorization": f"Bot {loopback.token}"}
        answer = await client.post(f"{loopback.rest_url}/users/@me/channels", headers=headers, json={"who": 1})
        assert answer.status_code == 500


@contextlib.asynccontextmanager
async def loopback_process() -> AsyncIterator[httpx.AsyncClient]:
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.adapters.loopback_discord", stdout=asyncio.subprocess.PIPE, cwd=root
    )
    assert process.stdout
    try:
        url = (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()
        async with httpx.AsyncClient(base_url=f"{url}/control", timeout=20) as control:
            yield control
    finally:
        process.terminate()
        await process.wait()


class _AddressOf:
    def __init__(self, state: dict[str, str]) -> None:
        self.rest_url, self.gateway_url, self.token = state["rest_url"], state["gateway_url"], state["token"]


async def test_a_process_of_its_own_is_driven_over_http() -> None:
    async with loopback_process() as control:
        state = (await control.get("/state")).json()
        ada, general = state["guilds"][0]["members"]["Ada"], state["guilds"][0]["channels"]["general"]
        async with listening(_AddressOf(state)) as client:
            said = {"author": ada, "channel": general, "text": "hello", "mentions_bot": True}
            asked = (await control.post("/messages", json=said)).json()
            (heard,) = await client.hears(1)
            await heard.reply("hello yourself")
            query = {"after": asked["id"], "author": "bot", "wait": 5}
            (answer,) = (await control.get(f"/channels/{general}/messages", params=query)).json()
            assert answer["content"] == "hello yourself"
            assert answer["message_reference"]["message_id"] == asked["id"]
            await control.post("/gateway", json={"action": "drop"})
            await control.post("/messages", json=said | {"channel": f"dm:{ada}", "text": "missed"})
            await client.hears(2)
        assert (await control.get("/state")).json()["sessions"][0]["resumed"] == 1
