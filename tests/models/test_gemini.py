"""Answers by the Gemini API, asked through Google's own library over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from models.errors import (
    AnswerBlockedError,
    AnswerUnusableError,
    GenerationError,
    GeneratorRefusedError,
    GeneratorSlowError,
    GeneratorUnreachableError,
)
from models.generation.chain import Chain
from models.generation.contract import GroundingPassage, Turn, Usage
from models.generation.extractive import ExtractiveGenerator
from models.generation.gemini import GeminiGenerator, GeminiOptions
from models.generation.served.hiding import Hiding
from tests.models.loopback_gemini import MODEL, LoopbackGemini, error, error_info, retry_info
from tests.models.loopback_server import Behaviour, KeepsSilent, Refuses, Sends, Writes
from tests.models.served_answers import AT_ONCE, PASSAGES, QUESTION, Answer, ask, opened

KEY = "AIzaSyD-this_is_no_real_key_0123456789ab"


@pytest.fixture
async def server() -> AsyncIterator[LoopbackGemini]:
    async with LoopbackGemini(key=KEY, models=[MODEL]) as server:
        yield server


@asynccontextmanager
async def asking(
    server: LoopbackGemini, hiding: Hiding | None = None, **options: Any
) -> AsyncIterator[GeminiGenerator]:
    given = {"model": MODEL, "base_url": server.base_url, "key": KEY, "timeout_seconds": 5.0} | options
    generator = GeminiGenerator(GeminiOptions(**given), hiding, AT_ONCE)
    yield generator
    await generator.close()


async def failure(server: LoopbackGemini, *behaviours: Behaviour, **options: Any) -> GenerationError:
    """The error that these behaviours end in."""
    server.script(*behaviours)
    async with asking(server, **options) as generator:
        answer = await ask(generator)
    assert answer.error is not None
    assert KEY not in f"{answer.error} {answer.error.__cause__} {answer.error.__context__}"
    assert len(answer.bills) == 1
    return answer.error


async def test_an_answer_comes_piece_by_piece(server: LoopbackGemini) -> None:
    server.script(Writes(["It is ", "defined by ", "light [1]."]))
    async with asking(server) as generator:
        answer = await ask(generator)
    assert answer.pieces == ["It is ", "defined by ", "light [1]."]
    assert generator.name == MODEL


async def test_the_model_is_asked_with_the_passages_the_history_and_the_settings(server: LoopbackGemini) -> None:
    async with asking(server, temperature=0.0, max_tokens=77, thinking_budget=0, safety="few") as generator:
        answer = await ask(generator, history=[Turn("What is a second?", "A unit [1].")])
    assert answer.text == "Light travels one metre in 1/299 792 458 of a second. [1]"
    (asked,) = server.asked
    assert asked.path == f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse"
    assert [content["role"] for content in asked.json["contents"]] == ["user", "model", "user"]
    assert QUESTION in asked.json["contents"][-1]["parts"][0]["text"]
    assert "passages" in asked.json["systemInstruction"]["parts"][0]["text"]
    sent = asked.json["generationConfig"]
    assert (sent["temperature"], sent["maxOutputTokens"]) == (0.0, 77)
    assert [*sent["thinkingConfig"].values()] == [0]
    assert {setting["threshold"] for setting in asked.json["safetySettings"]} == {"BLOCK_ONLY_HIGH"}


async def test_what_is_not_set_is_left_to_the_model(server: LoopbackGemini) -> None:
    async with asking(server, temperature=None) as generator:
        await ask(generator)
    (asked,) = server.asked
    assert set(asked.json["generationConfig"]) == {"maxOutputTokens"}
    assert "safetySettings" not in asked.json


async def test_a_thinking_level_is_passed_on(server: LoopbackGemini) -> None:
    async with asking(server, thinking_level="low") as generator:
        await ask(generator)
    assert server.asked[0].json["generationConfig"]["thinkingConfig"].popitem()[1].lower() == "low"


async def test_the_request_carries_the_key_and_nothing_about_the_machine(server: LoopbackGemini) -> None:
    async with asking(server) as generator:
        await ask(generator)
    (asked,) = server.asked
    assert asked.headers["x-goog-api-key"] == KEY
    of_http = {"host", "accept", "accept-encoding", "connection", "user-agent", "content-type", "content-length"}
    assert set(asked.headers) <= of_http | {"x-goog-api-key"}
    assert KEY not in asked.path


async def test_one_connection_serves_one_answer_after_the_other(server: LoopbackGemini) -> None:
    async with asking(server) as generator:
        answers = [await ask(generator) for _ in range(3)]
        answers += await asyncio.gather(*(ask(generator) for _ in range(4)))
    assert {answer.error for answer in answers} == {None}
    assert len(server.asked) == 7


async def test_the_environment_cannot_divert_a_question(
    server: LoopbackGemini, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:9/elsewhere",
        "GOOGLE_API_KEY": "another key",
        "GOOGLE_GENAI_USE_VERTEXAI": "true",
        "GOOGLE_GENAI_API_VERSION": "v9",
        "GOOGLE_GENAI_CLIENT_MODE": "replay",
        "GOOGLE_CLOUD_PROJECT": "somebody-elses",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    async with asking(server) as generator:
        assert (await ask(generator)).error is None
    assert server.asked[0].headers["x-goog-api-key"] == KEY


async def test_thoughts_are_not_shown_and_cost_what_an_answer_costs(server: LoopbackGemini) -> None:
    server.script(Writes(["Forty-two."], thoughts=["Let me see. ", "Six times seven."], usage=(1_000, 10, 90)))
    async with asking(server, input_price=2.0, output_price=10.0) as generator:
        answer = await ask(generator)
    assert answer.text == "Forty-two."
    assert answer.bills == [Usage(1_000, 100, pytest.approx(0.002 + 0.001))]


async def test_thoughts_that_use_up_the_answers_tokens_are_told_apart_from_silence(server: LoopbackGemini) -> None:
    found = await failure(server, Writes([], thoughts=["Hm."], finish="MAX_TOKENS"))
    assert isinstance(found, AnswerUnusableError)
    assert "gemini.max_tokens" in found.message


async def test_an_answer_cut_at_its_longest_counts(server: LoopbackGemini) -> None:
    server.script(Writes(["It is very"], finish="MAX_TOKENS"))
    async with asking(server) as generator:
        answer = await ask(generator)
    assert (answer.text, answer.error) == ("It is very", None)


async def test_an_overloaded_server_is_asked_again(server: LoopbackGemini) -> None:
    server.script(
        Refuses(503, error(503, "UNAVAILABLE", "The model is overloaded.")),
        Refuses(429, error(429, "RESOURCE_EXHAUSTED", "Slow down.", retry_info("0.02s"))),
        Writes(["Now."]),
    )
    async with asking(server) as generator:
        answer = await ask(generator)
    assert answer.text == "Now."
    assert len(server.asked) == 3
    assert answer.bills == [Usage(100, 20)]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_it_is_asked_again_as_often_as_is_set(server: LoopbackGemini, status: int) -> None:
    found = await failure(server, *[Refuses(status, "<html>Bad gateway</html>")] * 3, retries=2)
    assert isinstance(found, GeneratorUnreachableError)
    assert str(status) in found.message
    assert len(server.asked) == 3


async def test_the_servers_own_delay_is_kept(server: LoopbackGemini) -> None:
    server.script(Refuses(429, error(429, "RESOURCE_EXHAUSTED", "Wait.", retry_info("0.3s"))))
    async with asking(server) as generator:
        before = asyncio.get_running_loop().time()
        await ask(generator)
        assert asyncio.get_running_loop().time() - before >= 0.3


async def test_a_delay_that_nobody_waits_for_is_told_at_once(server: LoopbackGemini) -> None:
    refused = Refuses(429, error(429, "RESOURCE_EXHAUSTED", "Wait.", retry_info("38.5s")))
    found = await failure(server, refused)
    assert isinstance(found, GeneratorUnreachableError)
    assert "38 s" in found.message
    assert len(server.asked) == 1


async def test_a_used_up_quota_is_not_asked_for_again(server: LoopbackGemini) -> None:
    violation = {"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}
    found = await failure(server, Refuses(429, error(429, "RESOURCE_EXHAUSTED", "Quota.", violation, retry_info("1s"))))
    assert isinstance(found, GeneratorRefusedError)
    assert "quota" in found.message
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("body", "meaning", "setting"),
    [
        (error(400, "INVALID_ARGUMENT", "Not valid.", error_info("API_KEY_INVALID")), "key is wrong", "gemini.key"),
        (error(400, "INVALID_ARGUMENT", "API key expired.", error_info("API_KEY_INVALID")), "expired", "gemini.key"),
        (error(401, "UNAUTHENTICATED"), "key is wrong", "gemini.key"),
        (error(403, "PERMISSION_DENIED", "Your API key was reported as leaked."), "blocked", "gemini.key"),
        (error(404, "NOT_FOUND", "models/x is not found for API version v1beta"), "no model", "gemini.model"),
        (error(400, "INVALID_ARGUMENT", "The input token count (9) exceeds 8."), "window", "gemini.window"),
        (error(400, "FAILED_PRECONDITION", "User location is not supported."), "country", "billing"),
        (error(400, "INVALID_ARGUMENT", "Budget 0 is invalid."), "malformed", "gemini.model"),
    ],
)
async def test_a_refusal_names_the_setting_that_mends_it(
    server: LoopbackGemini, body: dict[str, Any], meaning: str, setting: str
) -> None:
    found = await failure(server, Refuses(body["error"]["code"], body))
    assert isinstance(found, GeneratorRefusedError)
    assert meaning in found.message
    assert setting in found.fix
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [302, 404, 405])
async def test_an_address_that_is_not_the_apis_is_told(server: LoopbackGemini, status: int) -> None:
    found = await failure(server, Refuses(status, "<html></html>"))
    assert isinstance(found, GeneratorRefusedError)
    assert "gemini.base_url" in found.fix


async def test_what_a_server_says_of_an_error_is_not_passed_on(server: LoopbackGemini) -> None:
    body = error(400, "INVALID_ARGUMENT", f"You asked: {QUESTION} with {KEY}", error_info(f"{QUESTION}"))
    found = await failure(server, Refuses(400, body))
    assert QUESTION not in str(found)
    assert "400 INVALID_ARGUMENT" in found.message


async def test_a_wrong_key_and_a_missing_one_are_told(server: LoopbackGemini) -> None:
    assert "key is wrong" in (await failure(server, key="AIza-wrong")).message
    assert "not set" in (await failure(server, key="")).message
    assert "no key has" in (await failure(server, key="schlüssel")).message
    assert "no address" in (await failure(server, base_url="generativelanguage")).message
    assert "not set" in (await failure(server, key="auth_tokens/1")).message
    assert "no model's name" in (await failure(server, model="../../v1/files?key=1")).message
    assert "gemini.model is not set" in (await failure(server, model="")).message


async def test_a_server_that_is_not_there_is_told(server: LoopbackGemini) -> None:
    found = await failure(server, base_url="http://ada:secret@127.0.0.1:9", retries=1)
    assert isinstance(found, GeneratorUnreachableError)
    assert "127.0.0.1:9" in found.message
    assert "secret" not in str(found)


async def test_silence_before_and_within_an_answer_is_not_borne_for_ever(server: LoopbackGemini) -> None:
    for behaviour in (KeepsSilent(), Writes(["It is"], finish="", then="silence")):
        found = await failure(server, behaviour, timeout_seconds=0.2)
        assert isinstance(found, GeneratorSlowError)
    assert len(server.asked) == 2


async def test_slow_pieces_are_waited_for(server: LoopbackGemini) -> None:
    server.script(Writes(["a"] * 8, pause=0.05))
    async with asking(server, timeout_seconds=0.3) as generator:
        assert (await ask(generator)).text == "a" * 8


async def test_an_answer_that_breaks_off_is_no_answer(server: LoopbackGemini) -> None:
    for behaviour in (Writes(["It is"], finish="", then="drop"), Writes(["It is"], finish="")):
        found = await failure(server, behaviour)
        assert isinstance(found, GeneratorUnreachableError)
        assert "broke off" in found.message
    assert len(server.asked) == 2


async def test_a_connection_that_breaks_before_the_first_piece_is_made_anew(server: LoopbackGemini) -> None:
    server.script(Writes([], finish="", then="drop"), Writes(["Now."]))
    async with asking(server) as generator:
        assert (await ask(generator)).text == "Now."


async def test_what_comes_behind_the_end_is_of_no_interest(server: LoopbackGemini) -> None:
    server.script(Writes(["Now."], then="drop"), Writes(["Now."], then="silence"))
    async with asking(server, timeout_seconds=0.2) as generator:
        assert [(await ask(generator)).text for _ in range(2)] == ["Now.", "Now."]


async def test_an_error_within_the_stream_ends_the_answer(server: LoopbackGemini) -> None:
    told = json.dumps(error(503, "UNAVAILABLE"))
    started = json.dumps({"candidates": [{"content": {"parts": [{"text": "It is"}]}}]})
    server.script(Sends(f"data: {started}\n\ndata: {told}\n\n".encode()))
    async with asking(server) as generator:
        answer = await ask(generator)
    assert isinstance(answer.error, GeneratorUnreachableError)
    assert answer.bills[0].input_tokens > 50
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "behaviour",
    [Writes(refusal="PROHIBITED_CONTENT")]
    + [Writes(["It"], finish=why) for why in ("SAFETY", "RECITATION", "SPII", "OTHER")],
)
async def test_a_blocked_question_or_answer_is_told_as_such(server: LoopbackGemini, behaviour: Writes) -> None:
    found = await failure(server, behaviour)
    assert isinstance(found, AnswerBlockedError)
    assert (behaviour.refusal or behaviour.finish) in found.message


async def test_an_empty_answer_and_one_given_up_are_unusable(server: LoopbackGemini) -> None:
    assert isinstance(await failure(server, Writes([])), AnswerUnusableError)
    assert isinstance(await failure(server, Writes(["It"], finish="MALFORMED_RESPONSE")), AnswerUnusableError)


async def test_an_end_that_the_library_does_not_know_yet_gives_the_answer_up_without_a_warning(
    server: LoopbackGemini, recwarn: pytest.WarningsRecorder
) -> None:
    found = await failure(server, Writes(["It"], finish="OUT_OF_INK"))
    assert isinstance(found, AnswerUnusableError)
    assert "OUT_OF_INK" in found.message
    forged = await failure(server, Writes(["It"], finish="It is\nKEY"), Writes(refusal=f"{QUESTION}\n"))
    assert isinstance(forged, AnswerUnusableError)
    assert "KEY" not in forged.message
    assert not list(recwarn)


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>Log in to the hotel's network</body></html>",
        b'data: {"candidates": [{"content": {"parts": [{"te\n\n',
        b"data: [1, 2]\n\n",
        b"data: 5\n\n",
        b"data: null\n\n",
        b'data: {"candidates": 3}\n\n',
        b'data: {"candidates": [{"content": "text"}]}\n\n',
        b'data: {"candidates": [null]}\n\n',
        b"\xff\xfe\x00 garbage \x00",
        b"data: " + b"[" * 100_000 + b"\n\n",
        b'data: {"candidates": [{"finishReason": ' + b"[" * 100_000 + b"\n\n",
        b'data: {"candidates": [{"finishReason": 7}]}\n\n',
        b"",
        b'{"candidates": ',
    ],
)
async def test_garbage_is_never_an_answer(server: LoopbackGemini, body: bytes) -> None:
    found = await failure(server, *[Sends(body)] * 3)
    assert isinstance(found, GeneratorUnreachableError | AnswerUnusableError)


async def test_an_answer_cut_at_any_byte_is_the_whole_one_or_none(server: LoopbackGemini) -> None:
    events = [{"candidates": [{"content": {"parts": [{"text": "It is light."}]}}]}]
    events += [{"candidates": [{"finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 9}}]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()
    async with asking(server, retries=0) as generator:
        for end in range(0, len(body), 5):
            server.script(Sends(body[:end]))
            answer = await ask(generator)
            assert isinstance(answer.error, GeneratorUnreachableError), end
        server.script(Sends(body))
        assert (await ask(generator)).text == "It is light."


async def test_who_wants_no_more_hangs_up_at_once(server: LoopbackGemini) -> None:
    server.script(Writes(["It is "] * 1_000, pause=0.01))
    answer = Answer()
    async with asking(server) as generator:
        async with opened(generator, answer) as pieces:
            assert await anext(pieces) == "It is "
        await asyncio.wait_for(server.asked[0].left.wait(), 2)
    assert len(answer.bills) == 1
    assert answer.bills[0].input_tokens > 50
    assert 0 < answer.bills[0].output_tokens < 100


async def test_who_is_cancelled_while_waiting_hangs_up_and_is_billed(server: LoopbackGemini) -> None:
    server.script(KeepsSilent())
    async with asking(server) as generator:
        task = asyncio.create_task(ask(generator))
        await asyncio.wait_for(server.came.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.asked[0].left.wait(), 2)


async def test_an_answer_that_broke_off_is_estimated(server: LoopbackGemini) -> None:
    server.script(Writes(["x" * 400], finish="", then="drop"))
    async with asking(server, input_price=1.0, output_price=1.0) as generator:
        answer = await ask(generator)
    (bill,) = answer.bills
    assert bill.output_tokens == 100
    assert bill.input_tokens == pytest.approx(len(server.asked[0].body) / 4, rel=0.4)
    assert bill.cost == pytest.approx((bill.input_tokens + 100) / 1e6)


async def test_what_was_refused_costs_nothing(server: LoopbackGemini) -> None:
    server.script(Refuses(400, error(400, "INVALID_ARGUMENT")))
    async with asking(server, input_price=1.0) as generator:
        assert (await ask(generator)).bills == [Usage()]


async def test_what_is_private_never_leaves_and_comes_back_in_the_answer(server: LoopbackGemini) -> None:
    secrets = ("ada@example.org", "+49 30 1234567", "192.168.7.9", "4111 1111 1111 1111")
    passages = [GroundingPassage(1, "Write to ada@example.org, or 192.168.7.9.", "Ada: +49 30 1234567")]
    history = [Turn("My card is 4111 1111 1111 1111.", "I forget it at once.")]
    server.script(Writes(["Write to <ema", "il-1", "> [1] from <ip-1>", "."]))
    async with asking(server, Hiding()) as generator:
        answer = await ask(generator, "Is ada@ex\u200bample.org or ada@example.org right?", passages, history)
    (asked,) = server.asked
    assert not [secret for secret in secrets if secret in asked.body]
    assert "<email-1>" in asked.body
    assert answer.text == "Write to ada@example.org [1] from 192.168.7.9."


async def test_the_doctors_look_spends_nothing(server: LoopbackGemini) -> None:
    async with asking(server) as generator:
        await generator.check()
    assert [asked.path for asked in server.looked] == [f"/v1beta/models/{MODEL}"]
    assert not server.asked


@pytest.mark.parametrize(
    ("options", "meaning"),
    [({"model": "gemini-0"}, "no model"), ({"key": "AIza-wrong"}, "key is wrong"), ({"key": ""}, "not set")],
)
async def test_the_doctors_look_finds_what_is_wrong(
    server: LoopbackGemini, options: dict[str, str], meaning: str
) -> None:
    async with asking(server, **options) as generator:
        with pytest.raises(GeneratorRefusedError, match=meaning):
            await generator.check()


class Purse:
    """An account without a bound."""

    reference = "question-1"

    def __init__(self) -> None:
        self.bills: list[tuple[str, str, Usage]] = []

    async def allows(self, generator: str) -> bool:
        return True

    def charge(self, generator: str, model: str, usage: Usage) -> None:
        self.bills.append((generator, model, usage))


async def test_in_the_chain_it_answers_and_where_it_breaks_off_the_next_one_starts_afresh(
    server: LoopbackGemini,
) -> None:
    purse = Purse()
    broken = Writes(["Light travels one metre in 1/299 792 458 of a second. ", "And"], finish="", then="drop")
    server.script(Writes(["Light travels one metre in 1/299 792 458 of a second [1]."]), broken)
    async with asking(server) as generator:
        chain = Chain({"gemini": generator, "extractive": ExtractiveGenerator()})
        for gave_up, answered in (("", MODEL), (MODEL, "extractive")):
            drafts = [draft async for draft in chain.write(QUESTION, PASSAGES, (), ["gemini"], purse)]
            assert (drafts[-1].state, drafts[-1].generator, drafts[-1].gave_up) == ("answered", answered, gave_up)
            assert "[1]" in drafts[-1].text
    assert [(name, model) for name, model, _ in purse.bills] == [("gemini", MODEL)] * 2
    assert all(usage.input_tokens for _, _, usage in purse.bills)


async def test_passages_are_named_in_their_order(server: LoopbackGemini) -> None:
    async with asking(server) as generator:
        await ask(generator)
    assert server.asked[0].body.index(PASSAGES[0].text[:20]) < server.asked[0].body.index(PASSAGES[1].text[:20])
