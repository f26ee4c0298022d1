"""Reads what was written while no session with Discord was open, and hands in what is for the bot."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from time import monotonic

import aiohttp
import discord
import structlog

from adapters.discord.ears import Ears
from adapters.discord.identifiers import PLATFORM, channel_id_of
from adapters.failures import told
from bot.adapter import Records
from bot.catching_up import Stretch, insist, looked_through, stretches
from bot.errors import PreceptorError, StoppingError
from bot.settings.delivery import CatchUpSettings

log = structlog.get_logger(__name__)

_PLACES = 200
"""How many channels and threads are looked through at the most."""

_PAUSE_SECONDS = 0.25
"""Between two of them, and two questions: nobody is in a hurry, and those who ask now come first."""

_SERVERS_SECONDS = 10.0
_LOOK_SECONDS = 0.1

_TROUBLE = (discord.DiscordException, aiohttp.ClientError, OSError, PreceptorError)


class CatchingUp:
    """Looks for missed messages, in the background, each time that it is wanted.

    What is found takes the same way as what is heard, under the same keys: what was accepted before changes nothing.
    """

    def __init__(self, client: discord.Client, ears: Ears, records: Records, settings: CatchUpSettings) -> None:
        self._client = client
        self._ears = ears
        self._records = records
        self._settings = settings
        self._is_wanted = asyncio.Event()

    def want(self) -> None:
        """Have it done: a session with Discord has begun, and what came before it was not heard."""
        self._is_wanted.set()

    async def keep(self) -> None:
        """Do it whenever it is wanted, until cancelled; what goes wrong is a line in the log."""
        while True:
            await self._is_wanted.wait()
            self._is_wanted.clear()
            try:
                await self._catch_up()
            except StoppingError:
                return
            except PreceptorError as error:
                log.warning("not caught up", code=error.code)
            # A task's boundary: whatever it is, those who ask now are answered, and the next session begins anew.
            except Exception as error:  # noqa: BLE001
                log.error("not caught up", **told(error))  # noqa: TRY400 - its words may be somebody's

    async def _catch_up(self) -> None:
        wanted = (await insist(partial(stretches, PLATFORM, self._records, self._settings)))[:_PLACES]
        if not wanted:
            return
        await self._servers_known()
        found = 0
        for stretch in wanted:
            found += await self._through(stretch)
            await asyncio.sleep(_PAUSE_SECONDS)
        log.info("caught up", platform=PLATFORM, places=len(wanted), messages=found)

    async def _servers_known(self) -> None:
        """Wait a while for what Discord tells of the servers when a session begins: roles, channels, threads."""
        end = monotonic() + _SERVERS_SECONDS
        # discord.py has an event for each server, and none for the last one.
        while any(server.unavailable for server in self._client.guilds) and monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)

    async def _through(self, stretch: Stretch) -> int:
        """Look through one place, and give how many messages in it were new."""
        began = datetime.now(UTC)
        try:
            read = await self._read(stretch)
            me = self._client.user.id if self._client.user else 0
            # In a database that was lost or restored the keys of what was answered may be missing.
            answered = {one.reference.message_id for one in read if one.reference and one.author.id == me}
            new = [message for message in read if await self._hand_in(message, message.id in answered)]
            await looked_through(self._records, stretch.place, began)
            return len(new)
        except StoppingError:
            raise
        except (discord.NotFound, discord.Forbidden) as error:
            log.info("not looked through", channel=stretch.place.channel_id, code=error.code)
        except _TROUBLE as error:
            log.warning("not looked through", channel=stretch.place.channel_id, error=type(error).__name__)
        # A place's boundary: what nobody can read in one of them must not keep the others from being read.
        except Exception as error:  # noqa: BLE001
            log.error("not looked through", channel=stretch.place.channel_id, **told(error))  # noqa: TRY400
        return 0

    async def _read(self, stretch: Stretch) -> list[discord.Message]:
        """Give what was written in a place, the oldest first."""
        number = channel_id_of(stretch.place)
        # By the id alone it would not be known whether it is a direct message, or whose thread it is.
        channel = self._client.get_channel(number) or await self._client.fetch_channel(number)
        if not isinstance(channel, discord.abc.Messageable) or _is_quiet(channel, stretch):
            return []
        history = channel.history(limit=self._settings.messages, after=stretch.since, oldest_first=False)
        return [message async for message in history][::-1]

    async def _hand_in(self, message: discord.Message, is_answered: bool) -> bool:
        receipt = await insist(partial(self._ears.missed, message, is_answered=is_answered))
        is_new = receipt is not None and receipt.is_new
        if is_new:
            # Not all at once, or limits would take whoever asked them over an hour for somebody in a hurry.
            await asyncio.sleep(_PAUSE_SECONDS)
        return is_new


def _is_quiet(channel: discord.abc.Messageable, stretch: Stretch) -> bool:
    """Say whether it is known, without asking, that nothing was written there since."""
    last: int | None = getattr(channel, "last_message_id", None)
    return last is not None and discord.utils.snowflake_time(last) < stretch.since
