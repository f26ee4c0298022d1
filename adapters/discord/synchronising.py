"""Registers the application commands with Discord, and only where they changed since the last time."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import aiohttp
import discord
import structlog
from discord import app_commands

from bot.adapter import Records
from bot.errors import PreceptorError

log = structlog.get_logger(__name__)


async def synchronise(
    tree: "app_commands.CommandTree[Any]", application: int, servers: Sequence[str], records: Records
) -> None:
    """Register the commands for everyone, or for some servers at once; never raises.

    Args:
        tree: the commands.
        application: the application's id.
        servers: ids of the servers to register them in, for development; empty for all servers.
        records: where the hash of what was registered last is kept.
    """
    for scope in servers or ["all"]:
        try:
            guild = discord.Object(int(scope)) if servers else None
            if guild:
                tree.copy_global_to(guild=guild)
            await _synchronise(tree, guild, f"commands/{application}/{scope}", records)
        # A server's id that is no number is a ValueError.
        except (discord.DiscordException, aiohttp.ClientError, OSError, PreceptorError, ValueError) as error:
            log.warning("commands not registered", scope=scope, error=type(error).__name__, again="at the next start")


async def _synchronise(
    tree: "app_commands.CommandTree[Any]", guild: discord.Object | None, name: str, records: Records
) -> None:
    payload = [command.to_dict(tree) for command in tree.get_commands(guild=guild)]
    digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
    if await records.value(name) == digest:
        return
    await tree.sync(guild=guild)
    await records.keep_value(name, digest)
    log.info("commands registered", number=len(payload), scope=name.rpartition("/")[2])
