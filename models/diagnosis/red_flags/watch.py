"""Watches for red flags by the rules and, as soon as it is loaded, by the detector that learned from examples."""

import threading
from collections.abc import Callable
from functools import cached_property

import structlog

from models.diagnosis.contract import RedFlag
from models.diagnosis.red_flags import RedFlags
from models.diagnosis.red_flags.detector import FlagDetector
from models.diagnosis.red_flags.rules import read_rules
from models.errors import ModelError

log = structlog.get_logger(__name__)


class RedFlagWatch:
    """Raises a flag when a rule does or the detector is sure enough; may serve several threads at once.

    The rules speak first: they know which flag it is, and the detector is asked where they raise none. Until it is
    loaded, and where it cannot be, the rules watch alone.

    Args:
        load: loads the detector, blocking; it raises `ModelError`. None where the rules are to watch alone.
    """

    def __init__(self, load: Callable[[], FlagDetector] | None = None) -> None:
        self._load = load
        self._loading = threading.Lock()
        self._detector: FlagDetector | None = None
        self._rules = RedFlags()

    @cached_property
    def _flags(self) -> dict[str, RedFlag]:
        # Read when first needed: most starts never do.
        return {rule.flag.name: rule.flag for rule in read_rules().rules}

    def of(self, text: str) -> tuple[RedFlag, ...]:
        """Give the flags of a text, of the rules in their order or one of the detector.

        Args:
            text: anything, of any length.
        """
        found = self._rules.of(text)
        if found or self._detector is None:
            return found
        name = self._detector.of(text)
        return (self._flags[name],) if name in self._flags else ()

    def load(self) -> None:
        """Load the detector unless it is there; where that fails the log says so, once, and it is not tried again.

        While another thread loads it this one does not wait, since the rules must not be kept waiting.
        """
        if self._load is None or not self._loading.acquire(blocking=False):
            return
        try:
            if self._load is not None:
                self._detector = self._load()
        except (ModelError, OSError) as error:
            log.warning("red flags are watched for by rules alone", because=str(error))
        finally:
            self._load = None
            self._loading.release()
