"""What a client of the API gets when it asks."""

import asyncio
import json
from itertools import pairwise

import httpx
import pytest
from http_serving import Serve
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.http.documents import Answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROBLEM = "application/problem+json"


async def ask(api: httpx.AsyncClient, question: str, **more: object) -> dict[str, object]:
    response = await api.post("/v1/ask", json={"question": question} | more)
    assert response.status_code == 200, response.text
    Answer.model_validate(response.json(), strict=True, extra="forbid")
    return dict(response.json())


async def test_a_question_is_answered_with_its_sources(api: httpx.AsyncClient) -> None:
    answer = await ask(api, "What is Ohm's law?")
    assert "V = I R" in str(answer["answer"])
    assert answer["abstained"] is False
    assert answer["generator"] == "extractive"
    source = answer["citations"][0]  # type: ignore[index]
    assert source["title"] == "Ohm's law"
    assert source["source"].endswith("physics.json")


async def test_an_answer_is_json_that_no_browser_takes_for_a_page(api: httpx.AsyncClient) -> None:
    response = await api.post("/v1/ask", json={"question": "What is Ohm's law?"})
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"


async def test_top_k_limits_the_passages_an_answer_rests_on(api: httpx.AsyncClient) -> None:
    answer = await ask(api, "What do Newton's first law and Newton's third law say?", top_k=1)
    assert len(answer["citations"]) == 1  # type: ignore[arg-type]


async def test_every_question_opens_a_conversation_unless_it_names_one(api: httpx.AsyncClient) -> None:
    first = await ask(api, "What is Newton's first law?")
    second = await ask(api, "What is Ohm's law?")
    third = await ask(api, "and the third one?", conversation_id=first["conversation_id"])
    assert first["conversation_id"] != second["conversation_id"]
    assert first["conversation_id"] == third["conversation_id"]
    assert "reaction" in str(third["answer"])


async def test_questions_asked_at_once_are_all_answered(api: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(ask(api, "What is Ohm's law?") for _ in range(20)))
    assert all("V = I R" in str(answer["answer"]) for answer in answers)
    assert len({answer["conversation_id"] for answer in answers}) == 20


async def test_a_declined_question_offers_the_nearest_titles(serve: Serve) -> None:
    async with serve(answers={"threshold": 1.0}) as served:
        answer = await ask(served.api, "Is a body at rest?")
    assert answer["abstained"] is True
    assert answer["citations"] == []
    assert "Newton's first law" in answer["suggestions"]  # type: ignore[operator]


@pytest.mark.parametrize("text", ["/help", "/forget yes", "/relaod", "/reload"])
async def test_what_looks_like_a_command_is_a_question_here(api: httpx.AsyncClient, text: str) -> None:
    first = await ask(api, "What is Ohm's law?")
    await ask(api, text)
    kept = await api.get(f"/v1/conversations/{first['conversation_id']}")
    assert kept.status_code == 200


@pytest.mark.parametrize("text", ["", "   \n\t", "?!…", "🙂🙃", "\x00\x07", "\u200f\u202e", "\ufeff"])
async def test_a_text_without_letters_is_no_question(api: httpx.AsyncClient, text: str) -> None:
    response = await api.post("/v1/ask", json={"question": text})
    assert response.status_code == 422
    assert response.headers["content-type"] == PROBLEM
    problem = response.json()
    assert problem["type"] == "urn:preceptor:error:question_empty"
    assert problem["detail"] == "I see no question in that."
    assert problem["fix"].startswith("Say it in words")


async def test_a_question_over_the_limit_is_told_the_limit(api: httpx.AsyncClient) -> None:
    response = await api.post("/v1/ask", json={"question": "why " * 600})
    assert response.status_code == 422
    assert response.json()["type"] == "urn:preceptor:error:question_too_long"
    assert "2,000" in response.json()["detail"]


async def test_a_question_of_100000_characters_is_too_large_a_body(api: httpx.AsyncClient) -> None:
    response = await api.post("/v1/ask", json={"question": "a" * 100_000})
    assert response.status_code == 413
    assert response.headers["content-type"] == PROBLEM


async def test_a_right_to_left_question_is_answered(api: httpx.AsyncClient) -> None:
    answer = await ask(api, "ما هو قانون أوم؟")
    assert "الجهد" in str(answer["answer"])


async def test_control_characters_in_a_question_are_blanks(api: httpx.AsyncClient) -> None:
    answer = await ask(api, "What is\x00 Ohm's\x1b law?")
    assert "V = I R" in str(answer["answer"])
    assert "\x00" not in str(answer["question"])


async def test_half_an_emoji_in_a_question_does_no_harm(api: httpx.AsyncClient) -> None:
    body = b'{"question": "What is Ohm\'s law? \\ud83d"}'
    response = await api.post("/v1/ask", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 200
    assert "V = I R" in response.json()["answer"]
    assert response.json()["question"] == "What is Ohm's law? \ufffd"


async def test_markup_in_questions_and_passages_stays_text(api: httpx.AsyncClient) -> None:
    answer = await ask(api, "What is the <b>pangolin</b> formula? <script>alert(3)</script> [x](javascript:y)")
    assert answer["question"] == "What is the <b>pangolin</b> formula? <script>alert(3)</script> [x](javascript:y)"
    assert answer["citations"][0]["title"] == "<script>alert(1)</script>"  # type: ignore[index]


async def test_an_unknown_conversation_is_not_found(api: httpx.AsyncClient) -> None:
    for name in ("0" * 32, "", "../../etc/passwd", "' OR 1=1", "A" * 32):
        response = await api.post("/v1/ask", json={"question": "Why?", "conversation_id": name})
        assert (response.status_code, response.headers["content-type"]) == (404, PROBLEM)
        assert response.json()["type"] == "urn:preceptor:error:conversation_not_found"


async def test_messages_of_one_conversation_are_answered_in_order(api: httpx.AsyncClient) -> None:
    opened = await ask(api, "What is Ohm's law?")
    name = opened["conversation_id"]
    asked = [f"What is Newton's first law, number {number}?" for number in range(5)]
    async with asyncio.TaskGroup() as group:
        for question in asked:
            group.create_task(ask(api, question, conversation_id=name))
    kept = (await api.get(f"/v1/conversations/{name}")).json()["messages"]
    assert [before["role"] for before, _ in pairwise(kept)] == ["question", "answer"] * 5 + ["question"]
    assert sorted(one["text"] for one in kept[2::2]) == asked


async def test_whatever_is_asked_the_answer_is_a_document(api: httpx.AsyncClient) -> None:
    loop = asyncio.get_running_loop()

    @settings(max_examples=60, deadline=None)
    @given(st.text(st.characters(), max_size=300))
    def _holds(text: str) -> None:
        asked = api.post(
            "/v1/ask", content=json.dumps({"question": text}), headers={"Content-Type": "application/json"}
        )
        response = asyncio.run_coroutine_threadsafe(asked, loop).result(20)
        assert response.status_code in (200, 422)
        assert response.headers["content-type"] == ("application/json" if response.status_code == 200 else PROBLEM)
        response.json()

    await asyncio.to_thread(_holds)
