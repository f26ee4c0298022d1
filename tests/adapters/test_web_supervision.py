"""The pages' process under the bot's care: started, started again, ended, and told no secret."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import psutil
import pytest
from signed_in import ADMIN, KEYS
from structlog.testing import capture_logs

from adapters.web.adapter import WebAdapter, page_settings
from adapters.web.child import Child
from adapters.web.page_settings import PageSettings
from adapters.web.pulse import Pulse
from bot.adapter import AdapterSetup, Receipt
from bot.errors import AdapterError, DeliveryRefusedError
from bot.messages import IncomingMessage, Place, Reply
from bot.settings import Settings

_API = {"http": "http://127.0.0.1:9"}


async def _accept(message: IncomingMessage) -> Receipt:
    raise NotImplementedError


async def _inquire(message: IncomingMessage) -> Reply:
    raise NotImplementedError


def adapter_at(addresses: dict[str, str] | None = None, http: dict[str, Any] | None = None, **web: Any) -> WebAdapter:
    settings = Settings(web={"port": 0} | web, http=http or {})
    setup = AdapterSetup(settings, _inquire, str, addresses=lambda: _API if addresses is None else addresses)
    return WebAdapter.create(setup)


@pytest.fixture
async def adapter() -> AsyncIterator[WebAdapter]:
    adapter = adapter_at(http=KEYS)
    await adapter.start(_accept)
    yield adapter
    await adapter.stop()


async def _health(adapter: WebAdapter) -> httpx.Response:
    async with httpx.AsyncClient(base_url=adapter.address, timeout=30) as client:
        return await client.get("/_stcore/health")


def _child() -> psutil.Process:
    (child,) = [one for one in psutil.Process().children() if "adapters.web.server" in one.cmdline()]
    return child


async def test_the_address_takes_connections_at_once_and_health_follows(adapter: WebAdapter) -> None:
    assert adapter.welcome == f"Open {adapter.address}"
    assert (adapter.health.is_up, adapter.health.reason) == (False, "The pages are starting.")
    assert (await _health(adapter)).text == "ok"
    assert adapter.health.is_up


async def test_a_process_that_dies_is_started_again_and_nobody_is_turned_away(adapter: WebAdapter) -> None:
    await _health(adapter)
    first = _child()
    with capture_logs() as logged:
        first.kill()
        # Sent while nobody is there to answer it.
        assert (await _health(adapter)).text == "ok"
    assert _child().pid != first.pid
    assert [line["how"] for line in logged if line["event"] == "web pages ended"] == ["was ended by signal 9"]


async def test_a_process_that_hangs_is_ended_and_started_again() -> None:
    opened = socket.create_server(("127.0.0.1", 0))
    host, port = opened.getsockname()
    child = Child(opened, page_settings(Settings(), _API["http"]), Pulse(0.2, 3.0, 2))
    child.start()
    try:
        async with asyncio.timeout(60), httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=60) as client:
            await client.get("/_stcore/health")
            first = _child()
            with capture_logs() as logged:
                first.suspend()
                while "web pages ended" not in [line["event"] for line in logged]:  # noqa: ASYNC110 - the log has no event
                    await asyncio.sleep(0.05)
            assert "web pages hang" in [line["event"] for line in logged]
            assert not child.health.is_up
            assert (await client.get("/_stcore/health")).text == "ok"
            assert _child().pid != first.pid
    finally:
        await child.stop()


async def test_while_the_process_is_down_health_says_why(adapter: WebAdapter) -> None:
    await _health(adapter)
    _child().kill()
    async with asyncio.timeout(10):
        while adapter.health.is_up:  # noqa: ASYNC110 - it is a value that is looked at
            await asyncio.sleep(0.01)
    assert adapter.health.reason.startswith("The pages' process was ended by signal 9 and is started again within 1 s")


async def test_a_process_that_cannot_start_is_tried_more_and_more_seldom_and_the_log_says_why() -> None:
    opened = socket.create_server(("127.0.0.1", 0))
    child = Child(opened, PageSettings(title=cast("str", 5)))
    with capture_logs() as logged:
        child.start()
        async with asyncio.timeout(30):
            while len(ends := [line for line in logged if line["event"] == "web pages ended"]) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await child.stop()
    assert [line["again_in_seconds"] for line in ends] == [1.0, 2.0]
    assert any("AttributeError" in line.get("line", "") for line in logged)


async def test_the_process_is_told_no_key_and_nothing_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secrets = {"PRECEPTOR_HTTP__ADMIN_KEYS": ADMIN, "GEMINI_API_KEY": "xylophone", "STREAMLIT_SERVER_PORT": "1"}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    adapter = adapter_at(http=KEYS | {"admin_keys": (ADMIN,)})
    await adapter.start(_accept)
    try:
        await _health(adapter)
        child = _child()
        told = str(child.environ()) + str(child.cmdline())
        assert not [value for value in (ADMIN, "xylophone", "STREAMLIT") if value in told]
    finally:
        await adapter.stop()


async def test_streamlits_files_of_the_working_directory_are_none_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text(
        '[server]\nbaseUrlPath = "elsewhere"\n[theme]\nbase = "dark"\n'
    )
    (tmp_path / ".streamlit" / "secrets.toml").write_text("not toml at all")
    monkeypatch.chdir(tmp_path)
    adapter = adapter_at()
    await adapter.start(_accept)
    try:
        assert (await _health(adapter)).text == "ok"
        assert Path(_child().cwd()) != tmp_path
    finally:
        await adapter.stop()


async def test_a_stop_leaves_no_process_no_task_and_no_socket() -> None:
    before = asyncio.all_tasks()
    adapter = adapter_at()
    await adapter.start(_accept)
    await _health(adapter)
    child, started = _child(), asyncio.get_running_loop().time()
    await adapter.stop()
    assert asyncio.get_running_loop().time() - started < 5
    assert not child.is_running()
    assert asyncio.all_tasks() == before
    with pytest.raises(httpx.ConnectError):
        await _health(adapter)


async def test_a_stop_right_after_the_start_is_one_as_well() -> None:
    adapter = adapter_at()
    await adapter.start(_accept)
    await adapter.stop()
    assert not [one for one in psutil.Process().children() if "adapters.web.server" in one.cmdline()]


async def test_where_the_port_is_taken_one_line_says_so_and_nothing_fails() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, capture_logs() as logged:
        port = taken.getsockname()[1]
        adapter = adapter_at(port=port)
        await adapter.start(_accept)
    assert adapter.welcome.startswith(f"The web pages are not served: web.port {port} is taken. Set web.port to a free")
    assert (adapter.health.is_up, adapter.health.reason) == (False, adapter.welcome)
    assert not adapter.address
    assert [(line["event"], line["log_level"]) for line in logged] == [("web pages not served", "warning")]
    await adapter.stop()


async def test_a_host_that_is_none_is_named_with_the_setting() -> None:
    with pytest.raises(AdapterError, match=r"web\.host"):
        await adapter_at(host="no-such-host.invalid").start(_accept)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
async def test_where_others_can_reach_them_the_pages_need_a_key(host: str) -> None:
    with pytest.raises(AdapterError, match=r"no key is set.*preceptor settings new-key.*http\.admin_keys"):
        await adapter_at(host=host).start(_accept)


async def test_with_a_key_they_are_served_where_others_can_reach_them() -> None:
    adapter = adapter_at(host="0.0.0.0", http=KEYS)
    await adapter.start(_accept)
    try:
        assert adapter.address.startswith("http://127.0.0.1:")
        assert (await _health(adapter)).text == "ok"
    finally:
        await adapter.stop()


async def test_without_the_http_api_one_line_says_so_and_nothing_fails() -> None:
    adapter = adapter_at(addresses={})
    await adapter.start(_accept)
    assert adapter.welcome == "The web pages need the HTTP API: set http.enabled to true."
    assert (adapter.health.is_up, adapter.health.reason) == (False, adapter.welcome)
    assert not adapter.address
    await adapter.stop()


async def test_where_they_are_not_installed_one_line_says_so_and_nothing_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "httpx_sse", None)
    adapter = adapter_at()
    await adapter.start(_accept)
    assert adapter.welcome == "The web pages are not installed: `make web`."
    await adapter.stop()


async def test_nothing_is_sent_from_here() -> None:
    with pytest.raises(DeliveryRefusedError):
        await adapter_at().send(Place("web"), Reply("text"), "key")
    with pytest.raises(DeliveryRefusedError):
        await adapter_at().edit(Place("web"), "1", Reply("text"))
