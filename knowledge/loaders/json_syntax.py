"""One JSON value out of a longer text: read strictly, its repeated names, foreign numbers and errors told."""

import json
import re
from collections import Counter

from knowledge.loaders.escaping import shown

_SPACE = re.compile(r"[ \t\n\r]*")
_PYTHON_WORDS = re.compile(r"True|False|None|undefined")
_REWRITE = "Mend it there; a JSON checker or editor shows the place."


class JsonSyntaxError(Exception):
    """A text is not JSON.

    Attributes:
        message: what is wrong, one sentence.
        fix: what to do about it, one sentence.
        offset: the character at which it is wrong.
    """

    def __init__(self, message: str, fix: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.offset = offset


class JsonObject(dict[str, object]):
    """A JSON object that remembers which of its names were given more than once; the last value counts."""

    __slots__ = ("repeated",)

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        self.repeated: tuple[str, ...] = ()
        if len(self) < len(pairs):
            self.repeated = tuple(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)


class JsonReader:
    """Reads values one after another.

    Numbers come as floats: no field that is read is a number, and an integer of 5,000 digits is none of
    our business. NaN and the infinities, which JSON does not have, are read and remembered.

    Attributes:
        foreign: the words NaN, Infinity and -Infinity that the last value held.
    """

    def __init__(self) -> None:
        self.foreign: list[str] = []
        self._decoder = json.JSONDecoder(object_pairs_hook=JsonObject, parse_int=float, parse_constant=self._remember)

    def _remember(self, word: str) -> float:
        self.foreign.append(word)
        return float(word)

    def value(self, text: str, start: int) -> tuple[object, int]:
        """Return the value that starts exactly at `start`, and the offset after it.

        Raises:
            JsonSyntaxError: there is none, or it is nested more deeply than can be read.
        """
        self.foreign.clear()
        try:
            return self._decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            raise explained(text, error.msg, error.pos) from error
        except RecursionError as error:
            message = "The brackets are nested too deeply to be read."
            raise JsonSyntaxError(message, "Write flat items.", start) from error

    def name_offsets(self, text: str, start: int) -> dict[str, int]:
        """Return where each name stands in the object that starts at `start`; of a repeated one, the last.

        The object must have been read before, so that its syntax is known to be good.
        """
        offsets: dict[str, int] = {}
        offset = after_space(text, start + 1)
        while text[offset] == '"':
            name, end = self.value(text, offset)
            offsets[str(name)] = offset
            colon = after_space(text, end)
            _, end = self.value(text, after_space(text, colon + 1))
            comma = after_space(text, end)
            if text[comma] != ",":
                break
            offset = after_space(text, comma + 1)
        return offsets


def after_space(text: str, offset: int) -> int:
    """Return the offset of the first character at or after `offset` that is not JSON white space."""
    space = _SPACE.match(text, offset)
    return space.end() if space else offset


def explained(text: str, message: str, offset: int) -> JsonSyntaxError:
    """Turn the decoder's message into the sentence that helps the file's owner most.

    Args:
        text: all of the text.
        message: what Python's json module says.
        offset: where it says so.
    """
    comma = _comma_before_bracket(text, offset)
    if comma is not None:
        return JsonSyntaxError("There is a comma before the closing bracket.", "Remove the comma.", comma)
    if message.startswith("Unterminated string"):
        return JsonSyntaxError("The text that starts here never ends.", 'Close it with ".', offset)
    if after_space(text, offset) == len(text):
        return JsonSyntaxError("The text ends in the middle of an item.", "Complete it, or save it again.", offset)
    if message.startswith("Invalid control character"):
        fix = 'Close the text with " before the line ends, or write \\n for a line break and \\t for a tab.'
        return JsonSyntaxError("A line break or control character stands inside a text.", fix, offset)
    return _explained_by_next(text, message, after_space(text, offset))


def _explained_by_next(text: str, message: str, offset: int) -> JsonSyntaxError:
    following = text[offset]
    if following in "'‘’“”":
        return JsonSyntaxError(f"{following} is not a quote in JSON.", 'Use straight double quotes: ".', offset)
    if following in "/#":
        return JsonSyntaxError("JSON has no comments.", "Remove the comment.", offset)
    if word := _PYTHON_WORDS.match(text, offset):
        return JsonSyntaxError(f"{word[0]} is not JSON.", "Write true, false or null.", offset)
    if message.startswith("Expecting ',' delimiter"):
        fix = 'Put a comma between the two, or write \\" for a quote inside a text.'
        return JsonSyntaxError("A comma or a closing bracket is missing here.", fix, offset)
    if message.startswith("Invalid \\"):
        return JsonSyntaxError("A \\ stands before a sign that needs none.", "Write \\\\ for a backslash.", offset)
    return JsonSyntaxError(f"This is not JSON: {shown(message)}.", _REWRITE, offset)


def _comma_before_bracket(text: str, offset: int) -> int | None:
    """Return where the comma stands if the error at `offset` is a comma before a closing bracket.

    Python up to 3.12 points at the bracket, later ones at the comma.
    """
    if text[offset : offset + 1] == ",":
        return offset if text.startswith(("}", "]"), after_space(text, offset + 1)) else None
    before = len(text[:offset].rstrip(" \t\n\r")) - 1
    return before if text.startswith(("}", "]"), offset) and text[before : before + 1] == "," else None
