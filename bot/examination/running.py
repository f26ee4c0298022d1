"""Runs all checks side by side within a deadline; whatever goes wrong in one of them becomes a finding."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TypeVar, cast

from bot.examination.findings import Examination, Examined, Finding
from bot.messages import Place

EXAMINATIONS = "preceptor.examinations"
"""The entry-point group in which front doors offer their checks, under the name of their section of the settings."""

_OURS = tuple(
    EntryPoint(name, f"bot.examination.{module}:examine", EXAMINATIONS)
    for name, module in (
        ("installation", "installation"),
        ("storage", "storage"),
        ("delivery", "delivery"),
        ("knowledge base", "knowledge"),
        ("generators", "generators"),
        ("diagnosis", "diagnosis"),
        ("pictures", "pictures"),
        ("front doors", "front_doors"),
    )
)
_DEADLINE_S = 15.0
_LOOK_S = 2.0

Result = TypeVar("Result")


async def examine(deadline: float = _DEADLINE_S) -> list[Finding]:
    """Read the settings and check everything that they name.

    Never raises: what is broken is what this is for. Threads that hang outlive it (see `bot.cli.output.leave`).

    Args:
        deadline: seconds after which what is not finished counts as not checked.
    """
    # Each of the project's other parts may be what is broken, so all are imported where that can be told.
    try:
        from bot.application import front_doors
        from bot.examination import channels
        from bot.examination import settings as reading
    except ImportError as error:
        broken = _not_importable("settings", error)
        return [broken, *await findings_of(_OURS[:1], Examined(None), deadline)]
    settings, findings = reading.read()
    known: dict[Place, tuple[str, ...]] = {}
    with contextlib.suppress(TimeoutError):
        known = await asyncio.wait_for(_in_thread(lambda: channels.configured(settings.database_file)), _LOOK_S)
    offered = [entry for door in front_doors(settings) for entry in entry_points(group=EXAMINATIONS, name=door)]
    return [*findings, *await findings_of((*_OURS, *offered), Examined(settings, known), deadline)]


async def findings_of(entries: Sequence[EntryPoint], examined: Examined, deadline: float) -> list[Finding]:
    """Give what examinations find, one after the other in the order of `entries`; those run side by side."""
    # Loaded before the clocks run: importing a platform's library takes a while and holds the loop.
    loaded = [(entry.name, _load(entry)) for entry in entries]
    found = await asyncio.gather(*(_one(name, examination, examined, deadline) for name, examination in loaded))
    return [finding for findings in found for finding in findings]


def _load(entry: EntryPoint) -> Examination:
    try:
        return cast("Examination", entry.load())
    except (ImportError, AttributeError) as error:
        broken = _not_importable(entry.name, error)
        return lambda _: iter((broken,))


async def _one(name: str, examination: Examination, examined: Examined, deadline: float) -> list[Finding]:
    found: list[Finding] = []
    try:
        async with asyncio.timeout(deadline):
            await _collect(examination(examined), found)
    except TimeoutError:
        found.append(_unfinished(name, deadline))
    # A task's boundary: one check that breaks must not take the others with it.
    except Exception as error:  # noqa: BLE001
        found.append(_broken_off(name, error))
    return found


async def _collect(findings: AsyncIterator[Finding] | Iterator[Finding], into: list[Finding]) -> None:
    if isinstance(findings, AsyncIterator):
        async for finding in findings:
            into.append(finding)  # noqa: PERF401 - what is found before the deadline is there when it comes
    else:
        await _in_thread(lambda: _walk(findings, into))


def _walk(findings: Iterator[Finding], into: list[Finding]) -> None:
    for finding in findings:
        into.append(finding)  # noqa: PERF402 - as above


async def _in_thread(work: Callable[[], Result]) -> Result:
    """Run `work` in a thread that nobody waits for once the deadline is over."""
    thread = ThreadPoolExecutor(1, thread_name_prefix="examination")
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, work)
    finally:
        thread.shutdown(wait=False, cancel_futures=True)


def _not_importable(name: str, error: Exception) -> Finding:
    return Finding(name, "failed", f"It cannot be examined, nor used: {error}.", "Install Preceptor anew: `make run`.")


def _unfinished(name: str, deadline: float) -> Finding:
    return Finding(
        f"{name}: the rest",
        "unknown",
        f"It could not be checked within {deadline:g} s.",
        "Run `preceptor doctor` again when less goes on; a disk or a network that hangs shows like this, too.",
    )


def _broken_off(name: str, error: Exception) -> Finding:
    where = _origin(error)
    return Finding(
        f"{name}: the rest",
        "unknown",
        # The error's own words may hold what it met, a token for one.
        f"The check broke off with {type(error).__name__}{where}; that is a defect of Preceptor's.",
        "Report it, with this line.",
    )


def _origin(error: Exception) -> str:
    """Say where in the code an error arose."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    return f" in {Path(step.tb_frame.f_code.co_filename).name}:{step.tb_lineno}" if step else ""
