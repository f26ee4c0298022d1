"""What Discord says no with, in the core's terms.

The codes are those of "JSON Error Codes" in Discord's documentation.
"""

import contextlib
import re
from collections.abc import Iterator

import aiohttp
import discord

from bot.errors import DeliveryRefusedError, RateLimitedError

UNKNOWN_CHANNEL = 10003
_UNKNOWN_MESSAGE = 10008
ALREADY_ACKNOWLEDGED = 40060
CANNOT_REPLY = 160002
THREAD_EXISTS = 160004

_MISSING_ACCESS, _MISSING_PERMISSIONS = 50001, 50013
_THREAD_CLOSED = frozenset({50083, 160005})
_UNKNOWN_WEBHOOK, _UNKNOWN_INTERACTION, _INVALID_TOKEN = 10015, 10062, 50027
_UNAUTHORISED, _TOO_MANY_REQUESTS = 401, 429

_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_PAUSE_SECONDS = 5.0
"""How long to leave Discord alone where it is not said how long."""


@contextlib.contextmanager
def in_core_terms() -> Iterator[None]:
    """Turn what discord.py raises into what the core understands; what may pass at the next try is left as it is.

    Raises:
        RateLimitedError: Discord wants a pause.
        DeliveryRefusedError: the same request will never be taken.
    """
    try:
        yield
    except OverflowError as error:
        raise DeliveryRefusedError("No message of Discord's can have that name.") from error
    except discord.RateLimited as error:
        raise RateLimitedError(error.retry_after) from error
    except discord.HTTPException as error:
        if error.status == _TOO_MANY_REQUESTS:
            raise RateLimitedError(_pause(error.response.headers.get("Retry-After", ""))) from error
        # Without a code it is not Discord that speaks; a token that is refused ends the whole adapter instead.
        if 400 <= error.status < 500 and error.code and error.status != _UNAUTHORISED:
            raise DeliveryRefusedError(f"Discord refuses it with code {error.code}.") from error
        raise
    except aiohttp.ClientResponseError as error:
        # A proxy said it; the error's own words hold the address, and with it an interaction's token.
        raise ConnectionError(f"the proxy answers {error.status}") from None


def _pause(said: str) -> float:
    """Read how long to wait; a gateway may have put a date in the stead of Discord's seconds."""
    return float(said) if _SECONDS.fullmatch(said) else _PAUSE_SECONDS


def is_anothers(error: BaseException | None) -> bool:
    """Say whether an interaction was acknowledged already: by another process with the same token."""
    return isinstance(error, discord.HTTPException) and error.code == ALREADY_ACKNOWLEDGED


def is_permission(error: discord.HTTPException) -> bool:
    """Say whether a permission of the bot's is missing."""
    return error.code in (_MISSING_ACCESS, _MISSING_PERMISSIONS) or is_closed_thread(error)


def is_unseen(error: discord.HTTPException) -> bool:
    """Say whether the bot may not even see the place."""
    return error.code == _MISSING_ACCESS


def is_closed_thread(error: discord.HTTPException) -> bool:
    """Say whether the thread is locked, so that it opens to none but those who manage threads."""
    return error.code in _THREAD_CLOSED


def is_gone(error: discord.HTTPException) -> bool:
    """Say whether the message or its channel is no longer there."""
    return error.code in (_UNKNOWN_MESSAGE, UNKNOWN_CHANNEL)


def is_unacknowledged(error: discord.HTTPException) -> bool:
    """Say whether an interaction's token is of no use yet, because nobody has acknowledged the interaction."""
    return error.code == _UNKNOWN_WEBHOOK


def is_over(error: discord.HTTPException) -> bool:
    """Say whether an interaction's token is no longer good: fifteen minutes have passed, or nothing was deferred."""
    return error.status == _UNAUTHORISED or error.code in (_UNKNOWN_WEBHOOK, _UNKNOWN_INTERACTION, _INVALID_TOKEN)
