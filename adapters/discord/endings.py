"""Which troubles with Discord are final, and what their reader can do about them.

The close codes are those of "Gateway Close Event Codes" in Discord's documentation.
"""

import discord

from bot.errors import AdapterError

_AUTHENTICATION_FAILED, _INVALID_SHARD, _SHARDING_REQUIRED, _DISALLOWED_INTENTS = 4004, 4010, 4011, 4014


def wrong_token() -> AdapterError:
    """The token is not, or no longer, that of a bot."""
    return AdapterError(
        "Discord does not know the bot's token.",
        "Set discord.token to the token that the developer portal shows under Bot: docs/discord.md.",
    )


def content_not_allowed() -> AdapterError:
    """The message-content intent is set here and not switched on there."""
    return AdapterError(
        "discord.message_content is set, and the message-content intent is not switched on for this application.",
        "Switch it on in the developer portal under Bot, Privileged Gateway Intents, or set"
        " discord.message_content = false: docs/discord.md.",
    )


def wrong_shards() -> AdapterError:
    """The number of shards does not fit."""
    return AdapterError(
        "Discord does not take this number of shards.", "Leave discord.shards unset: then Discord is asked for it."
    )


def ending(error: BaseException) -> AdapterError | None:
    """Give what to tell where another attempt would end the same way; None where it is worth one."""
    if isinstance(error, AdapterError):
        return error
    if isinstance(error, discord.LoginFailure):
        return wrong_token()
    if isinstance(error, discord.PrivilegedIntentsRequired):
        return content_not_allowed()
    if not isinstance(error, discord.ConnectionClosed):
        return None
    return {
        _AUTHENTICATION_FAILED: wrong_token,
        _INVALID_SHARD: wrong_shards,
        _SHARDING_REQUIRED: wrong_shards,
        _DISALLOWED_INTENTS: content_not_allowed,
    }.get(error.code, lambda: None)()
