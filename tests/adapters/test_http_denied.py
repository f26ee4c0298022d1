"""What the API says to whom a rule closes it, and whether its description tells of that."""

import hashlib
from pathlib import Path
from typing import Any

import httpx
from signed_in import ADMIN, USER, SignedIn, api_with_sessions, bearer

_PERSON = f"http:key-{hashlib.sha256(USER.encode()).hexdigest()[:12]}"
_CONVERSATION = "0" * 32
_PICTURE = {"file": ("a.png", b"\x89PNG\r\n\x1a\n", "image/png")}

_CLOSED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", "/v1/ask", {"json": {"question": "When does the office open?"}}),
    ("POST", "/v1/diagnose", {"json": {"symptoms": "Itchy red patches on both elbows."}}),
    ("POST", "/v1/describe", {"files": _PICTURE}),
    ("GET", "/v1/about", {}),
    ("GET", "/v1/conversations", {}),
    ("GET", f"/v1/conversations/{_CONVERSATION}", {}),
    ("PATCH", f"/v1/conversations/{_CONVERSATION}", {"json": {"title": "Mine"}}),
    ("PUT", "/v1/answers/1/feedback", {"json": {"verdict": "up"}}),
    ("DELETE", f"/v1/conversations/{_CONVERSATION}", {}),
    ("GET", "/v1/me", {}),
    ("DELETE", "/v1/me?confirm=yes", {}),
    ("GET", "/v1/knowledge", {}),
)


async def test_what_a_rule_closes_is_refused_with_a_status_that_the_description_tells_of(tmp_path: Path) -> None:
    async with api_with_sessions(tmp_path) as served:
        for what in ("everything", "export", "forget"):
            await _denied(served, what)
        described = (await served.api.get("/openapi.json", headers=bearer(ADMIN))).json()["paths"]
        for method, path, body in _CLOSED:
            response = await served.api.request(method, path, headers=bearer(USER), **body)
            _assert_refused(response, path)
            template = (
                path.partition("?")[0].replace(_CONVERSATION, "{conversation_id}").replace("/1/", "/{answer_id}/")
            )
            assert "403" in described[template][method.lower()]["responses"], (method, template)


async def test_who_is_denied_everything_still_has_what_is_their_own(tmp_path: Path) -> None:
    async with api_with_sessions(tmp_path) as served:
        await _denied(served, "everything")
        assert (await served.api.get("/v1/me", headers=bearer(USER))).status_code == 200


async def _denied(served: SignedIn, what: str) -> None:
    change = {"change": f"deny {_PERSON} in everywhere to {what}"}
    response = await served.api.post("/v1/access", headers=bearer(ADMIN), json=change)
    assert response.status_code == 200, response.text


def _assert_refused(response: httpx.Response, path: str) -> None:
    assert (response.status_code, response.json()["type"]) == (403, "urn:preceptor:error:not_allowed"), path
