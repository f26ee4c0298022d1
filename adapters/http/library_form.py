"""Takes files for the library from a request to the disk, as they arrive."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request

from adapters.http.forms import FILE
from adapters.http.multipart import FORM_DATA, MultipartError, StoredForm, StoredPart, TooManyPartsError
from adapters.http.problems import Problem
from bot.messages import Attachment
from bot.staging import Batch

MOST_FILES = 100
"""How many may be handed in at once."""

LIBRARY_FORM: Mapping[str, Any] = {
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
                            "maxItems": MOST_FILES,
                            "items": {"type": "string", "format": "binary"},
                            "description": "The files, each in a field of this name, under the name it is to have.",
                        }
                    },
                }
            }
        },
    }
}
"""The form as OpenAPI describes it."""

_FIX = f"`curl -F {FILE}=@handbook.md` makes it right."


async def library_form(request: Request, batch: Batch) -> tuple[Attachment, ...] | Problem:
    """Write the files that a request brings into a batch, and say what there is, or what is wrong.

    Raises:
        ClientDisconnect: the client leaves before it has sent everything.
        HTTPException: the body is too large or too slow (see `gate.bounded`).
        OSError: the disk does not take them.
    """
    try:
        form = StoredForm(request.headers.get("content-type", ""), MOST_FILES, batch.next_file)
        try:
            async for piece in request.stream():
                await asyncio.to_thread(form.write, piece)
            parts = form.parts()
        finally:
            form.close()
    except TooManyPartsError as error:
        return Problem("request_invalid", str(error), f"Send {MOST_FILES} files at once at the most.")
    except MultipartError as error:
        return Problem("body_malformed", str(error), _FIX)
    return _checked(parts) or tuple(
        batch.attachment(part.path, part.filename or "", part.media_type) for part in _chosen(parts)
    )


def _chosen(parts: Sequence[StoredPart]) -> list[StoredPart]:
    """Leave out the nameless, empty file that a page's form sends where none was chosen."""
    return [part for part in parts if part.filename != "" or part.path.stat().st_size]


def _checked(parts: Sequence[StoredPart]) -> Problem | None:
    if any(part.name != FILE for part in parts):
        wrong = f"There is only the field {FILE}."
    elif any(part.filename is None for part in parts):
        wrong = "It is text where a file should be."
    elif not _chosen(parts):
        wrong = "No file came."
    else:
        return None
    errors = ({"pointer": f"#/{FILE}", "detail": wrong},)
    return Problem("request_invalid", "The form does not fit.", _FIX, errors=errors)
