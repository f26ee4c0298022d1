"""What people may do with their conversations from a page: list, search, read and rename them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.conversation_list import ConversationList, Entry
from bot.conversations import Conversations, KeptMessage
from bot.errors import ConversationNotFoundError, QuestionError
from bot.feedback import Feedback, Verdict
from bot.messages import Citation, IncomingMessage, Reply, citation_document
from bot.question_text import clean
from knowledge.index.matching import matched

_NO_VERDICT = Verdict("", "")


class Wanted(BaseModel):
    """Which page of the list somebody wants; see `ConversationList.page`."""

    model_config = ConfigDict(extra="forbid")

    search: str = Field("", max_length=200)
    limit: int = Field(50, ge=1, le=200)
    before: str = Field("", max_length=100)


class ConversationDesk:
    """Lists conversations, hands them out and calls them otherwise: everybody's own alone."""

    def __init__(self, listed: ConversationList, conversations: Conversations, feedback: Feedback) -> None:
        self._list = listed
        self._conversations = conversations
        self._feedback = feedback

    async def list(self, message: IncomingMessage) -> Reply:
        """Give a page of the author's conversations; the text is a `Wanted` as JSON.

        Raises:
            QuestionError: it is not.
        """
        try:
            wanted = Wanted.model_validate_json(message.text or "{}")
        except ValidationError:
            raise QuestionError("I did not understand which conversations.", "GET /docs shows how to say it.") from None
        page = await self._list.page(message, clean(wanted.search), wanted.limit, wanted.before)
        titles = "\n".join(f"- {entry.title}" for entry in page.entries)
        document = {"conversations": [_listed(entry) for entry in page.entries], "next": page.next or None}
        return Reply(titles or "Nothing was said yet.", ephemeral=True, data=document)

    async def rename(self, message: IncomingMessage) -> Reply:
        """Call a conversation by the text of a message; an empty one brings back its first question.

        Raises:
            QuestionError: that is too long.
            ConversationNotFoundError: there is no such conversation of the author's.
        """
        entry = await self._list.rename(message, message.conversation_id, message.text)
        return Reply(f"It is called {entry.title} now.", ephemeral=True, data=_listed(entry))

    async def show(self, message: IncomingMessage) -> Reply:
        """Give a conversation with all that a page shows of it: citations, and what the author thinks of the answers.

        Raises:
            ConversationNotFoundError: there is no such conversation of the author's.
        """
        conversation_id = await self._conversations.continued_by(message) if message.conversation_id else ""
        if not conversation_id:
            raise ConversationNotFoundError("There is no such conversation.")
        said = await self._conversations.read(conversation_id)
        verdicts = await self._feedback.of_conversation(conversation_id, message.person_id)
        # In a long conversation there are many texts to be gone through.
        told = await asyncio.to_thread(_documents, said, verdicts)
        document = {"conversation_id": conversation_id, "messages": told}
        return Reply("", ephemeral=True, conversation_id=conversation_id, data=document)


def _listed(entry: Entry) -> dict[str, Any]:
    return {
        "conversation_id": entry.id,
        "title": entry.title,
        "started_at": entry.started_at.isoformat(),
        "last_at": entry.last_at.isoformat(),
        "messages": entry.messages,
    }


def _documents(said: Sequence[KeptMessage], verdicts: Mapping[int, Verdict]) -> list[dict[str, Any]]:
    documents, question = [], ""
    for message in said:
        if message.role == "question":
            question = message.text
            documents.append(_question(message))
        else:
            documents.append(_answer(message, question, verdicts.get(message.id, _NO_VERDICT)))
    return documents


def _question(message: KeptMessage) -> dict[str, Any]:
    return {
        "role": message.role,
        "text": message.text,
        "at": message.at.isoformat(),
        "capability": message.capability,
    }


def _answer(message: KeptMessage, question: str, verdict: Verdict) -> dict[str, Any]:
    return {
        "role": message.role,
        "text": message.text,
        "at": message.at.isoformat(),
        "capability": message.capability,
        "answer_id": str(message.id),
        "outcome": message.outcome,
        "confidence": round(message.confidence, 4),
        "generator": message.generator,
        "elapsed_ms": round(message.elapsed_ms, 1),
        "citations": [citation_document(_marked(citation, question)) for citation in message.citations],
        "verdict": verdict.verdict or None,
        "comment": verdict.comment,
    }


def _marked(citation: Citation, question: str) -> Citation:
    return replace(citation, matched=matched(question, citation.text))
