"""Lets people ask a real Preceptor on a Discord of this machine, and shows what that Discord got from it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from bot.application import Application
from drawing import club
from drawing.markup import of_discord
from drawing.page import Entry, Picture, between
from tests.adapters.loopback_discord import (
    Channel,
    Guild,
    Interaction,
    LoopbackDiscord,
    Member,
    Message,
    Permission,
    Role,
)
from tests.adapters.loopback_discord.sessions import Intent

_ONLY_YOU = "Only you can see this"
_PERSON = "Not helpful? Ask a person"


@dataclass(frozen=True, slots=True)
class _Server:
    """A server with the bot in it: Ada asks, Grace is on call, Marie is the chief."""

    discord: LoopbackDiscord
    guild: Guild
    physics: Channel
    homework: Channel
    ada: Member
    grace: Member
    marie: Member
    on_call: Role
    folder: Path

    def entry(self, message: Message, *, in_thread: bool = False, refers: bool = True) -> Entry:
        """Show a message."""
        reference = message.reference if refers else None
        return Entry(
            author=message.author.name,
            html=of_discord(message.content, self._names),
            is_app=message.author is self.discord.bot_user,
            buttons=tuple(str(button["label"]) for button in message.buttons),
            refers_to=self._quoted(reference) if reference else "",
            note=_ONLY_YOU if message.ephemeral else "",
            in_thread=in_thread,
            reactions=tuple(message.reactions),
        )

    def answered(self, interaction: Interaction, message: Message, command: str) -> Entry:
        """Show the answer to a command."""
        used = f"<b>{escape(interaction.user.name)}</b> used {escape(command)}"
        shown = self.entry(message)
        return Entry(shown.author, shown.html, True, shown.buttons, refers_to=used, note=shown.note)

    @property
    def _names(self) -> dict[str, str]:
        people = {str(member.id): member.name for member in self.guild.members.values()}
        roles = {str(role.id): role.name for role in self.guild.roles.values()}
        return people | roles

    def _quoted(self, message: Message) -> str:
        inner = of_discord(message.content.split("\n")[0], self._names).removeprefix("<p>").removesuffix("</p>\n")
        return f"<b>{escape(message.author.name)}</b> {inner}"

    async def asks(self, question: str) -> tuple[Message, Message]:
        """Have Ada ask with a mention; gives the question and the answer."""
        asked = await self.ada.says(self.physics, question, mentions_bot=True)
        return asked, await self.physics.next_answer()


@contextlib.asynccontextmanager
async def _server(folder: Path) -> AsyncIterator[_Server]:
    async with LoopbackDiscord(intents=Intent.MESSAGE_CONTENT) as discord:
        guild = discord.guild("Physics club")
        on_call = guild.role("on-call", mentionable=True)
        physics, homework = guild.channel("physics"), guild.channel("homework")
        section = {
            "enabled": True,
            "token": discord.token,
            "base_url": discord.rest_url,
            "message_content": True,
            "thread_channels": (str(homework.id),),
        }
        settings = club.settings(folder, discord=section, access={"admin_roles": ("discord:manage_server",)})
        marie = guild.member("Marie", permissions=Permission.MANAGE_GUILD)
        people = (guild.member("Ada"), guild.member("Grace", roles=(on_call,)), marie)
        application = Application(settings)
        async with application.running([application.adapter("discord")]):
            await discord.connected()
            await discord.until(lambda: bool(discord.commands()), 10)
            yield _Server(discord, guild, physics, homework, *people, on_call, folder)


async def pictures(folder: Path) -> list[Picture]:
    """Play all scenes with a Preceptor whose data lie in `folder`; gives what came of them."""
    async with _server(folder) as server:
        return [
            Picture("discord-answer", "discord", "# physics", await _answer(server)),
            Picture("discord-thread", "discord", "# homework", await _thread(server)),
            Picture("discord-private", "discord", "# physics", await _private(server)),
            Picture("discord-declined", "discord", "# physics", await _declined(server)),
            Picture("discord-person", "discord", "# physics", await _person(server)),
            Picture("discord-reload", "discord", "# physics", await _reload(server)),
        ]


async def _answer(server: _Server) -> tuple[Entry, ...]:
    question, answer = await server.asks(club.QUESTION)
    more = await server.ada.says(server.physics, club.FOLLOW_UP, reply_to=answer)
    return tuple(server.entry(one) for one in (question, answer, more, await server.physics.next_answer()))


async def _thread(server: _Server) -> tuple[Entry, ...]:
    question = await server.ada.says(server.homework, club.THREAD_QUESTION, mentions_bot=True)
    await server.discord.until(lambda: bool(server.homework.threads))
    (thread,) = server.homework.threads
    answer = await thread.next_answer()
    more = await server.ada.says(thread, club.THREAD_FOLLOW_UP)
    said = (answer, more, await thread.next_answer())
    opened = between(f"thread: {thread.name}")
    return (server.entry(question), opened, *(server.entry(one, in_thread=True, refers=False) for one in said))


async def _private(server: _Server) -> tuple[Entry, ...]:
    asked = await server.ada.invokes(server.physics, "ask", {"question": club.PRIVATE_QUESTION, "private": True})
    answer = await asked.answer()
    shown = server.answered(asked, answer, "/ask")
    await server.ada.presses(answer, "Share with everyone")
    shared = await server.physics.next_answer()
    return shown, between("after Ada pressed “Share with everyone”"), server.entry(shared, refers=False)


async def _declined(server: _Server) -> tuple[Entry, ...]:
    return tuple(map(server.entry, await server.asks(club.UNKNOWN)))


async def _person(server: _Server) -> tuple[Entry, ...]:
    set_up = await server.marie.invokes(server.physics, "people", {"who": server.on_call.mention})
    await set_up.answer()
    question, answer = await server.asks(club.HARD_QUESTION)
    before = tuple(map(server.entry, (question, answer)))
    await server.ada.presses(answer, _PERSON)
    call = await server.physics.next_answer()
    called = server.entry(call, refers=False)
    await server.grace.reacts(call, "✅")
    await server.discord.until(lambda: "Solved by" in call.content)
    return (*before, called, between("the same message after Grace put ✅ on it"), server.entry(call, refers=False))


async def _reload(server: _Server) -> tuple[Entry, ...]:
    club.add_files(server.folder)
    asked = await server.marie.invokes(server.physics, "reload")
    return (server.answered(asked, await asked.answer(10), "/reload"),)
