"""Takes out of an answer what a model thinks aloud before it, between ``<think>`` and ``</think>``."""

import re

_OPENINGS = ("<think>", "<thinking>", "<thought>")
_CLOSING = re.compile(r"</(?:think|thinking|thought)>")
_LONGEST_CLOSING = len("</thinking>")


class ThoughtFilter:
    """Reads one answer as it comes.

    Attributes:
        has_thoughts: whether it began with thoughts.
    """

    def __init__(self) -> None:
        self.has_thoughts = False
        self._held = ""
        self._is_answer = False
        self._has_begun = False

    def read(self, piece: str) -> str:
        """Take in what was written next and give what of it is the answer."""
        if self._is_answer:
            return self._begun(piece)
        self._held += piece
        start = self._held.lstrip()
        if not self.has_thoughts and not start.startswith(_OPENINGS):
            if any(opening.startswith(start) for opening in _OPENINGS):
                return ""
            return self._answer(self._held)
        self.has_thoughts = True
        closing = _CLOSING.search(self._held)
        if closing is None:
            # Only what the closing may begin with is kept, so that long thoughts cost no time.
            self._held = self._held[-_LONGEST_CLOSING:]
            return ""
        return self._answer(self._held[closing.end() :])

    def finish(self) -> str:
        """Give what was held back; the answer is complete."""
        rest, self._held = self._held, ""
        return "" if self.has_thoughts else rest

    def _answer(self, text: str) -> str:
        self._is_answer = True
        self._held = ""
        return self._begun(text)

    def _begun(self, text: str) -> str:
        """Leave out the blank lines between the thoughts and the answer."""
        if self.has_thoughts and not self._has_begun:
            text = text.lstrip()
        self._has_begun = self._has_begun or bool(text)
        return text
