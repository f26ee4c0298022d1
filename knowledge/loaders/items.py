"""One item of a JSON file or one row of a table, checked field by field and made into a document."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from knowledge.loaders.cleaning import clean, folded, safe_url, without_blank_ends
from knowledge.loaders.escaping import shown
from knowledge.loaders.problem_log import Position, ProblemLog
from knowledge.passages import Document

FIELDS = ("context", "text", "title", "url", "tags", "question", "answer")
"""The fields that are read; `text` is another name for `context`, as in BEIR's corpora."""

WANTED = "“context”, or “question” and “answer”; “title”, “url” and “tags” may go with them"
"""What an item needs, for a person."""

_PASSED_OVER = frozenset({"_id", "id", "metadata"})
_LONGEST_TITLE = 300
_LONGEST_URL = 2000
_KINDS: dict[type, str] = {bool: "true or false", float: "a number", list: "a list", str: "a text"}


@dataclass(frozen=True, slots=True)
class Item:
    """The fields of one item as they stand in the file.

    Attributes:
        values: by field name, in lower case; what is null or absent is left out.
        location: the item's place in the file, for a person.
        position: gives the place of a field, or of the item for an empty name.
    """

    values: Mapping[str, object]
    location: str
    position: Callable[[str], Position]


def field_name(name: str) -> str:
    """Return a field's name as it is looked up: without white space around it, in lower case."""
    return name.strip().casefold()


@lru_cache(maxsize=1024)
def _nearest_field(name: str) -> str:
    near = get_close_matches(name, FIELDS, n=1, cutoff=0.75)
    return near[0] if near and abs(len(near[0]) - len(name)) <= 2 else ""


def misspelt(names: Mapping[str, object]) -> dict[str, str]:
    """Return each unknown name that resembles a field that is not there, with that field's name."""
    found: dict[str, str] = {}
    for name in names:
        if name not in FIELDS and name not in _PASSED_OVER:
            nearest = _nearest_field(name[:_LONGEST_TITLE])
            taken = nearest in names or (nearest in ("context", "text") and _text_field(names) is not None)
            if nearest and not taken:
                found[name] = nearest
    return found


def kind_of(value: object) -> str:
    """Name the kind of a JSON value for a person."""
    return "an object" if isinstance(value, dict) else _KINDS.get(type(value), "null")


def _text_field(names: Mapping[str, object]) -> str | None:
    return next((name for name in ("context", "text") if name in names), None)


def document_of(item: Item, source: str, log: ProblemLog) -> Document | None:
    """Make a document of an item.

    Args:
        item: the item.
        source: the file's name, as it is shown.
        log: where problems go.

    Returns:
        The document, or None where the item has no text that can be used; the log says why.
    """
    return _ItemReader(item, source, log).document()


@dataclass(frozen=True, slots=True)
class _ItemReader:
    item: Item
    source: str
    log: ProblemLog

    def document(self) -> Document | None:
        suggested = misspelt(self.item.values)
        for name, field in suggested.items():
            self.problem(f"The field “{shown(name)}” is not known.", f"Did you mean “{field}”? Rename it.", name)
        question, text = self.ready_answer() if self.has("answer") else ("", self.passage(suggested))
        if not text:
            return None
        title, url, tags = self.title(), self.url(), self.tags()
        return Document(text, self.source, self.item.location, title, url, tags, question)

    def has(self, field: str) -> bool:
        return field in self.item.values

    def problem(self, message: str, fix: str, field: str = "") -> None:
        self.log.add(message, fix, self.item.position(field), shown(field))

    def ready_answer(self) -> tuple[str, str]:
        """Return question and answer, or two empty strings where one of them is missing."""
        text_field = _text_field(self.item.values)
        if not self.has("question"):
            self.problem("There is an “answer” without its “question”.", "Add the question.", "answer")
            return "", self.required(text_field) if text_field else ""
        if text_field:
            message = f"“{text_field}” is not used where “question” and “answer” are given."
            self.problem(message, "Make two items of it.", text_field)
        question, answer = folded(self.required("question")), self.required("answer")
        return (question, answer) if question and answer else ("", "")

    def passage(self, suggested: Mapping[str, str]) -> str:
        if self.has("question"):
            self.problem("There is a “question” without its “answer”.", "Add the answer.", "question")
        field = _text_field(self.item.values)
        if field:
            return self.required(field)
        if not self.has("question") and not set(suggested.values()) & {
            "context",
            "text",
            "question",
            "answer",
        }:
            self.problem("The item has no text.", f"Give it {WANTED}.")
        return ""

    def required(self, field: str) -> str:
        text = self.string(field)
        if text == "":
            self.problem(f"“{field}” is empty.", "Write something into it, or remove the item.", field)
        return without_blank_ends(text or "")

    def string(self, field: str) -> str | None:
        """Return a field's text cleaned, empty where it is blank or absent, None where it is no text."""
        value = self.item.values.get(field, "")
        if not isinstance(value, str):
            self.problem(f"“{field}” is {kind_of(value)}, not a text.", 'Write it as a text in "quotes".', field)
            return None
        cleaned = clean(value)
        for note in cleaned.notes:
            self.problem(note.message, note.fix, field)
        return "" if cleaned.text.isspace() else cleaned.text

    def title(self) -> str:
        title = folded(self.string("title") or "")
        if len(title) <= _LONGEST_TITLE:
            return title
        message = f"“title” has {len(title):,} characters; it was cut after {_LONGEST_TITLE}."
        self.problem(message, "Give a shorter title.", "title")
        return title[: _LONGEST_TITLE - 1] + "…"

    def url(self) -> str:
        url = self.string("url")
        if not url:
            return ""
        safe = safe_url(url) if len(url) <= _LONGEST_URL else None
        if safe is None:
            message = f"“{shown(url)}” is not a link that can be shown; it was left out."
            self.problem(message, "Use an address that starts with https://, http:// or mailto:.", "url")
        return safe or ""

    def tags(self) -> tuple[str, ...]:
        value = self.item.values.get("tags", "")
        if isinstance(value, list):
            tags = [tag for tag in value if isinstance(tag, str)]
            if len(tags) < len(value):
                self.problem("“tags” holds something that is not a text.", "Write each tag as a text.", "tags")
        else:
            tags = (self.string("tags") or "").split(",")
        cleaned = (folded(clean(tag).text) for tag in tags)
        return tuple(dict.fromkeys(tag for tag in cleaned if tag))
