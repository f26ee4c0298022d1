"""The status, statistics and reports over HTTP, for admins."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from http_serving import Serve, Served

from adapters.http.admin_documents import ReportEntries, Statistics, Status

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN_KEY, ADA_KEY = "admin-key-0123456789", "ada-key-0123456789ab"
QUESTION = "What is Ohm's law?"


@pytest_asyncio.fixture(loop_scope="module")
async def served(serve: Serve) -> AsyncIterator[Served]:
    """An API with keys; the client shows an admin's."""
    keys = {"admin_keys": (ADMIN_KEY,), "user_keys": (ADA_KEY,)}
    async with serve({"X-API-Key": ADMIN_KEY}, http=keys) as opened:
        yield opened


def _page(folder: Path, text: str) -> None:
    folder.mkdir(parents=True)
    (folder / "report.html").write_text(text, encoding="utf-8")


async def _actions(api: httpx.AsyncClient) -> list[str]:
    return [entry["action"] for entry in (await api.get("/v1/audit")).json()["entries"]]


async def test_the_status_tells_of_doors_queue_models_and_generators(served: Served) -> None:
    status = Status.model_validate((await served.api.get("/v1/status")).json())
    (door,) = status.adapters
    assert (door.name, door.is_up, door.address) == ("http", True, served.adapter.address)
    assert (status.queue.waiting, status.queue.answering, status.queue.unsent) == (0, 0, 0)
    assert status.memory.bytes > 1 << 20
    assert status.disk_free > 0
    assert {model.what: model.state for model in status.models}["symptoms"] in ("loaded", "not loaded")
    assert [(one.name, one.state) for one in status.generators] == [("extractive", "closed")]


async def test_looking_again_and_again_leaves_no_trace_in_the_audit(served: Served) -> None:
    for path in ("status", "statistics", "access", "audit", "places", "retention", "undelivered", "reports"):
        assert (await served.api.get(f"/v1/{path}")).status_code == 200
    assert await _actions(served.api) == []


async def test_nothing_of_it_is_for_others(served: Served) -> None:
    ada = {"X-API-Key": ADA_KEY}
    for method, path in (
        ("GET", "status"),
        ("GET", "statistics"),
        ("GET", "questions"),
        ("GET", "access"),
        ("GET", "audit"),
        ("GET", "places"),
        ("GET", "retention"),
        ("POST", "retention/clean"),
        ("GET", "undelivered"),
        ("POST", "undelivered/retry"),
        ("GET", "people"),
        ("GET", "reports"),
        ("GET", "reports/evaluation-friday/report.html"),
    ):
        refused = await served.api.request(method, f"/v1/{path}", headers=ada)
        assert refused.status_code == 403, path
        assert refused.json()["type"] == "urn:preceptor:error:not_allowed"
    outcomes = [entry["outcome"] for entry in (await served.api.get("/v1/audit")).json()["entries"]]
    assert outcomes == ["refused"] * 13


async def test_statistics_are_given_by_day(served: Served) -> None:
    await served.api.post("/v1/ask", json={"question": QUESTION})
    await served.api.post("/v1/ask", json={"question": "xyzzy plugh"})
    document = Statistics.model_validate((await served.api.get("/v1/statistics", params={"days": 7})).json())
    (today,) = document.days
    assert (today.place, today.questions, today.answered, today.declined) == ("http", 2, 1, 1)
    assert today.latency_ms.answers == 2
    assert [(one.generator, one.answers) for one in document.generators] == [("extractive", 1)]
    assert document.windows["day"]["questions"] == 2
    assert document.total.answers == 2


async def test_days_that_cannot_be_are_refused(served: Served) -> None:
    for days in ("0", "367", "many"):
        assert (await served.api.get("/v1/statistics", params={"days": days})).status_code == 422


async def test_a_report_is_served_so_that_it_runs_nothing(served: Served) -> None:
    data = served.folder.parent / "data"
    _page(data / "reports" / "friday's words", "<script>alert(1)</script>")
    (report,) = ReportEntries.model_validate((await served.api.get("/v1/reports")).json()).reports
    assert (report.kind, report.name, report.files) == ("evaluation", "friday's words", ["report.html"])
    page = await served.api.get(f"/v1/reports/{report.id}/report.html")
    assert page.text == "<script>alert(1)</script>"
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert policy == "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'"
    assert page.headers["x-content-type-options"] == "nosniff"


async def test_nothing_but_what_is_listed_is_served(served: Served) -> None:
    _page(served.folder.parent / "data" / "reports" / "friday", "fine")
    for path in (
        "evaluation-friday/preceptor.sqlite3",
        "evaluation-..%2F..%2Fdata/preceptor.sqlite3",
        "evaluation-friday/..%2F..%2Fpreceptor.sqlite3",
        "nothing/report.html",
    ):
        missing = await served.api.get(f"/v1/reports/{path}")
        assert missing.status_code == 404, path
        assert missing.headers["content-type"] == "application/problem+json"
