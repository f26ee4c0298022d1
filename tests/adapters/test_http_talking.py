"""What a page to talk on needs of the API: about, the list of conversations, feedback, choices."""

import json
from pathlib import Path

import httpx
import pytest
from http_serving import Serve

from adapters.http.conversation_documents import About, Conversation, Conversations, Judged, ListedConversation
from adapters.http.documents import Answer, Diagnosis

pytestmark = pytest.mark.asyncio(loop_scope="module")

OHM = "What is Ohm's law?"
USER, ADMIN = "0123456789abcdef", "fedcba9876543210"
SYMPTOMS = "itchy red patches with silvery scales on my elbows and knees"


def _as(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _denied(*commands: str) -> dict[str, object]:
    return {"deny": [{"where": ["http"], "what": commands}]}


async def asked(api: httpx.AsyncClient, question: str = OHM, **more: object) -> Answer:
    response = await api.post("/v1/ask", json={"question": question} | more)
    assert response.status_code == 200, response.text
    return Answer.model_validate(response.json(), strict=True, extra="forbid")


async def _listed(api: httpx.AsyncClient, **query: str | int) -> Conversations:
    response = await api.get("/v1/conversations", params=query)
    return Conversations.model_validate(response.json(), strict=True, extra="forbid")


def _events(text: str) -> dict[str, object]:
    blocks = [dict(line.split(": ", 1) for line in block.split("\n")) for block in text.split("\n\n") if block]
    return {block["event"]: json.loads(block["data"]) for block in blocks}


async def kept(api: httpx.AsyncClient, conversation_id: str) -> Conversation:
    response = await api.get(f"/v1/conversations/{conversation_id}")
    return Conversation.model_validate(response.json(), strict=True, extra="forbid")


async def judged(api: httpx.AsyncClient, answer_id: str, **body: object) -> httpx.Response:
    return await api.put(f"/v1/answers/{answer_id}/feedback", json=body)


async def test_the_page_learns_who_is_asking_and_what_there_is(api: httpx.AsyncClient) -> None:
    about = About.model_validate((await api.get("/v1/about")).json(), strict=True, extra="forbid")
    assert about.person.id == "http:local"
    assert (about.is_admin, about.is_guest, about.needs_key) == (True, False, False)
    assert about.generators == ["extractive"]
    assert about.sources == ["knowledge"]
    assert set(about.examples) == {OHM, "What is Newton's first law?", "What is Newton's third law?"}
    assert (about.diagnosis, about.keeps, about.question_length) == (True, True, 2_000)
    assert about.pictures.model_dump() == {"looking": "on", "most": 8, "megabytes": 20}


async def test_examples_are_answered(api: httpx.AsyncClient) -> None:
    for example in (await api.get("/v1/about")).json()["examples"]:
        assert not (await asked(api, example)).abstained


async def test_a_reload_brings_the_examples_of_what_is_new(serve: Serve) -> None:
    async with serve() as served:
        assert len((await served.api.get("/v1/about")).json()["examples"]) == 3
        ready = [{"question": "What does the pangolin eat?", "answer": "The pangolin eats ants."}]
        (served.folder / "more.json").write_text(json.dumps(ready))
        await served.api.post("/v1/knowledge/reload")
        assert (await served.api.get("/v1/about")).json()["examples"][0] == "What does the pangolin eat?"


async def test_people_with_a_key_are_told_what_they_may(serve: Serve) -> None:
    keys = {"user_keys": (USER,), "admin_keys": (ADMIN,)}
    async with serve(_as(USER), http=keys, access=_denied("diagnose", "describe")) as served:
        about = About.model_validate((await served.api.get("/v1/about")).json())
        assert (about.is_admin, about.is_guest, about.needs_key) == (False, False, True)
        assert (about.diagnosis, about.pictures.looking) == (False, "off")
        boss = About.model_validate((await served.api.get("/v1/about", headers=_as(ADMIN))).json())
        assert (boss.is_admin, boss.diagnosis) == (True, True)


async def test_who_may_not_ask_is_told_nothing_of_what_is_known(serve: Serve) -> None:
    async with serve(_as(USER), http={"user_keys": (USER,)}, access=_denied("ask")) as served:
        about = (await served.api.get("/v1/about")).json()
        assert (about["examples"], about["sources"], about["generators"]) == ([], [], [])
        assert (await judged(served.api, "1", verdict="up")).status_code == 403


async def test_who_is_denied_everything_is_refused_here_as_elsewhere(serve: Serve) -> None:
    keys = {"user_keys": (USER,)}
    async with serve(_as(USER), http=keys, access=_denied("everything")) as served:
        for method, path, body in (
            ("GET", "/v1/about", None),
            ("GET", "/v1/conversations", None),
            ("GET", f"/v1/conversations/{'0' * 32}", None),
            ("PATCH", f"/v1/conversations/{'0' * 32}", {"title": "x"}),
            ("PUT", "/v1/answers/1/feedback", {"verdict": "up"}),
        ):
            response = await served.api.request(method, path, json=body)
            assert (response.status_code, response.json()["title"]) == (403, "Not allowed"), path


async def test_every_answer_has_an_id_under_which_it_is_read_back(api: httpx.AsyncClient) -> None:
    answer = await asked(api)
    (_, message) = (await kept(api, answer.conversation_id)).messages
    assert message.answer_id == answer.answer_id != ""
    assert (message.verdict, message.comment, message.capability) == (None, "", "answer")
    assert message.citations == answer.citations


async def test_a_diagnosis_has_one_too_and_is_read_back_as_one(api: httpx.AsyncClient) -> None:
    response = await api.post("/v1/diagnose", json={"symptoms": SYMPTOMS})
    diagnosis = Diagnosis.model_validate(response.json(), strict=True, extra="forbid")
    question, answer = (await kept(api, diagnosis.conversation_id)).messages
    assert (question.capability, answer.capability, answer.answer_id) == ("diagnosis", "diagnosis", diagnosis.answer_id)


async def test_where_nothing_is_kept_there_is_no_id(serve: Serve) -> None:
    async with serve(conversations={"not_kept": ("http",)}) as served:
        answer = await asked(served.api)
        assert (answer.answer_id, answer.conversation_id) == ("", "")
        assert (await served.api.get("/v1/about")).json()["keeps"] is False
        assert (await served.api.get("/v1/conversations")).json() == {"conversations": [], "next": None}


async def test_what_sounds_like_symptoms_offers_to_judge_them_and_nothing_else_does(api: httpx.AsyncClient) -> None:
    answer = await asked(api, f"I have {SYMPTOMS}")
    assert answer.offers_diagnosis
    assert (await kept(api, answer.conversation_id)).messages[1].capability == "symptoms"
    assert not (await asked(api)).offers_diagnosis


async def test_words_of_the_question_are_marked_also_while_the_answer_streams(api: httpx.AsyncClient) -> None:
    response = await api.post("/v1/ask", json={"question": OHM}, headers={"Accept": "text/event-stream"})
    events = _events(response.text)
    source = events["citations"][0]  # type: ignore[index]
    assert [source["text"][start:end] for start, end in source["matched"]] == ["Ohm", "law"]
    assert events["done"]["answer_id"]  # type: ignore[index]


async def test_conversations_are_listed_searched_and_paged(serve: Serve) -> None:
    async with serve() as served:
        for question in (OHM, "What is Newton's first law?", "What is Newton's third law?"):
            await asked(served.api, question)
        listed = await _listed(served.api)
        assert [one.title for one in listed.conversations] == [
            "What is Newton's third law?",
            "What is Newton's first law?",
            OHM,
        ]
        assert [one.messages for one in listed.conversations] == [2, 2, 2]
        first = await _listed(served.api, limit=2)
        assert (len(first.conversations), first.next) == (2, first.next or "missing")
        rest = await _listed(served.api, before=first.next or "")
        assert [one.title for one in rest.conversations] == [OHM]
        assert rest.next is None
        assert [one.title for one in (await _listed(served.api, search="NEWTON")).conversations] == [
            "What is Newton's third law?",
            "What is Newton's first law?",
        ]


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": "x"}, {"limit": 999}, {"search": "x" * 201}, {"before": "?"}]
)
async def test_a_page_that_cannot_be_is_a_problem(api: httpx.AsyncClient, query: dict[str, str]) -> None:
    response = await api.get("/v1/conversations", params=query)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert "body" not in response.json()["detail"]


async def test_half_a_character_is_searched_for_in_vain(api: httpx.AsyncClient) -> None:
    assert (await api.get("/v1/conversations?search=%ED%A0%80x%00y")).json()["conversations"] == []


async def test_a_conversation_is_renamed(api: httpx.AsyncClient) -> None:
    name = (await asked(api)).conversation_id
    response = await api.patch(f"/v1/conversations/{name}", json={"title": "  Circuits\tand such "})
    assert ListedConversation.model_validate(response.json(), strict=True, extra="forbid").title == "Circuits and such"
    assert (await api.patch(f"/v1/conversations/{name}", json={"title": ""})).json()["title"] == OHM


@pytest.mark.parametrize("name", ["0" * 32, "x", "..%2f", "A" * 5_000])
async def test_what_is_no_conversation_is_not_renamed(api: httpx.AsyncClient, name: str) -> None:
    assert (await api.patch(f"/v1/conversations/{name}", json={"title": "x"})).status_code == 404


async def test_a_verdict_and_its_comment_are_read_back(api: httpx.AsyncClient) -> None:
    answer = await asked(api)
    response = await judged(api, answer.answer_id, verdict="down", comment="It: leaves out\nAC. ")
    assert Judged.model_validate(response.json(), strict=True, extra="forbid").model_dump() == {
        "answer_id": answer.answer_id,
        "verdict": "down",
        "comment": "It: leaves out\nAC.",
    }
    message = (await kept(api, answer.conversation_id)).messages[1]
    assert (message.verdict, message.comment) == ("down", "It: leaves out\nAC.")


async def test_an_earlier_comment_stays_until_the_verdict_is_another_one(api: httpx.AsyncClient) -> None:
    name = (await asked(api)).answer_id
    for body, comment in (
        ({"verdict": "up", "comment": "Good."}, "Good."),
        ({"verdict": "up"}, "Good."),
        ({"verdict": "down"}, ""),
        ({"verdict": "down", "comment": "Bad."}, "Bad."),
        ({"verdict": "down", "comment": ""}, ""),
    ):
        assert (await judged(api, name, **body)).json()["comment"] == comment


@pytest.mark.parametrize("name", ["0", "1", "x", "-1", "9" * 30, "%D9%A3"])
async def test_an_answer_that_is_not_there_is_not_judged(api: httpx.AsyncClient, name: str) -> None:
    assert (await judged(api, name, verdict="up")).status_code == 404


async def test_nobody_judges_or_reads_what_is_another_s(serve: Serve) -> None:
    keys = {"user_keys": (USER,), "admin_keys": (ADMIN,)}
    async with serve(_as(USER), http=keys) as served:
        answer = await asked(served.api)
        served.api.headers.update(_as(ADMIN))
        assert (await judged(served.api, answer.answer_id, verdict="up")).status_code == 404
        assert (await served.api.get(f"/v1/conversations/{answer.conversation_id}")).status_code == 404
        renaming = await served.api.patch(f"/v1/conversations/{answer.conversation_id}", json={"title": "Mine"})
        assert renaming.status_code == 404
        assert (await served.api.get("/v1/conversations")).json()["conversations"] == []


@pytest.mark.parametrize(
    "body",
    [{}, {"verdict": "sideways"}, {"verdict": "up", "comment": "x" * 2_001}, {"verdict": 1}, {"verdict": "up", "x": 1}],
)
async def test_a_verdict_that_is_none_is_a_problem(api: httpx.AsyncClient, body: dict[str, object]) -> None:
    assert (await judged(api, (await asked(api)).answer_id, **body)).status_code == 422


async def test_comments_and_titles_are_exported_and_forgotten(serve: Serve) -> None:
    async with serve() as served:
        answer = await asked(served.api)
        await judged(served.api, answer.answer_id, verdict="down", comment="Too short.")
        await served.api.patch(f"/v1/conversations/{answer.conversation_id}", json={"title": "Circuits"})
        mine = (await served.api.get("/v1/me")).json()
        assert [one["comment"] for one in mine["feedback"]] == ["Too short."]
        assert [one["title"] for one in mine["conversations"]] == ["Circuits"]
        await served.api.delete("/v1/me", params={"confirm": "yes"})
        left = (await served.api.get("/v1/me")).text
        assert "Too short." not in left
        assert "Circuits" not in left


async def test_a_generator_and_a_source_may_be_chosen(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "office").mkdir()
    office = {"title": "Ohm's room", "context": "The law books of Ohm stand in the office."}
    (tmp_path / "office" / "office.json").write_text(json.dumps([office]))
    sources = (str(tmp_path / "knowledge"), str(tmp_path / "office"))
    async with serve(knowledge={"sources": sources}) as served:
        assert (await served.api.get("/v1/about")).json()["sources"] == ["knowledge", "office"]
        answer = await asked(served.api, source="office", generator="extractive")
        assert [citation.title for citation in answer.citations] == ["Ohm's room"]


@pytest.mark.parametrize(
    ("choice", "told"), [("generator", "There are: extractive."), ("source", "It has: knowledge.")]
)
async def test_what_cannot_be_chosen_is_told_with_what_can(api: httpx.AsyncClient, choice: str, told: str) -> None:
    response = await api.post("/v1/ask", json={"question": OHM, choice: "elsewhere"})
    assert response.status_code == 422
    problem = response.json()
    assert (problem["type"], problem["fix"]) == ("urn:preceptor:error:choice_unknown", told)
