"""What crosses the wire: JSON objects, the calls that come in and the errors that Slack answers with."""

import json
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

JSON_ARGUMENTS = frozenset(
    {"attachments", "blocks", "chunks", "files", "loading_messages", "metadata", "prompts", "view"}
)
"""Arguments that carry structure: in a form or a query they come as JSON text."""


class ApiError(Exception):
    """What Slack answers with ``ok: false``; `details` are further fields of that answer (``needed``, ``provided``)."""

    def __init__(self, error: str, **details: Any) -> None:
        super().__init__(error)
        self.error = error
        self.details = details

    def to_json(self) -> Json:
        return {"ok": False, "error": self.error, **self.details}


@dataclass(slots=True)
class Call:
    """One call of a Web API method.

    Attributes:
        method: ``chat.postMessage``.
        arguments: what came in, structured arguments decoded.
        token: the bearer token, empty where none came.
        at: when it came, in seconds since the epoch.
        answered_at: when the answer went out; 0.0 while it has not.
        status: the HTTP status of the answer.
        answer: the answer's JSON.
    """

    method: str
    arguments: Json
    token: str
    at: float
    answered_at: float = 0.0
    status: int = 0
    answer: Json = field(default_factory=dict)

    @property
    def error(self) -> str:
        """The error it was answered with, empty where it went well."""
        return str(self.answer.get("error", ""))

    def text(self, name: str) -> str:
        """An argument as text, empty where it is missing."""
        value = self.arguments.get(name)
        return "" if value is None else str(value)

    def required(self, name: str) -> str:
        """An argument as text.

        Raises:
            ApiError: ``invalid_arguments``, it is missing.
        """
        if not self.text(name):
            messages = [f"[ERROR] missing required field: {name}"]
            raise ApiError("invalid_arguments", response_metadata={"messages": messages})
        return self.text(name)

    def number(self, name: str, default: int) -> int:
        """An argument as a whole number.

        Raises:
            ApiError: ``invalid_arguments``, it is none.
        """
        text = self.text(name) or str(default)
        if not text.isdecimal():
            raise ApiError("invalid_arguments")
        return int(text)

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in {"1", "true"}


def decoded(arguments: Json) -> Json:
    """The arguments with JSON text turned into structure.

    Raises:
        ApiError: the text is no JSON.
    """
    return {name: _decoded(name, value) for name, value in arguments.items()}


def _decoded(name: str, value: Any) -> Any:
    if name not in JSON_ARGUMENTS or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ApiError("invalid_blocks_format" if name == "blocks" else "invalid_arguments") from error
