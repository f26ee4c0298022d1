"""`preceptor web`: the pages alone, for an API that runs already."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psutil
import pytest
from signed_in import USER, api_with_sessions

_PRECEPTOR = str(Path(sys.executable).with_name("preceptor"))


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[list[asyncio.subprocess.Process]]:
    """Give a list of processes; those that still run are ended."""
    processes: list[asyncio.subprocess.Process] = []
    yield processes
    for process in processes:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def _web(folder: Path, *options: str, **variables: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(_PRECEPTOR, "web", *options),
        cwd=folder,
        env=os.environ | {"PRECEPTOR_WEB__PORT": "0"} | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def _line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), 40)).decode().strip()


async def test_it_serves_the_pages_for_an_api_elsewhere_and_learns_there_whether_to_sign_in(
    tmp_path: Path, running: list[asyncio.subprocess.Process]
) -> None:
    async with api_with_sessions(tmp_path) as served:
        process = await _web(tmp_path, "--api", f"{served.adapter.address}/")
        running.append(process)
        address = (await _line(process)).removeprefix("Open ")
        assert await _line(process) == f"The pages talk to {served.adapter.address}."
        async with httpx.AsyncClient(base_url=address, timeout=30) as pages:
            assert (await pages.get("/")).headers["location"] == "/sign-in"
            assert (await pages.post("/sign-in", data={"key": USER})).status_code == 303
            assert (await pages.get("/")).status_code == 200
        (child,) = [one for one in psutil.Process(process.pid).children() if "adapters.web.server" in one.cmdline()]
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 15) == 0
        assert not child.is_running()


async def test_where_preceptor_runs_already_it_serves_the_pages_for_that(
    tmp_path: Path, running: list[asyncio.subprocess.Process]
) -> None:
    async with api_with_sessions(tmp_path, http={}) as served:
        port = served.adapter.address.rpartition(":")[2]
        process = await _web(tmp_path, PRECEPTOR_HTTP__PORT=port)
        running.append(process)
        address = (await _line(process)).removeprefix("Open ")
        assert (await _line(process)).endswith(served.adapter.address + ".")
        async with httpx.AsyncClient(base_url=address, timeout=30) as pages:
            assert (await pages.get("/")).status_code == 200
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 15) == 0


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "nonsense", "http://[::"])
async def test_an_address_where_no_preceptor_answers_is_named(
    tmp_path: Path, running: list[asyncio.subprocess.Process], address: str
) -> None:
    process = await _web(tmp_path, "--api", address)
    running.append(process)
    _, said = await asyncio.wait_for(process.communicate(), 40)
    assert process.returncode == 1
    assert (
        " ".join(said.decode().split()) == f"Error: No Preceptor answers at {address}. Start it there, or mend --api."
    )


async def test_its_help_says_what_it_does(tmp_path: Path, running: list[asyncio.subprocess.Process]) -> None:
    process = await _web(tmp_path, "--help")
    running.append(process)
    said, _ = await asyncio.wait_for(process.communicate(), 40)
    assert process.returncode == 0
    assert "--api" in said.decode()
    assert "Where Preceptor runs already" in said.decode()
