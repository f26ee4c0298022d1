"""An OpenAI-compatible server on this machine: ``python -m tests.models.loopback_openai --model llama3.2``."""

import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from tests.models.loopback_server import Asked, LoopbackServer, Refuses, Writes, arguments, run

MODEL = "llama3.2"


def error(
    message: str, code: str | None = None, kind: str = "invalid_request_error", param: str = ""
) -> dict[str, Any]:
    """An error as OpenAI's API tells it."""
    return {"error": {"message": message, "type": kind, "param": param or None, "code": code}}


class LoopbackOpenAI(LoopbackServer):
    """Speaks ``/v1/chat/completions`` and ``/v1/models``.

    Attributes:
        owner: who owns the models.
        unknown: parameters that a question must not have, or ``system`` for that role; it is refused then.
        thinks_in_content: whether thoughts come within the text, between ``<think>`` and ``</think>``.
    """

    def __init__(self, *, key: str = "", models: Sequence[str] = (MODEL,), port: int = 0) -> None:
        super().__init__(key=key, models=models, port=port)
        self.owner = "library"
        self.unknown: set[str] = set()
        self.thinks_in_content = False

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    def _is_question(self, request: web.Request) -> bool:
        return request.path == "/v1/chat/completions"

    def _shown_key(self, asked: Asked) -> str:
        return asked.headers.get("authorization", "").removeprefix("Bearer ")

    def _wrong_key(self) -> Refuses:
        return Refuses(401, error("Incorrect API key provided: sk-secr**cret.", "invalid_api_key"))

    def _looked_up(self, request: web.Request) -> web.Response:
        if request.path != "/v1/models":
            return web.Response(status=404, text="404 page not found")
        models = [{"id": name, "object": "model", "created": 1, "owned_by": self.owner} for name in self.models]
        return web.json_response({"object": "list", "data": models})

    async def _write(self, behaviour: Writes, request: web.Request, asked: Asked) -> web.StreamResponse:
        for name in sorted(self.unknown & set(asked.json)):
            return self._refused(
                Refuses(400, error(f"Unsupported parameter: '{name}'", "unsupported_parameter", param=name))
            )
        if "system" in self.unknown and any(message["role"] == "system" for message in asked.json["messages"]):
            return self._refused(Refuses(400, error("System role not supported", kind="BadRequestError")))
        return await super()._write(behaviour, request, asked)

    def _prompt(self, asked: Asked) -> str:
        return "\n".join(_text(message["content"]) for message in asked.json["messages"])

    def _events(self, behaviour: Writes, pieces: Sequence[str], asked: Asked) -> list[str]:
        finish = {"STOP": "stop"}.get(behaviour.finish, behaviour.finish)
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *self._thoughts(behaviour.thoughts)]
        deltas += [{"content": piece} for piece in pieces]
        if behaviour.refusal:
            deltas = [{"refusal": behaviour.refusal}]
        events: list[dict[str, Any]] = [_event({"delta": delta, "finish_reason": None}) for delta in deltas]
        if finish:
            events.append(_event({"delta": {}, "finish_reason": finish}))
        if behaviour.usage and asked.json.get("stream_options", {}).get("include_usage"):
            read, written, thought = behaviour.usage
            events.append(
                _event() | {"usage": {"prompt_tokens": read, "completion_tokens": written + thought, "total_tokens": 0}}
            )
        return [*map(json.dumps, events), "[DONE]"] if finish else [*map(json.dumps, events)]

    def _thoughts(self, thoughts: Sequence[str]) -> list[dict[str, Any]]:
        if not self.thinks_in_content:
            return [{"reasoning_content": thought} for thought in thoughts]
        return [{"content": text} for text in ("<thi", "nk>", *thoughts, "</th", "ink>\n", "\n")] if thoughts else []


def _text(content: str | list[dict[str, Any]]) -> str:
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


def _event(*choices: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": MODEL,
        "choices": [{"index": 0} | choice for choice in choices],
    }


if __name__ == "__main__":
    given = arguments()
    run(LoopbackOpenAI(key=given.key, models=given.model or [MODEL], port=given.port), given.refuse)
