"""Passages taken apart into sentences that can be quoted, each with the code or table that belongs to it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import sentencex

from models.generation.blocks import blocks_of

# A sentence that opens so has for its subject something said before it.
_PRONOUN = re.compile(
    r"[\"“'(*_]*(?:"
    r"it\b(?! (?:is|was|has been) (?:\w+ ){0,2}?(?:that|(?:possible|impossible|necessary|important) to)\b)"
    r"|(?:he|she|they|his|her|hers|its|their|theirs)\b|those\b(?! who\b)|the (?:latter|former|same)\b"
    r"|that(?:'s| (?:is|was|means|makes|would|has|had|can|will))\b"
    r"|(?:this|these) (?:is|are|was|were|has|have|had|can|could|may|might|must|will|would|should|does|do|did|also|then"
    r"|means?|makes?|made|gives?|gave|leads?|led|allows?|causes?|explains?|shows?|happens?|includes?|\w+ed)\b"
    r")",
    re.IGNORECASE,
)
# A sentence that opens so goes on from the one before, yet names what it speaks of.
_CONNECTIVE = re.compile(
    r"[\"“'(*_]*(?:"
    r"(?:this|these|such|however|but|therefore|thus|hence|also|then|so|moreover|furthermore|instead|otherwise"
    r"|similarly|likewise|and|or|yet|consequently|nevertheless|nonetheless|meanwhile|conversely|accordingly"
    r"|additionally|besides)\b|(?:in|for|by) (?:addition|contrast|example|instance|this|these|comparison)\b"
    r"|as (?:a result|such)\b|because of (?:this|that|these)\b|on the (?:other hand|contrary)\b"
    r"|(?:at|after|before) (?:this|that)\b),?",
    re.IGNORECASE,
)
# What the splitter took for a sentence and is the rest of the one before: "[citation needed]", "approx. 3 m".
_GOES_ON = re.compile(r"[a-zß-öø-ÿ\[)\]},;:%]|\W*$")
_ENDS = re.compile(
    r"(?<!\bapprox)(?<!\bca)(?<!\bcf)(?<!\beq)(?<!\bfig)(?<!\bresp)(?<!\bincl)(?<!\bref)"
    r"[.!?…。！？؟।][^\w\s]*(?:\[[^\]]*\][^\w\s]*)*\s*$"
)
# The splitter takes quadratic time where quotation marks stand thick, so it is given so much at a time.
_STRETCH = re.compile(r".{1,8000}(?:\s|$)|.{1,8000}", re.DOTALL)
# A note that belongs to the sentence it clings to: "in 1899.[citation needed]".
_NOTE = re.compile(r"\[[^\[\]]{1,40}\]\s+")
# Where the splitter takes the end of a quantity or a formula for an initial: "9 m/s. Weight", "speed v. At".
_STOP = re.compile(r"\.\s+(?=[A-Z\"“(])")
_UNIT = re.compile(
    r"(?:[\d⁰¹²³⁴⁵⁶⁷⁸⁹)] (?<!\b1[5-9]\d\d )(?<!\b20\d\d )|[/·×=+−√(±≈] ?)[^\W\d_]{1,3}\)?$"
    r"|(?<![^\W_])[a-z]{2,} [a-z]$|[⁰¹²³⁴⁵⁶⁷⁸⁹]$"
)
# At the start of a line these would be a heading, a list, a quotation, HTML or a link's definition.
_BLOCK_OPENER = re.compile(r"(?=#{1,6}(?:\s|$)|>|[+*-](?:\s|$)|```|~~~|<[a-zA-Z/!?]|\[[^\]]+\]:)")
_NUMBERED_ITEM = re.compile(r"(\d{1,9})([.)])(?=\s|$)")
# A number in brackets would pass for a citation of ours; in code, links and their labels it has to stay.
_NUMBER_IN_BRACKETS = re.compile(r"(`++).*?(?<!`)\1(?!`)|(?<![\\\]])\[(\d{1,4})\](?![(\[])")
# Characters; what ends a sentence, and the unit it ends in, stand among its last ones.
_LONGEST_END = 80
_LONGEST_UNIT = 24
# A bracket that is still open after so many sentences was not meant to hold them.
_LONGEST_JOIN = 4


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as it can be quoted.

    Attributes:
        text: what it says, on one line of CommonMark.
        block: the code block, table or list that belongs to it (CommonMark), or empty; `text` may be empty then.
        refers_back: whether its subject is a pronoun: what it speaks of has been named before.
        goes_on: whether it goes on from the sentence before and yet names what it speaks of ("However, …").
        unfinished: whether it leads to something that is not there: it ends in a colon and has no block.
    """

    text: str
    block: str = ""
    refers_back: bool = False
    goes_on: bool = False

    @property
    def unfinished(self) -> bool:
        return self.text.endswith(":") and not self.block


def sentences_of(text: str) -> list[Sentence]:
    """Take a passage (CommonMark) apart; headings are left out, unless the passage is nothing else.

    Every character of running text lies in one sentence; white space is made single blanks. Linear time.
    """
    blocks = blocks_of(text)
    prose = [block for block in blocks if not block.is_heading] or blocks
    found: list[Sentence] = []
    for block in prose:
        if not block.is_verbatim:
            found.extend(_sentence(part) for part in _split(block.text))
        elif found and block.belongs_to_previous and not found[-1].block:
            found[-1] = replace(found[-1], block=block.text)
        else:
            found.append(Sentence("", block=block.text))
    return found


def _sentence(text: str) -> Sentence:
    connective = _CONNECTIVE.match(text)
    subject = text[connective.end() :].lstrip() if connective else text
    refers_back = _PRONOUN.match(text) is not None or _PRONOUN.match(subject) is not None
    return Sentence(_as_running_text(text), refers_back=refers_back, goes_on=connective is not None)


def _split(paragraph: str) -> Iterator[str]:
    """Split running text after its sentences, never inside brackets, strong emphasis or a code span."""
    pieces = _pieces(" ".join(paragraph.split()))
    start = 0
    while start < len(pieces):
        joins = ("".join(pieces[start:end]) for end in range(start + 1, start + 1 + _LONGEST_JOIN))
        length = next((length for length, join in enumerate(joins, start=1) if _is_closed(join)), 1)
        yield "".join(pieces[start : start + length]).strip()
        start += length


def _pieces(line: str) -> list[str]:
    pieces: list[list[str]] = []
    for segment in _segments(line.encode("utf-8", "replace").decode()):
        if pieces and (_GOES_ON.match(segment) or not _ENDS.search(_end(pieces[-1]))):
            pieces[-1].append(segment)
        else:
            pieces.append([segment])
    return ["".join(parts) for parts in pieces]


def _end(parts: Sequence[str]) -> str:
    return "".join(part[-_LONGEST_END:] for part in parts[-2:])


def _segments(line: str) -> Iterator[str]:
    before = " "
    for segment in chain.from_iterable(sentencex.segment("en", stretch) for stretch in _STRETCH.findall(line)):
        note = None if before[-1:].isspace() else _NOTE.match(segment)
        start = note.end() if note else 0
        if note:
            yield note[0]
        for stop in _STOP.finditer(segment):
            if _UNIT.search(segment, max(0, stop.start() - _LONGEST_UNIT), stop.start()):
                yield segment[start : stop.end()]
                start = stop.end()
        yield segment[start:]
        before = segment


def _is_closed(text: str) -> bool:
    brackets = text.count("(") <= text.count(")") and text.count("[") <= text.count("]")
    return brackets and text.count("`") % 2 == 0 and text.count("**") % 2 == 0


def _as_running_text(sentence: str) -> str:
    """Escape what would be read as a block's start, or as a citation, where the sentence is quoted."""
    if "[" in sentence:
        sentence = _NUMBER_IN_BRACKETS.sub(_escape_number, sentence)
    sentence = _NUMBERED_ITEM.sub(r"\1\\\2", sentence, count=1) if _NUMBERED_ITEM.match(sentence) else sentence
    return f"\\{sentence}" if _BLOCK_OPENER.match(sentence) else sentence


def _escape_number(match: re.Match[str]) -> str:
    return match[0] if match[2] is None else rf"\[{match[2]}\]"
