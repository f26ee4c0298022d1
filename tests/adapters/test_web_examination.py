"""What the doctor finds of the pages' set-up."""

import socket
from typing import Any

import pytest
from signed_in import KEYS, pages_of

from adapters.web.examination import examine
from bot.examination import Examined, Finding
from bot.settings import Settings


async def _found(http: dict[str, Any] | None = None, **web: Any) -> dict[str, Finding]:
    settings = Settings(http=http or {}, web={"port": 0} | web)
    return {finding.name.removeprefix("web: "): finding async for finding in examine(Examined(settings))}


def _verdicts(found: dict[str, Finding]) -> dict[str, str]:
    return {name: finding.verdict for name, finding in found.items()}


async def test_as_it_comes_all_is_well() -> None:
    assert _verdicts(await _found()) == {"keys": "ok", "port": "ok"}


async def test_where_others_reach_the_pages_it_takes_keys_and_https() -> None:
    found = await _found(host="0.0.0.0")
    assert _verdicts(found) == {"keys": "failed", "https": "warning", "port": "ok"}
    assert "preceptor settings new-key" in found["keys"].fix
    assert "web.https" in found["https"].fix
    found = await _found(http=KEYS | {"guests": True}, host="0.0.0.0", https=True)
    assert _verdicts(found) == {"keys": "ok", "port": "ok"}
    assert "Guests may ask." in found["keys"].meaning


async def test_behind_a_proxy_too_cookies_want_https() -> None:
    assert (await _found(http=KEYS, allowed_hosts=("bot.example",)))["https"].verdict == "warning"


async def test_a_port_in_use_is_named_and_our_own_pages_are_known(tmp_path_factory: pytest.TempPathFactory) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = await _found(port=taken.getsockname()[1])
    assert found["port"].verdict == "failed"
    assert "web.port" in found["port"].fix
    settings = Settings(data_directory=tmp_path_factory.mktemp("pages"), web={"port": 0})
    async with pages_of(settings, "http://127.0.0.1:9") as pages:
        await pages.get("/_stcore/health")
        found = await _found(port=pages.base_url.port)
    assert found["port"].verdict == "ok"
    assert "own pages" in found["port"].meaning


async def test_where_no_key_is_an_admins_nobody_can_open_the_pages_of_admins() -> None:
    found = (await _found(http={"user_keys": KEYS["user_keys"]}))["admin keys"]
    assert found.verdict == "warning"
    assert "nobody can open" in found.meaning
    assert "http.admin_keys" in found.fix
    assert "admin keys" not in await _found(http=KEYS)


async def test_without_the_http_api_there_are_no_pages() -> None:
    assert (await _found(http={"enabled": False}))["HTTP API"].fix.startswith("Set http.enabled to true")


async def test_a_host_that_is_none_is_named() -> None:
    found = await _found(host="no-such-host.invalid")
    assert found["address"].verdict == "failed"
    assert "web.host" in found["address"].fix
