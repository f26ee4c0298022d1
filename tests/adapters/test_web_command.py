"""`preceptor web`: the pages alone, for an API that runs already."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psutil
import pytest
from signed_in import USER, api_with_sessions, pages_of

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


@pytest.mark.parametrize("address", ["nonsense", "http://[::", "ftp://127.0.0.1:9"])
async def test_an_address_that_is_none_is_named(
    tmp_path: Path, running: list[asyncio.subprocess.Process], address: str
) -> None:
    process = await _web(tmp_path, "--api", address, TERMINAL_WIDTH="200")
    running.append(process)
    _, said = await asyncio.wait_for(process.communicate(), 40)
    assert process.returncode == 2
    assert f"{address} is no address as http://host:port" in said.decode()


async def test_an_api_that_is_not_up_yet_is_waited_for(
    tmp_path: Path, running: list[asyncio.subprocess.Process]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    process = await _web(tmp_path, "--api", address)
    running.append(process)
    assert await _line(process) == f"Waiting for {address} to answer as Preceptor does."
    async with api_with_sessions(tmp_path, http={"port": port, "user_keys": (USER,)}):
        pages = (await _line(process)).removeprefix("Open ")
        assert await _line(process) == f"The pages talk to {address}."
        async with httpx.AsyncClient(base_url=pages, timeout=30) as client:
            assert (await client.get("/")).headers["location"] == "/sign-in"
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 15) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_waiting_can_be_ended(
    tmp_path: Path, running: list[asyncio.subprocess.Process], number: signal.Signals
) -> None:
    process = await _web(tmp_path, "--api", "http://127.0.0.1:9")
    running.append(process)
    assert (await _line(process)).startswith("Waiting for")
    process.send_signal(number)
    assert await asyncio.wait_for(process.communicate(), 15) == (b"", b"")
    assert process.returncode == 0


async def test_pages_that_are_served_already_are_pointed_to(
    tmp_path: Path, running: list[asyncio.subprocess.Process]
) -> None:
    async with (
        api_with_sessions(tmp_path, http={}) as served,
        pages_of(served.settings, served.adapter.address) as pages,
    ):
        await pages.get("/_stcore/health")
        process = await _web(tmp_path, "--api", served.adapter.address, PRECEPTOR_WEB__PORT=str(pages.base_url.port))
        running.append(process)
        _, said = await asyncio.wait_for(process.communicate(), 40)
    assert process.returncode == 1
    assert f"The pages are served at http://127.0.0.1:{pages.base_url.port} already." in " ".join(said.decode().split())


async def test_who_asks_for_the_pages_is_told_that_their_port_is_taken_before_all_else_starts(
    tmp_path: Path, running: list[asyncio.subprocess.Process]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = await _web(tmp_path, PRECEPTOR_WEB__PORT=port, PRECEPTOR_HTTP__PORT="0")
        running.append(process)
        _, said = await asyncio.wait_for(process.communicate(), 40)
    assert process.returncode == 1
    assert f"Port {port} on 127.0.0.1 is in use by another program." in " ".join(said.decode().split())


async def test_without_the_http_api_it_says_that_the_pages_need_it(
    tmp_path: Path, running: list[asyncio.subprocess.Process]
) -> None:
    process = await _web(tmp_path, PRECEPTOR_HTTP__ENABLED="false")
    running.append(process)
    _, said = await asyncio.wait_for(process.communicate(), 40)
    assert process.returncode not in (0, None)
    assert "No front door is configured. The web pages need the HTTP API, which is off." in " ".join(
        said.decode().split()
    )


async def test_its_help_says_what_it_does(tmp_path: Path, running: list[asyncio.subprocess.Process]) -> None:
    process = await _web(tmp_path, "--help")
    running.append(process)
    said, _ = await asyncio.wait_for(process.communicate(), 40)
    assert process.returncode == 0
    assert "--api" in said.decode()
    assert "Where Preceptor runs already" in said.decode()
