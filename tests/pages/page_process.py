"""Real `preceptor run` and `preceptor web` processes in a folder of their own, on ports that stay the same."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

PRECEPTOR = str(Path(sys.executable).with_name("preceptor"))
_START_SECONDS = 90.0
_STOP_SECONDS = 20.0
_POLL_SECONDS = 0.1

UNLIMITED = dict.fromkeys(("person_per_minute", "channel_per_minute", "workspace_per_minute", "person_at_once"), 0)
NO_MODELS = {"images": {"labels": "floor", "captions": "floor"}}


def free_port() -> int:
    """Give a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class PreceptorProcess:
    """One Preceptor: its folder, its addresses, and the process that runs there now.

    Args:
        folder: where it keeps its data; its log, too (`log.txt`).
        sources: files and folders that it answers from.
        sections: settings, as ``http={"user_keys": [...]}``.
    """

    def __init__(self, folder: Path, sources: list[Path], **sections: dict[str, Any]) -> None:
        self.folder = folder
        self.log = folder / "log.txt"
        self.api_port, self.page_port = free_port(), free_port()
        self.api = f"http://127.0.0.1:{self.api_port}"
        self.url = f"http://127.0.0.1:{self.page_port}"
        self._sources = [str(source) for source in sources]
        self._sections = sections
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """The process that runs now."""
        return self._running.pid

    @property
    def _running(self) -> Process:
        if self._process is None:
            raise RuntimeError("no process has been started")
        return self._process

    async def start(self, *command: str, **changed: dict[str, Any]) -> None:
        """Start `preceptor run`, or another command; with `changed` settings until the next start."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(PRECEPTOR, *(command or ("run",))),
                cwd=self.folder,
                env=self._environment(changed),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def until_up(self, *addresses: str) -> None:
        """Wait until it answers, at its own two addresses where no others are named.

        Raises:
            RuntimeError: it ended, or takes too long; with what it said last.
        """
        waited = addresses or (f"{self.api}/readyz", f"{self.url}/_stcore/health")
        try:
            async with asyncio.timeout(_START_SECONDS), httpx.AsyncClient(trust_env=False) as client:
                for address in waited:
                    await self._until_answered(client, address)
        except TimeoutError:
            raise RuntimeError(f"Preceptor takes too long to start: {self.last_words()}") from None

    async def _until_answered(self, client: httpx.AsyncClient, address: str) -> None:
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(address)).status_code == httpx.codes.OK:
                    return
            if self._running.returncode is not None:
                raise RuntimeError(f"Preceptor ended: {self.last_words()}")
            await asyncio.sleep(_POLL_SECONDS)

    async def stop(self) -> None:
        """Ask it to stop, and wait until it has; one that does not is killed, and the test fails."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
        except TimeoutError:
            await self.kill()
            raise RuntimeError(f"Preceptor did not stop: {self.last_words()}") from None

    async def ended(self) -> None:
        """Wait until it ends by itself.

        Raises:
            RuntimeError: it failed.
        """
        if await self._running.wait() != 0:
            raise RuntimeError(f"Preceptor failed: {self.last_words()}")

    async def kill(self) -> None:
        """End it without a word."""
        self._running.kill()
        await self._running.wait()

    def freeze(self) -> None:
        """Hold it: it takes connections and answers nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def last_words(self) -> str:
        """Give the end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-4_000:]

    def _environment(self, changed: dict[str, dict[str, Any]]) -> dict[str, str]:
        sections: dict[str, dict[str, Any]] = {
            "knowledge": {"sources": self._sources},
            "http": {"port": self.api_port},
            "web": {"enabled": True, "port": self.page_port},
            "models": NO_MODELS,
            "limits": UNLIMITED,
        }
        given = {name: value for name, value in os.environ.items() if not name.startswith("PRECEPTOR_")}
        variables = given | {"PRECEPTOR_DATA_DIRECTORY": str(self.folder / "data"), "OMP_NUM_THREADS": "1"}
        for more in (self._sections, changed):
            sections |= {name: sections.get(name, {}) | section for name, section in more.items()}
        return variables | dict(_flat("PRECEPTOR", sections, "_"))


def _flat(name: str, value: object, joint: str = "__") -> Iterator[tuple[str, str]]:
    """Yield settings as variables of the environment: PRECEPTOR_HTTP__PORT."""
    if isinstance(value, dict):
        for part, inner in value.items():
            yield from _flat(f"{name}{joint}{part.upper()}", inner)
    else:
        yield name, value if isinstance(value, str) else json.dumps(value)


def chromium() -> str:
    """Give the path of Chromium.

    Raises:
        RuntimeError: there is none on this machine.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found is not None:
            return found
    raise RuntimeError("Chromium is not installed: `apt-get install chromium` (or Google Chrome) puts it there.")
