"""Problem documents (RFC 9457): the one form in which the API says that something is wrong."""

import json
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import structlog
from starlette.responses import Response

from bot.errors import PreceptorError
from bot.messages import Reply

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"


class Kind(NamedTuple):
    """A kind of problem: its HTTP status, its title and, where trying again helps, after how many seconds."""

    status: int
    title: str
    retry_after: int = 0


KINDS: Mapping[str, Kind] = {
    "body_malformed": Kind(400, "The body cannot be read"),
    "key_missing": Kind(401, "A key is needed"),
    "session_ended": Kind(401, "Signed out"),
    "not_allowed": Kind(403, "Not allowed"),
    "origin_refused": Kind(403, "Requests from other sites are refused"),
    "not_found": Kind(404, "There is nothing here"),
    "command_unknown": Kind(404, "No such command"),
    "conversation_not_found": Kind(404, "No such conversation"),
    "not_in_library": Kind(404, "The library has no such thing"),
    "method_not_allowed": Kind(405, "Not with this method"),
    "body_too_slow": Kind(408, "The body came too slowly"),
    "body_too_large": Kind(413, "The body is too large"),
    "media_type_unsupported": Kind(415, "The body is of another kind than what is read here"),
    "host_unknown": Kind(421, "Unknown host"),
    "request_invalid": Kind(422, "The request does not fit"),
    "question_invalid": Kind(422, "No question"),
    "question_empty": Kind(422, "No question"),
    "question_too_long": Kind(422, "The question is too long"),
    "choice_unknown": Kind(422, "There is no such choice"),
    "library_refused": Kind(422, "The library does not take it"),
    "attachment_refused": Kind(422, "The file cannot be read"),
    "too_many": Kind(429, "Too many questions", retry_after=60),
    "internal_error": Kind(500, "Something went wrong here"),
    "not_set_up": Kind(501, "Not set up"),
    "overloaded": Kind(503, "Too many are waiting", retry_after=60),
    "stopping": Kind(503, "Stopping", retry_after=10),
    "knowledge_unavailable": Kind(503, "The knowledge base is not available", retry_after=30),
    "diagnosis_unavailable": Kind(503, "Symptoms cannot be judged now", retry_after=30),
    "pictures_unavailable": Kind(503, "Pictures cannot be looked at now", retry_after=30),
    "storage_busy": Kind(503, "The database is busy", retry_after=5),
    "storage_failed": Kind(503, "The database does not work"),
    "database_newer": Kind(503, "The database does not work"),
    "database_damaged": Kind(503, "The database does not work"),
    "timed_out": Kind(504, "No answer in time", retry_after=60),
}
"""What every code means over HTTP: the codes of `bot.errors`, and those that only HTTP has."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem that occurred.

    Attributes:
        code: a key of `KINDS`; one that is not there counts as ``internal_error``.
        detail: what is wrong, one sentence.
        fix: what to do about it; empty where there is nothing to say.
        errors: what is wrong with which part of the body, each with a JSON pointer.
        headers: what goes into the response's head besides.
    """

    code: str
    detail: str
    fix: str = ""
    errors: tuple[Mapping[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    instance: str = field(default_factory=lambda: f"urn:uuid:{uuid.uuid4()}")

    @property
    def kind(self) -> Kind:
        """What its code means."""
        return KINDS.get(self.code, KINDS["internal_error"])

    def document(self) -> dict[str, Any]:
        """Give the JSON form. `fix` and `errors` are extensions of ours."""
        document: dict[str, Any] = {
            "type": f"urn:preceptor:error:{self.code}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "instance": self.instance,
        }
        if self.fix:
            document["fix"] = self.fix
        if self.errors:
            document["errors"] = list(self.errors)
        return document

    def response(self) -> Response:
        """Give the response; one that is our fault leaves a line in the log, found by `instance`."""
        self.note()
        headers = dict(self.headers)
        if self.kind.retry_after:
            headers.setdefault("Retry-After", str(self.kind.retry_after))
        return Response(to_json(self.document()), self.kind.status, headers, MEDIA_TYPE)

    def note(self) -> None:
        """Log a problem of ours; those of the asker are nobody else's business."""
        if self.kind.status >= 500:
            log.warning("problem", code=self.code, instance=self.instance)


def of_reply(reply: Reply) -> Problem:
    """Give the problem that a reply tells of, with the reason for each picture that was refused."""
    errors = tuple(
        {"pointer": f"#/file/{number}", "detail": f"{picture['name']}: {picture['error']}"}
        for number, picture in enumerate(reply.data.get("pictures", ()))
        if picture["error"]
    )
    sentence, fix = str(reply.data.get("sentence", reply.text)), str(reply.data.get("fix", ""))
    return Problem(reply.error, sentence, fix, errors, _wait(reply.data.get("seconds")))


def of_error(error: PreceptorError) -> Problem:
    """Give the problem that an error of ours tells of."""
    return Problem(error.code, error.sentence, error.fix)


def _wait(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"Retry-After": str(math.ceil(seconds))}


def to_json(document: object) -> str:
    """Write a document as JSON on one line; half a character (a lone surrogate) becomes a question mark."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode("utf-8")
