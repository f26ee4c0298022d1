"""What can go wrong with a request on purpose, and the rate limits that every answer tells of."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

ANY = "*"

_PLENTY = (100_000, 1.0)
_REALISTIC = {
    "POST /channels/{channel_id}/messages": (5, 5.0),
    "PATCH /channels/{channel_id}/messages/{message_id}": (5, 5.0),
    "DELETE /channels/{channel_id}/messages/{message_id}": (5, 1.0),
    "POST /channels/{channel_id}/typing": (5, 5.0),
    "PUT /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me": (1, 0.25),
    "POST /webhooks/{application_id}/{token}": (5, 2.0),
    "PATCH /webhooks/{application_id}/{token}/messages/@original": (5, 2.0),
    "PATCH /webhooks/{application_id}/{token}/messages/{message_id}": (5, 2.0),
}


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """A request that was answered: what was asked, with which body, and the status of the answer."""

    method: str
    path: str
    route: str
    status: int
    at: datetime
    body: dict[str, Any] | list[Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path} → {self.status}"


@dataclass(slots=True)
class Planned:
    """What shall become of the next requests of a route.

    Attributes:
        route: ``"POST /channels/*/messages"``, with ``*`` for anything; ``"*"`` for all.
        times: how many requests it is for.
        status: the status of the answer.
        retry_after: for 429, the seconds to wait.
        everywhere: for 429, whether the limit is the global one.
        banned: for 429, whether it comes from the proxy before Discord: no JSON, no ``Via``.
        lost: whether the request is carried out and its answer never arrives.
    """

    route: str
    times: int
    status: int = 500
    retry_after: float = 0.0
    everywhere: bool = False
    banned: bool = False
    lost: bool = False


@dataclass(slots=True)
class Bucket:
    """A rate limit: so many requests in so many seconds, counted from the first one."""

    limit: int
    seconds: float
    id: str
    used: int = 0
    opened: float = field(default_factory=time.monotonic)

    def take(self) -> bool:
        """Count a request; False where it is one too many."""
        if time.monotonic() - self.opened >= self.seconds:
            self.used, self.opened = 0, time.monotonic()
        self.used += 1
        return self.used <= self.limit

    @property
    def reset_after(self) -> float:
        """Seconds until the count starts anew."""
        return max(0.0, self.opened + self.seconds - time.monotonic())

    @property
    def headers(self) -> dict[str, str]:
        """The headers that tell of it."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "X-RateLimit-Reset": f"{time.time() + self.reset_after:.3f}",
            "X-RateLimit-Reset-After": f"{self.reset_after:.3f}",
            "X-RateLimit-Bucket": self.id,
        }


class Faults:
    """The plans for the next requests, the routes that are held up and the rate limits."""

    def __init__(self) -> None:
        self._planned: list[Planned] = []
        self._held: dict[str, asyncio.Event] = {}
        self._delays: dict[str, float] = {}
        self._limits: dict[str, tuple[int, float]] = {}
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def plan(self, planned: Planned) -> None:
        """Let something become of the next requests; plans apply in the order in which they were made."""
        self._planned.append(planned)

    def next_plan(self, *names: str) -> Planned | None:
        """Use up one request of the first plan for a route that one of `names` fits."""
        for planned in self._planned:
            if matches(planned.route, *names):
                planned.times -= 1
                if planned.times <= 0:
                    self._planned.remove(planned)
                return planned
        return None

    def limit(self, route: str, requests: int, seconds: float) -> None:
        """Enforce a rate limit on a route, for each channel, guild or interaction by itself."""
        self._limits[route] = (requests, seconds)
        self._buckets.clear()

    def realistic(self) -> None:
        """Enforce about what Discord enforces on messages, edits, reactions and follow-ups."""
        for route, (requests, seconds) in _REALISTIC.items():
            self.limit(route, requests, seconds)

    def bucket(self, method: str, template: str, major: str) -> Bucket:
        """Give the rate limit for a request; `major` is the channel, guild or webhook it is counted under."""
        route = f"{method} {template}"
        limit, seconds = next((one for pattern, one in self._limits.items() if matches(pattern, route)), _PLENTY)
        number = hashlib.md5(route.encode(), usedforsecurity=False).hexdigest()
        return self._buckets.setdefault((route, major), Bucket(limit, seconds, number))

    @contextlib.contextmanager
    def hold(self, route: str) -> Iterator[None]:
        """Let every request of a route wait, not yet carried out, for as long as this lasts."""
        self._held[route] = asyncio.Event()
        try:
            yield
        finally:
            self._held.pop(route).set()

    def slow(self, route: str, seconds: float) -> None:
        """Let every request of a route wait so long before it is carried out."""
        self._delays[route] = seconds

    async def released(self, *names: str) -> None:
        """Wait while a route is held, and for as long as it is slow."""
        for route, seconds in self._delays.items():
            if matches(route, *names):
                await asyncio.sleep(seconds)
        for route, released in list(self._held.items()):
            if matches(route, *names):
                await released.wait()


def matches(route: str, *names: str) -> bool:
    """Whether a route as a test writes it fits one of a request's names (its path, its template)."""
    return any(route == name or fnmatchcase(name, route) for name in names)
