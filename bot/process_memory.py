"""How much memory this process takes, children not included."""

import os
import resource
import sys
from pathlib import Path

_STATM = Path("/proc/self/statm")


def resident_bytes() -> int:
    """Give the resident set in bytes; where the system does not tell that (macOS), the largest that it was."""
    try:
        # Linux, proc(5): size, resident, shared … in pages.
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return largest if sys.platform == "darwin" else largest * 1024
