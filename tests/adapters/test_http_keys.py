"""Who may use the API: keys, roles, and what is refused where there are no keys."""

import hashlib
import logging
from typing import NoReturn

import httpx
import pytest
import structlog
from http_serving import Serve

from adapters.http import HttpAdapter
from bot.adapter import AdapterSetup
from bot.errors import AdapterError
from bot.messages import IncomingMessage
from bot.settings import Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN = "admin-key-0123456789"
USER = "user-key-0123456789"
OTHER = "other-key-0123456789"
KEYS = {
    "admin_keys": (f"sha256:{hashlib.sha256(ADMIN.encode()).hexdigest()}",),
    "user_keys": (USER, OTHER),
}
QUESTION = {"question": "What is Ohm's law?"}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("wrong-key-0123456789"),
        {"Authorization": "Bearer"},
        bearer(KEYS["admin_keys"][0]),
        {"Authorization": f"Basic {USER}"},
        {"Authorization": USER},
        {"X-API-Key": ""},
        {"X-API-Key": USER.upper()},
        {"Authorization": "Bearer \xff\xfe"},
    ],
)
async def test_without_a_valid_key_nothing_is_told(serve: Serve, headers: dict[str, str]) -> None:
    encoded = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    async with serve(http=KEYS) as served:
        for method, path in (("POST", "/v1/ask"), ("GET", "/v1/knowledge"), ("GET", "/docs"), ("GET", "/nothing")):
            response = await served.api.request(method, path, json=QUESTION, headers=encoded)
            assert response.status_code == 401
            assert response.headers["www-authenticate"].startswith("Bearer")
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["type"] == "urn:preceptor:error:key_missing"


@pytest.mark.parametrize("headers", [bearer(USER), {"Authorization": f"bearer  {USER}"}, {"X-API-Key": USER}])
async def test_a_user_key_opens_the_door(serve: Serve, headers: dict[str, str]) -> None:
    async with serve(headers, http=KEYS) as served:
        assert (await served.api.post("/v1/ask", json=QUESTION)).status_code == 200


async def test_only_an_admin_key_reloads_the_knowledge_base(serve: Serve) -> None:
    async with serve(http=KEYS) as served:
        refused = await served.api.post("/v1/knowledge/reload", headers=bearer(USER))
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:preceptor:error:not_allowed")
        assert (await served.api.post("/v1/knowledge/reload", headers=bearer(ADMIN))).status_code == 200


async def test_a_user_sees_their_own_conversations_only(serve: Serve) -> None:
    async with serve(http=KEYS) as served:
        mine = (await served.api.post("/v1/ask", json=QUESTION, headers=bearer(USER))).json()["conversation_id"]
        path = f"/v1/conversations/{mine}"
        assert (await served.api.get(path, headers=bearer(OTHER))).status_code == 404
        assert (await served.api.delete(path, headers=bearer(OTHER))).status_code == 404
        continued = QUESTION | {"conversation_id": mine}
        assert (await served.api.post("/v1/ask", json=continued, headers=bearer(OTHER))).status_code == 404
        assert (await served.api.get(path, headers=bearer(USER))).status_code == 200


async def test_health_needs_no_key(serve: Serve) -> None:
    async with serve(http=KEYS) as served:
        assert (await served.api.get("/healthz")).status_code == 200
        assert (await served.api.get("/readyz")).status_code == 200


async def test_neither_keys_nor_questions_reach_the_log(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with structlog.testing.capture_logs() as logged:
        async with serve(http=KEYS) as served:
            await served.api.post("/v1/ask", json={"question": "What is xylophone?"}, headers=bearer(USER))
            await served.api.post("/v1/ask", json={"question": ["xylophone"]}, headers=bearer(USER))
            await served.api.post("/v1/ask", content=b"xylophone", headers=bearer("xylophone"))
    assert [line for line in logged if line["event"] == "answered"]
    assert not [text for text in (str(logged), caplog.text) if "xylophone" in text or USER in text]


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
async def test_where_others_can_reach_it_it_needs_a_key(host: str) -> None:
    settings = Settings(http={"host": host, "port": 0})
    adapter = HttpAdapter.create(AdapterSetup(settings, inquire=_nobody, ready=str))
    with pytest.raises(AdapterError, match=r"no key is set.*preceptor settings new-key.*http\.admin_keys"):
        await adapter.start(_nobody)


async def test_with_a_key_it_listens_where_others_can_reach_it(serve: Serve) -> None:
    async with serve(bearer(USER), http=KEYS | {"host": "0.0.0.0"}) as served:
        url = served.adapter.address.replace("0.0.0.0", "127.0.0.1")
        response = await served.api.get(f"{url}/v1/knowledge", headers={"Host": "anything.example"})
        assert response.status_code == 200


async def test_a_digest_that_is_none_is_named() -> None:
    settings = Settings(http={"user_keys": ("sha256:not-hexadecimal",)})
    with pytest.raises(AdapterError, match=r"http\.user_keys") as caught:
        HttpAdapter.create(AdapterSetup(settings, inquire=_nobody, ready=str))
    assert "not-hexadecimal" not in str(caught.value)


async def test_the_digest_of_nothing_lets_nobody_in(serve: Serve) -> None:
    nothing = f"sha256:{hashlib.sha256(b'').hexdigest()}"
    async with serve(http={"admin_keys": (nothing,)}) as served:
        assert (await served.api.get("/v1/knowledge")).status_code == 401
        assert (await served.api.get("/v1/knowledge", headers={"X-API-Key": ""})).status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8321", "127.0.0.1.evil.example", "8.8.8.8", "[::", ""])
async def test_without_keys_another_host_name_is_refused(api: httpx.AsyncClient, host: str) -> None:
    response = await api.post("/v1/ask", json=QUESTION, headers={"Host": host})
    assert (response.status_code, response.json()["type"]) == (421, "urn:preceptor:error:host_unknown")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:99", "127.1.2.3", "[::1]:8321", "localhost."])
async def test_this_machines_own_names_are_known(api: httpx.AsyncClient, host: str) -> None:
    assert (await api.get("/v1/knowledge", headers={"Host": host})).status_code == 200


async def test_a_host_name_that_the_settings_allow_is_known(serve: Serve) -> None:
    async with serve(http={"allowed_hosts": ("Preceptor.Example",)}) as served:
        headers = {"Host": "preceptor.example", "Origin": "https://preceptor.example"}
        assert (await served.api.get("/v1/knowledge", headers=headers)).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000", "file://", ""])
async def test_without_keys_other_sites_pages_are_refused(api: httpx.AsyncClient, origin: str) -> None:
    response = await api.post("/v1/knowledge/reload", headers={"Origin": origin})
    assert (response.status_code, response.json()["type"]) == (403, "urn:preceptor:error:origin_refused")


async def test_our_own_page_may_ask(api: httpx.AsyncClient) -> None:
    headers = {"Origin": str(api.base_url).rstrip("/")}
    assert (await api.post("/v1/ask", json=QUESTION, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "media", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", ""]
)
async def test_a_form_of_another_site_gets_nowhere(api: httpx.AsyncClient, media: str) -> None:
    body = b'{"question": "What is Ohm\'s law?"}'
    response = await api.post("/v1/ask", content=body, headers={"Content-Type": media})
    assert (response.status_code, response.json()["type"]) == (415, "urn:preceptor:error:media_type_unsupported")


async def _nobody(message: IncomingMessage) -> NoReturn:
    raise NotImplementedError
