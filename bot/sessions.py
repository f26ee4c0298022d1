"""Sessions of people who signed in with a key, or go on as guests, over HTTP: what the database knows of them.

Only digests are kept: whoever reads the database can neither sign in nor take over a session.
"""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from bot.adapter import Opened, Session
from bot.database import Change, Database
from bot.tables import sessions

_RANDOM_BYTES = 32
"""256 bits: nobody guesses them, so that the token is looked up by its digest."""

_OPEN = (insert(sessions),)
_END = (delete(sessions).where(sessions.c.digest == bindparam("ended")),)


class Sessions:
    """Opens, finds and ends sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, person: str, key_digest: str, lasts: timedelta) -> Opened:
        """Open a session.

        Args:
            person: the author's id over HTTP.
            key_digest: SHA-256 of the key that was shown, in hexadecimal; empty for a guest.
            lasts: for how long.

        Raises:
            StorageError: it could not be kept.
        """
        token = f"ps_{secrets.token_urlsafe(_RANDOM_BYTES)}"
        session = Session(person, key_digest, datetime.now(UTC) + lasts)
        row = {
            "digest": _digest(token),
            "key_digest": key_digest,
            "person": person,
            "expires_at": session.expires_at,
        }
        await self._database.write(Change(_OPEN, ([row],)))
        return Opened(token, session)

    async def find(self, token: str) -> Session | None:
        """Give the session of a token; None where there is none, or none any more.

        Raises:
            StorageError: it cannot be read.
        """
        query = select(sessions.c.person, sessions.c.key_digest, sessions.c.expires_at).where(
            sessions.c.digest == _digest(token), sessions.c.expires_at > datetime.now(UTC)
        )
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else Session(row.person, row.key_digest, row.expires_at)

    async def end(self, token: str) -> None:
        """End a session; one that is none is no error.

        Raises:
            StorageError: it has not ended.
        """
        await self._database.write(Change(_END, ([{"ended": _digest(token)}],)))


def delete_expired(connection: Connection, now: datetime) -> int:
    """Delete the sessions that are over at a moment (UTC); give how many they were."""
    return connection.execute(delete(sessions).where(sessions.c.expires_at <= now)).rowcount


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
