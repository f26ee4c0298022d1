"""Reads questions with their right answers: SQuAD's layout (1.1 and 2.0), or JSON Lines of question and answer."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import EvaluationError
from models.generation.contract import GroundingPassage

_LAYOUT = (
    'Lay it out as SQuAD does, or give one {"question": "…", "answer": "…", "context": "…"} a line;'
    " docs/evaluation.md shows both."
)
_NO_ANSWER = "Where nothing answers the question, write null, or an empty list."
_LINES = frozenset({".jsonl", ".ndjson"})


@dataclass(frozen=True, slots=True)
class Sample:
    """A question with its right answers.

    Attributes:
        key: its id in the file; ``line 3`` where it has none.
        question: what is asked.
        golds: right answers, any of which will do; none where the context does not hold the answer.
        context: the text that was annotated; may be empty.
        title: what the context is about; may be empty.
        passages: what the generators are given to answer from, best first; `read_samples` leaves it empty.
    """

    key: str
    question: str
    golds: tuple[str, ...]
    context: str = ""
    title: str = ""
    passages: tuple[GroundingPassage, ...] = ()

    @property
    def answerable(self) -> bool:
        """Whether there is a right answer."""
        return bool(self.golds)


@dataclass(frozen=True, slots=True)
class SampleFile:
    """What a file holds.

    Attributes:
        samples: in the file's order, at least one.
        repeated: how many more there were that say the same as an earlier one; they are left out.
    """

    samples: tuple[Sample, ...]
    repeated: int


def read_samples(path: Path) -> SampleFile:
    """Read a file in SQuAD's layout (Rajpurkar et al., 2016; 2018), or in JSON Lines.

    A question of SQuAD's is unanswerable where ``is_impossible`` is true or ``answers`` is empty, one of JSON Lines
    where ``answer`` is null or an empty list. ``answers`` may also stand as the `datasets` library exports it.

    Raises:
        EvaluationError: it cannot be read, has another layout, holds no question, or contradicts itself; the message
            names the file and the line or field.
    """
    text = _text_of(path)
    placed = list(_from_lines(path, text) if _is_json_lines(path, text) else _from_squad(path, text))
    if not placed:
        raise EvaluationError(f"{path} holds no question.", _LAYOUT)
    samples = _unrepeated(path, placed)
    return SampleFile(tuple(samples), len(placed) - len(samples))


@dataclass(frozen=True, slots=True)
class _Entry:
    """An object of the file, and where it stands."""

    path: Path
    place: str
    fields: Mapping[str, Any]

    def wrong(self, message: str, fix: str = _LAYOUT) -> EvaluationError:
        return EvaluationError(f"{self.path}, {self.place}: {message}.", fix)

    def text(self, name: str, default: str | None = None) -> str:
        """Give a text; without a `default` it must be there and say something."""
        value = self.fields.get(name, default)
        if not isinstance(value, str):
            raise self.wrong(f"the text {name!r} is missing" if value is None else f"{name!r} is not a text")
        if default is None and not value.strip():
            raise self.wrong(f"{name!r} is empty")
        return _clean(value)

    def entries(self, name: str) -> "Iterator[_Entry]":
        """Give the objects of a list that must be there."""
        value = self.fields.get(name)
        if not isinstance(value, list):
            raise self.wrong(f"the list {name!r} is missing" if value is None else f"{name!r} is not a list")
        for number, item in enumerate(value):
            entry = _Entry(self.path, f"{self.place}.{name}[{number}]".removeprefix("the whole."), item)
            if not isinstance(item, dict):
                raise entry.wrong("it is not an object")
            yield entry


def _text_of(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise EvaluationError(f"{path} is not UTF-8 (byte {error.start:,}).", "Save it as UTF-8.") from error
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error.strerror}.", "Name a file that is there.") from error
    if not text.strip():
        raise EvaluationError(f"{path} is empty.", _LAYOUT)
    return text


def _is_json_lines(path: Path, text: str) -> bool:
    """Whether it is named so, or its first line is an object of its own and no whole file of SQuAD's."""
    if path.suffix.lower() in _LINES:
        return True
    try:
        first = json.loads(text.lstrip().split("\n", 1)[0])
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and "data" not in first


def _parsed(path: Path, text: str, line: int | None = None) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {line or error.lineno}, column {error.colno}"
        raise EvaluationError(f"{path}, {place}: it is not JSON ({error.msg}).", _LAYOUT) from error
    except (ValueError, RecursionError) as error:
        place = f", line {line}" if line else ""
        raise EvaluationError(f"{path}{place}: it is not JSON that can be read ({error}).", _LAYOUT) from error


def _from_lines(path: Path, text: str) -> Iterator[tuple[str, Sample]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place, item = f"line {number}", _parsed(path, line, number)
        entry = _Entry(path, place, item)
        if not isinstance(item, dict):
            raise entry.wrong("it is not an object")
        context, title = entry.text("context", ""), entry.text("title", "")
        golds = _golds(entry, "answers" if "answers" in item else "answer")
        yield place, Sample(_key(entry) or place, entry.text("question"), golds, context, title)


def _from_squad(path: Path, text: str) -> Iterator[tuple[str, Sample]]:
    whole = _parsed(path, text)
    if not isinstance(whole, dict) or "data" not in whole:
        raise EvaluationError(f'{path} is not in SQuAD\'s layout: the list "data" is missing.', _LAYOUT)
    for article in _Entry(path, "the whole", whole).entries("data"):
        title = article.text("title", "").replace("_", " ")
        for paragraph in article.entries("paragraphs"):
            context = paragraph.text("context")
            for asked in paragraph.entries("qas"):
                golds = _golds(asked, "answers", may_be_missing=asked.fields.get("is_impossible") is True)
                yield asked.place, Sample(_key(asked) or asked.place, asked.text("question"), golds, context, title)


def _key(entry: _Entry) -> str:
    value = entry.fields.get("id", "")
    if not isinstance(value, str | int):
        raise entry.wrong("'id' is neither a text nor a number")
    return _clean(str(value))


def _golds(entry: _Entry, name: str, may_be_missing: bool = False) -> tuple[str, ...]:
    """Give the right answers of a question; none where it says that there is none."""
    value = entry.fields.get(name, [] if may_be_missing else ...)
    if value is ...:
        raise entry.wrong(f"{name!r} is missing", _NO_ANSWER)
    impossible = entry.fields.get("is_impossible", False)
    if not isinstance(impossible, bool):
        raise entry.wrong("'is_impossible' is neither true nor false")
    texts = _answer_texts(entry, name, value)
    if impossible and texts:
        raise entry.wrong("it 'is_impossible' and has answers", "Take out the one or the other.")
    return tuple(dict.fromkeys(texts))


def _answer_texts(entry: _Entry, name: str, value: Any) -> list[str]:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, dict):
        if "text" not in value:
            raise entry.wrong(f"{name!r} has no 'text'", _NO_ANSWER)
        value = value["text"]
    answers = value if isinstance(value, list) else [] if value is None else [value]
    texts = [answer.get("text") if isinstance(answer, dict) else answer for answer in answers]
    return [_answer_text(entry, name, text) for text in texts]


def _answer_text(entry: _Entry, name: str, value: object) -> str:
    if not isinstance(value, str):
        raise entry.wrong(f"{name!r} holds an answer that is not a text")
    if not value.strip():
        raise entry.wrong(f"{name!r} holds an empty answer", _NO_ANSWER)
    return _clean(value)


def _clean(text: str) -> str:
    """Replace lone surrogates, which no file and no screen takes, and drop blanks at the ends."""
    return text.encode("utf-8", "replace").decode().strip()


def _unrepeated(path: Path, placed: Sequence[tuple[str, Sample]]) -> list[Sample]:
    """Leave out what says the same as an earlier sample; refuse what contradicts one."""
    keys: dict[str, str] = {}
    asked: dict[tuple[str, str], tuple[str, bool]] = {}
    kept: dict[tuple[str, str, frozenset[str]], Sample] = {}
    for place, sample in placed:
        first, answerable = asked.setdefault((sample.question, sample.context), (place, sample.answerable))
        if answerable != sample.answerable:
            message = f"{path}, {place}: it asks what {first} asks; one of the two has an answer, the other has none."
            raise EvaluationError(message, "Take one of the two out.")
        if kept.setdefault((sample.question, sample.context, frozenset(sample.golds)), sample) is not sample:
            continue
        if keys.setdefault(sample.key, place) != place:
            message = f"{path}, {place}: the id is that of {keys[sample.key]} already."
            raise EvaluationError(message, "Give every question an id of its own, or none.")
    return list(kept.values())
