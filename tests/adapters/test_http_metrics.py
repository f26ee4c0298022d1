"""The metrics over HTTP: who may see them, in which form, and how requests are counted among them."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as prometheus_text

from bot.application import Application
from bot.settings import Settings

_KEY = "0123456789abcdef-user"
_PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
"""What Prometheus 3 sends."""

Serve = Callable[..., Any]


@pytest.fixture
def api(settings: Settings) -> Serve:
    """Give what serves the API, with its metrics, under some settings of its own."""

    @asynccontextmanager
    async def _api(headers: dict[str, str] | None = None, **http: Any) -> AsyncIterator[httpx.AsyncClient]:
        application = Application(Settings(**settings.model_dump() | {"http": {"port": 0} | http}))
        adapter = application.adapter("http")
        async with (
            application.running([adapter]),
            httpx.AsyncClient(base_url=adapter.address, headers=headers, timeout=30) as client,
        ):
            yield client

    return _api


async def _requests(client: httpx.AsyncClient) -> dict[tuple[str, str, str], float]:
    """Give how many requests were counted, by route, method and status."""
    families = prometheus_text((await client.get("/metrics")).text)
    samples = (sample for family in families for sample in family.samples)
    labels = ("route", "method", "status")
    return {
        tuple(one.labels[name] for name in labels): one.value  # type: ignore[misc]
        for one in samples
        if one.name == "preceptor_http_requests_total"
    }


async def test_they_need_a_key_where_keys_are_set(api: Serve) -> None:
    async with api(user_keys=(_KEY,)) as client:
        refused = await client.get("/metrics")
        assert refused.status_code == 401
        assert refused.headers["content-type"] == "application/problem+json"
        shown = await client.get("/metrics", headers={"Authorization": f"Bearer {_KEY}"})
    assert shown.status_code == 200
    assert "preceptor_build_info{" in shown.text
    assert _KEY not in shown.text


async def test_guests_are_not_shown_them(api: Serve) -> None:
    async with api(user_keys=(_KEY,), guests=True) as client:
        token = (await client.post("/v1/sessions", json={"guest": True})).json()["token"]
        refused = await client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert refused.status_code == 403
    assert refused.json()["detail"] == "Guests are not shown the metrics."


async def test_prometheus_gets_the_form_that_it_asks_for(api: Serve) -> None:
    async with api() as client:
        await client.post("/v1/ask", json={"question": "When does the office open?"})
        plain = await client.get("/metrics")
        newest = await client.get("/metrics", headers={"Accept": _PROMETHEUS})
    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert plain.headers["cache-control"] == "no-store"
    assert newest.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0; charset=utf-8")
    named = {family.name for family in open_metrics(newest.text)}
    assert {"preceptor_questions", "preceptor_http_seconds", "preceptor_queue_messages"} <= named


async def test_requests_are_counted_by_the_template_of_their_address(api: Serve) -> None:
    async with api() as client:
        for number in range(3):
            await client.get(f"/v1/conversations/{number:032x}")
            await client.get(f"/nothing/{number}?key={number}")
            await client.request(f"BREW{number}", "/v1/ask")
            await client.post("/v1/ask", json={})
        found = await _requests(client)
    assert found["/v1/conversations/{conversation_id}", "GET", "404"] == 3
    assert found["other", "GET", "404"] == 3
    assert found["/v1/ask", "POST", "422"] == 3
    assert sum(number for (_, method, _), number in found.items() if method == "other") == 3
    assert not re.search("BREW|nothing|0000", str(found))


async def test_what_is_refused_at_the_gate_is_counted_too(api: Serve) -> None:
    async with api({"X-API-Key": _KEY}, user_keys=(_KEY,)) as client:
        for _ in range(2):
            await client.get("/v1/knowledge", headers={"X-API-Key": "wrong"})
        found = await _requests(client)
    assert found["other", "GET", "401"] == 2


async def test_a_streamed_answer_counts_once_with_all_its_time(api: Serve) -> None:
    async with api() as client:
        question = {"question": "When does the office open?"}
        async with client.stream("POST", "/v1/ask", json=question, headers={"Accept": "text/event-stream"}) as answer:
            assert "event: done" in (await answer.aread()).decode()
        assert (await _requests(client))["/v1/ask", "POST", "200"] == 1


async def test_they_are_described(api: Serve) -> None:
    async with api(user_keys=(_KEY,), headers={"X-API-Key": _KEY}) as client:
        described = (await client.get("/openapi.json")).json()["paths"]["/metrics"]["get"]
    assert set(described["responses"]) == {"200", "401", "403", "503"}
    assert set(described["responses"]["200"]["content"]) == {
        "text/plain",
        "application/openmetrics-text",
    }
    assert described["security"] == [{"key": []}]
