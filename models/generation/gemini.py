"""Answers written by Google's Gemini API, or by a gateway that speaks like it."""

import re
import warnings
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from models.errors import AnswerBlockedError, AnswerUnusableError, GeneratorRefusedError
from models.generation.prompting import ChatMessage
from models.generation.served.faults import (
    AttemptError,
    Refusal,
    Server,
    first_code,
    of_refusal,
    seconds_of,
    usable_key,
)
from models.generation.served.hiding import Hiding
from models.generation.served.serving import Backoff, Chunk, ServedGenerator, ServedOptions

if TYPE_CHECKING:
    import httpx2
    from google.genai import Client, errors, types

SERVER = Server(
    name="Gemini",
    section="gemini",
    keys="aistudio.google.com › Get API key",
    models="ai.google.dev/gemini-api/docs/models lists them",
)

Safety = Literal["default", "none", "few", "some", "most"]
ThinkingLevel = Literal["", "minimal", "low", "medium", "high"]

_THRESHOLDS = {
    "none": "BLOCK_NONE",
    "few": "BLOCK_ONLY_HIGH",
    "some": "BLOCK_MEDIUM_AND_ABOVE",
    "most": "BLOCK_LOW_AND_ABOVE",
}
_HARMS = (
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
)
_ENDS = frozenset({"STOP", "MAX_TOKENS", "CONTINUATION"})
_BLOCKED = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "LANGUAGE",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "ESCALATION",
        "PUP_LIMITED_DISABLED",
        "MODEL_ARMOR",
        "OTHER",
    }
)
_MODEL = re.compile(r"[\w.-]+(?:/[\w.-]+)?", re.ASCII)
"""A name, or ``models/NAME``, ``tunedModels/NAME``; it becomes part of the address."""
_GARBAGE = (ValueError, TypeError, AttributeError, KeyError, RecursionError)
"""What the library raises, itself or through pydantic, when it reads something that is not the API's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiOptions(ServedOptions):
    """How the Gemini API is asked.

    Attributes:
        api_version: of the API, as ``v1beta``.
        thinking_budget: tokens that the model may think: 0 none, -1 as it likes; None: its default. For Gemini 2.5.
        thinking_level: how much it thinks; empty: its default. For Gemini 3, which takes either this or a budget.
        safety: how much is blocked as harmful; ``default`` leaves it to the API.
    """

    api_version: str = "v1beta"
    thinking_budget: int | None = None
    thinking_level: ThinkingLevel = ""
    safety: Safety = "default"


class GeminiGenerator(ServedGenerator):
    """Asks the Gemini API. Its connection lives as long as the generator; made with the first answer, or `warm_up`."""

    def __init__(self, options: GeminiOptions, hiding: Hiding | None = None, backoff: Backoff | None = None) -> None:
        super().__init__(SERVER, options, hiding, backoff)
        self._options = options
        # The library's client closes itself when nobody holds it.
        self._client: Client
        self._http: httpx2.AsyncClient

    async def close(self) -> None:
        """Close the connection, and let go of what hides."""
        await super().close()
        if self._is_connected:
            self._client.close()
            await self._client.aio.aclose()
            await self._http.aclose()

    async def _look(self) -> None:
        with self._failures_told():
            await self._client.aio.models.get(model=self._options.model)

    async def _chunks(self, messages: Sequence[ChatMessage]) -> AsyncGenerator[Chunk]:
        system = "\n\n".join(message.text for message in messages if message.role == "system")
        with self._failures_told():
            answers = await self._client.aio.models.generate_content_stream(
                model=self._options.model, contents=_contents(messages), config=self._config(system)
            )
            async for answer in answers:
                yield _chunk(answer)

    @contextmanager
    def _failures_told(self) -> Iterator[None]:
        """Turn whatever the library lets through into an `AttemptError`."""
        from google.genai import errors

        from models.generation.served.connection import FAILURES, not_the_api, of_failure

        try:
            yield
        except errors.APIError as error:
            raise of_refusal(SERVER, _refusal(error), self._options.model) from None
        except FAILURES as error:
            raise of_failure(SERVER, self._options.base_url, error) from None
        except _GARBAGE:
            raise not_the_api(SERVER) from None

    def _connect(self) -> None:
        from google import genai
        from google.genai import client, types

        from models.generation.served.connection import http_client

        options = self._options
        # A token for one live session is none either, says the library.
        if not options.key or options.key.startswith("auth_tokens/"):
            raise GeneratorRefusedError("gemini.key is not set.", f"Get one at {SERVER.keys}.")
        if not _MODEL.fullmatch(options.model):
            raise GeneratorRefusedError("gemini.model can be no model's name.", f"Look it up: {SERVER.models}.")
        key = usable_key(SERVER, options.key)
        # A reason that it does not know yet; it becomes part of our message.
        warnings.filterwarnings("ignore", r"(?s).* is not a valid \w+$", UserWarning, r"google\.genai")
        self._http = http_client(
            SERVER, options.base_url, options.proxy, options.timeout_seconds, {"x-goog-api-key": key}
        )
        # All that the library would take from the environment is said here.
        self._client = genai.Client(
            vertexai=False,
            api_key=key,
            debug_config=client.DebugConfig(client_mode="", replays_directory="", replay_id=""),
            http_options=types.HttpOptions(
                base_url=options.base_url, api_version=options.api_version, httpx_async_client=self._http
            ),
        )

    def _config(self, system: str) -> "types.GenerateContentConfig":
        from google.genai import types

        options = self._options
        threshold = _THRESHOLDS.get(options.safety)
        return types.GenerateContentConfig(
            system_instruction=system,
            temperature=options.temperature,
            max_output_tokens=options.max_tokens,
            thinking_config=_thinking(options),
            safety_settings=[
                types.SafetySetting(category=types.HarmCategory(harm), threshold=types.HarmBlockThreshold(threshold))
                for harm in _HARMS
            ]
            if threshold
            else None,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
            automatic_continuation=False,
        )


def _thinking(options: GeminiOptions) -> "types.ThinkingConfig | None":
    from google.genai import types

    if options.thinking_level:
        return types.ThinkingConfig(thinking_level=types.ThinkingLevel(options.thinking_level.upper()))
    if options.thinking_budget is not None:
        return types.ThinkingConfig(thinking_budget=options.thinking_budget)
    return None


def _contents(messages: Sequence[ChatMessage]) -> "list[types.ContentUnion]":
    from google.genai import types

    return [
        types.Content(role="model" if one.role == "assistant" else "user", parts=_parts(one))
        for one in messages
        if one.role != "system"
    ]


def _parts(message: ChatMessage) -> "list[types.Part]":
    from google.genai import types

    pictures = (
        (types.Part(text=picture.heading), types.Part.from_bytes(data=picture.content, mime_type="image/jpeg"))
        for picture in message.pictures
    )
    return [*chain.from_iterable(pictures), types.Part(text=message.text)]


def _chunk(answer: "types.GenerateContentResponse") -> Chunk:
    """Read one part of the stream.

    Raises:
        AttemptError: the question or the answer is blocked, or the model gave it up.
    """
    if answer.prompt_feedback and answer.prompt_feedback.block_reason:
        raise _blocked("the question", answer.prompt_feedback.block_reason)
    candidate = answer.candidates[0] if answer.candidates else None
    parts = candidate.content.parts or [] if candidate and candidate.content else []
    reason = candidate.finish_reason if candidate else None
    if reason and reason.value in _BLOCKED:
        raise _blocked("the answer", reason)
    if reason and reason.value not in _ENDS:
        error = AnswerUnusableError(f"Gemini gave the answer up ({_word(reason)}).", "Try another model.")
        raise AttemptError(error, is_billed=True)
    usage = answer.usage_metadata
    return Chunk(
        text="".join(part.text or "" for part in parts if not part.thought),
        unseen=sum(len(part.text or "") for part in parts if part.thought),
        thinks=bool(usage and usage.thoughts_token_count),
        input_tokens=usage.prompt_token_count if usage else None,
        output_tokens=_written(usage) if usage else None,
        is_end=reason is not None,
    )


def _written(usage: "types.GenerateContentResponseUsageMetadata") -> int | None:
    """Thoughts cost what the answer's tokens cost."""
    counts = (usage.candidates_token_count, usage.thoughts_token_count)
    return sum(count or 0 for count in counts) if any(count is not None for count in counts) else None


def _blocked(what: str, reason: Any) -> AttemptError:  # noqa: ANN401 - one of two enumerations
    error = AnswerBlockedError(
        f"Gemini blocks {what} ({_word(reason)}).", "gemini.safety says how much is blocked as harmful."
    )
    return AttemptError(error, is_billed=True)


def _word(reason: Any) -> str:  # noqa: ANN401 - one of two enumerations, or what the API has added to them since
    return first_code([reason.value]) or "for no reason that is known"


def _refusal(error: "errors.APIError") -> Refusal:
    """Take Google's error (google.rpc.Status) apart, as far as it is one."""
    body = error.details if isinstance(error.details, dict) else {}
    within = body.get("error")
    told = within if isinstance(within, dict) else body
    listed = told.get("details")
    details = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    reasons = (one.get("reason") for one in details)
    delays = (seconds_of(str(one.get("retryDelay", ""))) for one in details)
    headers = getattr(error.response, "headers", {})
    return Refusal(
        status=error.code if isinstance(error.code, int) else 500,
        codes=tuple(code for code in (*reasons, error.status) if isinstance(code, str)),
        words=str(error.details),
        headers={name.lower(): value for name, value in headers.items()},
        delay=next((delay for delay in delays if delay is not None), None),
    )
