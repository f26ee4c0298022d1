"""What its asker alone saw is posted for everybody, when they ask for that: once."""

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from bot.conversations import Conversations
from bot.database import Database
from bot.delivery import inbox_key
from bot.errors import ConversationNotFoundError
from bot.kept_answers import number_in
from bot.messages import IncomingMessage, Reply
from bot.picture_words import ALT_TEXT, alt_texts
from bot.question_text import LONGEST_QUOTE, plain, shortened
from bot.tables import postings

_NOTE = insert(postings).on_conflict_do_nothing()


class Postings:
    """Does what the buttons "Share with everyone" and "Post the alt text" say."""

    def __init__(self, database: Database, conversations: Conversations) -> None:
        self._database = database
        self._conversations = conversations

    async def share(self, message: IncomingMessage) -> Reply:
        """Show everybody an answer that only the asker saw."""
        kept = await self._conversations.kept_answer(number_in(message.text), message.person_id)
        if kept is None:
            raise ConversationNotFoundError("I no longer keep that answer.", "Ask again.")
        question, answer = kept
        if not await self._is_first(message, answer.id):
            return Reply("That answer is shared already.", ephemeral=True)
        asked = shortened(question.text, LONGEST_QUOTE)
        name = plain(message.author.name or message.author.id)
        return Reply(f"**{name}** asked: {plain(asked)}\n\n{answer.text}", citations=answer.citations)

    async def alt_text(self, message: IncomingMessage) -> Reply:
        """Post the alt text of the pictures that an answer told of, for everybody and ready to be copied."""
        kept = await self._conversations.kept_answer(number_in(message.text), message.person_id)
        texts = alt_texts(kept[1].text) if kept else []
        if kept is None or not texts:
            raise ConversationNotFoundError("I no longer keep that description.", "Show me the picture once more.")
        if not await self._is_first(message, kept[1].id):
            return Reply("That alt text is posted already.", ephemeral=True)
        return Reply("\n\n".join(f"{ALT_TEXT}{plain(text)}" for text in texts))

    async def _is_first(self, message: IncomingMessage, answer_id: int) -> bool:
        """Note who posts an answer; False where another press of the button has."""
        row = {"message_id": answer_id, "command": message.command, "inbox_key": inbox_key(message)}
        by = select(postings.c.inbox_key).where(
            postings.c.message_id == answer_id, postings.c.command == message.command
        )

        def _note(connection: Connection) -> str | None:
            connection.execute(_NOTE, row)
            return connection.scalar(by)

        # The same press comes again where a crash came between this and its reply.
        return await self._database.transact(_note) == row["inbox_key"]
