"""The client inside simcord, a second opinion beside the loopback: dispatch, commands, views, rights."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import discord
import simcord
from simcord.builders import ChannelHandle, GuildHandle

from adapters.discord.client import Client
from adapters.discord.rendering import parts_of
from adapters.discord.synchronising import synchronise
from bot.adapter import Receipt, Records
from bot.errors import OverloadedError
from bot.messages import Button, IncomingMessage, Reply
from bot.settings.tree import DiscordSettings

BUTTONS = (Button("👍", "up 1", "feedback"), Button("Ask a person", "1", "person"))


class _Titles(Records):
    async def titles(self, asker: IncomingMessage, limit: int) -> list[str]:
        return [title for title in ("Parking", "Opening hours") if title.startswith(asker.text)]


@dataclass
class _Core:
    """Stands where the core stands: keeps what it is handed, and answers when the test says so."""

    heard: list[IncomingMessage] = field(default_factory=list)
    full: bool = False

    async def accept(self, message: IncomingMessage) -> Receipt:
        if self.full:
            raise OverloadedError("1,000 messages are waiting before yours.", "Try again in a minute.")
        self.heard.append(message)
        return Receipt(is_new=True)

    @property
    def last(self) -> IncomingMessage:
        return self.heard[-1]

    async def answer(self, client: Client, text: str = "At 8.", **fields: object) -> None:
        message = self.last
        reply = Reply(text, in_reply_to=message.reference, route=message.route, ephemeral=message.private, **fields)  # type: ignore[arg-type]
        for part in parts_of(reply):
            await client.replies.send(message.place, part, f"{message.key}/{part.part}")


@dataclass
class _Stage:
    env: simcord.Env
    client: Client
    core: _Core
    guild: GuildHandle
    general: ChannelHandle


def _client(core: _Core) -> Client:
    return Client(DiscordSettings(token="simulated", shards=1), core.accept, _Titles())  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def _opened() -> AsyncIterator[_Stage]:
    core = _Core()
    client = _client(core)
    async with simcord.run(client) as env:
        guild = env.create_guild()
        await synchronise(client.tree, client.application_id or 0, (), Records())
        yield _Stage(env, client, core, guild, guild.create_text_channel("general"))


async def test_a_mention_is_handed_to_the_core_with_who_and_where() -> None:
    async with _opened() as stage:
        role = stage.guild.create_role("Staff", permissions=discord.Permissions(manage_guild=True))
        ada = stage.guild.add_member(stage.env.create_user("ada"), roles=[role])
        assert stage.client.user is not None
        await ada.send(stage.general, f"{stage.client.user.mention} When do you open?")
        heard = stage.core.last
        assert heard.text == "When do you open?"
        assert (heard.place.workspace, heard.place.channel) == (str(stage.guild.id), str(stage.general.id))
        assert heard.author.roles == {
            *("manage_server", f"role:{role.id}"),
            *(f"manage_server@{stage.guild.id}", f"role:{role.id}@{stage.guild.id}"),
        }
        await stage.core.answer(stage.client)
        answer = stage.general.last_message
        assert answer is not None
        assert answer.content == "At 8."
        assert answer.reference is not None
        assert str(answer.reference.message_id) == heard.message_id


async def test_what_is_not_for_the_bot_is_not_handed_on() -> None:
    async with _opened() as stage:
        ada = stage.guild.add_member(stage.env.create_user("ada"))
        await ada.send(stage.general, "Lunch?")
        assert not stage.core.heard


async def test_a_command_is_deferred_once_it_is_taken() -> None:
    async with _opened() as stage:
        ada = stage.guild.add_member(stage.env.create_user("ada"))
        result = await ada.slash(stage.general, "ask", question="When do you open?")
        assert result.deferred
        assert not result.ephemeral
        assert stage.core.last.text == "When do you open?"
        assert stage.core.last.command == "ask"


async def test_a_private_command_stays_private() -> None:
    async with _opened() as stage:
        ada = stage.guild.add_member(stage.env.create_user("ada"))
        result = await ada.slash(stage.general, "ask", question="When do you open?", private=True)
        assert result.ephemeral
        assert stage.core.last.private


async def test_who_finds_no_room_is_told_at_once_and_alone() -> None:
    async with _opened() as stage:
        ada = stage.guild.add_member(stage.env.create_user("ada"))
        stage.core.full = True
        result = await ada.slash(stage.general, "ask", question="When do you open?")
        assert result.ephemeral
        assert result.response is not None
        assert result.response.content == "1,000 messages are waiting before yours. Try again in a minute."
        assert stage.client.user is not None
        await ada.send(stage.general, f"{stage.client.user.mention} When do you open?")
        told = stage.general.last_message
        assert told is not None
        assert "1,000 messages are waiting" in told.content


async def test_completion_offers_titles() -> None:
    async with _opened() as stage:
        ada = stage.guild.add_member(stage.env.create_user("ada"))
        choices = await ada.autocomplete(stage.general, "ask", "question", "Par")
        assert [choice["name"] for choice in choices] == ["Parking"]


async def test_a_context_menu_takes_the_message_it_was_opened_on() -> None:
    async with _opened() as stage:
        ada = stage.guild.add_member(stage.env.create_user("ada"))
        grace = stage.guild.add_member(stage.env.create_user("grace"))
        question = await grace.send(stage.general, "When do you open?")
        await ada.context_menu(stage.general, "Answer this", question)
        assert stage.core.last.text == "When do you open?"
        assert stage.core.last.message_id == str(question.id)
        assert stage.core.last.author.id == str(ada.id)


async def test_admin_commands_are_offered_to_those_who_manage_the_server_only() -> None:
    async with _opened() as stage:
        ada = stage.guild.add_member(stage.env.create_user("ada"))
        role = stage.guild.create_role("Staff", permissions=discord.Permissions(manage_guild=True))
        chief = stage.guild.add_member(stage.env.create_user("chief"), roles=[role])
        for_all, for_chiefs = set(ada.available_commands(stage.general)), set(chief.available_commands(stage.general))
        assert for_chiefs - for_all == {"reload", "stats", "people", "access", "audit", "settings", "delivery"}


async def test_buttons_are_heard_also_by_the_next_process() -> None:
    async with _opened() as stage:
        ada = stage.guild.add_member(stage.env.create_user("ada"))
        assert stage.client.user is not None
        await ada.send(stage.general, f"{stage.client.user.mention} When do you open?")
        await stage.core.answer(stage.client, buttons=BUTTONS)
        answer = stage.general.last_message
        assert answer is not None
        assert not stage.client.persistent_views, "discord.py need not remember any message"
        await stage.env.restart_bot(_client(stage.core))
        pressed = await ada.click(answer, label="Ask a person")
        assert pressed.deferred
        assert (stage.core.last.command, stage.core.last.text) == ("person", "1")
        assert stage.core.last.about == f"{stage.general.id}/{answer.id}"


async def test_a_missing_right_is_named_to_the_asker() -> None:
    async with _opened() as stage:
        user = stage.env.create_user("ada")
        ada = stage.guild.add_member(user)
        me = stage.client.user
        assert me is not None
        no_writing = discord.PermissionOverwrite(send_messages=False)
        quiet = stage.guild.create_text_channel("quiet", overwrites={me: no_writing})
        await ada.send(quiet, f"{me.mention} When do you open?")
        await stage.core.answer(stage.client)
        told = user.dm_channel.last_message
        assert told is not None
        assert "“Send Messages”" in told.content
        assert quiet.last_message is None or quiet.last_message.author.id != me.id
