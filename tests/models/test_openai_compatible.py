"""Answers by servers that speak OpenAI's protocol, asked through OpenAI's own library over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
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
from models.generation.contract import GroundingPassage, Turn, Usage
from models.generation.openai_compatible import OpenAIGenerator, OpenAIOptions
from models.generation.served.hiding import Hiding
from tests.models.loopback_openai import MODEL, LoopbackOpenAI, error
from tests.models.loopback_server import Behaviour, KeepsSilent, Refuses, Sends, Writes
from tests.models.served_answers import AT_ONCE, QUESTION, Answer, ask, opened

KEY = "sk-secret0123456789secret"


@pytest.fixture
async def server() -> AsyncIterator[LoopbackOpenAI]:
    async with LoopbackOpenAI() as server:
        yield server


@asynccontextmanager
async def asking(
    server: LoopbackOpenAI, hiding: Hiding | None = None, **options: Any
) -> AsyncIterator[OpenAIGenerator]:
    given = {"model": MODEL, "base_url": server.base_url, "timeout_seconds": 5.0} | options
    generator = OpenAIGenerator(OpenAIOptions(**given), hiding, AT_ONCE)
    yield generator
    await generator.close()


async def failure(server: LoopbackOpenAI, *behaviours: Behaviour, **options: Any) -> GenerationError:
    """The error that these behaviours end in."""
    server.script(*behaviours)
    async with asking(server, **options) as generator:
        answer = await ask(generator)
    assert answer.error is not None
    assert "sk-secr" not in f"{answer.error} {answer.error.__cause__}"
    assert len(answer.bills) == 1
    return answer.error


async def test_an_answer_comes_piece_by_piece_with_its_count_of_tokens(server: LoopbackOpenAI) -> None:
    server.script(Writes(["It is ", "defined by ", "light [1]."], usage=(1_000, 100, 0)))
    async with asking(server, input_price=1.0, output_price=2.0) as generator:
        answer = await ask(generator)
    assert answer.pieces == ["It is ", "defined by ", "light [1]."]
    assert answer.bills == [Usage(1_000, 100, pytest.approx(0.0012))]


async def test_the_model_is_asked_with_the_passages_the_history_and_the_settings(server: LoopbackOpenAI) -> None:
    async with asking(server, temperature=0.0, max_tokens=77) as generator:
        answer = await ask(generator, history=[Turn("What is a second?", "A unit [1].")])
    assert answer.text == "Light travels one metre in 1/299 792 458 of a second. [1]"
    sent = server.asked[0].json
    assert [message["role"] for message in sent["messages"]] == ["system", "user", "assistant", "user"]
    assert QUESTION in sent["messages"][-1]["content"]
    assert (sent["model"], sent["temperature"], sent["max_tokens"], sent["stream"]) == (MODEL, 0.0, 77, True)


async def test_without_a_key_none_is_sent_and_nothing_about_the_machine(server: LoopbackOpenAI) -> None:
    async with asking(server) as generator:
        await ask(generator)
    of_http = {"host", "accept", "accept-encoding", "connection", "user-agent", "content-type", "content-length"}
    assert set(server.asked[0].headers) <= of_http


async def test_the_environment_cannot_divert_a_question(
    server: LoopbackOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "OPENAI_BASE_URL": "http://127.0.0.1:9/elsewhere",
        "OPENAI_API_KEY": "sk-another",
        "OPENAI_ORG_ID": "somebody-elses",
        "OPENAI_PROJECT_ID": "somebody-elses",
        "OPENAI_CUSTOM_HEADERS": "Authorization: Bearer sk-another\nX-Other: yes",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    async with asking(server, key=KEY) as generator:
        assert (await ask(generator)).error is None
    sent = server.asked[0].headers
    assert sent["authorization"] == f"Bearer {KEY}"
    assert "another" not in str(sent)
    assert not {"x-other", "openai-organization", "openai-project"} & set(sent)


@pytest.mark.parametrize(
    ("parameter", "instead"), [("stream_options", ""), ("temperature", ""), ("max_tokens", "max_completion_tokens")]
)
async def test_a_server_that_does_not_know_a_parameter_is_asked_without_it(
    server: LoopbackOpenAI, parameter: str, instead: str
) -> None:
    server.unknown = {parameter}
    async with asking(server) as generator:
        answers = [await ask(generator), await ask(generator)]
    assert {answer.error for answer in answers} == {None}
    assert [parameter in asked.json for asked in server.asked] == [True, False, False]
    assert not instead or instead in server.asked[-1].json


async def test_those_who_ask_it_at_once_are_all_answered_without_it(server: LoopbackOpenAI) -> None:
    server.unknown = {"stream_options"}
    async with asking(server) as generator:
        answers = await asyncio.gather(*(ask(generator) for _ in range(6)))
    assert {answer.error for answer in answers} == {None}


async def test_a_model_that_knows_no_system_is_told_in_the_first_message(server: LoopbackOpenAI) -> None:
    server.unknown = {"system"}
    async with asking(server) as generator:
        answer = await ask(generator, history=[Turn("What is a second?", "A unit [1].")])
    assert answer.error is None
    messages = server.asked[-1].json["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert "numbered passages" in messages[0]["content"]


async def test_the_proxy_of_the_settings_counts_and_else_that_of_the_environment(
    server: LoopbackOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asking(server, base_url="http://llm.invalid/v1", proxy=server.origin) as generator:
        assert (await ask(generator)).error is None
    monkeypatch.setenv("HTTP_PROXY", server.origin)
    async with asking(server, base_url="http://llm.invalid/v1") as generator:
        assert (await ask(generator)).error is None
    assert [asked.headers["host"] for asked in server.asked] == ["llm.invalid"] * 2


async def test_a_server_that_does_not_count_is_estimated(server: LoopbackOpenAI) -> None:
    server.unknown = {"stream_options"}
    server.script(Writes(["y"]), Writes(["y"]), Writes(["x" * 400]))
    async with asking(server) as generator:
        await ask(generator)
        answer = await ask(generator)
    assert answer.bills[0].output_tokens == 100
    assert answer.bills[0].input_tokens > 50


@pytest.mark.parametrize("in_content", [False, True])
async def test_thoughts_are_never_shown(server: LoopbackOpenAI, in_content: bool) -> None:
    server.thinks_in_content = in_content
    server.script(Writes(["Forty", "-two."], thoughts=["Six times ", "seven < 50."], usage=None))
    async with asking(server) as generator:
        answer = await ask(generator)
    assert answer.text == "Forty-two."
    assert answer.bills[0].output_tokens >= 7


async def test_thoughts_without_an_answer_are_told_apart_from_silence(server: LoopbackOpenAI) -> None:
    found = await failure(server, Writes([], thoughts=["Hm."], finish="length"))
    assert isinstance(found, AnswerUnusableError)
    assert "openai.max_tokens" in found.message
    assert "wrote nothing" in (await failure(server, Writes([]))).message


async def test_an_answer_cut_at_its_longest_counts(server: LoopbackOpenAI) -> None:
    server.script(Writes(["It is very"], finish="length"))
    async with asking(server) as generator:
        answer = await ask(generator)
    assert (answer.text, answer.error) == ("It is very", None)


async def test_an_overloaded_server_is_asked_again_after_its_own_delay(server: LoopbackOpenAI) -> None:
    server.script(
        Refuses(503, error("Loading model", kind="unavailable_error")),
        Refuses(429, error("Slow down."), {"Retry-After": "0.2"}),
        Writes(["Now."]),
    )
    async with asking(server) as generator:
        before = asyncio.get_running_loop().time()
        answer = await ask(generator)
        assert asyncio.get_running_loop().time() - before >= 0.2
    assert answer.text == "Now."
    assert len(server.asked) == 3


async def test_a_delay_that_nobody_waits_for_is_told_at_once(server: LoopbackOpenAI) -> None:
    found = await failure(server, Refuses(429, error("Slow down."), {"Retry-After": "120"}))
    assert isinstance(found, GeneratorUnreachableError)
    assert "120 s" in found.message
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_it_is_asked_again_as_often_as_is_set(server: LoopbackOpenAI, status: int) -> None:
    found = await failure(server, *[Refuses(status, "<html>Bad gateway</html>")] * 2, retries=1)
    assert isinstance(found, GeneratorUnreachableError)
    assert len(server.asked) == 2


async def test_a_server_that_is_not_there_is_told(server: LoopbackOpenAI) -> None:
    found = await failure(server, base_url="http://127.0.0.1:9/v1")
    assert isinstance(found, GeneratorUnreachableError)
    assert "http://127.0.0.1:9" in found.message
    assert "openai.base_url" in found.fix


@pytest.mark.parametrize(
    ("status", "body", "meaning", "setting"),
    [
        (401, error("Incorrect API key provided: sk-secr**et", "invalid_api_key"), "key is wrong", "openai.key"),
        (403, error("Forbidden"), "blocked", "openai.key"),
        (402, error("Insufficient credits"), "no credit", "key"),
        (404, error("model 'x' not found, try pulling it first"), "no model", "openai.model"),
        (404, error("The model `x` does not exist", "model_not_found"), "no model", "openai.model"),
        (404, "404 page not found", "no such API", "openai.base_url"),
        (400, error("This model's maximum context length is 4096", "context_length_exceeded"), "window", "window"),
        (429, error("You exceeded your current quota", "insufficient_quota"), "quota", "quota"),
        (422, error("Field required"), "malformed", "openai.model"),
    ],
)
async def test_a_refusal_names_the_setting_that_mends_it(
    server: LoopbackOpenAI, status: int, body: Any, meaning: str, setting: str
) -> None:
    found = await failure(server, Refuses(status, body))
    assert isinstance(found, GeneratorRefusedError)
    assert meaning in found.message
    assert setting in found.fix
    assert len(server.asked) == 1


async def test_settings_that_cannot_be_right_are_told_before_anything_is_sent(server: LoopbackOpenAI) -> None:
    assert "openai.model is not set" in (await failure(server, model="")).message
    assert "no key has" in (await failure(server, key="schlüssel")).message
    for options in ({"base_url": "localhost"}, {"base_url": "http://[::1"}, {"proxy": "secret@nowhere"}):
        found = await failure(server, **options)
        assert "no address" in found.message
        assert "secret" not in str(found)
    assert "SOCKS" in (await failure(server, proxy="socks5://127.0.0.1:9")).message
    assert not server.asked


async def test_certificates_that_cannot_be_read_are_told(
    server: LoopbackOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    found = await failure(server, base_url="https://llm.invalid/v1")
    assert isinstance(found, GeneratorRefusedError)
    assert "SSL_CERT_FILE" in found.fix


async def test_silence_before_and_within_an_answer_is_not_borne_for_ever(server: LoopbackOpenAI) -> None:
    silent = Writes(["It is"], finish="", then="silence")
    for behaviour in (KeepsSilent(), silent, replace(silent, then="pings")):
        found = await failure(server, behaviour, timeout_seconds=0.2)
        assert isinstance(found, GeneratorSlowError)
        assert "openai.timeout_seconds" in found.message
    assert len(server.asked) == 3


async def test_an_answer_that_breaks_off_is_no_answer(server: LoopbackOpenAI) -> None:
    for behaviour in (Writes(["It is"], finish="", then="drop"), Writes(["It is"], finish="")):
        found = await failure(server, behaviour)
        assert isinstance(found, GeneratorUnreachableError)
        assert "broke off" in found.message
    assert len(server.asked) == 2


async def test_a_connection_that_breaks_before_the_first_piece_is_made_anew(server: LoopbackOpenAI) -> None:
    server.script(Writes([], finish="", then="drop"), Writes(["Now."]))
    async with asking(server) as generator:
        assert (await ask(generator)).text == "Now."


async def test_what_comes_behind_the_end_is_of_no_interest(server: LoopbackOpenAI) -> None:
    server.script(Writes(["Now."], then="drop"), Writes(["Now."], then="silence"))
    async with asking(server, timeout_seconds=0.2) as generator:
        assert [(await ask(generator)).text for _ in range(2)] == ["Now.", "Now."]


async def test_an_error_within_the_stream_ends_the_answer(server: LoopbackOpenAI) -> None:
    started = json.dumps({"choices": [{"index": 0, "delta": {"content": "It is"}}]})
    told = json.dumps(error("Out of memory", "500", "server_error"))
    found = await failure(server, Sends(f"data: {started}\n\ndata: {told}\n\n".encode()))
    assert isinstance(found, GeneratorUnreachableError)
    assert len(server.asked) == 1


@pytest.mark.parametrize("behaviour", [Writes(["It"], finish="content_filter"), Writes(refusal="I'm sorry.")])
async def test_a_blocked_answer_is_told_as_such(server: LoopbackOpenAI, behaviour: Writes) -> None:
    assert isinstance(await failure(server, behaviour), AnswerBlockedError)


@pytest.mark.parametrize(
    "sent",
    [
        Sends(b"<html><body>Log in to the hotel's network</body></html>", "text/html"),
        Sends(b'{"choices": [{"message": {"content": "All at once."}}]}', "application/json"),
        Sends(b'data: {"choices": [{"delta": {"con\n\n'),
        Sends(b"data: [1, 2]\n\n"),
        Sends(b"data: 5\n\n"),
        Sends(b"data: null\n\n"),
        Sends(b'data: {"choices": 3}\n\n'),
        Sends(b'data: {"choices": [null]}\n\n'),
        Sends(b'data: {"choices": [{"delta": "text"}]}\n\n'),
        Sends(b'data: {"choices": [{"delta": {"content": {"a": 1}}}]}\n\n'),
        Sends(b'data: {"choices": [], "usage": "much"}\n\n'),
        Sends(b"\xff\xfe\x00 garbage \x00"),
        Sends(b"data: " + b"[" * 100_000 + b"\n\n"),
        Sends(b""),
    ],
)
async def test_garbage_is_never_an_answer(server: LoopbackOpenAI, sent: Sends) -> None:
    found = await failure(server, *[sent] * 3)
    assert isinstance(found, GeneratorUnreachableError | AnswerUnusableError)


async def test_an_answer_cut_at_any_byte_is_the_whole_one_or_none(server: LoopbackOpenAI) -> None:
    choices = [{"delta": {"content": "It is light."}}, {"delta": {}, "finish_reason": "stop"}]
    body = "".join(f"data: {json.dumps({'choices': [choice]})}\n\n" for choice in choices).encode()
    async with asking(server, retries=0) as generator:
        for end in range(0, len(body), 5):
            server.script(Sends(body[:end]))
            answer = await ask(generator)
            assert isinstance(answer.error, GeneratorUnreachableError), end
        server.script(Sends(body))
        assert (await ask(generator)).text == "It is light."


async def test_who_wants_no_more_hangs_up_at_once(server: LoopbackOpenAI) -> None:
    server.script(Writes(["It is "] * 1_000, pause=0.01))
    answer = Answer()
    async with asking(server) as generator:
        async with opened(generator, answer) as pieces:
            assert await anext(pieces) == "It is "
        await asyncio.wait_for(server.asked[0].left.wait(), 2)
    assert len(answer.bills) == 1
    assert answer.bills[0].input_tokens > 50


async def test_many_are_answered_side_by_side(server: LoopbackOpenAI) -> None:
    async with asking(server) as generator:
        answers = await asyncio.gather(*(ask(generator) for _ in range(12)))
    assert {answer.error for answer in answers} == {None}
    assert {len(answer.bills) for answer in answers} == {1}


async def test_what_is_private_never_leaves_and_comes_back_in_the_answer(server: LoopbackOpenAI) -> None:
    passages = [GroundingPassage(1, "Write to ada@example.org or call +49 30 1234567.", "Ada")]
    history = [Turn("I am bob@example.org.", "Hello.", "carol@example.org")]
    server.script(Writes(["Call <pho", "ne-1", ">", " or <email-", "2> [1]. 3 < 4 <"]))
    async with asking(server, Hiding()) as generator:
        answer = await ask(generator, "How do I reach dave@example.org?", passages, history)
    assert "@example.org" not in server.asked[0].body
    assert "1234567" not in server.asked[0].body
    assert answer.text == "Call +49 30 1234567 or ada@example.org [1]. 3 < 4 <"


async def test_without_a_redactor_all_is_sent_as_it_is(server: LoopbackOpenAI) -> None:
    async with asking(server) as generator:
        await ask(generator, "Who is ada@example.org?")
    assert "ada@example.org" in server.asked[0].body


async def test_passages_are_fitted_to_the_window(server: LoopbackOpenAI) -> None:
    long = [GroundingPassage(number, "It is a long story of light. " * 200) for number in (1, 2, 3)]
    async with asking(server, window=3_000) as generator:
        await ask(generator, passages=long)
    assert 4_000 < len(server.asked[0].body) < 10_000


async def test_a_question_longer_than_the_window_is_not_sent(server: LoopbackOpenAI) -> None:
    async with asking(server, window=600) as generator:
        answer = await ask(generator, "why " * 2_000)
    assert answer.error is not None
    assert answer.bills == [Usage()]
    assert not server.asked


async def test_the_doctors_look_finds_the_model_in_the_servers_list(server: LoopbackOpenAI) -> None:
    server.models = ["llama3.2:latest", "qwen3"]
    async with asking(server) as generator:
        await generator.check()
    async with asking(server, model="mistral") as generator:
        with pytest.raises(GeneratorRefusedError, match=r"'llama3\.2:latest', 'qwen3'"):
            await generator.check()
    server.owner = "llamacpp"
    async with asking(server, model="any-name") as generator:
        await generator.check()
    assert not server.asked


async def test_the_doctors_look_tells_why_it_sees_nothing(server: LoopbackOpenAI) -> None:
    async with asking(server, base_url="http://127.0.0.1:9/v1") as generator:
        with pytest.raises(GeneratorUnreachableError):
            await generator.check()
    async with asking(server, base_url=f"{server.origin}/v2") as generator:
        with pytest.raises(GeneratorRefusedError, match="no such API"):
            await generator.check()
    server.key = KEY
    async with asking(server, key="sk-wrong") as generator:
        with pytest.raises(GeneratorRefusedError, match="key is wrong"):
            await generator.check()
