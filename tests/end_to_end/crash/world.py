"""The platforms with people on them, and the conversations in which they ask."""

import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from .places import ByCommand, Conversation, OnDiscord, OnSlack
from .platforms import Watch, WatchedDiscord, WatchedSlack
from .things import Thing, make_things, write_knowledge

_PEOPLE = 4
_CHANNELS = 2


@dataclass(slots=True)
class World:
    """Both platforms, the conversations and what may be asked.

    Attributes:
        folder: where the processes run: their settings, their knowledge, their database.
    """

    discord: WatchedDiscord
    slack: WatchedSlack
    conversations: list[Conversation]
    things: list[Thing]
    folder: Path

    @property
    def database(self) -> Path:
        """The database of the processes."""
        return self.folder / "data" / "preceptor.sqlite3"

    @property
    def messages_of_the_bot(self) -> int:
        """How many messages the bot posted, on both platforms together."""
        on_slack = sum(len(channel.from_bot) for channel in self.slack.workspace.channels.values())
        asked = sum(len(one.questions) for one in self.conversations if isinstance(one, OnDiscord))
        return on_slack + len(self.discord.world.messages) - asked

    @property
    def missing(self) -> int:
        """How many answers are missing. A command that nobody heard is not answered, so commands are left out."""
        commands = [one for one in self.conversations if not one.is_heard_later]
        said = self.messages_of_the_bot - sum(len(list(one.said())) for one in commands)
        return sum(len(one.questions) for one in self.conversations if one.is_heard_later) - said

    def forget_the_dead(self) -> None:
        """Let go of the gateway sessions of killed processes; Discord does so after a minute or two."""
        self.discord.gateway.sessions[:] = self.discord.live_sessions

    def write_settings(self) -> None:
        """Write the settings that all processes run with."""
        guild = self.discord.guilds[0]
        channels = [f"discord/{guild.id}/{number}" for number in guild.channels]
        channels += [f"slack/{self.slack.team}/{name}" for name in self.slack.workspace.channels]
        (self.folder / "preceptor.toml").write_text(
            _SETTINGS.format(discord=self.discord, slack=self.slack, channels=str(channels).replace("'", '"'))
        )
        write_knowledge(self.folder / "things", self.things)


@contextlib.asynccontextmanager
async def opened_world(
    folder: Path, things: int, times: tuple[int, int], chance: random.Random, watch: Watch
) -> AsyncIterator[World]:
    """Open both platforms; `times` is how often each connection to Discord, and all to Slack, are told of an event."""
    async with WatchedDiscord(watch) as discord, WatchedSlack(watch) as slack:
        slack.dispatch.retry_pauses = ()
        conversations = [*_on_discord(discord, times[0]), *_on_slack(slack, times[1])]
        world = World(discord, slack, conversations, make_things(things, chance), folder)
        world.write_settings()
        yield world


def _on_discord(discord: WatchedDiscord, times: int) -> list[Conversation]:
    guild = discord.guild("Lab")
    channels = [guild.channel(f"lab-{number}") for number in range(_CHANNELS)]
    found: list[Conversation] = []
    for number in range(_PEOPLE):
        ada = guild.member(f"Ada {number}")
        places = [*channels, ada.dm]
        found += [
            OnDiscord(f"Discord {place.name}, {ada.name}", times, discord=discord, channel=place, member=ada)
            for place in places
        ]
        own = guild.channel(f"commands-{number}")
        found.append(ByCommand(f"Discord /ask, {ada.name}", discord=discord, channel=own, member=ada))
    return found


def _on_slack(slack: WatchedSlack, times: int) -> list[Conversation]:
    channels = [slack.channel(f"lab-{number}") for number in range(_CHANNELS)]
    found: list[Conversation] = []
    for number in range(_PEOPLE):
        ada = slack.user(f"Ada {number}")
        for channel in (slack.dm(ada), *channels):
            name = f"Slack {channel.name or 'DM'}, {ada.name}"
            found.append(OnSlack(name, times, is_ordered=False, slack=slack, channel=channel, user=ada))
            found.append(OnSlack(f"{name}, in a thread", times, slack=slack, channel=channel, user=ada, in_thread=True))
    return found


_SETTINGS = """
http.enabled = false
log.level = "info"
log.format = "json"
diagnosis.enabled = false
[knowledge]
sources = ["things"]
[answers]
passages = 1
sentences = 1
[dispatch]
queue = 100000
channel_queue = 100000
retry_seconds = 1.0
lease_seconds = 2.0
[catch_up]
minutes = 1440
messages = 1000
channels = {channels}
[limits]
person_per_minute = 0
channel_per_minute = 0
workspace_per_minute = 0
person_at_once = 0
[discord]
enabled = true
token = "{discord.token}"
base_url = "{discord.rest_url}"
[slack]
enabled = true
bot_token = "{slack.bot_token}"
app_token = "{slack.app_token}"
base_url = "{slack.base_url}"
"""
