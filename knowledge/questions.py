"""Questions that a knowledge base is calibrated with: read from JSON files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from knowledge.errors import CalibrationError

_FORM = 'Write a JSON list of texts, or of {"question": "…", "title": "…"} with the title of the passage that answers.'


class Question(NamedTuple):
    """A question, and the title of the passage that answers it where that is known."""

    text: str
    title: str = ""


def read_questions(path: Path) -> list[Question]:
    """Read a JSON list of questions: texts, or objects with `question` and, if known, `title`.

    Raises:
        CalibrationError: the file cannot be read, or an item is neither; names file and item.
    """
    try:
        items = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise CalibrationError(f"The questions in {path} cannot be read ({error}).", _FORM) from error
    if not isinstance(items, list):
        raise CalibrationError(f"{path} holds no list of questions.", _FORM)
    return list(_questions(path, items))


def _questions(path: Path, items: list[object]) -> Iterator[Question]:
    for number, item in enumerate(items, 1):
        match item:
            case str(text):
                title = ""
            case {"question": str(text), "title": str(title)}:
                pass
            case {"question": str(text)}:
                title = ""
            case _:
                raise CalibrationError(f"Item {number} of {path} is not a question.", _FORM)
        if not text.strip():
            raise CalibrationError(f"Item {number} of {path} is empty.", _FORM)
        yield Question(text, title)
