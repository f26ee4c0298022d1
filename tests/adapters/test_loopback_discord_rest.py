"""The loopback Discord's REST API: messages, permissions, limits and interactions, as discord.py meets them."""

import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord
import pytest
from discord import app_commands
from discord.http import Route
from loopback_discord import Channel, Guild, LoopbackDiscord, Member, Permission, Upload
from loopback_discord.invocations import Unavailable
from loopback_discord.listening import ListeningClient, listening


@pytest.fixture
async def loopback() -> AsyncIterator[LoopbackDiscord]:
    """A Discord without anything in it."""
    async with LoopbackDiscord() as running:
        yield running


@pytest.fixture
def lab(loopback: LoopbackDiscord) -> Guild:
    """A guild."""
    return loopback.guild("Lab")


@pytest.fixture
def general(lab: Guild) -> Channel:
    """The guild's channel."""
    return lab.channel("general")


@pytest.fixture
def ada(lab: Guild) -> Member:
    """A member who may manage the guild."""
    return lab.member("Ada", permissions=Permission.MANAGE_GUILD)


@pytest.fixture
async def client(loopback: LoopbackDiscord, general: Channel, ada: Member) -> AsyncIterator[ListeningClient]:
    """A client that is ready."""
    async with listening(loopback) as ready:
        yield ready


@pytest.fixture
def place(client: ListeningClient, lab: Guild, general: Channel) -> discord.PartialMessageable:
    """The guild's channel as the client has it."""
    return client.get_partial_messageable(general.id, guild_id=lab.id)


async def _asks(client: ListeningClient, method: str, path: str, **body: Any) -> Any:
    return await client.http.request(Route(method, path), json=body)


async def test_a_message_is_seen_as_it_was_sent(
    general: Channel, place: discord.PartialMessageable, ada: Member
) -> None:
    question = await ada.says(general, "what?", mentions_bot=True)
    file = discord.File(io.BytesIO(b"\x00\x01"), "curve.png", description="a curve")
    sent = await place.send(
        "see <@1> and @everyone",
        file=file,
        embed=discord.Embed(title="Sources"),
        reference=discord.MessageReference(message_id=question.id, channel_id=general.id),
        allowed_mentions=discord.AllowedMentions.none(),
        nonce="n-1",
    )
    answer = await general.next_message()
    assert (answer.id, answer.text, answer.nonce) == (sent.id, "see <@1> and @everyone\nSources", "n-1")
    assert answer.reference is question
    assert answer.pings.nobody
    assert answer.allowed_mentions == {"parse": []}
    assert (answer.attachments[0].data, answer.attachments[0].description) == (b"\x00\x01", "a curve")
    assert await sent.attachments[0].read() == b"\x00\x01"


async def test_without_allowed_mentions_a_message_pings_whom_it_names(
    lab: Guild, general: Channel, place: discord.PartialMessageable, ada: Member
) -> None:
    question = await ada.says(general, "what?")
    crew = lab.role("crew")
    await place.send(
        f"{crew.mention} `{ada.mention}` @everyone",
        reference=discord.MessageReference(message_id=question.id, channel_id=general.id),
    )
    pings = (await general.next_message()).pings
    assert pings.users == frozenset({ada.id})
    assert pings.roles == frozenset({crew.id})
    assert not pings.everyone, "the bot lacks the permission to mention everyone"


async def test_edits_keep_their_times_and_deletions_their_traces(
    general: Channel, place: discord.PartialMessageable
) -> None:
    sent = await place.send("one")
    await sent.edit(content="two")
    await sent.edit(content="three", embed=discord.Embed(title="Sources"))
    message = await general.next_answer(quiet=0.01)
    assert [version.content for version in message.history] == ["one", "two", "three"]
    assert message.history[0].at < message.history[1].at < message.history[2].at
    await sent.delete()
    assert (general.messages, general.deleted_messages) == ([], [message])
    with pytest.raises(discord.NotFound) as gone:
        await sent.edit(content="four")
    assert gone.value.code == 10008


async def test_the_same_nonce_is_one_message_until_its_window_is_over(
    loopback: LoopbackDiscord, general: Channel, place: discord.PartialMessageable
) -> None:
    loopback.lose_answer("POST /channels/*/messages")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await place.send("paid once", nonce="n-1")
    again = await place.send("paid once", nonce="n-1")
    assert [message.id for message in general.messages] == [again.id]
    loopback.advance(600)
    await place.send("paid once", nonce="n-1")
    assert len(general.messages) == 2


@pytest.mark.parametrize(
    ("denied", "code"),
    [
        (Permission.VIEW_CHANNEL, 50001),
        (Permission.SEND_MESSAGES, 50013),
        (Permission.ATTACH_FILES, 50013),
        (Permission.EMBED_LINKS, 50013),
        (Permission.READ_MESSAGE_HISTORY, 160002),
    ],
)
async def test_what_the_bot_may_not_do_is_forbidden_by_its_code(
    lab: Guild, general: Channel, place: discord.PartialMessageable, ada: Member, denied: Permission, code: int
) -> None:
    question = await ada.says(general, "what?")
    general.deny(lab.bot, denied)
    with pytest.raises(discord.Forbidden) as refused:
        await place.send(
            "no",
            file=discord.File(io.BytesIO(b"x"), "x"),
            embed=discord.Embed(title="x"),
            reference=discord.MessageReference(message_id=question.id, channel_id=general.id),
        )
    assert refused.value.code == code
    assert general.bot_messages == []


async def test_who_takes_no_direct_messages_is_not_reached(
    loopback: LoopbackDiscord, client: ListeningClient, ada: Member
) -> None:
    ada.user.accepts_messages = False
    person = await client.fetch_user(ada.id)
    with pytest.raises(discord.Forbidden) as refused:
        await person.send("hello")
    assert refused.value.code == 50007
    ada.user.accepts_messages = True
    await person.send("hello")
    assert (await ada.dm.next_message()).content == "hello"
    with pytest.raises(discord.Forbidden):
        await (await client.fetch_user(loopback.user("Stranger").id)).send("hello")


def _button(**fields: Any) -> dict[str, Any]:
    button = {"type": 2, "style": 1, "label": "Yes", "custom_id": "yes"} | fields
    return {"type": 1, "components": [button]}


@pytest.mark.parametrize(
    ("body", "code", "where"),
    [
        ({"content": "x" * 2001}, 50035, "In content"),
        ({"content": ""}, 50006, "empty message"),
        ({"content": "x", "nonce": "n" * 26}, 50035, "In nonce"),
        ({"components": [_button(custom_id=str(number)) for number in range(6)]}, 50035, "In components"),
        ({"components": [_button(), _button()]}, 50035, "In components.1.components.0.custom_id"),
        ({"components": [_button(custom_id="c" * 101)]}, 50035, "In components.0.components.0.custom_id"),
        ({"components": [_button(label="l" * 81)]}, 50035, "In components.0.components.0.label"),
        ({"components": [_button(type=3, options=[])]}, 50035, "In components.0.components.0.options"),
        ({"embeds": [{"title": "t", "description": "d" * 4096}] * 2}, 50035, "In embeds"),
        ({"embeds": [{"title": "t" * 257}]}, 50035, "In embeds.0.title"),
        ({"content": "x", "message_reference": {"message_id": "1"}}, 50035, "In message_reference"),
    ],
)
async def test_a_faulty_message_is_refused_with_the_place_of_the_fault(
    client: ListeningClient, general: Channel, body: dict[str, Any], code: int, where: str
) -> None:
    with pytest.raises(discord.HTTPException, match=where) as refused:
        await _asks(client, "POST", f"/channels/{general.id}/messages", **body)
    assert (refused.value.status, refused.value.code) == (400, code)


async def test_a_rate_limited_request_is_repeated_when_its_time_has_come(
    loopback: LoopbackDiscord, general: Channel, place: discord.PartialMessageable
) -> None:
    loopback.rate_limit("POST /channels/*/messages", 0.05)
    loopback.rate_limit("POST /channels/*/typing", 0.05, everywhere=True)
    await place.send("after a while")
    async with place.typing():
        pass
    statuses = [request.status for request in loopback.requests_to("POST /channels/*")]
    assert statuses == [429, 200, 429, 204]
    assert len(general.messages) == len(general.typing) == 1


async def test_a_limit_is_told_ahead_so_that_it_is_never_met(
    loopback: LoopbackDiscord, general: Channel, place: discord.PartialMessageable
) -> None:
    loopback.limit("POST /channels/{channel_id}/messages", 2, 0.2)
    for number in range(5):
        await place.send(str(number))
    assert {request.status for request in loopback.requests_to("POST /channels/*/messages")} == {200}
    assert (general.messages[-1].created_at - general.messages[0].created_at).total_seconds() > 0.35


async def test_a_server_error_is_tried_again(
    loopback: LoopbackDiscord, general: Channel, place: discord.PartialMessageable
) -> None:
    loopback.fail_next(status=502)
    await place.send("at last")
    assert [request.status for request in loopback.requests_to("POST /channels/*/messages")] == [502, 200]


async def test_history_is_read_in_pages(
    client: ListeningClient, lab: Guild, general: Channel, place: discord.PartialMessageable, ada: Member
) -> None:
    said = [await ada.says(general, f"{number}", mentions_bot=True) for number in range(120)]
    assert [message.id async for message in place.history(limit=None)] == [message.id for message in said[::-1]]
    after = place.history(limit=3, after=discord.Object(said[9].id))
    assert [message.id async for message in after] == [message.id for message in said[10:13]]
    around = place.history(limit=3, around=discord.Object(said[50].id))
    assert [message.id async for message in around] == [message.id for message in said[51:48:-1]]
    general.deny(lab.bot, Permission.READ_MESSAGE_HISTORY)
    assert [message async for message in place.history()] == []


async def test_a_thread_bears_its_messages_id_and_there_is_only_one(
    client: ListeningClient, lab: Guild, general: Channel, ada: Member
) -> None:
    question = await ada.says(general, "what?", mentions_bot=True)
    (heard,) = await client.hears(1)
    thread = await heard.create_thread(name="what?")
    await thread.send("this")
    assert question.thread
    assert (thread.id, question.thread.id, question.thread.name) == (question.id, question.id, "what?")
    assert (await question.thread.next_message()).content == "this"
    with pytest.raises(discord.HTTPException) as twice:
        await heard.create_thread(name="what?")
    assert twice.value.code == 160004
    general.deny(lab.bot, Permission.SEND_MESSAGES_IN_THREADS)
    with pytest.raises(discord.Forbidden):
        await thread.send("no more")


async def test_a_message_that_the_bot_was_not_told_is_not_told_by_the_api_either(
    place: discord.PartialMessageable, general: Channel, ada: Member
) -> None:
    quiet, loud = await ada.says(general, "to nobody"), await ada.says(general, "to you", mentions_bot=True)
    assert (await place.fetch_message(quiet.id)).content == ""
    assert (await place.fetch_message(loud.id)).content.endswith("to you")


async def test_members_are_found_over_the_gateway(client: ListeningClient, ada: Member) -> None:
    (found,) = await client.guilds[0].query_members(user_ids=[ada.id])
    assert (found.id, found.guild_permissions.manage_guild) == (ada.id, True)


async def test_a_slow_route_takes_its_time(
    loopback: LoopbackDiscord, general: Channel, place: discord.PartialMessageable
) -> None:
    loopback.slow("POST /channels/*/messages", 0.2)
    before = loopback.world.clock.now()
    await place.send("slowly")
    assert (general.messages[0].created_at - before).total_seconds() >= 0.2


async def test_reactions_are_kept_by_person(
    loopback: LoopbackDiscord, client: ListeningClient, general: Channel, ada: Member
) -> None:
    question = await ada.says(general, "what?", mentions_bot=True)
    (heard,) = await client.hears(1)
    await heard.add_reaction("👀")
    await ada.reacts(question, "👀")
    assert question.reactions == {"👀": [loopback.bot_user.id, ada.id]}
    assert client.user
    await heard.remove_reaction("👀", client.user)
    assert question.reactions == {"👀": [ada.id]}


async def test_a_file_may_lie_about_its_size_and_type(client: ListeningClient, general: Channel, ada: Member) -> None:
    await ada.says(
        general, mentions_bot=True, attachments=(Upload("cat.png", b"x" * 200_000, "image/png", claimed_size=10),)
    )
    (heard,) = await client.hears(1)
    assert (heard.attachments[0].size, heard.attachments[0].content_type) == (10, "image/png")
    assert len(await heard.attachments[0].read()) == 200_000


async def test_a_path_that_the_loopback_lacks_is_not_found_and_remembered(
    loopback: LoopbackDiscord, client: ListeningClient
) -> None:
    with pytest.raises(discord.NotFound):
        await _asks(client, "GET", "/guilds/1/telepathy")
    assert [request.path for request in loopback.unknown_requests] == ["/guilds/1/telepathy"]


async def test_commands_keep_their_ids_over_synchronisations(
    loopback: LoopbackDiscord, lab: Guild, client: ListeningClient
) -> None:
    @client.tree.command(description="Reload the knowledge base")
    @app_commands.default_permissions(manage_guild=True)
    async def reload(interaction: discord.Interaction[Any]) -> None:
        raise NotImplementedError

    (first,) = await client.tree.sync()
    (second,) = await client.tree.sync()
    client.tree.copy_global_to(guild=discord.Object(lab.id))
    await client.tree.sync(guild=discord.Object(lab.id))
    assert first.id == second.id
    assert [command["name"] for command in loopback.commands()] == ["reload"]
    assert loopback.commands(lab)[0]["default_member_permissions"] == str(Permission.MANAGE_GUILD.value)
    assert len(loopback.requests_to("PUT /applications/*/commands")) == 3


async def test_a_command_is_offered_only_to_whom_it_is_for(
    lab: Guild, general: Channel, client: ListeningClient
) -> None:
    @client.tree.command(description="Reload the knowledge base")
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    async def reload(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.send_message("done", ephemeral=True)

    await client.tree.sync()
    bob, eve = lab.member("Bob"), lab.member("Eve", permissions=Permission.MANAGE_GUILD)
    with pytest.raises(Unavailable, match="not for Bob"):
        await bob.invokes(general, "reload")
    with pytest.raises(Unavailable, match="not offered here"):
        await eve.invokes(eve.dm, "reload")
    with pytest.raises(Unavailable, match="no option"):
        await eve.invokes(general, "reload", {"hard": True})
    answer = await (await eve.invokes(general, "reload")).answer()
    assert (answer.content, answer.ephemeral, general.messages) == ("done", True, [])
