"""Reads a written answer as it comes, and lets through what the passages bear out."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Protocol

from models.generation.contract import GroundingPassage
from models.generation.grounding.abstentions import abstains
from models.generation.grounding.answer_units import AnswerReader, Unit
from models.generation.grounding.claims import claims_of, links_kept
from models.generation.grounding.injections import neutralised
from models.generation.grounding.languages import is_foreign
from models.generation.grounding.loops import LoopWatch
from models.generation.grounding.support import Evidence, Support
from models.generation.quotation import cited

CONVINCED = 0.8
"""Where too few words of a sentence stand in the passages, a verifier this sure lets it through all the same."""

DOUBTS = 0.5
"""Below this a verifier's doubt keeps a sentence back."""

# A verifier is asked about sentences of which so many words, but not so many, stand in the passages.
_LEAST_SHARE = 0.25
_SURE_SHARE = 0.9
# The end of a sentence has a full stop; a formula or a number may do without.
_BROKEN_OFF = re.compile(r"(?:[^\W\d]{2,}|,)\s*$")
_GAPS = ("", " ", "\n", "\n\n")
_HTML_CALL = re.compile(
    r"<(?:img|iframe|object|embed|video|audio|source|link|script|style)\b[^>]*>|<a\s+href[^>]*>|</a>", re.IGNORECASE
)
_LINK_LEFTOVER = re.compile(r"<\s*>|\(\s*\)|\[\s*\](?:\(\s*\))?|^\s*\[[^\]]+\]:\s*(?:\"[^\"]*\")?\s*$")
_WORD = re.compile(r"[^\W_]")
_GARBAGE = re.compile("[\ufffd\ue000-\uf8ff\U000f0000-\U0010ffff\x00-\x08\x0e-\x1f]|Ã.|â€|<extra_id_\\d+>|<pad>|<unk>")
_MOST_GARBAGE = 0.02
_FEWEST_WORDS_SIGNS = 0.3


class Verifier(Protocol):
    """A model that tells how well a text bears out a statement."""

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Give for each (text, statement) the probability, 0 to 1, that the text bears the statement out."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of one sentence of an answer.

    Attributes:
        sentence: as it was written, without citations.
        passage: the number of the passage that bears it out; 0 where none does.
        makes_claim: whether there is anything in it to bear out; "Yes." and "Here is what I found:" claim nothing.
        reason: why it is not let through, without its text ("number", "name", "unit", "overlap", "negation",
            "formula", "link", "verifier", "unfinished"); empty where it is.
    """

    sentence: str
    passage: int
    makes_claim: bool
    reason: str


class Review:
    """Reads one answer. Not for several threads at once; what it does takes milliseconds, more with a verifier.

    Args:
        question: what was asked.
        passages: what the answer may rest on.
        verifier: judges besides words and numbers, where one is configured.
        seen: the numbers of passages whose pictures the writer saw itself. What it says of them no text can bear out,
            so that statements which cite nothing else pass.

    Attributes:
        text: what is let through so far (CommonMark), each statement with the number of its passage, as ``[1]``.
        judgements: one a sentence, in order.
        unchecked: whether a statement passed because it cites nothing but what was `seen`.
        abstains: whether all that was written says that the passages do not hold the answer.
        stuck: whether the answer goes round in circles; nothing after the first round is let through.
        unusable: why there is no answer in it at all ("it is empty"); known at the end, empty where there is one.
    """

    def __init__(
        self,
        question: str,
        passages: Sequence[GroundingPassage],
        verifier: Verifier | None = None,
        seen: Collection[int] = (),
    ) -> None:
        self.text = ""
        self.judgements: list[Judgement] = []
        self.unchecked = False
        self.abstains = False
        self.stuck = False
        self.unusable = ""
        self._question = question
        self._passages = passages
        self._verifier = verifier
        self._evidence = Evidence(question, passages)
        self._seen = frozenset(seen)
        self._reader = AnswerReader(self._evidence.numbers, tells=bool(self._seen))
        self._loops = LoopWatch()
        self._written: list[str] = []
        self._abstentions = 0
        self._paragraph = -1
        self._composer = _Composer()

    def read(self, piece: str) -> str:
        """Take in what was written next, and give `text`: whole sentences only, the last one may still grow."""
        if self.stuck:
            return self.text
        self._written.append(piece)
        self.stuck = self._loops.read(piece)
        if not self.stuck:
            self._take(self._reader.read(piece))
        return self.text

    def finish(self) -> str:
        """Judge what is left, and give the whole `text`."""
        if not self.stuck:
            self._take_rest(self._reader.end())
        self.abstains = self._abstentions > 0 and not any(one.makes_claim for one in self.judgements)
        self.text = "" if self.abstains else self._composer.text
        self.unusable = "" if self.abstains else self._fault()
        return self.text

    def _take(self, units: Sequence[Unit]) -> None:
        for unit in units:
            if self.stuck:
                return
            self._paragraph = unit.item if unit.kind == "sentence" else self._paragraph
            repeats = self._loops.repeats(unit.text) if unit.kind == "sentence" else 0
            self.stuck = self._loops.found
            if not repeats:
                self._judge(unit)
        self.text = self._composer.text

    def _take_rest(self, units: Sequence[Unit]) -> None:
        """Judge what is left, but for a sentence that breaks off behind whole ones: its end might say the contrary."""
        last = units[-1] if units else None
        paragraphs = {self._paragraph, *(unit.item for unit in units[:-1] if unit.kind == "sentence")}
        if last and last.kind == "sentence" and last.item in paragraphs and _BROKEN_OFF.search(last.text):
            self._take(units[:-1])
            self.judgements.append(Judgement(last.text, 0, False, "unfinished"))
        else:
            self._take(units)

    def _judge(self, unit: Unit) -> None:
        written = neutralised(_HTML_CALL.sub("", unit.text)).strip()
        if not _WORD.search(written):
            return
        if unit.kind == "sentence" and abstains(written):
            self._abstentions += 1
            self.judgements.append(Judgement(written, 0, False, ""))
            self._composer.hold(unit, written)
            return
        links = claims_of(written).links if "://" in written or "](" in written or "www." in written else ()
        kept = _without_links(written, self._evidence.links) if links else written
        kept = kept if unit.kind == "block" else " ".join(kept.split())
        if links and not _WORD.search(kept):
            self.judgements.append(Judgement(written, 0, True, "link"))
            return
        support = self._by_sight(unit, kept, self._verified(kept, self._evidence.weigh(kept)))
        if unit.kind == "heading":
            self._judge_heading(unit, kept, support)
        elif support is None:
            self.judgements.append(Judgement(written, 0, False, ""))
            self._composer.hold(unit, kept) if kept.endswith(":") else self._composer.add(unit, kept, 0)
        else:
            number = 0 if support.reason else support.passage
            self.judgements.append(Judgement(written, number, True, support.reason))
            if not support.reason:
                self._let_through(unit, kept, number)

    def _by_sight(self, unit: Unit, text: str, support: Support | None) -> Support | None:
        """Let pass what rests on nothing but pictures; addresses in them are still no sure ones to send people to."""
        rests_on_pictures = bool(unit.citations) and unit.citations <= self._seen
        if support is None or not support.reason or not rests_on_pictures or not self._evidence.holds_contacts(text):
            return support
        self.unchecked = True
        return replace(support, passage=min(unit.citations), reason="")

    def _let_through(self, unit: Unit, text: str, number: int) -> None:
        if text.endswith(":"):
            self._composer.hold(unit, text)
        else:
            self._composer.add(unit, text, number)

    def _judge_heading(self, unit: Unit, text: str, support: Support | None) -> None:
        """A heading claims nothing, and stands only over something that is let through."""
        reason = support.reason if support else ""
        self.judgements.append(Judgement(text, 0, False, reason))
        if not reason:
            self._composer.hold(unit, text)

    def _verified(self, sentence: str, support: Support | None) -> Support | None:
        if self._verifier is None or support is None or not support.text:
            return support
        saves = support.reason == "overlap" and support.share >= _LEAST_SHARE
        if not saves and (support.reason or support.share >= _SURE_SHARE):
            return support
        (sureness,) = self._verifier.support([(support.text, sentence)])
        if saves:
            return support if sureness < CONVINCED else Support(support.passage, support.share, support.text, "")
        return support if sureness >= DOUBTS else Support(support.passage, support.share, support.text, "verifier")

    def _fault(self) -> str:
        """Why there is no answer in what was written."""
        written = "".join(self._written).strip()
        if not written:
            return "it is empty"
        if not _WORD.search(written):
            return "it holds no words"
        if _is_garbage(written):
            return "it is garbled"
        if is_foreign(written, self._question, [passage.text for passage in self._passages]):
            return "it is in another language than the question"
        return ""


class _Composer:
    """Puts together what is let through, with the lists and paragraphs it stood in."""

    def __init__(self) -> None:
        self.text = ""
        self._gap = ""
        self._item = -1
        self._held: list[tuple[Unit, str]] = []

    def add(self, unit: Unit, text: str, number: int) -> None:
        """Let a part through, after those that were held back for it."""
        for held, held_text in self._held:
            self._append(held, held_text)
        self._held.clear()
        self._append(unit, cited(text, number) if number else text)

    def hold(self, unit: Unit, text: str) -> None:
        """Keep a part back until something after it is let through; a heading ends those of its rank or below."""
        if unit.kind == "heading":
            self._held = list(takewhile(lambda held: _outranks(held[0], unit), self._held))
        self._held.append((unit, text))

    def _append(self, unit: Unit, text: str) -> None:
        is_new = unit.item != self._item or unit.kind != "sentence"
        marker = unit.marker if is_new else ""
        gap = max(unit.gap, "\n" if is_new and unit.item != self._item else "", key=_GAPS.index)
        gap = "\n\n" if unit.kind != "sentence" or self.text.endswith("\n") else gap
        self._item = unit.item if unit.kind == "sentence" else -1
        self.text += f"{gap if self.text else ''}{marker}{text}"


def _without_links(text: str, allowed: frozenset[str]) -> str:
    return _LINK_LEFTOVER.sub("", links_kept(text, allowed)).strip()


def _outranks(held: Unit, heading: Unit) -> bool:
    """Whether what is held back goes on to stand when a new heading comes: a higher heading, or what introduces it."""
    return held.kind != "heading" or len(held.marker) < len(heading.marker)


def _is_garbage(text: str) -> bool:
    bad = sum(len(match[0]) for match in _GARBAGE.finditer(text))
    signs = [sign for sign in text if not sign.isspace()]
    words = sum(1 for sign in signs if sign.isalnum())
    return bad > max(2, _MOST_GARBAGE * len(text)) or (len(signs) > 20 and words < _FEWEST_WORDS_SIGNS * len(signs))
