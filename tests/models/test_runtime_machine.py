"""What of the machine a process may use, told by the kernel's files as they stand in a container."""

import os
from pathlib import Path

import pytest

from models.machine import free_memory, usable_cores

MIB = 2**20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with 8 GiB available and no bounds."""
    write(tmp_path / "proc/meminfo", "MemTotal:       16777216 kB\nMemAvailable:    8388608 kB\n")
    return tmp_path


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def own_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def test_without_bounds_the_kernel_tells_the_memory_and_the_affinity_the_cores(root: Path) -> None:
    assert free_memory(root) == 8 * 1024 * MIB
    assert usable_cores(root) == own_cores()


def test_the_bound_of_a_container_counts_with_the_cache_that_can_be_given_back(root: Path) -> None:
    write(root / "proc/self/cgroup", "0::/\n")
    write(root / "sys/fs/cgroup/memory.max", f"{1024 * MIB}\n")
    write(root / "sys/fs/cgroup/memory.current", f"{700 * MIB}\n")
    write(root / "sys/fs/cgroup/memory.stat", f"anon 1\ninactive_file {100 * MIB}\n")
    assert free_memory(root) == 424 * MIB


def test_the_tightest_bound_of_all_groups_around_the_process_counts(root: Path) -> None:
    write(root / "proc/self/cgroup", "0::/outer/inner\n")
    write(root / "sys/fs/cgroup/outer/inner/memory.max", "max\n")
    write(root / "sys/fs/cgroup/outer/memory.max", f"{300 * MIB}\n")
    write(root / "sys/fs/cgroup/outer/memory.current", f"{100 * MIB}\n")
    write(root / "sys/fs/cgroup/outer/cpu.max", "50000 100000\n")
    assert free_memory(root) == 200 * MIB
    assert usable_cores(root) == 1


def test_a_quota_of_part_of_a_core_is_one_core(root: Path) -> None:
    write(root / "proc/self/cgroup", "0::/\n")
    write(root / "sys/fs/cgroup/cpu.max", "20000 100000\n")
    assert usable_cores(root) == 1


def test_no_quota_leaves_all_cores(root: Path) -> None:
    write(root / "proc/self/cgroup", "0::/\n")
    write(root / "sys/fs/cgroup/cpu.max", "max 100000\n")
    assert usable_cores(root) == own_cores()


def test_control_groups_of_the_first_version_are_read_too(root: Path) -> None:
    write(root / "proc/self/cgroup", "3:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n")
    write(root / "sys/fs/cgroup/memory/memory.limit_in_bytes", f"{512 * MIB}\n")
    write(root / "sys/fs/cgroup/memory/memory.usage_in_bytes", f"{500 * MIB}\n")
    write(root / "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n")
    write(root / "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
    assert free_memory(root) == 12 * MIB
    assert usable_cores(root) == 1


def test_where_nothing_is_known_no_memory_is_claimed(tmp_path: Path) -> None:
    assert free_memory(tmp_path) is None


def test_a_group_above_its_bound_has_nothing_left(root: Path) -> None:
    write(root / "proc/self/cgroup", "0::/\n")
    write(root / "sys/fs/cgroup/memory.max", "100\n")
    write(root / "sys/fs/cgroup/memory.current", "200\n")
    assert free_memory(root) == 0
