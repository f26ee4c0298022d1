"""Which interactions are being deferred at this moment: an answer must not overtake its deferral."""

import asyncio
import contextlib
from collections.abc import Iterator

_DEFERRAL_SECONDS = 3.0
"""Discord wants an interaction's first response within this time."""


class Deferrals:
    """The deferrals that are under way, by the interaction's token."""

    def __init__(self) -> None:
        self._open: dict[str, asyncio.Event] = {}

    @contextlib.contextmanager
    def opening(self, token: str) -> Iterator[None]:
        """Hold answers back for the while of the body."""
        done = self._open[token] = asyncio.Event()
        try:
            yield
        finally:
            done.set()
            del self._open[token]

    async def settled(self, token: str) -> None:
        """Wait until an interaction is deferred, or is certain not to be."""
        done = self._open.get(token)
        if done is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), _DEFERRAL_SECONDS)
