"""Access on the real platforms' libraries: roles, owners, categories, threads, direct messages, slash commands."""

from collections.abc import AsyncIterator
from pathlib import Path

import discord_lab
import pytest
import slack_lab
from loopback_discord import Channel, Member, Message

ANSWER = "8 in the morning"
QUESTION = "When does the office open?"
REFUSED = "You may not ask me here"
PAIRING = "pair with me"
_CATEGORY = 4


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[discord_lab.Lab]:
    """A server with a staff's room, and another one in a category of theirs."""
    async with discord_lab.lab(tmp_path) as opened:
        yield opened


async def heard(lab: discord_lab.Lab, who: Member, channel: Channel) -> Message | None:
    """Ask with a mention, and give what is answered there; None where the asker alone is told."""
    before, told = len(channel.bot_messages), len(who.dm.bot_messages)
    await who.says(channel, QUESTION, mentions_bot=True)
    await lab.discord.until(lambda: len(channel.bot_messages) > before or len(who.dm.bot_messages) > told)
    await lab.discord.calm()
    return channel.bot_messages[-1] if len(channel.bot_messages) > before else None


def rules(lab: discord_lab.Lab, **access: object) -> None:
    section = lab.settings.access.model_validate(access)
    lab.settings = lab.settings.model_copy(update={"access": section})


async def test_on_discord_a_room_is_closed_to_all_but_a_role(server: discord_lab.Lab) -> None:
    staff = server.guild.role("Staff")
    grace, room, hall = server.guild.member("Grace", roles=(staff,)), server.guild.channel("room"), server.general
    where = f"discord/{server.guild.id}/{room.id}"
    rules(server, allow=[{"who": [f"discord:role:{staff.id}"], "where": [where]}])
    async with server.running():
        assert await heard(server, server.ada, room) is None
        (told,) = server.ada.dm.bot_messages
        assert REFUSED in told.content
        assert f"<#{room.id}>" in told.content
        thread = await grace.starts_thread(room, "a matter")
        for who, place, lets_in in ((grace, room, True), (grace, thread, True), (server.ada, hall, True)):
            answer = await heard(server, who, place)
            assert (answer is not None and ANSWER in answer.content) is lets_in
        await server.ada.says(thread, QUESTION, mentions_bot=True)
        await server.discord.calm()
        assert len(server.ada.dm.bot_messages) == 1, "told once an hour"
        for _ in range(2):
            asked = await server.ada.invokes(room, "ask", {"question": QUESTION, "private": True})
            answer = await asked.answer()
            assert REFUSED in answer.content
            assert answer.ephemeral


async def test_on_discord_a_category_is_closed_and_the_servers_owner_is_an_admin(server: discord_lab.Lab) -> None:
    category, room = server.guild.channel("Staff only"), server.guild.channel("room")
    category.kind, room.parent = _CATEGORY, category
    owner = server.guild.member("Owner")
    server.guild.owner_id = owner.user.id
    where = f"discord/{server.guild.id}/category:{category.id}"
    rules(server, deny=[{"where": [where]}], admin_roles=["discord:owner"])
    async with server.running():
        assert await heard(server, server.ada, room) is None
        assert ANSWER in (await server.ask(QUESTION)).content
        answer = await heard(server, owner, room)
        assert answer is not None
        assert ANSWER in answer.content
        thread = await server.ada.starts_thread(room, "a matter")
        before = len(thread.bot_messages)
        asked = await server.ada.invokes(thread, "ask", {"question": QUESTION})
        assert REFUSED in (await asked.answer()).content
        assert all(ANSWER not in message.content for message in thread.bot_messages[before:])


async def test_on_discord_direct_messages_are_off(server: discord_lab.Lab) -> None:
    rules(server, direct_messages={"discord": "off"})
    async with server.running():
        await server.ada.says(server.ada.dm, QUESTION)
        assert REFUSED in (await server.ada.dm.next_answer()).content
        await server.ada.says(server.ada.dm, QUESTION)
        assert ANSWER in (await server.ask(QUESTION)).content
        await server.discord.calm()
        assert len(server.ada.dm.bot_messages) == 1


async def test_on_discord_direct_messages_are_by_pairing(server: discord_lab.Lab) -> None:
    chief = server.guild.member("Chief", permissions=discord_lab.Permission.MANAGE_GUILD)
    rules(server, direct_messages="pairing", admin_roles=["discord:manage_server"])
    async with server.running():
        direct = server.ada.dm
        await server.ada.says(direct, QUESTION)
        assert PAIRING in (await direct.next_answer()).content
        made = await (await chief.invokes(server.general, "access", {"change": "pair"})).answer()
        assert made.ephemeral
        code = made.content.partition("`")[2].partition("`")[0]
        await server.ada.says(direct, f"pair {code}")
        assert "paired" in (await direct.next_answer()).content
        await server.ada.says(direct, QUESTION)
        assert ANSWER in (await direct.next_answer()).content


async def test_on_discord_an_admin_writes_rules_with_mentions(server: discord_lab.Lab) -> None:
    chief = server.guild.member("Chief", permissions=discord_lab.Permission.MANAGE_GUILD)
    room = server.guild.channel("room")
    rules(server, admin_roles=["discord:manage_server"])
    async with server.running():
        change = f"deny {server.ada.mention} in <#{room.id}> to ask"
        made = await (await chief.invokes(server.general, "access", {"change": change})).answer()
        assert f"deny `discord:{server.ada.id}` in `discord/{server.guild.id}/{room.id}` to `ask`" in made.content
        assert await heard(server, server.ada, room) is None
        assert ANSWER in (await server.ask(QUESTION)).content
        used = await (await chief.invokes(server.general, "audit")).answer()
        assert f"discord:{chief.id}" in used.content
        assert used.ephemeral


async def test_on_discord_whoever_may_not_ask_is_offered_no_titles(server: discord_lab.Lab) -> None:
    grace = server.guild.member("Grace")
    rules(server, deny=[{"who": [f"discord:{server.ada.id}"]}])
    async with server.running():
        for who, offered in ((server.ada, 0), (grace, 3)):
            typed = await who.types(server.general, "ask", "question", "Newton")
            await typed.response()
            assert len(typed.choices) == offered


# Slack


async def test_on_slack_a_channel_is_closed_to_all_but_a_group(tmp_path: Path) -> None:
    async with slack_lab.lab(tmp_path) as lab:
        room, grace = lab.slack.channel("room"), lab.slack.user("Grace")
        group = lab.slack.usergroup("staff", [grace])
        rule = {"who": [f"slack:group:{group.id}"], "where": [f"slack/{lab.slack.team}/{room.id}"]}
        section = lab.settings.access.model_validate({"allow": [rule]})
        lab.settings = lab.settings.model_copy(update={"access": section})
        async with lab.running():
            assert ANSWER in (await lab.ask()).shown
            assert not lab.slack.calls_of("usergroups.list"), "roles are asked for where a rule needs them"
            told = await lab.ask(channel=room)
            assert REFUSED in told.shown
            assert told.ephemeral_for == lab.ada.id
            await lab.ada.says(room, f"<@BOT> {QUESTION}")
            await lab.calm()
            assert len(room.from_bot) == 1, "told once an hour"
            await lab.ada.commands(room, "/ask", QUESTION)
            again = await room.next_message()
            assert REFUSED in again.shown
            assert again.ephemeral_for == lab.ada.id
            await grace.says(room, f"<@BOT> {QUESTION}")
            assert ANSWER in (await room.message_that(ANSWER)).shown


async def test_on_slack_where_it_does_not_tell_nobody_gets_in_by_a_group(tmp_path: Path) -> None:
    async with slack_lab.lab(tmp_path) as lab:
        group = lab.slack.usergroup("shut out", [])
        section = lab.settings.access.model_validate({"deny": [{"who": [f"slack:group:{group.id}"]}]})
        lab.settings = lab.settings.model_copy(update={"access": section})
        async with lab.running():
            lab.slack.fail_next("usergroups.list", error="missing_scope")
            assert REFUSED in (await lab.ask()).shown
            await lab.ada.commands(lab.general, "/ask", QUESTION)
            assert ANSWER in (await lab.general.message_that(ANSWER)).shown


async def test_on_slack_direct_messages_are_by_pairing(tmp_path: Path) -> None:
    access = {"direct_messages": {"slack": "pairing"}, "admin_roles": ["slack:owner"]}
    async with slack_lab.running_lab(tmp_path, access=access) as lab:
        boss, direct = lab.slack.user("Boss", owner=True), lab.slack.dm(lab.ada)
        await lab.ada.says(direct, QUESTION)
        await direct.message_that(PAIRING)
        await boss.commands(lab.general, "/preceptor", "access pair")
        made = await lab.general.next_message()
        assert made.ephemeral_for == boss.id
        code = made.shown.partition("`")[2].partition("`")[0]
        await lab.ada.says(direct, f"pair {code}")
        await direct.message_that("we are paired")
        await lab.ada.says(direct, QUESTION)
        await direct.message_that(ANSWER)


async def test_on_slack_whoever_may_not_ask_is_shown_no_titles(tmp_path: Path) -> None:
    async with slack_lab.lab(tmp_path) as lab:
        section = lab.settings.access.model_validate({"deny": [{"who": [f"slack:{lab.ada.id}"]}]})
        lab.settings = lab.settings.model_copy(update={"access": section})
        async with lab.running():
            await lab.ada.opens_home()
            await lab.slack.until(lambda: lab.ada.home is not None)
            assert "For example" not in str(lab.ada.home and lab.ada.home.content)
            thread = await lab.ada.opens_assistant()
            await lab.calm()
            assert not thread.prompts


async def test_on_slack_an_admin_writes_rules_with_mentions(tmp_path: Path) -> None:
    async with slack_lab.running_lab(tmp_path, access={"admin_roles": ["slack:owner"]}) as lab:
        boss, room = lab.slack.user("Boss", owner=True), lab.slack.channel("room")
        change = f"access deny <@{lab.ada.id}|ada> in <#{room.id}|room> to ask"
        await boss.commands(lab.general, "/preceptor", change)
        made = await lab.general.next_message()
        assert f"deny slack:{lab.ada.id} in slack/{lab.slack.team}/{room.id} to ask" in made.shown.replace("`", "")
        assert REFUSED in (await lab.ask(channel=room)).shown
        assert ANSWER in (await lab.ask()).shown
