"""JSON Lines files: every line is an item of its own, and stands or falls alone."""

from collections.abc import Iterator

from knowledge.loaders.json_items import JsonItems
from knowledge.loaders.json_syntax import JsonSyntaxError, after_space
from knowledge.loaders.problem_log import Position
from knowledge.loaders.reading import FileRefusedError, OpenFile, decoded, refuse_other_encodings
from knowledge.passages import Document

_CHUNK = 1024 * 1024
_SAMPLE = 4096


def load_json_lines(file: OpenFile) -> Iterator[Document]:
    """Yield the documents of a JSON Lines file.

    Raises:
        FileRefusedError: the file looks like UTF-16 or UTF-32.
    """
    refuse_other_encodings(file.stream.read(_SAMPLE))
    file.stream.seek(0)
    items = JsonItems(file.name, file.log)
    for number, line in _lines(file):
        try:
            document = _document(decoded(line, number), number, items)
        except FileRefusedError as refusal:
            file.log.add(refusal.message, refusal.fix, refusal.position)
        except JsonSyntaxError as error:
            file.log.add(error.message, error.fix, Position(number, error.offset + 1))
        else:
            if document:
                yield document


def _lines(file: OpenFile) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number; what is too long is logged and skipped in pieces."""
    longest = file.limits.line_bytes
    number = 0
    while line := file.stream.readline(longest + 1):
        number += 1
        if len(line) <= longest or line.endswith(b"\n"):
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = file.stream.readline(_CHUNK)
        message = f"The line is longer than {longest:,} bytes; it was skipped."
        file.log.add(message, "Split the item.", Position(number))


def _document(line: str, number: int, items: JsonItems) -> Document | None:
    line = line.rstrip()
    start = after_space(line, 0)
    if start == len(line):
        return None
    value, end = items.reader.value(line, start)
    if end < len(line):
        raise _more_than_one(line, end)
    if isinstance(value, list):
        message = "The line is a list; in JSON Lines each line is one item."
        raise JsonSyntaxError(message, "Put each item on a line, or name the file .json.", start)
    return items.document(value, line, start, f"line {number}", lambda offset: Position(number, offset + 1))


def _more_than_one(line: str, end: int) -> JsonSyntaxError:
    rest = after_space(line, end)
    if line[rest:] == ",":
        return JsonSyntaxError("There is a comma at the end of the line.", "Remove the comma.", rest)
    return JsonSyntaxError("More stands after the item on this line.", "Put each item on a line of its own.", rest)
