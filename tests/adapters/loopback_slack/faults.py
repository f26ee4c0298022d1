"""What goes wrong when a test says so: rate limits, errors, failures, slow and lost answers of the Web API."""

from collections import deque
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from .wire import Call, Json


@dataclass(slots=True)
class Fault:
    """One fault of one method, for a number of calls.

    Attributes:
        status: the HTTP status, 0 for a call that is answered as usual.
        error: the ``error`` of the answer, empty for none.
        retry_after: seconds for the Retry-After header of a 429.
        delay: seconds before the call is looked at.
        loses_answer: whether the call is done but the line is cut before its answer.
        answer: what is answered instead, whatever was asked; empty for none.
        times: for how many calls more.
    """

    status: int = 0
    error: str = ""
    retry_after: int = 0
    delay: float = 0.0
    loses_answer: bool = False
    times: int = 1
    answer: Json = field(default_factory=dict)
    details: Json = field(default_factory=dict)


@dataclass(slots=True)
class RateLimit:
    """A sliding window: so many calls of a method in so many seconds."""

    calls: int
    seconds: float
    seen: deque[float] = field(default_factory=deque)

    def retry_after(self, at: float) -> int:
        """Count a call and give 0, or do not count it and give the whole seconds to wait."""
        while self.seen and at - self.seen[0] >= self.seconds:
            self.seen.popleft()
        if len(self.seen) >= self.calls:
            return max(1, round(self.seconds - (at - self.seen[0])))
        self.seen.append(at)
        return 0


class Faults:
    """The faults that wait for their call; a method may be a pattern (``chat.*``)."""

    def __init__(self) -> None:
        self.down = False
        self.limits: dict[str, RateLimit] = {}
        self._waiting: dict[str, list[Fault]] = {}

    def add(self, method: str, fault: Fault) -> None:
        self._waiting.setdefault(method, []).append(fault)

    def clear(self) -> None:
        """Let everything go well again."""
        self.down = False
        self.limits.clear()
        self._waiting.clear()

    def take(self, call: Call) -> Fault:
        """The fault that this call meets; one without effect where none waits."""
        if self.down:
            return Fault(status=503, error="service_unavailable")
        for pattern, waiting in self._waiting.items():
            if waiting and fnmatchcase(call.method, pattern):
                fault = waiting[0]
                fault.times -= 1
                if fault.times <= 0:
                    waiting.pop(0)
                return fault
        limit = self.limits.get(call.method)
        wait = limit.retry_after(call.at) if limit else 0
        return Fault(status=429, error="ratelimited", retry_after=wait) if wait else Fault()
