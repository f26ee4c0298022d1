"""A stop at any moment of the start is a clean one."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

RUN = "import sys; sys.argv = ['preceptor', 'run']; from bot.cli import main; main()"


def _catches(process: "subprocess.Popen[bytes]", number: signal.Signals) -> bool:
    """Say whether a process has a handler of its own for a signal."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (number - 1) & 1)


async def test_a_stop_before_it_is_ready_is_clean(
    environment: Callable[..., None], handbook: Path, tmp_path: Path
) -> None:
    environment(
        PRECEPTOR_DATA_DIRECTORY=str(tmp_path / "data"),
        PRECEPTOR_KNOWLEDGE__SOURCES=f'["{handbook}"]',
        PRECEPTOR_HTTP__ENABLED="true",
        PRECEPTOR_HTTP__PORT="0",
        PYTHONPATH=str(Path(__file__).parents[2]),
    )
    process = subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    async with asyncio.timeout(30):
        while not _catches(process, signal.SIGTERM):  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    output, _ = await asyncio.to_thread(process.communicate)
    assert process.returncode == 0
    assert output == b""
