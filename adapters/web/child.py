"""Keeps the pages' process alive: starts it, hears what it says, starts it again, ends it."""

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import structlog

from adapters.web.adapter import address_of
from adapters.web.page_settings import PageSettings
from adapters.web.pulse import Pulse
from bot.adapter import Health

log = structlog.get_logger(__name__)

_FIRST_DELAY, _LONGEST_DELAY = 1.0, 60.0
_PROVEN_SECONDS = 60.0
"""After it has served for so long, the next failure counts as the first one."""

_PATIENCE_SECONDS = 4.0
"""How long the process may take to end by itself."""

_PULSE = Pulse()

_PASSED_ON = ("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "VIRTUAL_ENV", "SYSTEMROOT")
_PREFIXES = ("LC_", "PYTHON")

_HEADER_BYTES = 64 << 10
"""The longest header of a WebSocket's handshake, as of any other request (`adapters.web.server`): cookies of other
programs on this machine come along with ours."""

_STARTING = Health(is_up=False, reason="The pages are starting.")
_SILENT = Health(is_up=False, reason="The pages' process does not answer; if it goes on so, it is started again.")


class Child:
    """The pages' process.

    Args:
        opened: the listening socket; it stays open over the process's restarts, so that nobody is turned away.
        settings: what the process is told.
        pulse: how it is found out that the process hangs.
    """

    def __init__(self, opened: socket.socket, settings: PageSettings, pulse: Pulse = _PULSE) -> None:
        self._opened = opened
        self._settings = settings
        self._pulse = pulse
        self._running: asyncio.Task[None] | None = None
        self._serves_since = 0.0
        self.health = _STARTING
        self.serves = asyncio.Event()
        """Set while the process serves."""

    def start(self) -> None:
        """Start the process, and keep it running from here on."""
        self._running = asyncio.create_task(self._keep(), name="web pages")

    async def stop(self) -> None:
        """End the process and close the socket."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        self._opened.close()

    async def _keep(self) -> None:
        delay = _FIRST_DELAY
        while True:
            ended = await self._once()
            if self._proven():
                delay = _FIRST_DELAY
            reason = f"The pages' process {ended} and is started again within {delay:.0f} seconds; the log says more."
            log.error("web pages ended", how=ended, again_in_seconds=delay)
            self.health = Health(is_up=False, reason=reason)
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY)

    def _proven(self) -> bool:
        now = asyncio.get_running_loop().time()
        return bool(self._serves_since) and now - self._serves_since > _PROVEN_SECONDS

    async def _once(self) -> str:
        """Run the process once; say how it ended."""
        self._serves_since = 0.0
        self.serves.clear()
        number = self._opened.fileno()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # what lies in the folder that it runs in is none of its modules
                "-m",
                "adapters.web.server",
                str(number),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=(number,),
                # Streamlit takes settings from a folder of where it runs; here there is none.
                cwd=Path(__file__).parent,
                env=environment(os.environ),
                start_new_session=True,
            )
        except OSError as error:
            return f"could not be started ({error.strerror})"
        watching = asyncio.create_task(self._watch(process), name="web pages' pulse")
        try:
            await self._attend(process)
            return _in_words(await process.wait())
        finally:
            watching.cancel()
            self.serves.clear()
            await _ended(process)
            await asyncio.gather(watching, return_exceptions=True)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """End the process by force when it hangs."""
        await self.serves.wait()
        async for missed in self._pulse.misses(address_of(self._opened)):
            self.health = _SILENT if missed else Health(is_up=True)
            if missed >= self._pulse.most_missed:
                log.error("web pages hang", unanswered=missed)
                process.kill()
                return

    async def _attend(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stderr is None:
            raise RuntimeError("the pages' process has no pipes")
        with contextlib.suppress(ConnectionError):
            process.stdin.write(self._settings.to_json().encode() + b"\n")
            await process.stdin.drain()
        while True:
            try:
                line = await process.stderr.readline()
            except ValueError:
                # Longer than any line of its log: it is let go, and the next one is read.
                continue
            if not line:
                return
            self._hear(line.decode(errors="replace").rstrip())

    def _hear(self, line: str) -> None:
        try:
            said = json.loads(line)
        except json.JSONDecodeError:
            said = None
        if not isinstance(said, dict):
            # Before it serves nobody has written anything that could stand in it; afterwards nobody knows.
            if line and not self.serves.is_set():
                log.warning("web pages say", line=line)
        elif said.get("event") == "serving":
            self._serves_since = asyncio.get_running_loop().time()
            self.health = Health(is_up=True)
            self.serves.set()
        elif "event" in said:
            tell = log.warning if said.pop("level", "") == "warning" else log.error
            tell(str(said.pop("event")), **said)
        else:
            log.warning("web pages say", **said)


def environment(known: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of the process: no key and no setting of ours, nor Streamlit's."""
    passed_on = {name: value for name, value in known.items() if name in _PASSED_ON or name.startswith(_PREFIXES)}
    return passed_on | {"WEBSOCKETS_MAX_LINE_LENGTH": str(_HEADER_BYTES)}


async def _ended(process: asyncio.subprocess.Process) -> None:
    """End the process: by the end of its standard input, then by force."""
    if process.returncode is not None:
        return
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.communicate(), _PATIENCE_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _in_words(status: int) -> str:
    return f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
