"""The commands people can give instead of asking, and who may give them."""

import difflib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from bot.access import Access
from bot.conversations import Conversations, KeptMessage
from bot.errors import CommandUnknownError
from bot.knowledge_desk import KnowledgeDesk, counted
from bot.messages import Button, IncomingMessage, Reply

_COMMAND = re.compile(r"/([^\W\d_][\w-]*)(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its name, what it does in one line, whether it is for admins alone."""

    name: str
    summary: str
    run: Callable[[IncomingMessage], Awaitable[Reply]]
    admin: bool = False


class Commands:
    """All commands. `run` checks access; it is the only way to one."""

    def __init__(self, access: Access, conversations: Conversations, knowledge: KnowledgeDesk) -> None:
        self._access = access
        self._conversations = conversations
        self._knowledge = knowledge
        commands = (
            Command("help", "What I can do.", self._help),
            Command("history", "What was said in this conversation.", self._history),
            Command("forget", "Delete what you asked and what I answered.", self._forget),
            Command("knowledge", "What I answer from.", lambda _: self._knowledge.describe()),
            Command("reload", "Read the knowledge base again.", lambda _: self._knowledge.reload(), admin=True),
        )
        self._commands: Mapping[str, Command] = {command.name: command for command in commands}

    def parse(self, message: IncomingMessage) -> IncomingMessage:
        """Give the message with its command named, where its text is one (``/forget yes``).

        Raises:
            CommandUnknownError: it is written as a command, and there is none of that name.
        """
        if message.command:
            return message
        written = _COMMAND.fullmatch(message.text.strip())
        if written is None:
            return message
        name = written[1].lower()
        if name not in self._commands:
            raise CommandUnknownError(f"There is no command /{name}.", self._nearest(name))
        return replace(message, command=name, text=(written[2] or "").strip())

    def _nearest(self, name: str) -> str:
        close = difflib.get_close_matches(name, self._commands, n=1, cutoff=0.5)
        return f"Did you mean /{close[0]}?" if close else "/help lists them all."

    async def run(self, message: IncomingMessage) -> Reply:
        """Do what `message.command` names.

        Raises:
            NotAllowedError: it is for admins, and the author is none.
            CommandUnknownError: there is none of that name.
        """
        command = self._commands.get(message.command)
        if command is None:
            raise CommandUnknownError(f"There is no command /{message.command}.", self._nearest(message.command))
        if command.admin:
            self._access.require_admin(message, f"/{command.name}")
        return await command.run(message)

    async def _help(self, message: IncomingMessage) -> Reply:
        mine = [c for c in self._commands.values() if not c.admin or self._access.is_admin(message)]
        lines = "\n".join(f"- `/{command.name}`: {command.summary}" for command in mine)
        text = f"Ask me in your own words: I answer from my knowledge base and say where it stands.\n\n{lines}"
        return Reply(text, ephemeral=True, data={"commands": [command.name for command in mine]})

    async def _history(self, message: IncomingMessage) -> Reply:
        conversation_id = await self._conversations.continued_by(message)
        if not conversation_id:
            return Reply("Nothing was said in this conversation yet.", ephemeral=True)
        said = await self._conversations.read(conversation_id)
        text = "\n\n".join(f"**{'You' if one.role == 'question' else 'I'}:** {one.text}" for one in said)
        document = {"conversation_id": conversation_id, "messages": [_document(one) for one in said]}
        return Reply(text, ephemeral=True, conversation_id=conversation_id, data=document)

    async def _forget(self, message: IncomingMessage) -> Reply:
        """Forget one conversation where the platform names it, else the whole person, after they confirmed it."""
        if message.conversation_id:
            await self._conversations.forget_conversation(await self._conversations.continued_by(message))
            return Reply("That conversation is deleted.", ephemeral=True)
        count = await self._conversations.count(message.person_id)
        if count is None:
            return Reply("I keep nothing of yours.", ephemeral=True)
        kept = counted(count, "conversation")
        if message.text.lower() != "yes":
            text = f"I keep {kept} of yours. `/forget yes` deletes all of it, for good."
            return Reply(text, ephemeral=True, buttons=(Button("Delete all of it", "yes", "forget"),))
        await self._conversations.forget_person(message.person_id)
        return Reply(f"Done: {kept} of yours deleted.", ephemeral=True, data={"conversations": count})


def _document(message: KeptMessage) -> dict[str, object]:
    document: dict[str, object] = {"role": message.role, "text": message.text, "at": message.at.isoformat()}
    if message.role == "answer":
        document |= {
            "outcome": message.outcome,
            "confidence": round(message.confidence, 4),
            "generator": message.generator,
            "elapsed_ms": round(message.elapsed_ms, 1),
            "citations": [
                {"title": c.title, "source": c.source, "location": c.location, "url": c.url} for c in message.citations
            ],
        }
    return document
