"""The questions that admins look at: those without an answer, those with a bad one, and nothing of symptoms."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from http_serving import Serve

from adapters.http.admin_documents import QuestionsToLookAt

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN_KEY, ADA_KEY = "admin-key-0123456789", "ada-key-0123456789ab"
LAW = "What is Ohm's law?"


@pytest_asyncio.fixture(loop_scope="module")
async def api(serve: Serve) -> AsyncIterator[httpx.AsyncClient]:
    """An API with keys; the client shows an admin's."""
    keys = {"admin_keys": (ADMIN_KEY,), "user_keys": (ADA_KEY,)}
    async with serve({"X-API-Key": ADMIN_KEY}, http=keys, diagnosis={"enabled": True}) as served:
        yield served.api


async def _asked(api: httpx.AsyncClient, question: str) -> str:
    answered = await api.post("/v1/ask", json={"question": question}, headers={"X-API-Key": ADA_KEY})
    return str(answered.json()["answer_id"])


async def _judged(api: httpx.AsyncClient, answer_id: str, verdict: str, comment: str = "") -> None:
    body = {"verdict": verdict, "comment": comment}
    done = await api.put(f"/v1/answers/{answer_id}/feedback", json=body, headers={"X-API-Key": ADA_KEY})
    assert done.status_code == 200


async def _page(api: httpx.AsyncClient, **query: str | int) -> QuestionsToLookAt:
    response = await api.get("/v1/questions", params=query)
    assert response.status_code == 200, response.text
    assert ADA_KEY not in response.text
    assert "http:key-" not in response.text
    return QuestionsToLookAt.model_validate(response.json())


async def test_questions_without_an_answer_are_listed_newest_first(api: httpx.AsyncClient) -> None:
    for question in (LAW, "xyzzy plugh?", "quux frobnicate?"):
        await _asked(api, question)
    page = await _page(api, kind="unanswered")
    assert [one.question for one in page.questions] == ["quux frobnicate?", "xyzzy plugh?"]
    assert page.next is None
    assert (page.questions[0].place, page.questions[0].verdicts.down) == ("http///", 0)


async def test_answers_that_were_found_bad_are_listed_with_the_reasons(api: httpx.AsyncClient) -> None:
    good, bad = await _asked(api, "What is Newton's first law?"), await _asked(api, LAW)
    await _judged(api, good, "up")
    await _judged(api, bad, "down", "It says nothing of AC.")
    (found,) = (await _page(api, kind="disliked")).questions
    assert (found.answer_id, found.question, found.comments) == (bad, LAW, ["It says nothing of AC."])
    assert (found.verdicts.up, found.verdicts.down) == (0, 1)
    assert found.citations[0].title == "Ohm's law"
    assert "voltage" in found.answer


async def test_pages_follow_one_another_until_there_is_no_more(api: httpx.AsyncClient) -> None:
    for number in range(5):
        await _asked(api, f"xyzzy{number} plugh?")
    seen, before = [], ""
    while before is not None:
        page = await _page(api, kind="unanswered", limit=2, before=before)
        seen += [one.question for one in page.questions]
        before = page.next  # type: ignore[assignment]
    assert seen == [f"xyzzy{number} plugh?" for number in (4, 3, 2, 1, 0)]


async def test_what_was_said_of_symptoms_is_never_among_them(api: httpx.AsyncClient) -> None:
    told = await api.post(
        "/v1/diagnose", json={"symptoms": "asdf qwer my wolpertinger itches"}, headers={"X-API-Key": ADA_KEY}
    )
    await _judged(api, told.json()["answer_id"], "down", "My elbow is no wolpertinger.")
    sounding = await _asked(api, "I have had a headache, a fever and an itchy rash on my wolpertinger since Monday")
    await _judged(api, sounding, "down", "My elbow is no wolpertinger.")
    for kind in ("unanswered", "disliked"):
        assert "wolpertinger" not in (await api.get("/v1/questions", params={"kind": kind})).text


async def test_each_look_at_what_people_asked_is_in_the_audit(api: httpx.AsyncClient) -> None:
    await _page(api, kind="disliked", limit=3)
    (entry,) = (await api.get("/v1/audit")).json()["entries"]
    assert (entry["action"], entry["argument"], entry["outcome"]) == ("questions", "disliked 3", "done")


async def test_what_cannot_be_asked_for_is_refused(api: httpx.AsyncClient) -> None:
    for query in ({"kind": "all"}, {"limit": "0"}, {"limit": "201"}, {"before": "yesterday"}):
        assert (await api.get("/v1/questions", params=query)).status_code == 422
