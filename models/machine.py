"""What of this machine the process may use: cores and memory, by the kernel's own word and that of its control group.

Control groups are read as the kernel documents them (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst and
scheduler/sched-bwc.rst): a container sees the host's cores and memory, and is throttled or killed at its own bounds.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/")
# Version 1 writes a bound as large as this where there is none.
_BOUNDLESS = 1 << 60


def usable_cores(root: Path = _ROOT) -> int:
    """Give the cores this process may compute on, from 1: its affinity, and the quota of its control group.

    Args:
        root: where ``proc`` and ``sys`` lie.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min([cores, *(math.ceil(quota) for quota in _core_quotas(root))]))


def free_memory(root: Path = _ROOT) -> int | None:
    """Give the bytes this process may still take before the machine or its control group runs out; None if unknown.

    Args:
        root: where ``proc`` and ``sys`` lie.
    """
    bounds = [*_available(root), *_left_in_groups(root)]
    return max(0, min(bounds)) if bounds else None


def _available(root: Path) -> Iterator[int]:
    for line in _text(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * 1024


def _left_in_groups(root: Path) -> Iterator[int]:
    for folder in _groups(root, ""):
        yield from _left(folder, "memory.max", "memory.current", "inactive_file")
    for folder in _groups(root, "memory"):
        yield from _left(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def _left(folder: Path, limit_file: str, used_file: str, cache_key: str) -> Iterator[int]:
    """What a group may still take; pages of files that nobody looks at are given back by the kernel when needed."""
    limit, used = _number(folder / limit_file), _number(folder / used_file)
    if limit is not None and used is not None and limit < _BOUNDLESS:
        figures = dict(line.split() for line in _text(folder / "memory.stat").splitlines() if line.count(" ") == 1)
        yield int(limit - used) + int(figures.get(cache_key, 0))


def _core_quotas(root: Path) -> Iterator[float]:
    for folder in _groups(root, ""):
        quota, _, period = _text(folder / "cpu.max").partition(" ")
        if quota.isdecimal() and period.strip().isdecimal():
            yield int(quota) / int(period)
    for folder in _groups(root, "cpu"):
        microseconds, period_us = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
        if microseconds and period_us and microseconds > 0:
            yield microseconds / period_us


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of this process's control group and of those around it; version 2 has no controllers' names."""
    base = root / "sys/fs/cgroup" / controller
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            own = base / path.lstrip("/")
            # Inside a container the path is often the host's, and the container's own group is mounted as the root.
            yield from (folder for folder in (own, *own.parents) if folder == base or base in folder.parents)


def _number(file: Path) -> float | None:
    text = _text(file).strip()
    return float(text) if text.lstrip("-").isdecimal() else None


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
