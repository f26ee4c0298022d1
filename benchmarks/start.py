"""How long Preceptor takes to start and to answer from the command line, and the memory it holds.

    python benchmarks/start.py
    python benchmarks/start.py --peer 'astrbot run' --ready-line 'started' --peer-name AstrBot

A peer is any command with a line it prints, or a URL that answers 200, once it is ready; it is measured in the same
run, and our figures are printed as ratios to it.
"""

import argparse
import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

_PRECEPTOR = str(Path(sys.executable).with_name("preceptor"))
_DEADLINE_S = 120.0
_PORT, _PAGE_PORT = 18321, 18322
_ENV = ("env", f"PRECEPTOR_HTTP__PORT={_PORT}", f"PRECEPTOR_WEB__PORT={_PAGE_PORT}")


@dataclass(frozen=True)
class Figure:
    """One command: median seconds and the largest resident memory of its process tree, over the rounds."""

    name: str
    seconds: float
    megabytes: float
    goal_seconds: float | None = None
    goal_megabytes: float | None = None


def _memory(process: psutil.Popen) -> float:
    """Resident memory of a process and all below it, in MB."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


def _until_exit(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds from process start to exit, and the peak memory, sampled by the kernel (ru_maxrss)."""
    with (folder / "output").open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{shlex.join(command)} failed:\n{(folder / 'output').read_text()}")
    return seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def _until_ready(command: list[str], folder: Path, is_ready: Callable[[Path], bool]) -> tuple[float, float]:
    """Seconds from process start to readiness, and the memory of the process tree then."""
    with (folder / "output").open("wb") as output:
        started = time.perf_counter()
        process = psutil.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        try:
            while not is_ready(folder / "output"):
                if process.poll() is not None or time.perf_counter() - started > _DEADLINE_S:
                    sys.exit(f"{shlex.join(command)} did not get ready:\n{(folder / 'output').read_text()}")
                time.sleep(0.005)
            return time.perf_counter() - started, _memory(process)
        finally:
            process.terminate()
            process.wait(_DEADLINE_S)


def _answers(url: str) -> Callable[[Path], bool]:
    def _is_ready(output: Path) -> bool:
        try:
            with urllib.request.urlopen(url, timeout=1) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    return _is_ready


def _prints(pattern: str) -> Callable[[Path], bool]:
    return lambda output: re.search(pattern, output.read_text(errors="replace")) is not None


def _median(
    name: str, rounds: int, once: Callable[[], tuple[float, float]], goals: tuple[float, float] | None
) -> Figure:
    once()  # The first start compiles and fills caches; what is claimed is every later one.
    results = [once() for _ in range(rounds)]
    seconds, megabytes = goals or (None, None)
    return Figure(name, statistics.median(r[0] for r in results), max(r[1] for r in results), seconds, megabytes)


def _ours(rounds: int, folder: Path) -> list[Figure]:
    ready, page = (_answers(f"http://127.0.0.1:{port}") for port in (f"{_PORT}/readyz", _PAGE_PORT))
    alone, both = ([*_ENV, f"PRECEPTOR_WEB__ENABLED={on}", _PRECEPTOR, "run"] for on in ("false", "true"))
    ask = [_PRECEPTOR, "ask", "What is Ohm's law?"]
    return [
        _median("preceptor --help", rounds, lambda: _until_exit([_PRECEPTOR, "--help"], folder), (0.3, 150.0)),
        _median("preceptor ask", rounds, lambda: _until_exit(ask, folder), (1.0, 150.0)),
        _median("preceptor run", rounds, lambda: _until_ready(alone, folder, ready), (1.0, 150.0)),
        _median("… with its pages", rounds, lambda: _until_ready(both, folder, page), None),
    ]


def _print(figures: list[Figure], peer: Figure | None) -> None:
    columns = ("", "seconds", "of goal", "MB", "of goal") + ((f"of {peer.name}'s s", "… MB") if peer else ())
    print("".join(f"{column:>18}" for column in columns))
    for one in figures:
        row = [one.name, f"{one.seconds:.3f}"]
        row.append(f"{one.seconds / one.goal_seconds:.2f}×" if one.goal_seconds else "–")
        row.append(f"{one.megabytes:.0f}")
        row.append(f"{one.megabytes / one.goal_megabytes:.2f}×" if one.goal_megabytes else "–")
        if peer:
            row += [f"{one.seconds / peer.seconds:.3f}×", f"{one.megabytes / peer.megabytes:.3f}×"]
        print("".join(f"{cell:>18}" for cell in row))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="starts measured; the median is printed")
    parser.add_argument("--peer", help="a command to measure beside ours")
    parser.add_argument("--peer-name", default="peer")
    parser.add_argument("--ready-line", help="a regular expression the peer prints when it is ready")
    parser.add_argument("--ready-url", help="a URL of the peer that answers 200 when it is ready")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        figures = _ours(options.rounds, Path(folder))
        peer = None
        if options.peer:
            ready = _answers(options.ready_url) if options.ready_url else _prints(options.ready_line or "")
            command = shlex.split(options.peer)
            peer = _median(options.peer_name, options.rounds, lambda: _until_ready(command, Path(folder), ready), None)
            figures.append(peer)
    if options.json:
        print(json.dumps([asdict(figure) for figure in figures]))
    else:
        _print(figures, peer)


if __name__ == "__main__":
    main()
