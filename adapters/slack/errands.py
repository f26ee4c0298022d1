"""What the adapter does beside the messages: small calls to Slack that nobody waits for, each owned and limited."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import structlog

from adapters.slack.web import SlackRefusal
from bot.errors import PreceptorError

log = structlog.get_logger(__name__)

_SECONDS = 10.0
_AT_ONCE = 500

FAILURES = (SlackRefusal, PreceptorError, aiohttp.ClientError, TimeoutError, OSError)
"""What may go wrong with a call to Slack."""


def reason(error: Exception) -> str:
    """Say in a log line what went wrong; what other libraries say may hold an address that is a secret."""
    return str(error) if isinstance(error, (SlackRefusal, PreceptorError)) else type(error).__name__


class Errands:
    """Runs errands in tasks of its own; one that fails is a line in the log."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def do(self, name: str, work: Callable[[], Awaitable[object]], seconds: float = _SECONDS) -> None:
        """Start an errand that may take so many seconds; where too many are under way it is left out."""
        if len(self._tasks) >= _AT_ONCE:
            log.warning("too many errands", left_out=name)
            return
        task = asyncio.create_task(_done(name, work, seconds), name=f"slack {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Let go of what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _done(name: str, work: Callable[[], Awaitable[object]], seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await work()
    except FAILURES as error:
        log.info("errand failed", errand=name, reason=reason(error))
