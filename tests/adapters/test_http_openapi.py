"""How the API describes itself."""

import re

import httpx
import pytest
from http_serving import Serve

pytestmark = pytest.mark.asyncio(loop_scope="module")

METHODS = {
    "/v1/ask": {"post"},
    "/v1/diagnose": {"post"},
    "/v1/describe": {"post"},
    "/v1/about": {"get"},
    "/v1/answers/{answer_id}/feedback": {"put"},
    "/v1/conversations": {"get"},
    "/v1/conversations/{conversation_id}": {"get", "patch", "delete"},
    "/v1/me": {"get", "delete"},
    "/v1/people": {"get"},
    "/v1/people/{person_id}": {"get", "delete"},
    "/v1/status": {"get"},
    "/v1/statistics": {"get"},
    "/v1/questions": {"get"},
    "/v1/access": {"get", "post"},
    "/v1/audit": {"get"},
    "/v1/places": {"get", "post"},
    "/v1/retention": {"get"},
    "/v1/retention/clean": {"post"},
    "/v1/undelivered": {"get"},
    "/v1/undelivered/retry": {"post"},
    "/v1/reports": {"get"},
    "/v1/reports/{report_id}/{file}": {"get"},
    "/v1/knowledge": {"get"},
    "/v1/knowledge/reload": {"post"},
    "/v1/knowledge/files": {"get", "post"},
    "/v1/knowledge/files/{name}": {"delete"},
    "/v1/knowledge/versions": {"get"},
    "/v1/knowledge/undo": {"post"},
    "/v1/knowledge/answers": {"get", "post"},
    "/v1/knowledge/answers/{answer}": {"delete"},
    "/v1/knowledge/search": {"get"},
    "/v1/sessions": {"post"},
    "/v1/sessions/current": {"delete"},
    "/metrics": {"get"},
    "/healthz": {"get"},
    "/readyz": {"get"},
}


async def test_every_route_is_described(api: httpx.AsyncClient) -> None:
    schema = (await api.get("/openapi.json")).json()
    assert schema["info"]["title"] == "Preceptor"
    assert {path: set(operations) for path, operations in schema["paths"].items()} == METHODS
    for operations in schema["paths"].values():
        assert all(operation["summary"] and operation["description"] for operation in operations.values())


async def test_problems_are_described_as_problem_documents(api: httpx.AsyncClient) -> None:
    schema = (await api.get("/openapi.json")).json()
    asked = schema["paths"]["/v1/ask"]["post"]["responses"]
    assert set(asked) == {"200", "400", "401", "403", "404", "413", "415", "422", "429", "503", "504"}
    assert set(asked["200"]["content"]) == {"application/json", "text/event-stream"}
    assert set(asked["422"]["content"]) == {"application/problem+json"}
    assert "HTTPValidationError" not in str(schema)


async def test_every_reference_in_the_description_leads_somewhere(api: httpx.AsyncClient) -> None:
    response = await api.get("/openapi.json")
    schemas = response.json()["components"]["schemas"]
    assert set(re.findall(r"#/components/schemas/(\w+)", response.text)) <= set(schemas)


async def test_the_description_says_whether_a_key_is_needed(serve: Serve) -> None:
    key = "0123456789abcdef"
    async with serve({"X-API-Key": key}, http={"user_keys": (key,)}) as served:
        schema = (await served.api.get("/openapi.json")).json()
    assert schema["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert schema["paths"]["/v1/ask"]["post"]["security"] == [{"key": []}]
    assert "security" not in schema["paths"]["/healthz"]["get"]


async def test_the_page_loads_nothing_from_elsewhere(api: httpx.AsyncClient) -> None:
    page = await api.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'; script-src 'self';" in page.headers["content-security-policy"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loaded
    for path in (one for one in loaded if one != "data:,"):
        asset = await api.get(path)
        assert path.startswith("/docs/")
        assert asset.status_code == 200
        assert asset.headers["content-type"].startswith(("text/javascript", "text/css"))
