"""Answers that were taught: one JSON object a line, which any loader of question and answer items reads."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from knowledge.errors import LibraryRefusedError
from knowledge.loaders.cleaning import clean
from knowledge.storage.duplicates import normalised

TAUGHT = "answers.jsonl"
"""The file's name."""

_LONGEST_QUESTION, _LONGEST_ANSWER, _LONGEST_TITLE = 500, 20_000, 200


@dataclass(frozen=True, slots=True)
class TaughtAnswer:
    """The ready answer to a question.

    Attributes:
        id: 12 hexadecimal digits that name the question: the same one, but for case and punctuation, has the same.
        question: at most 500 characters.
        answer: CommonMark, at most 20,000 characters.
        title: may be empty.
    """

    id: str
    question: str
    answer: str
    title: str = ""


def taught(question: str, answer: str, title: str = "") -> TaughtAnswer:
    """Make one of what an admin wrote.

    Raises:
        LibraryRefusedError: question or answer is empty, or something is too long.
    """
    question, title = (" ".join(clean(text).text.split()) for text in (question, title))
    answer = clean(answer).text.strip()
    for what, text, longest in (
        ("question", question, _LONGEST_QUESTION),
        ("answer", answer, _LONGEST_ANSWER),
        ("title", title, _LONGEST_TITLE),
    ):
        if len(text) > longest:
            message = f"The {what} is {len(text):,} characters long; {longest:,} are taken."
            raise LibraryRefusedError(message, "Shorten it.")
        if what != "title" and not any(sign.isalnum() for sign in text):
            raise LibraryRefusedError(f"The {what} is empty.", "Say it in words.")
    return TaughtAnswer(answer_id(question), question, answer, title)


def answer_id(question: str) -> str:
    """Give the id of the answer to a question, whether one was taught or not."""
    return sha256(normalised(clean(question).text).encode()).hexdigest()[:12]


def read_answers(path: Path) -> list[TaughtAnswer]:
    """Read what is kept; none where there is no file. A line that is none of ours is left out.

    Raises:
        OSError: it cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return []
    return [one for one in map(_of_line, lines) if one is not None]


def write_answers(path: Path, answers: Iterable[TaughtAnswer]) -> None:
    """Write a new file; raises OSError."""
    with path.open("x", encoding="utf-8", newline="\n") as file:
        for one in answers:
            title = {"title": one.title} if one.title else {}
            record = {"id": one.id, "question": one.question, "answer": one.answer} | title
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def _of_line(line: str) -> TaughtAnswer | None:
    try:
        record = json.loads(line)
        number, question, answer = (str(record[name]) for name in ("id", "question", "answer"))
        return TaughtAnswer(number, question, answer, str(record.get("title", "")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
