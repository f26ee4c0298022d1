"""Who may do what, what is kept and for how long, over HTTP for admins."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from http_serving import Serve

from adapters.http.admin_documents import AccessPolicy, DoneCleaning, KeptFor, KnownPeople, SetPlaces

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN_KEY, ADA_KEY = "admin-key-0123456789", "ada-key-0123456789ab"
QUESTION = "What is Ohm's law?"
OF_SETTINGS = {"deny": ({"who": ("discord:80351110224678912",)},), "admins": ("slack:U012AB3CD",)}


@pytest_asyncio.fixture(loop_scope="module")
async def api(serve: Serve) -> AsyncIterator[httpx.AsyncClient]:
    """An API with keys, a rule and a retention in the settings; the client shows an admin's."""
    keys = {"admin_keys": (ADMIN_KEY,), "user_keys": (ADA_KEY,)}
    kept = {"retention_days": 90, "retention": {"slack/T012AB3CD": 30}}
    async with serve({"X-API-Key": ADMIN_KEY}, http=keys, access=OF_SETTINGS, privacy=kept) as served:
        yield served.api


async def _changed(api: httpx.AsyncClient, change: str) -> httpx.Response:
    return await api.post("/v1/access", json={"change": change})


async def _policy(api: httpx.AsyncClient) -> AccessPolicy:
    return AccessPolicy.model_validate((await api.get("/v1/access")).json())


async def test_rules_of_the_settings_and_of_admins_are_told_apart(api: httpx.AsyncClient) -> None:
    assert (await _changed(api, "deny everyone in discord/81384788765712384 to describe")).status_code == 200
    of_settings, made = (await _policy(api)).rules
    assert (of_settings.number, of_settings.is_of_settings, of_settings.who) == (0, True, "discord:80351110224678912")
    assert (made.effect, made.who, made.where, made.what) == (
        "deny",
        "everyone",
        "discord/81384788765712384",
        "describe",
    )
    assert not made.is_of_settings
    assert made.by.startswith("http:key-")
    assert (await _policy(api)).admins == ["slack:U012AB3CD"]
    assert (await _changed(api, f"remove {made.number}")).json() == {"removed": made.number}
    assert len((await _policy(api)).rules) == 1


async def test_a_change_that_is_none_is_refused_with_what_to_write(api: httpx.AsyncClient) -> None:
    for change in ("make me a sandwich", "deny nobody-known in discord/1 to ask", "remove 999"):
        refused = await _changed(api, change)
        assert refused.status_code == 422
        assert refused.json()["detail"]


async def test_a_code_is_told_once_and_counted_until_it_is_used(api: httpx.AsyncClient) -> None:
    made = (await _changed(api, "pair")).json()
    assert len(made["code"]) == len("7KQM-2XPA")
    policy = await _policy(api)
    assert (policy.codes, policy.paired) == (1, [])
    assert made["code"] not in (await api.get("/v1/access")).text
    assert made["code"] not in (await api.get("/v1/audit")).text


async def test_changes_are_in_the_audit_newest_first_and_as_many_as_are_wanted(api: httpx.AsyncClient) -> None:
    await _changed(api, "deny everyone in slack to describe")
    await _changed(api, "nonsense")
    entries = (await api.get("/v1/audit")).json()["entries"]
    assert [(one["action"], one["argument"], one["outcome"]) for one in entries] == [
        ("access", "nonsense", "refused"),
        ("access", "deny everyone in slack to describe", "done"),
    ]
    assert len((await api.get("/v1/audit", params={"limit": 1})).json()["entries"]) == 1


async def test_what_is_set_for_places_is_listed_with_who_set_it(api: httpx.AsyncClient) -> None:
    body = {"place": "discord/81384788765712384", "name": "retention", "value": "7"}
    done = SetPlaces.model_validate((await api.post("/v1/places", json=body)).json())
    assert [(one.place, one.name, one.value, one.by_admin) for one in done.places] == [
        ("discord/81384788765712384", "retention_days", "7", True),
        ("slack/T012AB3CD", "retention_days", "30", False),
    ]
    kept = KeptFor.model_validate((await api.get("/v1/retention")).json())
    assert (kept.default_days, kept.due, [one.days for one in kept.places]) == (90, 0, [7, 30])
    await api.post("/v1/places", json=body | {"value": "default"})
    assert len(SetPlaces.model_validate((await api.get("/v1/places")).json()).places) == 1


async def test_what_an_admin_sets_over_http_holds_at_once(api: httpx.AsyncClient) -> None:
    await api.post("/v1/places", json={"place": "http", "name": "keep", "value": "off"})
    answered = await api.post("/v1/ask", json={"question": QUESTION}, headers={"X-API-Key": ADA_KEY})
    assert answered.json()["conversation_id"] == ""


async def test_a_place_or_a_value_that_cannot_be_is_refused(api: httpx.AsyncClient) -> None:
    for place, value, told in (
        ("telegraph", "off", "no platform"),
        ("direct", "off", "does not count here"),
        ("http", "maybe", "on or off"),
    ):
        refused = await api.post("/v1/places", json={"place": place, "name": "keep", "value": value})
        assert refused.status_code == 422
        assert told in refused.json()["detail"]


async def test_cleaning_by_hand_says_what_was_deleted_and_is_remembered(api: httpx.AsyncClient) -> None:
    assert KeptFor.model_validate((await api.get("/v1/retention")).json()).cleaned is None
    done = DoneCleaning.model_validate((await api.post("/v1/retention/clean")).json())
    assert (done.conversations, done.failed) == (0, [])
    assert KeptFor.model_validate((await api.get("/v1/retention")).json()).cleaned == done.at


async def test_people_are_found_by_a_part_of_their_id(api: httpx.AsyncClient) -> None:
    for key in (ADA_KEY, ADMIN_KEY):
        await api.post("/v1/ask", json={"question": QUESTION}, headers={"X-API-Key": key})
    everybody = KnownPeople.model_validate((await api.get("/v1/people")).json()).people
    assert [one.conversations for one in everybody] == [1, 1]
    found = (await api.get("/v1/people", params={"search": everybody[0].id[-6:]})).json()["people"]
    assert [one["id"] for one in found] == [everybody[0].id]
    assert (await api.get("/v1/people", params={"search": "nobody at all"})).json() == {"people": []}
    assert len((await api.get("/v1/people", params={"limit": 1})).json()["people"]) == 1


async def test_where_everything_was_delivered_nothing_is_retried(api: httpx.AsyncClient) -> None:
    assert (await api.get("/v1/undelivered")).json() == {"undelivered": []}
    assert (await api.post("/v1/undelivered/retry")).json() == {"retried": 0}
    assert (await api.post("/v1/undelivered/retry", params={"key": "http:1"})).json() == {"retried": 0}


async def test_a_rule_may_give_a_user_the_figures_and_not_what_is_for_admins_of_all_places(
    api: httpx.AsyncClient,
) -> None:
    ada = (await api.get("/v1/me", headers={"X-API-Key": ADA_KEY})).json()["person"]["id"]
    await _changed(api, f"allow {ada} everywhere to stats")
    await _changed(api, f"allow {ada} everywhere to settings")
    assert (await api.get("/v1/statistics", headers={"X-API-Key": ADA_KEY})).status_code == 200
    for path in ("places", "questions", "people", "retention", "status"):
        assert (await api.get(f"/v1/{path}", headers={"X-API-Key": ADA_KEY})).status_code == 403
