"""Leaves a generator alone that fails again and again, and tries it again with one question after a while."""

from collections.abc import Callable
from time import monotonic


class CircuitBreaker:
    """Closed, it lets every attempt through; open, none; half-open, a single one, the probe.

    After Michael Nygard, *Release It!* (2007), "Circuit Breaker".

    Args:
        failures: failures in a row that open it, from 1.
        pause: seconds that it stays open, above 0.
        clock: gives the time in seconds.
    """

    def __init__(self, failures: int, pause: float, clock: Callable[[], float] = monotonic) -> None:
        self._most_failures = failures
        self._pause = pause
        self._clock = clock
        self._failures = 0
        self._open_until = 0.0
        self._probing = False

    @property
    def state(self) -> str:
        """``closed``, ``open`` or ``half-open``."""
        if self._failures < self._most_failures:
            return "closed"
        return "open" if self._clock() < self._open_until else "half-open"

    def admit(self) -> bool:
        """Say whether an attempt may be made; it must be followed by `succeeded`, `failed` or `let_go`."""
        if self.state == "closed":
            return True
        if self.state == "open" or self._probing:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """The attempt was answered: close."""
        self._failures = 0
        self._probing = False

    def failed(self) -> None:
        """The attempt failed: open, if it was the probe or one too many."""
        self._failures += 1
        self._probing = False
        if self._failures >= self._most_failures:
            self._open_until = self._clock() + self._pause

    def let_go(self) -> None:
        """Nobody waited for the attempt's end: it tells nothing."""
        self._probing = False
