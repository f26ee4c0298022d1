"""Answers written by a server that speaks OpenAI's protocol: Ollama, vLLM, llama.cpp, a gateway, OpenAI itself."""

import re
from base64 import b64encode
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence, Set
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import structlog

from models.errors import AnswerBlockedError, GeneratorRefusedError
from models.generation.prompting import ChatMessage
from models.generation.served.faults import AttemptError, Refusal, Server, of_refusal, usable_key
from models.generation.served.hiding import Hiding
from models.generation.served.serving import Backoff, Chunk, ServedGenerator, ServedOptions
from models.generation.served.thoughts import ThoughtFilter

if TYPE_CHECKING:
    import httpx2
    from openai import APIError, APIStatusError, AsyncOpenAI, AsyncStream
    from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

log = structlog.get_logger(__name__)

SERVER = Server(
    name="The OpenAI-compatible server",
    section="openai",
    keys="who runs the server gives them out",
    models="its own list is at /models below openai.base_url",
)

_NO_KEY = "none"
"""What the library is given where there is no key, since it insists on one; it is not sent."""

_DISPENSABLE = ("stream_options", "max_tokens", "temperature")
"""What some servers and models refuse to be told, and is left out then; ``max_tokens`` has a newer name."""

_SYSTEM_ROLE = "system role"

_ANSWERS_ANY_NAME = "llamacpp"
"""Who owns the only model of a llama.cpp server, which answers under whatever name it is asked."""

_GARBAGE = (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError)
"""What comes of reading something that is not the protocol's: the library looks at it no closer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIOptions(ServedOptions):
    """How the server is asked; `base_url` ends in the version, as ``http://127.0.0.1:11434/v1``."""


class OpenAIGenerator(ServedGenerator):
    """Asks a server that speaks OpenAI's chat completions; the connection lives as long as the generator."""

    def __init__(self, options: OpenAIOptions, hiding: Hiding | None = None, backoff: Backoff | None = None) -> None:
        super().__init__(SERVER, options, hiding, backoff)
        self._options = options
        self._client: AsyncOpenAI
        self._http: httpx2.AsyncClient
        self._left_out: set[str] = set()

    async def close(self) -> None:
        """Close the connection, and let go of what hides."""
        await super().close()
        if self._is_connected:
            await self._client.close()
            await self._http.aclose()

    async def _look(self) -> None:
        with self._failures_told():
            listed = await self._client.models.list()
            owners = {str(one.id): str(one.owned_by) for one in listed.data}
        self._look_for_the_model(owners)

    def _look_for_the_model(self, owners: Mapping[str, str]) -> None:
        model = self._options.model
        # Ollama lists "llama3.2:latest" and answers to "llama3.2".
        if model in owners or f"{model}:latest" in owners or set(owners.values()) == {_ANSWERS_ANY_NAME}:
            return
        some = ", ".join(ascii(name) for name in sorted(owners)[:8]) or "none at all"
        more = f" and {len(owners) - 8} more" if len(owners) > 8 else ""
        raise GeneratorRefusedError(
            f"{SERVER.name} has no model {model!a}; it has {some}{more}.",
            "Set openai.model to one of them, or load it there (`ollama pull NAME` on Ollama).",
        )

    async def _chunks(self, messages: Sequence[ChatMessage]) -> AsyncGenerator[Chunk]:
        from models.generation.served.connection import not_the_api

        thoughts = ThoughtFilter()
        with self._failures_told():
            async with aclosing(await self._opened(messages)) as stream:
                if not _is_stream(stream):
                    raise not_the_api(SERVER)
                async for chunk in stream:
                    yield _chunk(chunk, thoughts)
            if rest := thoughts.finish():
                yield Chunk(rest)

    @contextmanager
    def _failures_told(self) -> Iterator[None]:
        """Turn whatever the library lets through into an `AttemptError`."""
        from openai import APIError

        from models.generation.served.connection import FAILURES, not_the_api, of_failure

        try:
            yield
        except APIError as error:
            raise self._of_error(error) from None
        except FAILURES as error:
            raise of_failure(SERVER, self._options.base_url, error) from None
        except _GARBAGE:
            raise not_the_api(SERVER) from None

    async def _opened(self, messages: Sequence[ChatMessage]) -> "AsyncStream[ChatCompletionChunk]":
        """Send the request; what the server does not want to be told is left out, once and for all."""
        from openai import APIStatusError

        while True:
            left_out = frozenset(self._left_out)
            try:
                stream = await self._client.chat.completions.create(
                    model=self._options.model,
                    messages=self._body(messages),
                    stream=True,
                    **self._parameters(),
                )
                return cast("AsyncStream[ChatCompletionChunk]", stream)
            except APIStatusError as error:
                unwanted = self._unwanted(error, left_out)
                if not unwanted:
                    raise
                # Somebody who asked in the same moment may have learnt it, too.
                if unwanted not in self._left_out:
                    log.warning("parameter left out, the server does not take it", parameter=unwanted)
                    self._left_out.add(unwanted)

    def _body(self, messages: Sequence[ChatMessage]) -> "list[ChatCompletionMessageParam]":
        """Give the chat as the protocol has it; who knows no system gets its message before the first one's text."""
        if _SYSTEM_ROLE in self._left_out:
            system = "\n\n".join(message.text for message in messages if message.role == "system")
            first, *others = (message for message in messages if message.role != "system")
            messages = [replace(first, text=f"{system}\n\n{first.text}"), *others]
        body = [{"role": message.role, "content": _content(message)} for message in messages]
        return cast("list[ChatCompletionMessageParam]", body)

    def _parameters(self) -> dict[str, Any]:
        options, out = self._options, self._left_out
        parameters: dict[str, Any] = {}
        if "stream_options" not in out:
            parameters["stream_options"] = {"include_usage": True}
        if "temperature" not in out and options.temperature is not None:
            parameters["temperature"] = options.temperature
        # OpenAI's own newer models know the limit by this name alone.
        parameters["max_completion_tokens" if "max_tokens" in out else "max_tokens"] = options.max_tokens
        return parameters

    def _unwanted(self, error: "APIStatusError", left_out: Set[str]) -> str:
        """Give the parameter that the server complains about, if it can do without and was sent; else nothing."""
        if error.status_code not in {400, 422}:
            return ""
        words = str(error.body)
        # Templates of some models (Gemma 2, early Mistral) have no place for it, and raise just this sentence.
        if _SYSTEM_ROLE in words.lower() and _SYSTEM_ROLE not in left_out:
            return _SYSTEM_ROLE
        sent = [name for name in _DISPENSABLE if name not in left_out]
        return next((name for name in sent if re.search(rf"\b{name}\b", words)), "")

    def _of_error(self, error: "APIError") -> AttemptError:
        from openai import APIConnectionError, APIStatusError

        from models.generation.served.connection import of_failure

        if isinstance(error, APIConnectionError):
            return of_failure(SERVER, self._options.base_url, error.__cause__)
        fault = of_refusal(SERVER, _refusal(error), self._options.model)
        # Told within the stream, the server was at work already.
        fault.is_billed = not isinstance(error, APIStatusError)
        return fault

    def _connect(self) -> None:
        from openai import AsyncOpenAI

        from models.generation.served.connection import http_client

        options = self._options
        key = usable_key(SERVER, options.key)
        credentials = {"authorization": f"Bearer {key}"} if key else {}
        self._http = http_client(SERVER, options.base_url, options.proxy, options.timeout_seconds, credentials)
        self._client = AsyncOpenAI(
            api_key=key or _NO_KEY,
            base_url=options.base_url,
            max_retries=0,
            timeout=options.timeout_seconds,
            http_client=self._http,
        )


def _content(message: ChatMessage) -> str | list[dict[str, Any]]:
    """Give a message's text; with pictures in parts, which servers that see none need not know."""
    if not message.pictures:
        return message.text
    parts: list[dict[str, Any]] = []
    for picture in message.pictures:
        address = f"data:image/jpeg;base64,{b64encode(picture.content).decode()}"
        parts += [{"type": "text", "text": picture.heading}, {"type": "image_url", "image_url": {"url": address}}]
    return [*parts, {"type": "text", "text": message.text}]


def _is_stream(stream: "AsyncStream[ChatCompletionChunk]") -> bool:
    """Whether it may be one: a page, or a whole answer at once, is none."""
    kind = stream.response.headers.get("content-type", "")
    return "html" not in kind and "json" not in kind


def _chunk(chunk: "ChatCompletionChunk", thoughts: ThoughtFilter) -> Chunk:
    """Read one part of the stream, of which the library checked nothing.

    Raises:
        AttemptError: the answer is blocked.
    """
    usage = chunk.usage
    counts = (usage.prompt_tokens, usage.completion_tokens) if usage else (None, None)
    read, written = (count if isinstance(count, int) else None for count in counts)
    if not chunk.choices:
        return Chunk(input_tokens=read, output_tokens=written)
    choice = chunk.choices[0]
    delta = choice.delta
    if choice.finish_reason == "content_filter" or getattr(delta, "refusal", None):
        raise _blocked()
    content = delta.content if delta and isinstance(delta.content, str) else ""
    # vLLM, Ollama and DeepSeek tell thoughts apart, under one of two names.
    told = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None)
    text = thoughts.read(content)
    swallowed = len(content) - len(text) if thoughts.has_thoughts else 0
    return Chunk(
        text=text,
        unseen=max(0, swallowed) + (len(told) if isinstance(told, str) else 0),
        input_tokens=read,
        output_tokens=written,
        is_end=bool(choice.finish_reason),
    )


def _blocked() -> AttemptError:
    error = AnswerBlockedError(
        f"{SERVER.name} blocks the answer (content_filter).", "Its own settings say what is blocked."
    )
    return AttemptError(error, is_billed=True)


def _refusal(error: "APIError") -> Refusal:
    status = getattr(error, "status_code", None)
    response = getattr(error, "response", None)
    codes = (error.code, error.type)
    return Refusal(
        # An error within the stream has no status of its own; some tell it as their code.
        status=status if isinstance(status, int) else _status(error.code),
        codes=tuple(code for code in codes if isinstance(code, str)),
        words=f"{error.message} {error.body}",
        headers={name.lower(): value for name, value in response.headers.items()} if response is not None else {},
    )


def _status(code: object) -> int:
    text = str(code)
    return int(text) if re.fullmatch(r"[45]\d\d", text) else 500
