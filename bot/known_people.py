"""The people of whom conversations are kept, found by name or id."""

from typing import Any

from sqlalchemy import func, select

from bot.access import Access
from bot.database import Database
from bot.errors import NotAllowedError, QuestionError
from bot.messages import IncomingMessage, Reply
from bot.tables import conversations, people

MOST = 200

_DEFAULT = 50


class KnownPeople:
    """The command ``known_people``; for those who may act for everybody."""

    def __init__(self, database: Database, access: Access) -> None:
        self._database = database
        self._access = access

    async def tell(self, message: IncomingMessage) -> Reply:
        """List people by the text, ``50 ada``: how many, and a part of the name or id; with nothing behind it, any.

        Raises:
            QuestionError: the text says no number.
            NotAllowedError: the author is an admin of one place alone.
        """
        require_operator(self._access, message)
        number, _, words = message.text.strip().partition(" ")
        if number and not (number.isascii() and number.isdecimal() and 1 <= int(number[:9]) <= MOST):
            raise QuestionError("That asks for nobody.", f"Write how many, 1 to {MOST}, and a part of the name or id.")
        found = await self._found(words.strip(), int(number or _DEFAULT))
        lines = "\n".join(f"- `{one['id']}`" for one in found) or "Conversations are kept of nobody of that name."
        return Reply(lines, ephemeral=True, data={"people": found})

    async def _found(self, words: str, most: int) -> list[dict[str, Any]]:
        of_theirs = conversations.c.person_id == people.c.id
        kept = select(func.count(), func.max(conversations.c.last_at)).where(of_theirs)
        number, last = (kept.with_only_columns(column).scalar_subquery() for column in kept.selected_columns)
        like = people.c.name.icontains(words, autoescape=True) | people.c.id.icontains(words, autoescape=True)
        query = select(people.c.id, people.c.name, number, last).where(like).order_by(people.c.name, people.c.id)
        rows = await self._database.read(lambda connection: connection.execute(query.limit(most)).all())
        return [
            {"id": person_id, "name": name, "conversations": count, "last_at": at.isoformat() if at else None}
            for person_id, name, count, at in rows
        ]


def require_operator(access: Access, message: IncomingMessage) -> None:
    """Let pass who is an admin of all places.

    Raises:
        NotAllowedError: for everybody else.
    """
    if not access.is_operator(message):
        raise NotAllowedError("That is for admins of all places.", "Those whom access.admins names, and admin keys.")
