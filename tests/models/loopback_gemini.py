"""A Gemini API on this machine: ``python -m tests.models.loopback_gemini --model gemini-3.5-flash-lite``."""

import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from tests.models.loopback_server import Asked, LoopbackServer, Refuses, Writes, arguments, run

MODEL = "gemini-3.5-flash-lite"


def error(code: int, status: str, message: str = "It is so.", *details: dict[str, Any]) -> dict[str, Any]:
    """An error as Google's APIs tell it (google.rpc.Status)."""
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


def retry_info(delay: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


def error_info(reason: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}


class LoopbackGemini(LoopbackServer):
    """Speaks ``v1beta``: models/NAME:streamGenerateContent and models/NAME."""

    @property
    def base_url(self) -> str:
        return self.origin

    def _is_question(self, request: web.Request) -> bool:
        return request.path.endswith(":streamGenerateContent")

    def _shown_key(self, asked: Asked) -> str:
        return asked.headers.get("x-goog-api-key", "")

    def _wrong_key(self) -> Refuses:
        message = "API key not valid. Please pass a valid API key."
        return Refuses(400, error(400, "INVALID_ARGUMENT", message, error_info("API_KEY_INVALID")))

    def _looked_up(self, request: web.Request) -> web.Response:
        name = request.path.rpartition("/")[2]
        if name in self.models and request.path == f"/v1beta/models/{name}":
            return web.json_response({"name": f"models/{name}", "displayName": name, "inputTokenLimit": 1_048_576})
        message = f"models/{name} is not found for API version v1beta, or is not supported for generateContent."
        return web.json_response(error(404, "NOT_FOUND", message), status=404)

    def _prompt(self, asked: Asked) -> str:
        return "\n".join(part.get("text", "") for content in asked.json["contents"] for part in content["parts"])

    def _events(self, behaviour: Writes, pieces: Sequence[str], asked: Asked) -> list[str]:
        if behaviour.refusal:
            return [json.dumps({"promptFeedback": {"blockReason": behaviour.refusal}})]
        parts = [{"text": text, "thought": True} for text in behaviour.thoughts]
        events = [_event(part) for part in (*parts, *({"text": piece} for piece in pieces))]
        if behaviour.finish:
            events.append(
                {"candidates": [{"content": {"role": "model"}, "finishReason": behaviour.finish, "index": 0}]}
            )
        if behaviour.usage and behaviour.finish:
            read, written, thought = behaviour.usage
            events[-1]["usageMetadata"] = {
                "promptTokenCount": read,
                "candidatesTokenCount": written,
                "thoughtsTokenCount": thought,
                "totalTokenCount": read + written + thought,
            }
        return [json.dumps(event) for event in events]


def _event(part: dict[str, Any]) -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}], "modelVersion": MODEL}


if __name__ == "__main__":
    given = arguments()
    run(LoopbackGemini(key=given.key, models=given.model or [MODEL], port=given.port), given.refuse)
