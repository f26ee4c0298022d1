"""What is kept of people, over HTTP: their own with their key, everybody's with an admin's."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from http_serving import Serve

from adapters.http.documents import Forgotten, PersonalData

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN_KEY, ADA_KEY, EVE_KEY = "admin-key-0123456789", "ada-key-0123456789ab", "eve-key-0123456789ab"
QUESTION = "What is Ohm's law?"


@pytest_asyncio.fixture(loop_scope="module")
async def api(serve: Serve) -> AsyncIterator[httpx.AsyncClient]:
    """An API with keys; the client shows Ada's."""
    keys = {"admin_keys": (ADMIN_KEY,), "user_keys": (ADA_KEY, EVE_KEY)}
    async with serve({"X-API-Key": ADA_KEY}, http=keys) as served:
        yield served.api


def _as(key: str) -> dict[str, str]:
    return {"X-API-Key": key}


async def _asked(api: httpx.AsyncClient, key: str = ADA_KEY) -> None:
    assert (await api.post("/v1/ask", json={"question": QUESTION}, headers=_as(key))).status_code == 200


async def _kept(api: httpx.AsyncClient, key: str = ADA_KEY) -> PersonalData:
    return PersonalData.model_validate((await api.get("/v1/me", headers=_as(key))).json())


async def test_one_gets_all_that_is_kept_of_oneself(api: httpx.AsyncClient) -> None:
    await _asked(api)
    await _asked(api, EVE_KEY)
    kept = await _kept(api)
    assert kept.person["id"].startswith("http:key-")
    assert kept.conversations[0]["messages"][0]["text"] == QUESTION
    assert (await _kept(api, EVE_KEY)).person["id"] != kept.person["id"]


async def test_forgetting_takes_a_yes_and_then_is_for_good(api: httpx.AsyncClient) -> None:
    await _asked(api)
    await _asked(api, EVE_KEY)
    asked_back = await api.delete("/v1/me")
    assert asked_back.status_code == 422
    assert asked_back.json()["fix"] == "Add `?confirm=yes`."
    assert (await api.delete("/v1/me", params={"confirm": "no"})).status_code == 422
    assert len((await _kept(api)).conversations) == 1
    done = await api.delete("/v1/me", params={"confirm": "yes"})
    assert (done.status_code, Forgotten.model_validate(done.json()).conversations) == (200, 1)
    assert (await _kept(api)).conversations == []
    assert len((await _kept(api, EVE_KEY)).conversations) == 1


async def test_an_admin_acts_on_a_persons_behalf(api: httpx.AsyncClient) -> None:
    await _asked(api)
    person_id = (await _kept(api)).person["id"]
    got = await api.get(f"/v1/people/{person_id}", headers=_as(ADMIN_KEY))
    assert PersonalData.model_validate(got.json()).person["id"] == person_id
    assert (await api.delete(f"/v1/people/{person_id}", headers=_as(ADMIN_KEY))).status_code == 422
    done = await api.delete(f"/v1/people/{person_id}?confirm=yes", headers=_as(ADMIN_KEY))
    assert done.json() == {"conversations": 1}
    assert (await api.delete(f"/v1/people/{person_id}", headers=_as(ADMIN_KEY))).json() == {"conversations": 0}
    assert (await _kept(api)).conversations == []


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_user_does_not(api: httpx.AsyncClient, method: str) -> None:
    await _asked(api)
    person_id = (await _kept(api)).person["id"]
    response = await api.request(method, f"/v1/people/{person_id}?confirm=yes", headers=_as(EVE_KEY))
    assert (response.status_code, response.json()["type"]) == (403, "urn:preceptor:error:not_allowed")
    assert QUESTION not in response.text
    assert len((await _kept(api)).conversations) == 1


async def test_what_is_no_persons_id_is_not_found_and_is_not_the_asker(api: httpx.AsyncClient) -> None:
    await _asked(api, ADMIN_KEY)
    for name in (
        "yes",
        "discord",
        "discord:",
        "discord:abc",
        "slack:bob",
        "discord:1%20yes",
        "%20",
        "a:b%0Ayes",
        "X:1",
        "é:1",
    ):
        for method in ("GET", "DELETE"):
            response = await api.request(method, f"/v1/people/{name}?confirm=yes", headers=_as(ADMIN_KEY))
            assert response.status_code == 404, name
    assert len((await _kept(api, ADMIN_KEY)).conversations) == 1


async def test_without_a_key_nobody_is_told_anything(api: httpx.AsyncClient) -> None:
    for method, path in (("GET", "/v1/me"), ("DELETE", "/v1/me?confirm=yes"), ("GET", "/v1/people/http:local")):
        assert (await api.request(method, path, headers=_as(""))).status_code == 401


async def test_events_alone_are_kept_too_and_take_a_yes(api: httpx.AsyncClient) -> None:
    await _asked(api, EVE_KEY)
    kept = await _kept(api, EVE_KEY)
    person_id = kept.person["id"]
    for conversation in kept.conversations:
        assert (await api.delete(f"/v1/conversations/{conversation['id']}", headers=_as(EVE_KEY))).status_code == 204
    assert (await _kept(api, EVE_KEY)).conversations == []
    assert (await api.delete("/v1/me", headers=_as(EVE_KEY))).status_code == 422
    assert (await api.delete(f"/v1/people/{person_id}", headers=_as(ADMIN_KEY))).status_code == 422
    assert (await api.delete(f"/v1/people/{person_id}?confirm=yes", headers=_as(ADMIN_KEY))).status_code == 200
    gone = await api.delete(f"/v1/people/{person_id}", headers=_as(ADMIN_KEY))
    assert (gone.status_code, gone.json()) == (200, {"conversations": 0})
