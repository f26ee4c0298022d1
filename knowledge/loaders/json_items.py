"""What JSON lists and JSON Lines share: a decoded value becomes an item with its place in the file."""

from collections.abc import Callable

from knowledge.loaders.items import Item, document_of, field_name, kind_of
from knowledge.loaders.json_syntax import JsonObject, JsonReader
from knowledge.loaders.problem_log import Position, ProblemLog
from knowledge.passages import Document

_AS_OBJECT = 'Write it as {"context": "…"}.'


class JsonItems:
    """Makes documents of the values of one file.

    Args:
        source: the file's name, as it is shown.
        log: where problems go.
    """

    def __init__(self, source: str, log: ProblemLog) -> None:
        self.reader = JsonReader()
        self._source = source
        self._log = log

    def document(
        self, value: object, text: str, start: int, location: str, position: Callable[[int], Position]
    ) -> Document | None:
        """Make a document of the value that was just read.

        Args:
            value: the value.
            text: the text it was read from.
            start: where it starts in the text.
            location: its place in the file, for a person.
            position: gives the line and column of an offset in the text, at or after `start`.
        """
        foreign = tuple(self.reader.foreign)
        if not isinstance(value, JsonObject):
            self._log.add(f"The item is {kind_of(value)}, not an object.", _AS_OBJECT, position(start))
            return None

        def field_position(field: str) -> Position:
            offsets = self.reader.name_offsets(text, start) if field else {}
            near = {field_name(name): offset for name, offset in offsets.items()}
            return position(near.get(field, start))

        values = {field_name(name): content for name, content in value.items() if content is not None}
        item = Item(values, location, field_position)
        self._report(value, foreign, item)
        return document_of(item, self._source, self._log)

    def _report(self, value: JsonObject, foreign: tuple[str, ...], item: Item) -> None:
        for name in value.repeated:
            message = "The field is given more than once; the last one counts."
            self._log.add(message, "Keep one of them.", item.position(field_name(name)), field_name(name))
        for word in foreign:
            self._log.add(f"{word} is not JSON.", "Write a number or null.", item.position(""))
