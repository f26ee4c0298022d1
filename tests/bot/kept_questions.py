"""A database in which questions are answered and delivered as the bot does it, for tests of what is done with them."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from bot.conversations import Conversations
from bot.database import Database
from bot.delivery import Delivery, Part, idempotency_key
from bot.forgetting import Forgetting
from bot.messages import Author, Citation, IncomingMessage, Place, Reply

GENERAL = Place("memory", "lab", "general")
CITATION = Citation(1, "Opening hours", "The office opens at 8.", "handbook.md", "line 3", "", 0.9)


@dataclass(frozen=True)
class Person:
    """Somebody in a channel."""

    id: str
    place: Place = GENERAL
    roles: frozenset[str] = frozenset()

    def message(self, text: str = "", **fields: Any) -> IncomingMessage:
        author = Author(self.id, self.id.title(), self.roles)
        return IncomingMessage(fields.pop("key", uuid.uuid4().hex), self.place, author, text, **fields)

    def elsewhere(self, place: Place) -> "Person":
        return replace(self, place=place)


@dataclass
class KeptQuestions:
    """Takes messages and what the bot said to them, and writes both down."""

    database: Database
    conversations: Conversations = field(init=False)
    delivery: Delivery = field(init=False)
    forgetting: Forgetting = field(init=False)

    def __post_init__(self) -> None:
        self.conversations = Conversations(self.database, timedelta(hours=1))
        self.delivery = Delivery(self.database)
        self.forgetting = Forgetting(self.database)

    async def answered(self, message: IncomingMessage, text: str = "It opens at 8.", **fields: Any) -> int:
        """Have a question answered; give the answer's number. It stands as ``answer to KEY``."""
        answer_id = self.conversations.next_answer_id()
        conversation_id = await self.conversations.continued_by(message) or uuid.uuid4().hex
        said: dict[str, Any] = {"outcome": "answered", "generator": "extractive", "citations": (CITATION,)}
        said |= {"conversation_id": conversation_id, "answer_id": answer_id, "question": message.text}
        reply = Reply(text, **(said | fields))
        await self.delivery.accept(message)
        await self.database.write(self.conversations.keeping(message, reply))
        await self.deliver(message, reply, f"answer to {message.key}")
        return answer_id

    async def deliver(self, message: IncomingMessage, reply: Reply, sent_id: str) -> None:
        """Write down that a reply was sent."""
        await self.delivery.accept(message)
        part = Part(idempotency_key(message, 0), reply)
        await self.database.write(self.delivery.putting_out(message, [part]))
        await self.delivery.close(message, reply.outcome, [replace(part, sent_id=sent_id, is_sent=True)], reply.revises)
