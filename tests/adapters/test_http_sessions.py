"""Signing in over the API: a key, or being a guest, becomes a token that ends."""

import json
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
import structlog
from signed_in import ADMIN, KEYS, USER, SignedIn, api_with_sessions, bearer
from structlog.testing import capture_logs

_JSON = {"Content-Type": "application/json"}
QUESTION = {"question": "When does the office open?"}


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SignedIn]:
    """Give an API at which fewer than ten wrong keys are tried in all."""
    async with api_with_sessions(tmp_path_factory.mktemp("shared")) as served:
        yield served


async def test_a_session_has_the_rights_of_its_key_and_the_same_person(tmp_path: Path) -> None:
    async with api_with_sessions(tmp_path) as served:
        admin, user = await served.opened(key=ADMIN), await served.opened(key=USER)
        assert (admin["is_admin"], user["is_admin"]) == (True, False)
        assert len({admin["token"], user["token"]}) == 2
        asked = await served.api.post("/v1/ask", json=QUESTION, headers=bearer(user["token"]))
        path = f"/v1/conversations/{asked.json()['conversation_id']}"
        assert (await served.api.get(path, headers=bearer(USER))).status_code == 200
        reload = "/v1/knowledge/reload"
        assert (await served.api.post(reload, headers=bearer(user["token"]))).status_code == 403
        assert (await served.api.post(reload, headers=bearer(admin["token"]))).status_code == 200
        assert (await served.api.get("/v1/knowledge", headers={"X-API-Key": user["token"]})).status_code == 200


async def test_a_session_ends_after_the_hours_of_the_setting(tmp_path: Path) -> None:
    async with api_with_sessions(tmp_path, http=KEYS | {"session_hours": 2.0}) as served:
        document = await served.opened(key=USER)
        left = datetime.fromisoformat(document["expires_at"]) - datetime.now(UTC)
        assert timedelta(hours=1.9) < left <= timedelta(hours=2)
        _edit(served.settings.database_file, "UPDATE sessions SET expires_at = '2020-01-01 00:00:00.000000'")
        refused = await served.api.get("/v1/knowledge", headers=bearer(document["token"]))
        assert (refused.status_code, refused.json()["type"]) == (401, "urn:preceptor:error:session_ended")
        assert "Sign in again" in refused.json()["fix"]
        cleaned = await served.application.cleaning.clean(datetime.now(UTC))
        assert cleaned.deleted["sessions"] == 1


async def test_a_session_is_over_when_somebody_signs_out(tmp_path: Path) -> None:
    async with api_with_sessions(tmp_path) as served:
        mine, other = (await served.opened(key=USER))["token"], (await served.opened(key=USER))["token"]
        for _ in range(2):
            assert (await served.api.get("/v1/knowledge", headers=bearer(mine))).status_code == 200
        ended = await served.api.delete("/v1/sessions/current", headers=bearer(mine))
        assert (ended.status_code, ended.content) == (204, b"")
        refused = await served.api.get("/v1/knowledge", headers=bearer(mine))
        assert refused.json()["type"] == "urn:preceptor:error:session_ended"
        assert (await served.api.get("/v1/knowledge", headers=bearer(other))).status_code == 200
        assert (await served.api.delete("/v1/sessions/current", headers=bearer(USER))).status_code == 204
        assert (await served.api.get("/v1/knowledge", headers=bearer(USER))).status_code == 200


async def test_a_session_does_not_outlive_its_key_but_a_restart(tmp_path: Path) -> None:
    async with api_with_sessions(tmp_path) as served:
        admin, user = (await served.opened(key=ADMIN))["token"], (await served.opened(key=USER))["token"]
    async with api_with_sessions(tmp_path, http={"admin_keys": KEYS["admin_keys"]}) as served:
        assert (await served.api.get("/v1/knowledge", headers=bearer(admin))).status_code == 200
        refused = await served.api.get("/v1/knowledge", headers=bearer(user))
        assert (refused.status_code, refused.json()["type"]) == (401, "urn:preceptor:error:session_ended")


async def test_a_key_that_loses_its_rights_takes_them_from_its_sessions(tmp_path: Path) -> None:
    async with api_with_sessions(tmp_path) as served:
        token = (await served.opened(key=ADMIN))["token"]
    async with api_with_sessions(tmp_path, http={"user_keys": KEYS["admin_keys"]}) as served:
        assert (await served.api.post("/v1/knowledge/reload", headers=bearer(token))).status_code == 403


@pytest.mark.parametrize("wish", [{}, {"key": ""}, {"key": None}, {"key": "wrong-key-0123456789"}])
async def test_a_wrong_key_opens_nothing(shared: SignedIn, wish: dict[str, str]) -> None:
    refused = await shared.api.post("/v1/sessions", content=json.dumps(wish), headers=_JSON)
    assert (refused.status_code, refused.json()["type"]) == (401, "urn:preceptor:error:key_missing")


async def test_a_token_opens_no_further_session(shared: SignedIn) -> None:
    token = (await shared.opened(key=USER))["token"]
    assert (await shared.api.post("/v1/sessions", json={"key": token})).status_code == 401


async def test_after_ten_wrong_keys_the_next_one_has_to_wait(tmp_path: Path) -> None:
    async with api_with_sessions(tmp_path) as served:
        wrong = {"key": "wrong-key-0123456789"}
        with capture_logs() as logged:
            statuses = [(await served.api.post("/v1/sessions", json=wrong)).status_code for _ in range(12)]
        assert statuses == [401] * 10 + [429] * 2
        told = [line for line in logged if line["event"] == "wrong keys"]
        assert told == [{"event": "wrong keys", "log_level": "warning", "tries": 10, "of": "one address"}]
        refused = await served.api.post("/v1/sessions", json={"key": ADMIN})
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 6
        assert (await served.api.get("/v1/knowledge", headers=bearer(ADMIN))).status_code == 200


async def test_right_keys_do_not_use_up_the_wrong_ones(tmp_path: Path) -> None:
    async with api_with_sessions(tmp_path) as served:
        for _ in range(15):
            await served.opened(key=USER)


async def test_guests_are_let_in_where_the_settings_say_so_each_by_themselves(tmp_path: Path) -> None:
    async with api_with_sessions(tmp_path, http=KEYS | {"guests": True}) as served:
        one, two = await served.opened(guest=True), await served.opened(guest=True)
        assert one["person"]["id"].startswith("http:guest-")
        assert one["person"] != two["person"]
        assert not one["is_admin"]
        asked = await served.api.post("/v1/ask", json=QUESTION, headers=bearer(one["token"]))
        path = f"/v1/conversations/{asked.json()['conversation_id']}"
        assert (await served.api.get(path, headers=bearer(one["token"]))).status_code == 200
        assert (await served.api.get(path, headers=bearer(two["token"]))).status_code == 404
        assert (await served.api.post("/v1/knowledge/reload", headers=bearer(one["token"]))).status_code == 403
    async with api_with_sessions(tmp_path) as served:
        refused = await served.api.post("/v1/sessions", json={"guest": True})
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:preceptor:error:not_allowed")
        # They were guests, and guests are not let in any more.
        refused = await served.api.get("/v1/knowledge", headers=bearer(one["token"]))
        assert refused.json()["type"] == "urn:preceptor:error:session_ended"


async def test_many_guests_keep_nobody_out_who_has_a_key_nor_wrong_keys_a_guest(tmp_path: Path) -> None:
    async with api_with_sessions(tmp_path, http=KEYS | {"guests": True}) as served:
        statuses = [(await served.api.post("/v1/sessions", json={"guest": True})).status_code for _ in range(62)]
        assert statuses[:60] == [201] * 60
        assert statuses[-1] == 429
        await served.opened(key=USER)
    async with api_with_sessions(tmp_path, http=KEYS | {"guests": True}) as served:
        for _ in range(11):
            refused = await served.api.post("/v1/sessions", json={"key": "wrong-key-0123456789"})
        assert refused.status_code == 429
        await served.opened(guest=True)


async def test_where_no_key_is_needed_everybody_is_whoever_runs_the_machine(tmp_path: Path) -> None:
    async with api_with_sessions(tmp_path, http={}) as served:
        document = await served.opened()
        assert (document["person"], document["is_admin"]) == ({"id": "http:local"}, True)
        assert (await served.api.get("/v1/knowledge", headers=bearer(document["token"]))).status_code == 200
        foreign = {"Origin": "http://evil.example"}
        assert (await served.api.post("/v1/sessions", json={}, headers=foreign)).status_code == 403
    async with api_with_sessions(tmp_path) as served:
        # What was opened before there were keys opens nothing where there are some.
        refused = await served.api.get("/v1/knowledge", headers=bearer(document["token"]))
        assert refused.json()["type"] == "urn:preceptor:error:session_ended"


async def test_a_person_who_is_forgotten_is_signed_out_and_an_export_tells_of_sessions(tmp_path: Path) -> None:
    async with api_with_sessions(tmp_path, http=KEYS | {"guests": True}) as served:
        guest, user = await served.opened(guest=True), await served.opened(key=USER)
        kept = await served.api.get("/v1/me", headers=bearer(guest["token"]))
        assert len(kept.json()["signed_in_until"]) == 1
        assert guest["token"] not in kept.text
        await served.api.delete("/v1/me?confirm=yes", headers=bearer(guest["token"]))
        rows = _edit(served.settings.database_file, "SELECT person FROM sessions")
        assert [f"http:{person}" for (person,) in rows] == [user["person"]["id"]]


async def test_tokens_are_in_neither_the_database_nor_the_log(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logged:
        async with api_with_sessions(tmp_path) as served:
            token = (await served.opened(key=USER))["token"]
            await served.api.post("/v1/ask", json=QUESTION, headers=bearer(token))
            file = served.settings.database_file
            kept = b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    assert b"guest" not in kept
    assert token.encode() not in kept
    assert USER.encode() not in kept
    assert token not in str(logged)


@pytest.mark.parametrize("shown", ["ps_" + "a" * 43, "ps_short", "ps_" + "a" * 44, "ps_" + "ä" * 43])
async def test_what_is_no_session_is_refused(shared: SignedIn, shown: str) -> None:
    headers = [(b"Authorization", f"Bearer {shown}".encode("latin-1"))]
    assert (await shared.api.get("/v1/knowledge", headers=headers)).status_code == 401


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'{"key": 5}', b'{"guest": "yes"}', b'{"more": 1}', b'{"key": "\\ud800"}']
)
async def test_a_wish_that_does_not_fit_is_refused_in_words(shared: SignedIn, body: bytes) -> None:
    refused = await shared.api.post("/v1/sessions", content=body, headers=_JSON)
    assert refused.status_code in (400, 422)
    assert refused.headers["content-type"] == "application/problem+json"


def _edit(file: Path, statement: str) -> list[tuple[str, ...]]:
    with sqlite3.connect(file) as connection:
        rows = connection.execute(statement).fetchall()
    connection.close()
    return rows
