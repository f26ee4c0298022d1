"""Real `preceptor run` processes: started in a folder of their own, killed without a word, started again."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import psutil

PRECEPTOR = str(Path(sys.executable).with_name("preceptor"))
_START_SECONDS = 90.0


class Bot:
    """One place where a process runs, and the process that runs there now.

    Attributes:
        starts: how often one was started.
        kills: how often one was killed.
        last_words: the file that has what all of them wrote to the standard error.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self.number = number
        self.starts = self.kills = 0
        self.last_words = folder / f"log-{number}.txt"
        self.ready = asyncio.Event()
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._is_struck = False

    async def start(self) -> None:
        """Start a process; `ready` is set when it says that it is."""
        self.starts += 1
        self.ready.clear()
        self._is_struck = False
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PRECEPTOR_")}
        with self.last_words.open("ab") as words:
            self._process = await asyncio.create_subprocess_exec(
                PRECEPTOR, "run", cwd=self._folder, env=environment, stdout=asyncio.subprocess.PIPE, stderr=words
            )
        self._listening = asyncio.create_task(self._listen(self._process))

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            raise RuntimeError("the process has no standard output")
        async for line in process.stdout:
            if b"Preceptor is ready" in line:
                self.ready.set()

    async def until_ready(self) -> None:
        """Wait until the process answers; raises RuntimeError, with its last words, where it ends instead."""
        ended = asyncio.create_task(self._ended())
        ready = asyncio.create_task(self.ready.wait())
        done, waiting = await asyncio.wait((ended, ready), timeout=_START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        if ready not in done:
            raise RuntimeError(f"preceptor did not start:\n{self.tail()}")

    async def _ended(self) -> None:
        if self._process is not None:
            await self._process.wait()

    @property
    def is_alive(self) -> bool:
        """Whether a process is there that nobody killed."""
        return self._process is not None and self._process.returncode is None

    def has_port(self, port: int) -> bool:
        """Say whether a connection from this local port is the process's."""
        if self._process is None:
            return False
        with suppress(psutil.Error):
            return any(one.laddr.port == port for one in psutil.Process(self._process.pid).net_connections("tcp"))
        return False

    def strike(self) -> None:
        """Send SIGKILL, if there is somebody to receive it."""
        if self._process is not None and self.is_alive and not self._is_struck:
            self._is_struck = True
            self.kills += 1
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)

    async def kill(self) -> None:
        """Kill the process and wait until it is gone."""
        self.strike()
        await self._gone()

    async def stop(self) -> int:
        """Ask the process to end, as an operator does, and give its exit status."""
        if self._process is None:
            return 0
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._gone(), 30)
        except TimeoutError:
            await self.kill()
        return self._process.returncode or 0

    async def _gone(self) -> None:
        await self._ended()
        if self._listening is not None:
            await self._listening

    def tail(self, lines: int = 40) -> str:
        """Give the last lines of the log."""
        return "\n".join(self.last_words.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
