"""Tells who is asking by the key, or the session's token, that was shown.

Keys are compared as digests, all of them every time. A session is good for no more than the key that opened it: where
that is gone from the settings, so is the session.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.access import ADMIN
from bot.adapter import Opened, Records, Session
from bot.errors import AdapterError
from bot.messages import Author
from bot.settings.tree import HttpSettings

GUEST = "guest-"
"""How the ids of guests begin; after it come twelve random digits."""

_DIGEST = "sha256:"
_LOCAL = Author("local", "local user", frozenset({ADMIN}))
_TOKEN = re.compile(rb"ps_[A-Za-z0-9_-]{43}")

_KNOWN_SECONDS = 3.0
"""How long a session that was looked up counts without another look."""

_MOST_KNOWN = 1_000


@dataclass(frozen=True, slots=True)
class _Key:
    digest: bytes
    roles: frozenset[str]


class Keys:
    """The keys of the settings, and the sessions that they opened.

    Where there are no keys, whoever reaches the API runs this machine.

    Args:
        settings: the keys, and how long sessions last.
        records: what keeps the sessions.

    Raises:
        AdapterError: a ``sha256:`` key is no digest in hexadecimal.
    """

    def __init__(self, settings: HttpSettings, records: Records | None = None) -> None:
        self._keys = tuple(_read(settings))
        self._guests = settings.guests
        self._lasts = timedelta(hours=settings.session_hours)
        self._records = records or Records()
        self._known: dict[bytes, tuple[float, Session]] = {}

    def __bool__(self) -> bool:
        """Whether a key is needed."""
        return bool(self._keys)

    @property
    def takes_guests(self) -> bool:
        """Whether people without a key may come in as guests."""
        return self._guests

    async def author(self, headers: Mapping[bytes, bytes]) -> Author | None:
        """Give whose key or session is in the headers (names in lower case); None where it is missing or wrong.

        Raises:
            StorageError: the sessions cannot be read.
        """
        if not self._keys:
            return _LOCAL
        shown = _shown(headers)
        return self._owner(shown) or (await self._visitor(shown) if _TOKEN.fullmatch(shown) else None)

    async def open(self, key: str) -> tuple[Opened, Author] | None:
        """Open a session with a key; None where it is wrong. Where no key is needed, any will do.

        Raises:
            StorageError: it cannot be kept.
        """
        shown = key.encode(errors="replace")
        author = self._owner(shown) if self._keys else _LOCAL
        if author is None:
            return None
        digest = hashlib.sha256(shown).hexdigest() if self._keys else ""
        return await self._records.open_session(author.id, digest, self._lasts), author

    async def open_for_guest(self) -> tuple[Opened, Author]:
        """Open a session for somebody who is nobody else.

        Raises:
            StorageError: it cannot be kept.
        """
        author = Author(GUEST + secrets.token_hex(6)) if self._keys else _LOCAL
        return await self._records.open_session(author.id, "", self._lasts), author

    async def end(self, headers: Mapping[bytes, bytes]) -> None:
        """End the session in the headers; a key that is shown instead stays what it is.

        Raises:
            StorageError: it has not ended.
        """
        shown = _shown(headers)
        if _TOKEN.fullmatch(shown):
            await self._records.end_session(shown.decode())
            self._known.pop(hashlib.sha256(shown).digest(), None)

    def _owner(self, shown: bytes) -> Author | None:
        digest = hashlib.sha256(shown).digest()
        found = [key for key in self._keys if hmac.compare_digest(key.digest, digest)]
        if not shown or not found:
            return None
        return _author_of(digest, found)

    async def _visitor(self, token: bytes) -> Author | None:
        session = await self._session(token)
        if session is None:
            return None
        if not session.key_digest:
            return Author(session.person) if self._guests and session.person.startswith(GUEST) else None
        digest = bytes.fromhex(session.key_digest)
        found = [key for key in self._keys if hmac.compare_digest(key.digest, digest)]
        return _author_of(digest, found) if found else None

    async def _session(self, token: bytes) -> Session | None:
        """Look a session up; each one once in a few seconds, as a page asks much at once."""
        name, now = hashlib.sha256(token).digest(), time.monotonic()
        until, session = self._known.get(name, (0.0, None))
        if session is not None and now < until:
            return session
        self._known.pop(name, None)
        session = await self._records.session(token.decode())
        if session is not None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[name] = (now + _KNOWN_SECONDS, session)
        return session


def shows_session(headers: Mapping[bytes, bytes]) -> bool:
    """Say whether what is shown in the headers looks like a session's token."""
    return _TOKEN.fullmatch(_shown(headers)) is not None


def _author_of(digest: bytes, found: list[_Key]) -> Author:
    return Author(f"key-{digest.hex()[:12]}", roles=frozenset().union(*(key.roles for key in found)))


def _shown(headers: Mapping[bytes, bytes]) -> bytes:
    scheme, _, key = headers.get(b"authorization", b"").strip().partition(b" ")
    return key.strip() if scheme.lower() == b"bearer" else headers.get(b"x-api-key", b"").strip()


def _read(settings: HttpSettings) -> Iterator[_Key]:
    for key in settings.admin_keys:
        yield _Key(_digest(key.get_secret_value(), "admin_keys"), frozenset({ADMIN}))
    for key in settings.user_keys:
        yield _Key(_digest(key.get_secret_value(), "user_keys"), frozenset())


def _digest(key: str, setting: str) -> bytes:
    if not key.startswith(_DIGEST):
        return hashlib.sha256(key.encode()).digest()
    if not re.fullmatch("[0-9a-fA-F]{64}", key.removeprefix(_DIGEST)):
        raise AdapterError(
            f"A key in http.{setting} begins with {_DIGEST} and is no SHA-256 digest.",
            "Write 64 hexadecimal digits after it; `preceptor settings new-key` makes key and digest.",
        )
    return bytes.fromhex(key.removeprefix(_DIGEST))
