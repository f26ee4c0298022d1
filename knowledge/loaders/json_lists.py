"""JSON files: a list of items, read one by one, so that each knows its line and the good ones survive."""

from collections.abc import Iterator

from knowledge.loaders.escaping import shown
from knowledge.loaders.items import FIELDS, WANTED, field_name
from knowledge.loaders.json_items import JsonItems
from knowledge.loaders.json_syntax import JsonObject, JsonSyntaxError, after_space, explained
from knowledge.loaders.problem_log import Position
from knowledge.loaders.reading import FileRefusedError, OpenFile, position_in
from knowledge.passages import Document

_AS_LIST = f"Write a list: [ item, item, … ], each with {WANTED}."


def load_json_list(file: OpenFile) -> Iterator[Document]:
    """Yield the documents of a JSON file: a list of items, or a single item.

    Raises:
        FileRefusedError: the file is not UTF-8, not a list or an item, or its syntax is broken; what was
            yielded before stands.
    """
    text = file.text()
    start = after_space(text, 0)
    items = JsonItems(file.name, file.log)
    if text[start] == "[":
        return _list_documents(text, start, items)
    return _single_document(text, start, items)


def _single_document(text: str, start: int, items: JsonItems) -> Iterator[Document]:
    value, end = _value(text, start, items)
    if not isinstance(value, JsonObject) or not any(field_name(name) in FIELDS for name in value):
        raise FileRefusedError(f"The file holds {_described(value)}, not a list of items.", _AS_LIST)
    lines = _Lines(text)
    document = items.document(value, text, start, f"line {lines.move_to(start).line}", lines.position)
    if document:
        yield document
    _check_end(text, end)


def _described(value: object) -> str:
    if not isinstance(value, JsonObject):
        return "one value"
    names = ", ".join(f"“{shown(name, 30)}”" for name in list(value)[:5])
    return f"one object with {names}" if names else "an empty object"


def _list_documents(text: str, start: int, items: JsonItems) -> Iterator[Document]:
    offset = after_space(text, start + 1)
    if text[offset : offset + 1] == "]":
        raise FileRefusedError("The list is empty.", "Put items into it, or remove the file.", position_in(text, start))
    lines = _Lines(text)
    number = 0
    while True:
        value, end = _value(text, offset, items)
        number += 1
        line = lines.move_to(offset).line
        document = items.document(value, text, offset, f"item {number}, line {line}", lines.position)
        if document:
            yield document
        offset = after_space(text, end)
        if text[offset : offset + 1] == "]":
            break
        offset = _next_item(text, offset)
    _check_end(text, offset + 1)


def _next_item(text: str, offset: int) -> int:
    """Return where the item after the comma at `offset` starts."""
    if text[offset : offset + 1] != ",":
        raise _refusal(text, explained(text, "Expecting ',' delimiter", offset))
    following = after_space(text, offset + 1)
    if text[following : following + 1] == "]":
        raise _refusal(text, explained(text, "Expecting value", following))
    return following


def _value(text: str, offset: int, items: JsonItems) -> tuple[object, int]:
    try:
        return items.reader.value(text, offset)
    except JsonSyntaxError as error:
        raise _refusal(text, error) from error


def _refusal(text: str, error: JsonSyntaxError) -> FileRefusedError:
    message = f"{error.message} The rest of the file was not read."
    return FileRefusedError(message, error.fix, position_in(text, error.offset))


def _check_end(text: str, offset: int) -> None:
    offset = after_space(text, offset)
    if offset < len(text):
        message = "More stands after the end of the JSON; it was not read."
        fix = "Put all items into one list, or name the file .jsonl if each line is an item."
        raise FileRefusedError(message, fix, position_in(text, offset))


class _Lines:
    """Counts lines forward from item to item, so that the time is linear in the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._offset = 0
        self._line_start = 0
        self._line = 1

    def move_to(self, offset: int) -> Position:
        """Go on to an offset not before the last one."""
        self._line, self._line_start = self._counted(offset)
        self._offset = offset
        return Position(self._line, offset - self._line_start + 1)

    def position(self, offset: int) -> Position:
        """Look ahead to an offset, without going there."""
        line, line_start = self._counted(offset)
        return Position(line, offset - line_start + 1)

    def _counted(self, offset: int) -> tuple[int, int]:
        breaks = self._text.count("\n", self._offset, offset)
        if not breaks:
            return self._line, self._line_start
        return self._line + breaks, self._text.rfind("\n", self._offset, offset) + 1
