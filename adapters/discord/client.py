"""The connection to Discord as discord.py makes it: what it asks for, what it keeps, whom it tells."""

import asyncio
import logging
import sys
from time import monotonic
from typing import Any

import discord
import structlog
from discord import app_commands

from adapters.discord.buttons import PressedButton
from adapters.discord.catching_up import CatchingUp
from adapters.discord.commands import add_commands
from adapters.discord.ears import Ears
from adapters.discord.interactions import Interactions, tell
from adapters.discord.odd_events import pass_over_odd_events
from adapters.discord.presence import Presence
from adapters.discord.refusals import is_anothers
from adapters.discord.replies import Replies
from adapters.discord.underway import Attendance, Deferrals
from adapters.failures import told
from bot.adapter import Accept, Records
from bot.errors import PreceptorError
from bot.settings.delivery import CatchUpSettings
from bot.settings.tree import DiscordSettings

log = structlog.get_logger(__name__)

_IDENTIFY_SECONDS = 5.0
"""Discord lets a bot identify once in this time."""

_LONGEST_PAUSE = 30.0
"""Seconds that discord.py waits by itself when Discord wants a pause; it takes no less."""


def intents(message_content: bool) -> discord.Intents:
    """Give the events that are asked for: no members, no presences, and message contents only where they are set."""
    return discord.Intents(
        guilds=True,
        guild_messages=True,
        dm_messages=True,
        guild_reactions=True,
        dm_reactions=True,
        message_content=message_content,
    )


def _is_ours(record: logging.LogRecord) -> bool:
    """Pass over that another process with the same token was faster in completing what somebody types."""
    return not is_anothers(record.exc_info[1] if record.exc_info else None)


logging.getLogger("discord.app_commands.tree").addFilter(_is_ours)


class Tree(app_commands.CommandTree[Any]):
    """The commands; what goes wrong in one is logged without what was typed, and told to whoever typed it."""

    async def _call(self, interaction: discord.Interaction) -> None:
        # Of what it cannot read discord.py catches nothing, and it would end a task that nobody looks after.
        try:
            await super()._call(interaction)
        except app_commands.AppCommandError:
            raise
        except Exception as error:  # noqa: BLE001
            await self._failed(interaction, error)

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError, /) -> None:
        """Say that a command failed; discord.py calls this."""
        await self._failed(interaction, error)

    @staticmethod
    async def _failed(interaction: discord.Interaction, error: Exception) -> None:
        # What was typed may stand in the words of an error.
        defect = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        log.error("command failed", key=interaction.id, **told(defect))
        if interaction.type is not discord.InteractionType.autocomplete and not interaction.response.is_done():
            await tell(interaction, "That did not work on my side. Try again in a moment.")


class Client(discord.AutoShardedClient):
    """One login: hears through `Ears` and `Interactions`, speaks through `replies`, and keeps next to nothing."""

    def __init__(
        self,
        settings: DiscordSettings,
        accept: Accept,
        records: Records,
        catch_up: CatchUpSettings | None = None,
        *,
        diagnoses_in_threads: bool = False,
    ) -> None:
        # Nobody talks to this bot, and the warning that the libraries for it are missing would be at every start.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        super().__init__(
            intents=intents(settings.message_content),
            shard_count=settings.shards,
            proxy=settings.proxy or None,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            guild_ready_timeout=0,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_ratelimit_timeout=_LONGEST_PAUSE,
        )
        # There is no other way to them; an event that they cannot read would end the connection for good.
        pass_over_odd_events(self._connection.parsers)
        deferrals = Deferrals()
        self.attendance = Attendance()
        self.presence = Presence()
        # In other people's conversations, where a user may bring an application along, the bot would be no member.
        self.tree = Tree(
            self,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )
        self.interactions = Interactions(accept, records, deferrals, self.attendance)
        self.replies = Replies(self, deferrals)
        self._ears = Ears(self, accept, records, settings, diagnoses_in_threads=diagnoses_in_threads)
        self.catching_up = CatchingUp(self, self._ears, records, catch_up or CatchUpSettings())
        self._identified_at = -_IDENTIFY_SECONDS
        add_commands(self.tree)
        self.add_dynamic_items(PressedButton)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Keep Discord's distance between two logins, and no more: discord.py would always wait before the second."""
        wait = self._identified_at + _IDENTIFY_SECONDS - monotonic()
        self._identified_at = monotonic() + max(wait, 0.0)
        await asyncio.sleep(max(wait, 0.0))

    async def on_error(self, event_method: str, /, *args: object, **kwargs: object) -> None:
        """Log that an event could not be handled; discord.py calls this."""
        error = sys.exception()
        known = {"code": error.code} if isinstance(error, PreceptorError) else told(error) if error else {}
        log.error("event not handled", kind=event_method, **known)

    async def on_ready(self) -> None:
        """Look for what was missed before: this comes after the start, and again after every lost session."""
        log.info("discord ready", servers=len(self.guilds), shards=self.shard_count)
        self.catching_up.want()

    async def on_shard_connect(self, shard_id: int) -> None:
        """Note that a connection is there."""
        self.presence.connected(shard_id)

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Note that a connection broke off; discord.py makes it anew."""
        self.presence.disconnected(shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        """Log that a broken connection goes on where it was."""
        self.presence.connected(shard_id)
        log.info("discord connection resumed", shard=shard_id)

    async def on_message(self, message: discord.Message) -> None:
        """Hear a message."""
        with self.attendance.taken():
            await self._ears.message(message)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Hear of an edit."""
        with self.attendance.taken():
            await self._ears.edited(payload)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Hear of a deletion."""
        with self.attendance.taken():
            await self._ears.deleted([payload.message_id], payload.channel_id, payload.guild_id)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Hear of many deletions."""
        with self.attendance.taken():
            await self._ears.deleted(sorted(payload.message_ids), payload.channel_id, payload.guild_id)

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        """Hear of a reaction."""
        with self.attendance.taken():
            await self._ears.reacted(payload)
