"""Conversations and the knowledge base over HTTP."""

import json

import httpx
import pytest
from http_serving import Serve

from adapters.http.conversation_documents import Conversation
from adapters.http.documents import Knowledge, Reload

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def opened(api: httpx.AsyncClient) -> str:
    return str((await api.post("/v1/ask", json={"question": "What is Ohm's law?"})).json()["conversation_id"])


async def test_a_conversation_is_read_back(api: httpx.AsyncClient) -> None:
    name = await opened(api)
    response = await api.get(f"/v1/conversations/{name}")
    assert response.status_code == 200
    conversation = Conversation.model_validate(response.json(), extra="forbid")
    assert conversation.conversation_id == name
    question, answer = conversation.messages
    assert (question.role, question.text) == ("question", "What is Ohm's law?")
    assert (answer.role, answer.outcome) == ("answer", "answered")
    assert answer.citations
    assert answer.citations[0].title == "Ohm's law"


async def test_a_deleted_conversation_is_gone(api: httpx.AsyncClient) -> None:
    name, other = await opened(api), await opened(api)
    response = await api.delete(f"/v1/conversations/{name}")
    assert (response.status_code, response.content) == (204, b"")
    assert (await api.get(f"/v1/conversations/{name}")).status_code == 404
    assert (await api.delete(f"/v1/conversations/{name}")).status_code == 404
    assert (await api.get(f"/v1/conversations/{other}")).status_code == 200


@pytest.mark.parametrize("name", ["0" * 32, "x", "%20", "..%2f..", "' OR 1=1 --", "é", "A" * 5_000, "null"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_what_is_no_conversation_is_not_found(api: httpx.AsyncClient, name: str, method: str) -> None:
    kept = await opened(api)
    response = await api.request(method, f"/v1/conversations/{name}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert (await api.get(f"/v1/conversations/{kept}")).status_code == 200


async def test_the_knowledge_base_is_described(api: httpx.AsyncClient) -> None:
    response = await api.get("/v1/knowledge")
    assert response.status_code == 200
    assert Knowledge.model_validate(response.json()).passages == 5


async def test_a_reload_says_what_changed(serve: Serve) -> None:
    async with serve() as served:
        (served.folder / "more.json").write_text(
            json.dumps([{"title": "Tides", "context": "The moon causes the tides."}])
        )
        (served.folder / "broken.json").write_text("[")
        response = await served.api.post("/v1/knowledge/reload")
        assert response.status_code == 200
        report = Reload.model_validate(response.json())
        assert (report.added, report.removed, report.changed) == (1, 0, True)
        assert report.problems[0]["source"].endswith("broken.json")
        answer = await served.api.post("/v1/ask", json={"question": "What causes the tides?"})
        assert "moon" in answer.json()["answer"]


async def test_a_reload_that_would_leave_nothing_keeps_what_there_was(serve: Serve) -> None:
    async with serve() as served:
        (served.folder / "physics.json").write_text("[]")
        response = await served.api.post("/v1/knowledge/reload")
        assert response.status_code == 503
        assert response.json()["type"] == "urn:preceptor:error:knowledge_unavailable"
        answer = await served.api.post("/v1/ask", json={"question": "What is Ohm's law?"})
        assert "V = I R" in answer.json()["answer"]


async def test_a_file_name_that_is_no_unicode_can_be_told(serve: Serve) -> None:
    async with serve() as served:
        (served.folder / "half\udcff.json").write_text("[")
        response = await served.api.post("/v1/knowledge/reload")
        assert response.status_code == 200
        assert len(response.json()["problems"]) == 1
