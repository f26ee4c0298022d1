"""What Discord says no with, in the core's terms, and which permission is missing where it is one.

The codes are those of "JSON Error Codes" in Discord's documentation.
"""

import contextlib
from collections.abc import Iterator

import discord

from bot.errors import DeliveryRefusedError, RateLimitedError
from bot.messages import Reply

UNKNOWN_CHANNEL = 10003
UNKNOWN_MESSAGE = 10008
CANNOT_REPLY = 160002
THREAD_EXISTS = 160004

_UNKNOWN_WEBHOOK, _UNKNOWN_INTERACTION, _INVALID_TOKEN = 10015, 10062, 50027
_NO_PERMISSION = frozenset({50001, 50013, 50083})
_UNAUTHORISED, _TOO_MANY_REQUESTS = 401, 429

_WRITING = (("view_channel", "View Channels"), ("send_messages", "Send Messages"))
_WRITING_IN_THREAD = (("view_channel", "View Channels"), ("send_messages_in_threads", "Send Messages in Threads"))
_WITH_FILES = (("attach_files", "Attach Files"),)


@contextlib.contextmanager
def in_core_terms() -> Iterator[None]:
    """Turn what discord.py raises into what the core understands; what may pass at the next try is left as it is.

    Raises:
        RateLimitedError: Discord wants a pause.
        DeliveryRefusedError: the same request will never be taken.
    """
    try:
        yield
    except discord.RateLimited as error:
        raise RateLimitedError(error.retry_after) from error
    except discord.HTTPException as error:
        if error.status == _TOO_MANY_REQUESTS:
            raise RateLimitedError(float(error.response.headers.get("Retry-After", 5))) from error
        # Without a code it is not Discord that speaks; a token that is refused ends the whole adapter instead.
        if 400 <= error.status < 500 and error.code and error.status != _UNAUTHORISED:
            raise DeliveryRefusedError(f"Discord refuses it with code {error.code}.") from error
        raise


def is_permission(error: discord.HTTPException) -> bool:
    """Say whether a permission of the bot's is missing."""
    return error.code in _NO_PERMISSION


def is_over(error: discord.HTTPException) -> bool:
    """Say whether an interaction's token is no longer good: fifteen minutes have passed, or nothing was deferred."""
    return error.status == _UNAUTHORISED or error.code in (_UNKNOWN_WEBHOOK, _UNKNOWN_INTERACTION, _INVALID_TOKEN)


def missing_permission(channel: object, reply: Reply) -> str:
    """Name the permission that the bot lacks to say something in a channel; empty where that cannot be told.

    Args:
        channel: discord.py's object for it, or None where it is not known (then the bot cannot see it).
        reply: what was to be said.
    """
    if channel is None:
        return "View Channels"
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread) or channel.guild.me is None:
        return ""
    writing = _WRITING_IN_THREAD if isinstance(channel, discord.Thread) else _WRITING
    granted = channel.permissions_for(channel.guild.me)
    needed = writing + (_WITH_FILES if reply.files else ())
    return next((name for flag, name in needed if not getattr(granted, flag)), "")
