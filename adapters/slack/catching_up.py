"""Reads what was written while Slack did not reach the bot for longer than it repeats, and hands in what is for it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
import structlog
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.failures import told
from adapters.slack.errands import FAILURES, reason
from adapters.slack.hearing import Hearing
from adapters.slack.histories import Message, messages
from adapters.slack.questions import PLATFORM
from adapters.slack.web import SlackRefusal, Web
from bot.adapter import Records
from bot.catching_up import Stretch, insist, looked_through, stretches
from bot.errors import RateLimitedError, StoppingError
from bot.settings.delivery import CatchUpSettings

log = structlog.get_logger(__name__)

_CHANNELS, _THREADS = 100, 40
"""How many are looked through at the most; every question opens a thread, so that there are far more of these."""

_QUICK, _QUICK_PAUSE_SECONDS, _PAUSE_SECONDS = 20, 0.1, 1.2
"""Slack lets an app that its owners made for themselves read fifty histories in a minute ("Rate limits", tier 3): the
first few soon, the others slowly. One that is sold outside its Marketplace may read one, and is told so."""

_QUESTION_SECONDS = 0.25
_LONGEST_THREAD = 1_000
_AHEAD_SECONDS = 3_600.0
_LONGEST_PAUSE = 120.0
_TIMES = 5
_TROUBLE_SECONDS = 2.0


class CatchingUp:
    """Looks for missed messages, in the background, each time that it is wanted.

    What is found takes the same way as what is heard, under the same keys: what was accepted before changes nothing.
    """

    def __init__(self, web: Web, hearing: Hearing, records: Records, settings: CatchUpSettings) -> None:
        self._web = web
        self._hearing = hearing
        self._records = records
        self._settings = settings
        self._is_wanted = asyncio.Event()
        self._calls = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to wait for being wanted."""
        self._task = asyncio.create_task(self._keep(), name="slack catching up")

    def want(self) -> None:
        """Have it done: Slack is reached, and was not for a while."""
        self._is_wanted.set()

    async def stop(self) -> None:
        """Leave no task."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        while True:
            await self._is_wanted.wait()
            self._is_wanted.clear()
            try:
                await self._catch_up()
            except StoppingError:
                return
            except FAILURES as error:
                log.warning("not caught up", reason=reason(error))
            # A task's boundary: whatever it is, those who ask now are answered, and the next start begins anew.
            except Exception as error:  # noqa: BLE001
                log.error("not caught up", **told(error))  # noqa: TRY400 - its words may be somebody's

    async def _catch_up(self) -> None:
        wanted = await insist(partial(stretches, PLATFORM, self._records, self._settings))
        channels = [stretch for stretch in wanted if not stretch.place.thread][:_CHANNELS]
        threads = [stretch for stretch in wanted if stretch.place.thread][:_THREADS]
        if not wanted:
            return
        self._calls, found = 0, 0
        for stretch in channels:
            new = await self._through(stretch)
            # Whoever got no answer may have asked on below the question.
            threads += [_below(stretch, message) for message in new if message.get("reply_count")]
            found += len(new)
        for stretch in threads:
            found += len(await self._through(stretch))
        log.info("caught up", platform=PLATFORM, channels=len(channels), threads=len(threads), messages=found)

    async def _through(self, stretch: Stretch) -> list[Message]:
        """Look through one place, and give the messages in it that were new."""
        began = datetime.now(UTC)
        try:
            new = [message for message in await self._read(stretch) if await self._hand_in(stretch, message)]
            await looked_through(self._records, stretch.place, began)
        except StoppingError:
            raise
        except SlackRefusal as refusal:
            log.info("not looked through", channel=stretch.place.channel, reason=str(refusal))
        except FAILURES as error:
            log.warning("not looked through", channel=stretch.place.channel, reason=reason(error))
        # A place's boundary: what nobody can read in one of them must not keep the others from being read.
        except Exception as error:  # noqa: BLE001
            log.error("not looked through", channel=stretch.place.channel, **told(error))  # noqa: TRY400
        else:
            return new
        return []

    async def _read(self, stretch: Stretch) -> list[Message]:
        """Give the latest of what was written in a place, the oldest first."""
        client, place, most = self._web.client, stretch.place, self._settings.messages
        seen: dict[str, Any] = {"channel": place.channel, "oldest": f"{stretch.since.timestamp():.6f}"}
        if place.thread:
            # A thread begins with the oldest. What opened it comes with it, whatever its age: that is the channel's.
            replies = partial(client.conversations_replies, ts=place.thread)
            read = [one async for one in messages(self._insist, replies, _LONGEST_THREAD, **seen)]
            read = [one for one in read if one.get("ts") != place.thread][-most:]
        else:
            # Without an end, in the future lest clocks differ, Slack would begin with the oldest.
            end = f"{time.time() + _AHEAD_SECONDS:.6f}"
            history = client.conversations_history
            read = [one async for one in messages(self._insist, history, most, latest=end, **seen)]
        return sorted(read, key=lambda message: str(message.get("ts", "")))

    async def _insist(self, call: Callable[[], Awaitable[AsyncSlackResponse]]) -> Mapping[str, Any]:
        """Call as fast as Slack allows, and no faster; again where it is in trouble for a moment."""
        for _ in range(_TIMES - 1):
            try:
                return await self._call(call)
            except RateLimitedError as error:
                pause = min(error.seconds, _LONGEST_PAUSE)
            except SlackRefusal as refusal:
                if not refusal.passes:
                    raise
                pause = _TROUBLE_SECONDS
            except (aiohttp.ClientError, OSError):
                pause = _TROUBLE_SECONDS
            await asyncio.sleep(pause)
        return await self._call(call)

    async def _call(self, call: Callable[[], Awaitable[AsyncSlackResponse]]) -> Mapping[str, Any]:
        self._calls += 1
        await asyncio.sleep(_QUICK_PAUSE_SECONDS if self._calls <= _QUICK else _PAUSE_SECONDS)
        return await self._web.call(call())

    async def _hand_in(self, stretch: Stretch, message: Message) -> bool:
        is_new = await insist(partial(self._is_new, stretch, message))
        if is_new:
            # Not all at once, or limits would take whoever asked them over an hour for somebody in a hurry.
            await asyncio.sleep(_QUESTION_SECONDS)
        return is_new

    async def _is_new(self, stretch: Stretch, message: Message) -> bool:
        answered = self._web.identity.user in (message.get("reply_users") or ())
        if answered and not await self._is_known(stretch, message):
            return False
        return await self._hearing.missed(message, stretch.place.channel)

    async def _is_known(self, stretch: Stretch, message: Message) -> bool:
        """Say whether anything is known of the thread below a message in which the bot has written.

        In a database that was lost or restored it is not, and the message may have been answered.
        """
        return await self._records.takes_part(_below(stretch, message).place)


def _below(stretch: Stretch, message: Message) -> Stretch:
    return replace(stretch, place=replace(stretch.place, thread=str(message["ts"])))
