"""Takes a written answer apart while it is being written: its sentences, headings, code blocks and tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from models.generation.sentences import sentences_of

Kind = Literal["sentence", "heading", "block"]

# A sentence has ended when behind its end something new has begun.
_BOUNDARY = re.compile(r"[.!?…:][\"”’'»)\]*_`]*\s*(?:[\[【(][^\]】)\n]{1,20}[\]】)]\s*)*\s\S|[。！？।][\"”」』）)]*\S")
_WINDOW = 40
# A line is not set in deeper than this.
_DEEPEST = 24
_ENDS_LINE = re.compile(r"[.!?…:;。！？।][\"”’'»)\]*_`]*\s*(?:[\[【][^\]】\n]{1,20}[\]】]\s*)*$| {2,}$|\\$")
_MARKER = re.compile(r"[ \t]{0,12}(?:>[ \t]{0,4}){0,8}(?:(?:[-*+•]|\d{1,3}[.)])[ \t]{1,4}(?=\S)|(?<=[> \t])(?=[^\s>]))")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_RULE = re.compile(r"\s{0,3}(?:(?:[-*_=]\s*){3,})$")
# What a line may still become; as long as it is one of these, nothing of it is taken for a sentence.
_UNCLEAR = re.compile(
    r"[>\s]{0,40}(?:#{0,6}|`{0,3}|~{0,3}|[-+•=_]{1,40}|\*{1,40}|\d{1,3}[.)]?)[ \t]{0,4}$|\s{0,3}(?:#{1,6}\s|```|~~~|\|)"
)
# Splitting a long text again for every sign that may end a sentence would take quadratic time.
_LONG = 600
_GROWTH = 1.3

# "[1]", "[1, 2]", "【3】", "[^1]", "(passage 2)", "[Passage 2]"; or code, whose brackets are its own.
_CITATION = re.compile(
    r"(`++).*?(?:(?<!`)\1(?!`)|\Z)"
    r"|[ \t]{0,4}(?:[\[【]\^?(?:(?:passages?|sources?|quellen?|textstellen?|passaggi?o?|pasajes?)\s*)?"
    r"(\d{1,3}(?:\s*[,;–-]\s*\^?\d{1,3})*)(?:†[^\]】]{0,40})?[\]】](?![(:])"
    r"|\((?:see |cf\. )?(?:passages?|sources?|quellen?)\s+(\d{1,3}(?:\s*(?:,|and|und|&|–|-)\s*\d{1,3})*)\))",
    re.IGNORECASE | re.DOTALL,
)
_CUT_CITATION = re.compile(r"[ \t]{0,4}[\[【]\^?\d{0,3}(?:, ?\d{0,3}){0,8}$")
_DIGITS = re.compile(r"\d+")
# What holds a citation's place until its sentence is found: a sign of private use for each number.
_FIRST_PLACE = 0xE000
_PLACE = re.compile("[\ue000-\ue3e7]")
# "It is red. [1]": the citation belongs before the end, or the next sentence would have it.
_BEHIND_THE_END = re.compile(r"([.!?…:;。！？।][\"”’'»)\]*_`]*)([\ue000-\ue3e7]+)")


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of an answer that is judged as a whole.

    Attributes:
        text: without the marks of its list or quotation, and without citations; a block's is CommonMark.
        kind: a sentence, a heading, or a code block or table.
        gap: what stood between it and the part before: a blank, a line's end, or an empty line.
        marker: what opens the list item or quotation that it stands in ("- "); a heading's are its signs ("## ").
        item: counts the lines of text, list items and quotations.
        citations: the numbers that stood with it, where the reader was to tell them.
    """

    text: str
    kind: Kind
    gap: str
    marker: str
    item: int
    citations: frozenset[int] = frozenset()


class AnswerReader:
    """Reads one answer piece by piece, in time linear in its length.

    Args:
        citations: the numbers that count as citations when they stand in brackets.
        tells: whether it tells which part has which of them.
    """

    def __init__(self, citations: frozenset[int], *, tells: bool = False) -> None:
        self._citations = citations
        self._tells = tells
        self._line = ""
        self._text = ""
        self._in_text = False
        self._tried = 0
        self._block: list[str] = []
        self._fence = ""
        self._gap = ""
        self._marker = ""
        self._item = 0

    def read(self, piece: str) -> list[Unit]:
        """Take in what was written next, and give the parts that are complete by now."""
        units: list[Unit] = []
        piece = _PLACE.sub("", piece) if self._tells else piece
        *lines, rest = piece.replace("\r\n", "\n").split("\n")
        for line in lines:
            self._write(line)
            units.extend(self._end_line())
        if rest:
            window = self._text[-_WINDOW:] if self._in_text else ""
            self._write(rest)
            if self._in_text and _BOUNDARY.search(window + rest if window else self._text):
                units.extend(self._released())
        return units

    def end(self) -> list[Unit]:
        """Give what is left."""
        self._text = _CUT_CITATION.sub("", self._text)
        self._line = _CUT_CITATION.sub("", self._line)
        return [*self._end_line(), *self._end_block(), *self._flush("\n\n")]

    def _write(self, text: str) -> None:
        """Add to the line that is being written; once it is clear that it is text, to the text."""
        if self._in_text:
            self._text += text
            return
        self._line = (
            self._line if self._fence else self._line[-_DEEPEST:] if self._line.isspace() else self._line
        ) + text
        if self._fence or self._block or _UNCLEAR.match(self._line) or not self._line.strip():
            return
        if not _MARKER.match(self._line):
            self._begin_text()

    def _begin_text(self) -> None:
        """Take the current line for a line of running text that goes on with the text before it."""
        self._text += f"{' ' if self._text else ''}{self._line.lstrip()}"
        self._line, self._in_text = "", True

    def _end_line(self) -> list[Unit]:
        if self._in_text:
            self._in_text = False
            return self._flush("\n") if _ENDS_LINE.search(self._text[-_WINDOW:]) else []
        line, self._line = self._line, ""
        if self._fence:
            return self._in_fence(line)
        if self._block and not line.lstrip().startswith("|"):
            return [*self._end_block(), *self._whole_line(line)]
        return self._whole_line(line)

    def _in_fence(self, line: str) -> list[Unit]:
        self._block.append(line)
        is_end = line.strip().startswith(self._fence) and not line.strip().strip(self._fence[0])
        return self._end_block() if is_end else []

    def _whole_line(self, line: str) -> list[Unit]:
        """Judge a complete line by its opening."""
        fence, heading, marker = _FENCE.match(line), _HEADING.match(line), _MARKER.match(line)
        if not line.strip() or _RULE.match(line):
            return self._flush("\n\n")
        if fence:
            units = self._flush("\n\n")
            self._fence = fence[1]
            self._block.append(line)
            return units
        if line.lstrip().startswith("|"):
            units = [] if self._block else self._flush("\n\n")
            self._block.append(line)
            return units
        if heading:
            units = [
                *self._flush("\n\n"),
                Unit(self._told(self._clean(heading[2]))[0], "heading", "\n\n", f"{heading[1]} ", self._item),
            ]
            self._gap = "\n\n"
            return units
        if marker:
            units = self._flush("\n")
            self._marker, self._text = _tidy(marker[0]), line[marker.end() :]
            return [*units, *(self._flush("\n") if _ENDS_LINE.search(line[-_WINDOW:]) else [])]
        self._line = line
        self._begin_text()
        return self._end_line()

    def _end_block(self) -> list[Unit]:
        if not self._block:
            return []
        text = "\n".join(self._block)
        if self._fence and not self._block[-1].strip().startswith(self._fence):
            text += f"\n{self._fence}"
        text, citations = (text, frozenset()) if self._fence else self._told(self._clean(text))
        self._block, self._fence = [], ""
        unit = Unit(text, "block", "\n\n", "", self._item, citations)
        self._gap = "\n\n"
        return [unit]

    def _flush(self, gap: str) -> list[Unit]:
        """Give the rest of the text; what comes next stands behind `gap`."""
        units = [self._unit(sentence) for sentence in _sentences(self._clean(self._text))]
        self._text, self._tried, self._marker = "", 0, ""
        self._item += 1
        self._gap = max(self._gap, gap, key=_GAPS.index)
        return units

    def _released(self) -> Iterator[Unit]:
        """The sentences behind whose end another one has begun."""
        if self._tried > _LONG and len(self._text) < _GROWTH * self._tried:
            return
        text = self._clean(self._text)
        sentences = _sentences(text)
        if len(sentences) < 2:
            self._tried = len(self._text)
            return
        for sentence in sentences[:-1]:
            yield self._unit(sentence)
        self._text = sentences[-1] + text[len(text.rstrip()) :]
        self._tried = 0

    def _unit(self, sentence: str) -> Unit:
        text, citations = self._told(sentence)
        unit = Unit(text, "sentence", self._gap, self._marker, self._item, citations)
        self._gap = " "
        return unit

    def _clean(self, text: str) -> str:
        """A text without citations, or with signs in their places where they are to be told."""
        if "[" in text or "【" in text or "(" in text:
            text = _CITATION.sub(self._citation, text)
        return _BEHIND_THE_END.sub(r"\2\1", text) if self._tells else text

    def _citation(self, match: re.Match[str]) -> str:
        numbers = {int(number) for number in _DIGITS.findall(match[2] or match[3] or "")}
        if not numbers or not numbers <= self._citations:
            return match[0]
        return "".join(chr(_FIRST_PLACE + number) for number in sorted(numbers)) if self._tells else ""

    def _told(self, text: str) -> tuple[str, frozenset[int]]:
        """A text without the signs of its citations, and the numbers."""
        if not self._tells:
            return text, frozenset()
        return _PLACE.sub("", text), frozenset(ord(sign) - _FIRST_PLACE for sign in _PLACE.findall(text))


_GAPS = ("", " ", "\n", "\n\n")


def _sentences(text: str) -> list[str]:
    if not text.strip():
        return []
    return [sentence.text or sentence.block for sentence in sentences_of(text)]


def _tidy(marker: str) -> str:
    return marker.replace("•", "-").rstrip() + " "
