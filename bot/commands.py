"""The commands people can give instead of asking, and who may give them."""

import difflib
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from bot.access import Access
from bot.access_rules import counted_as
from bot.conversations import Conversations, KeptMessage
from bot.errors import CommandUnknownError
from bot.knowledge_desk import KnowledgeDesk
from bot.messages import Button, IncomingMessage, Place, Reply
from bot.picture_words import alt_texts

WORD_FOR_DIAGNOSIS = re.compile(r"(diagnose)\s*[:\u2013\u2014-]\s*(.*)", re.DOTALL | re.IGNORECASE)
"""How the command is written where there is no menu of commands: "diagnose: itchy red patches"."""

_WORD_FOR_PICTURES = re.compile(r"(describe)\s*:\s*(.*)", re.DOTALL | re.IGNORECASE)
"""The same beside a picture."""

_WORD_FOR_PAIRING = re.compile(r"(pair)\s+(\S{4}[\s-]?\S{4})", re.IGNORECASE)
"""How somebody pairs in a direct message: "pair 7KQM-2XPA"."""

_COMMAND = re.compile(r"/([^\W\d_][\w-]*)(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """A command.

    Attributes:
        name: how it is called.
        summary: what it does, in one line; empty for what buttons send, which nobody types.
        run: does it; None where it is put to `bot.asking`.
        admin: whether it is for admins alone.
        is_noted: whether the audit has a use of an admin command; not where a page only looks, again and again.
    """

    name: str
    summary: str
    run: Callable[[IncomingMessage], Awaitable[Reply]] | None
    admin: bool = False
    is_noted: Callable[[IncomingMessage], bool] = lambda _: True


class Commands:
    """All commands. `run` checks access; it is the only way to one.

    Args:
        access: who may do what.
        conversations: what was said.
        knowledge: what the answers come from.
        others: the commands of other capabilities.
        person_buttons: gives the button that calls a person, for an answer in a place; none where nobody is set.
        spelled: gives a command as people write it in a place.
    """

    def __init__(
        self,
        access: Access,
        conversations: Conversations,
        knowledge: KnowledgeDesk,
        others: Iterable[Command],
        person_buttons: Callable[[Place, int], Awaitable[tuple[Button, ...]]],
        spelled: Callable[[Place, str], str],
    ) -> None:
        self._access = access
        self._conversations = conversations
        self._knowledge = knowledge
        self._person_buttons = person_buttons
        self._spelled = spelled
        commands = (
            Command("help", "What I can do.", self._help),
            Command("history", "What was said in this conversation.", self._history),
            Command("knowledge", "What I answer from.", lambda _: self._knowledge.describe()),
            Command("reload", "Read the knowledge base again.", lambda _: self._knowledge.reload(), admin=True),
            Command("diagnose", "What a description of symptoms may point to.", None),
            Command("describe", "What is in a picture.", None),
            *others,
        )
        self._commands: Mapping[str, Command] = {command.name: command for command in commands}

    async def buttons(self, place: Place, reply: Reply, private: bool) -> tuple[Button, ...]:
        """Give what belongs under an answer that is kept: how good it was, a person instead, and sharing it."""
        if not reply.answer_id:
            return ()
        answer = str(reply.answer_id)
        judge = (Button("👍", f"up {answer}", "feedback"), Button("👎", f"down {answer}", "feedback"))
        if reply.capability == "diagnosis":
            # What somebody said of their body is shown to nobody else.
            return judge
        if reply.capability == "picture":
            post = (Button("Post the alt text", answer, "alt_text"),) if alt_texts(reply.text) else ()
            return (*judge, *post)
        person = await self._person_buttons(place, reply.answer_id)
        if not private:
            return (*judge, *person)
        # Whoever is asked is asked where all can read it.
        person = tuple(replace(button, label="Ask a person, for all here to see") for button in person)
        return (*judge, *person, Button("Share with everyone", answer, "share"))

    def parse(self, message: IncomingMessage) -> IncomingMessage:
        """Give the message with its command named, where its text is one (``/forget yes``, ``diagnose: …``).

        Raises:
            CommandUnknownError: it is written as a command, and there is none of that name.
        """
        if message.command:
            return message
        text = message.text.strip()
        words = (
            WORD_FOR_DIAGNOSIS,
            *((_WORD_FOR_PICTURES,) if message.attachments else ()),
            *((_WORD_FOR_PAIRING,) if message.place.is_direct else ()),
        )
        written = next(filter(None, (form.fullmatch(text) for form in (_COMMAND, *words))), None)
        if written is None:
            return message
        name = written[1].lower()
        if name not in (*self._listed, "ask"):
            raise self._unknown(message, name)
        return replace(message, command=name, text=(written[2] or "").strip())

    @property
    def _listed(self) -> list[str]:
        return [command.name for command in self._commands.values() if command.summary]

    def _unknown(self, message: IncomingMessage, name: str) -> CommandUnknownError:
        close = difflib.get_close_matches(name, self._listed, n=1, cutoff=0.5)
        near = f"Did you mean {self._spelled(message.place, close[0])}?" if close else ""
        fix = near or f"{self._spelled(message.place, 'help')} lists them all."
        return CommandUnknownError(f"There is no command {self._spelled(message.place, name)}.", fix)

    async def run(self, message: IncomingMessage) -> Reply:
        """Do what `message.command` names.

        Raises:
            NotAllowedError: it is for admins, and the author is none.
            StorageError: its use cannot be noted, so that it was not done.
            CommandUnknownError: there is none of that name.
        """
        command = self._commands.get(message.command)
        if command is None or command.run is None:
            raise self._unknown(message, message.command)
        if not command.admin:
            return await command.run(message)
        return await self._run_for_admins(message, command, command.run)

    async def _run_for_admins(
        self, message: IncomingMessage, command: Command, run: Callable[[IncomingMessage], Awaitable[Reply]]
    ) -> Reply:
        """Do what only admins may, and those to whom a rule gives it; each use that does something is in the audit."""
        await self._access.require(message, counted_as(command.name))
        if self._access.audit is None or not command.is_noted(message):
            return await run(message)
        async with self._access.audit.noting(message, command.name) as replies:
            reply = await run(message)
            replies.append(reply)
            return reply

    async def _help(self, message: IncomingMessage) -> Reply:
        listed = (command for command in self._commands.values() if command.summary)
        mine = [command for command in listed if await self._access.offers(message, command.name)]
        lines = "\n".join(f"- `{self._spelled(message.place, command.name)}`: {command.summary}" for command in mine)
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
