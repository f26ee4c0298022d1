"""However Preceptor ends, the process of its pages ends, too."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx
import psutil
import pytest

_PRECEPTOR = str(Path(sys.executable).with_name("preceptor"))


@pytest.mark.parametrize(("command", "number"), [("run", signal.SIGKILL), ("web", signal.SIGTERM)])
async def test_the_end_of_preceptor_is_that_of_the_pages(tmp_path: Path, command: str, number: signal.Signals) -> None:
    (tmp_path / "knowledge.md").write_text("# Hours\n\nThe office opens at eight.\n")
    variables = {
        "PRECEPTOR_KNOWLEDGE__SOURCES": "knowledge.md",
        "PRECEPTOR_HTTP__PORT": "0",
        # `preceptor web` serves them in any case.
        "PRECEPTOR_WEB__ENABLED": str(command == "run"),
        "PRECEPTOR_WEB__PORT": "0",
    }
    process = await asyncio.create_subprocess_exec(
        *(_PRECEPTOR, command),
        cwd=tmp_path,
        env=os.environ | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        first = (await asyncio.wait_for(process.stdout.readline(), 50)).decode()
        address = first.removeprefix("Preceptor is ready. Open ").strip()
        async with httpx.AsyncClient(timeout=30) as client:
            assert (await client.get(address)).status_code == 200
        (child,) = [one for one in psutil.Process(process.pid).children() if "adapters.web.server" in one.cmdline()]
        process.send_signal(number)
        rest = (await asyncio.wait_for(process.stdout.read(), 20)).decode()
        assert "Streamlit" not in rest
        await asyncio.wait_for(process.wait(), 20)
        await asyncio.to_thread(psutil.wait_procs, [child], 8)
        assert not child.is_running()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
