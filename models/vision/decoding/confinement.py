"""What the process that decodes may do: no more memory, time, files and descriptors than a picture needs."""

import contextlib
import math
import os
import resource
from pathlib import Path

from models.vision.decoding.contract import DecodingLimits

_DESCRIPTORS = 16
_SPARE_SECONDS = 2


def confine() -> None:
    """Give up for good what no picture needs: files to write, memory dumps, many descriptors."""
    for what, most in ((resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, _DESCRIPTORS)):
        resource.setrlimit(what, (most, most))


def address_space() -> int:
    """Give how many bytes of address space this process has taken; 0 where the system does not say."""
    with contextlib.suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0


def allow(limits: DecodingLimits, taken: int) -> None:
    """Set what the next picture may take.

    Args:
        limits: for it.
        taken: address space that the process had when it was ready; 0 where that is not known.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    # The bot ends a decoding that takes too long; this one holds where the bot itself is gone.
    seconds = math.ceil(used.ru_utime + used.ru_stime + limits.seconds) + _SPARE_SECONDS
    _soften(resource.RLIMIT_CPU, seconds)
    if taken:
        _soften(resource.RLIMIT_AS, taken + (limits.memory_megabytes << 20))


def _soften(what: int, most: int) -> None:
    # Systems that do not know a limit, or have a harder one, refuse.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(what, (most, resource.getrlimit(what)[1]))
