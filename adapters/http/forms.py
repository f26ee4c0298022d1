"""Makes a request for a description of the form that it came as, or the problem that there is with it."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from adapters.http.multipart import FORM_DATA, MultipartError, Part, TooManyPartsError, read
from adapters.http.problems import Problem

FILE, QUESTION, CONVERSATION = "file", "question", "conversation_id"

THE_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM_DATA: {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": [FILE],
                    "properties": {
                        FILE: {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                            "description": "The pictures, each in a field of this name.",
                        },
                        QUESTION: {"type": "string", "description": "What is to be known of them, in words."},
                        CONVERSATION: {
                            "type": "string",
                            "pattern": "^[0-9a-f]{32}$",
                            "description": "The conversation it continues; left out, a new one opens.",
                        },
                    },
                }
            }
        },
    }
}
"""The form as OpenAPI describes it."""

_CURL = f"`curl -F {FILE}=@picture.jpg`"
_FIELDS = {QUESTION, CONVERSATION}
_MORE = 8
"""Parts beyond the pictures that are looked at, so that one which is not known is told by its name."""


@dataclass(frozen=True, slots=True)
class PictureForm:
    """Pictures, and what is to be known of them.

    Attributes:
        files: the pictures, one at least.
        question: empty where none is asked.
        conversation_id: None where none is named.
    """

    files: tuple[Part, ...]
    question: str = ""
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True)
class FormPath:
    """A path whose bodies are forms with files, and larger than elsewhere.

    Attributes:
        largest: bytes of a body.
        setting: which one holds the limit.
        what: what the files are, as a sentence begins.
        example: of a file's name.
    """

    largest: int
    setting: str
    what: str
    example: str

    def no_form(self) -> Problem:
        """Give the problem of a body that comes in another way."""
        fix = f"Send each in a field named {FILE}: `curl -F {FILE}=@{self.example}`."
        return Problem("media_type_unsupported", f"{self.what} come as {FORM_DATA}.", fix)

    def too_large(self) -> Problem:
        """Give the problem of a body that is larger than what is read."""
        return Problem(
            "body_too_large",
            f"The files are larger than the {self.largest >> 20:,} MiB, together, that are read here.",
            f"Send smaller ones, or fewer at once; the setting {self.setting} holds the limit.",
        )


def pictures(largest: int) -> FormPath:
    """Describe the forms that bring pictures."""
    return FormPath(largest, "attachments.megabytes", "Pictures", "picture.jpg")


def library_files(largest: int) -> FormPath:
    """Describe the forms that bring files for the library."""
    return FormPath(largest, "knowledge.upload_megabytes", "Files", "handbook.md")


async def picture_form(request: Request, most: int, text_bytes: int) -> PictureForm | Problem:
    """Read the form that a request brings; it is in memory alone, as long as it arrives.

    Args:
        request: whose body is not read yet.
        most: how many pictures may come at once.
        text_bytes: how long a field's text may be.

    Raises:
        ClientDisconnect: the client leaves before it has sent everything.
        HTTPException: the body is too large or too slow (see `gate.bounded`).
    """
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != FORM_DATA:
        return pictures(0).no_form()
    try:
        body = [piece async for piece in request.stream()]
        parts = await asyncio.to_thread(read, content_type, body, most + _MORE)
    except TooManyPartsError as error:
        return Problem("request_invalid", str(error), _at_most(most))
    except MultipartError as error:
        return Problem("body_malformed", str(error), f"{_CURL} makes it right.")
    return _of(parts, most, text_bytes)


def _of(parts: Sequence[Part], most: int, text_bytes: int) -> PictureForm | Problem:
    # A page's form sends a nameless, empty file where none was chosen.
    parts = [part for part in parts if part.filename != "" or part.size]
    wrong = tuple(_mistakes(parts, most, text_bytes))
    if wrong:
        return Problem("request_invalid", "The form does not fit.", "GET /docs shows how it should be.", errors=wrong)
    texts = {part.name: part.text for part in parts if part.filename is None}
    files = tuple(part for part in parts if part.filename is not None)
    return PictureForm(files, texts.get(QUESTION, ""), texts.get(CONVERSATION))


def _mistakes(parts: Sequence[Part], most: int, text_bytes: int) -> Iterator[Mapping[str, str]]:
    """Say what is wrong with which field, once for each."""
    files = [part for part in parts if part.name == FILE]
    if not files:
        yield _mistake(FILE, f"No picture came: each is sent as a file in the field {FILE}.")
    if len(files) > most:
        yield _mistake(FILE, f"{len(files)} pictures came. {_at_most(most)}")
    if any(part.filename is None for part in files):
        yield _mistake(FILE, f"It is text where a file should be: {_CURL}, with the sign @.")
    for name in dict.fromkeys(part.name for part in parts if part.name != FILE):
        if name not in _FIELDS:
            yield _mistake(name, f"There is no such field, only {FILE}, {QUESTION} and {CONVERSATION}.")
        elif why := _why_no_text([part for part in parts if part.name == name], text_bytes):
            yield _mistake(name, why)


def _why_no_text(parts: Sequence[Part], text_bytes: int) -> str:
    if len(parts) > 1:
        return "It came more than once."
    if parts[0].filename is not None:
        return "It is a file where text should be."
    if parts[0].size > text_bytes:
        return f"It is longer than {text_bytes:,} bytes."
    return ""


def _at_most(most: int) -> str:
    return f"Send {most} at once at the most; the setting images.most holds the limit."


def _mistake(name: str, detail: str) -> Mapping[str, str]:
    shown = re.sub(r"[\x00-\x1f\x7f]", " ", name)[:80].replace("~", "~0").replace("/", "~1")
    return {"pointer": f"#/{shown}", "detail": detail}
