"""Tells who is asking by the key that was shown; keys are compared as digests, all of them every time."""

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.access import ADMIN
from bot.errors import AdapterError
from bot.messages import Author
from bot.settings.tree import HttpSettings

_DIGEST = "sha256:"
_LOCAL = Author("local", "local user", frozenset({ADMIN}))


@dataclass(frozen=True, slots=True)
class _Key:
    digest: bytes
    roles: frozenset[str]


class Keys:
    """The keys of the settings. Where there are none, whoever reaches the API runs this machine.

    Raises:
        AdapterError: a ``sha256:`` key is no digest in hexadecimal.
    """

    def __init__(self, settings: HttpSettings) -> None:
        self._keys = tuple(_read(settings))

    def __bool__(self) -> bool:
        """Whether a key is needed."""
        return bool(self._keys)

    def author(self, headers: Mapping[bytes, bytes]) -> Author | None:
        """Give the owner of the key in the headers (names in lower case); None where it is missing or wrong."""
        if not self._keys:
            return _LOCAL
        shown = _shown(headers)
        digest = hashlib.sha256(shown).digest()
        found = [key for key in self._keys if hmac.compare_digest(key.digest, digest)]
        if not shown or not found:
            return None
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
