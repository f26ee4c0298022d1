"""Replies that were given up: which they are, why, and how they are tried once more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, func, null, select, update

from bot.access import Access
from bot.database import Database
from bot.errors import QuestionError
from bot.messages import IncomingMessage, Reply
from bot.question_text import plain
from bot.tables import inbox, undelivered

_LISTED = 20
"""Replies that are named in a chat at the most."""

_RETRY = "retry"

_set_aside = (
    select(undelivered.c.inbox_key, inbox.c.place_id, undelivered.c.since, undelivered.c.reason)
    .join(inbox, inbox.c.key == undelivered.c.inbox_key)
    .where(inbox.c.outcome == "undelivered", inbox.c.payload.is_not(None))
    .order_by(undelivered.c.since)
)
_OPEN_AGAIN = (
    update(inbox)
    .where(inbox.c.key == bindparam("again"))
    .values(is_open=True, outcome=null(), claimed_by=bindparam("nobody"))
)
_NOTE_RETRY = (
    update(undelivered).where(undelivered.c.inbox_key == bindparam("again")).values(retried_at=bindparam("at"))
)


@dataclass(frozen=True, slots=True)
class SetAside:
    """A reply that was given up: its message's key in the inbox, the place's id, since when (UTC), and why."""

    key: str
    place_id: str
    since: datetime
    reason: str


class Undelivered:
    """The replies that were given up, and are kept for a while (`delivery.undelivered_days`).

    Those of places where nothing is kept are not among them.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def listed(self, within: str = "") -> list[SetAside]:
        """Give those of a workspace (`Place.workspace_id`), or all, oldest first.

        Raises:
            StorageError: the database cannot be read.
        """
        return await self._database.read(lambda connection: _within(connection, within))

    async def retry(self, within: str = "", key: str = "") -> int:
        """Have one, or all of a workspace, tried again; a process that runs takes them up within seconds.

        Returns:
            how many there are.

        Raises:
            StorageError: the database cannot be written.
        """
        now = datetime.now(UTC)

        def _open_again(connection: Connection) -> int:
            keys = [one.key for one in _within(connection, within) if key in ("", one.key)]
            for again in keys:
                connection.execute(_OPEN_AGAIN, {"again": again, "nobody": ""})
                connection.execute(_NOTE_RETRY, {"again": again, "at": now})
            return len(keys)

        return await self._database.transact(_open_again)


class UndeliveredDesk:
    """What admins see of that in the chats: of their own server or workspace, and operators all."""

    def __init__(self, undelivered: Undelivered, access: Access) -> None:
        self._undelivered = undelivered
        self._access = access

    async def show_or_retry(self, message: IncomingMessage) -> Reply:
        """List what was given up, or have it tried again: ``retry``, or ``retry KEY``.

        Raises:
            QuestionError: the text says neither.
        """
        within = "" if self._access.is_operator(message) else message.place.workspace_id
        word, _, key = message.text.strip().partition(" ")
        if word.lower() == _RETRY:
            number = await self._undelivered.retry(within, key.strip())
            text = f"I try {_replies(number)} again." if number else "There is nothing to be tried again."
            return Reply(text, ephemeral=True, data={"retried": number})
        if word.lower() not in ("", "list"):
            raise QuestionError(
                "I know no such thing to do.", "Write `list`, `retry`, or `retry` and a key of the list."
            )
        return await self.show(message)

    async def show(self, message: IncomingMessage) -> Reply:
        """List what was given up."""
        within = "" if self._access.is_operator(message) else message.place.workspace_id
        found = await self._undelivered.listed(within)
        data = {"undelivered": [document(one) for one in found]}
        return Reply(in_words(found[:_LISTED], len(found)), ephemeral=True, data=data)


def document(one: SetAside) -> dict[str, str]:
    """Give the JSON form of one."""
    return {"key": one.key, "place": one.place_id, "since": one.since.isoformat(), "reason": one.reason}


def in_words(found: Sequence[SetAside], number: int) -> str:
    """List replies that were given up, in CommonMark; `number` is how many there are in all."""
    if not found:
        return "All replies were delivered."
    lines = [f"- `{one.key}` in `{one.place_id}`, {one.since:%Y-%m-%d %H:%M} UTC: {plain(one.reason)}" for one in found]
    more = f"\n- and {number - len(found):,} more" if number > len(found) else ""
    return f"{_replies(number).capitalize()} could not be delivered:\n\n" + "\n".join(lines) + more


def _replies(number: int) -> str:
    return f"{number:,} {'reply' if number == 1 else 'replies'}"


def _within(connection: Connection, workspace_id: str) -> list[SetAside]:
    query = _set_aside
    if workspace_id:
        prefix = f"{workspace_id}/"
        # Names of workspaces may hold signs that LIKE takes for others.
        query = query.where(func.substr(inbox.c.place_id, 1, len(prefix)) == prefix)
    return [SetAside(*row) for row in connection.execute(query)]
