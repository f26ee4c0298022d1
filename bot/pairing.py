"""Pairing: whoever has a code from an admin may write directly, where the policy asks for that."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from bot.access import Access
from bot.database import Database
from bot.errors import NotAllowedError, QuestionError
from bot.limits import asker
from bot.messages import IncomingMessage, Reply
from bot.tables import paired_people, pairing_codes, rate_limits

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Signs that nobody confuses when they are read out."""

_LENGTH = 8
"""Signs of a code: 30 to the power of 8 are 650 thousand million."""

_LISTED = 500
"""Paired people who are listed at the most."""

_VALID = timedelta(minutes=10)

_TRIES, _PER = 5, 3600.0
"""Wrong codes that one person may send within these seconds."""

_CODE = re.compile(rf"[{_ALPHABET}]{{4}}[\s-]?[{_ALPHABET}]{{4}}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Code:
    """A code as it is told, once: only its digest is kept."""

    text: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Paired:
    """Who has paired: their id, who had made the code, and when (UTC)."""

    person_id: str
    by: str
    at: datetime


class Pairing:
    """Makes codes, and pairs whoever sends one."""

    def __init__(self, database: Database, access: Access) -> None:
        self._database = database
        self._access = access

    async def new_code(self, platform: str, by: str) -> Code:
        """Make a code for one person of a platform, valid for ten minutes; with no platform, of any."""
        signs = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        now = datetime.now(UTC)
        expires_at = now + _VALID
        row = {"digest": _digest(signs), "platform": platform, "by": by, "expires_at": expires_at}

        def _keep(connection: Connection) -> None:
            connection.execute(delete(pairing_codes).where(pairing_codes.c.expires_at <= now))
            connection.execute(insert(pairing_codes).values(row))

        await self._database.transact(_keep)
        return Code(f"{signs[:4]}-{signs[4:]}", expires_at)

    async def pair(self, message: IncomingMessage) -> Reply:
        """Pair the author, whose message holds a code.

        Raises:
            QuestionError: it is none, or one that is used up, too old, or for another platform.
            NotAllowedError: they sent too many wrong ones.
        """
        if not await self._access.asks_for_pairing(message):
            return Reply("There is no need to pair with me here.", ephemeral=True)
        if await self._access.is_paired(message):
            return Reply("You have paired with me already.", ephemeral=True)
        code = _CODE.fullmatch(message.text.strip())
        digest = _digest(re.sub(r"[\s-]", "", code[0].upper())) if code else ""
        outcome = await self._database.transact(lambda connection: _paired(connection, message, digest))
        if outcome is None:
            raise NotAllowedError("That were too many wrong codes.", "Try again in an hour.")
        if not outcome:
            raise QuestionError(
                "That code is not valid.", "A code serves once, within ten minutes: ask an admin for one."
            )
        return Reply("Now we are paired: ask me whatever you like to know.", ephemeral=True)

    async def listed(self) -> tuple[list[Paired], int]:
        """Give who has paired, the newest first, and how many codes wait to be used."""
        who = select(paired_people.c.person_id, paired_people.c.by, paired_people.c.at)
        codes = select(func.count()).select_from(pairing_codes).where(pairing_codes.c.expires_at > datetime.now(UTC))

        def _read(connection: Connection) -> tuple[list[Paired], int]:
            newest = connection.execute(who.order_by(paired_people.c.at.desc()).limit(_LISTED))
            return [Paired(*row) for row in newest], connection.scalar(codes) or 0

        return await self._database.read(_read)

    async def unpair(self, person_id: str, by: str = "") -> bool:
        """Undo a pairing; False where there is none, or none by a code that `by` had made, where that is given."""
        theirs = delete(paired_people).where(paired_people.c.person_id == person_id)
        if by:
            theirs = theirs.where(paired_people.c.by == by)
        return await self._database.transact(lambda connection: connection.execute(theirs).rowcount) == 1


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _paired(connection: Connection, message: IncomingMessage, digest: str) -> bool | None:
    """Use up a code for the author; False where it is none, and None where they may try no more for now."""
    now = datetime.now(UTC)
    name, seconds = f"pair/{asker(message.person_id)}", now.timestamp()
    # A bucket of tries, kept as the moment at which it is full again: see bot.limits.
    full_again = max(seconds, connection.scalar(_FULL_AGAIN.where(rate_limits.c.name == name)) or 0.0)
    if full_again - seconds > _PER - _PER / _TRIES:
        return None
    fits = pairing_codes.c.digest == digest
    here = pairing_codes.c.platform.in_(("", message.place.platform))
    used = delete(pairing_codes).where(fits, here, pairing_codes.c.expires_at > now).returning(pairing_codes.c.by)
    by = connection.execute(used).scalar_one_or_none()
    if by is None:
        tried = insert(rate_limits).values(name=name, full_again_at=full_again + _PER / _TRIES)
        later = {"full_again_at": tried.excluded.full_again_at}
        connection.execute(tried.on_conflict_do_update(index_elements=["name"], set_=later))
        return False
    row = {"person_id": message.person_id, "by": by, "at": now}
    connection.execute(insert(paired_people).values(row).on_conflict_do_nothing())
    return True


_FULL_AGAIN = select(rate_limits.c.full_again_at)
