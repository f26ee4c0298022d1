"""Tells whether what a text mentions is there now: neither denied, nor asked about in general, nor long past."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Literal

from models.diagnosis.red_flags import cues
from models.diagnosis.red_flags.patterns import Span
from models.diagnosis.red_flags.tokens import Words

Doubt = Literal["negation", "question", "past", "subject"]
"""Why a mention does not count: it is denied; asked about, or supposed; past; or said of an animal or a thing."""

_WIDEST_LIST = 16
_WIDEST_SENTENCE = 60
_SUBJECT_WORDS = 12


class Context:
    """What stands around the mentions in a text."""

    def __init__(self, words: Words) -> None:
        self._words = words.words
        self._sentences = words.sentences
        self._clauses = words.clauses
        self._asked: dict[int, bool] = {}
        self._bounds = _bounds(words.sentences)

    def counts(self, span: Span, despite: Iterable[Doubt] = ()) -> bool:
        """Whether a mention is to be taken for what somebody has now.

        Args:
            span: its place.
            despite: doubts that do not count here.
        """
        return not any(self._doubts[doubt](span) for doubt in self._doubts.keys() - set(despite))

    @cached_property
    def _doubts(self) -> dict[Doubt, Callable[[Span], bool]]:
        return {
            "negation": self._is_denied,
            "question": lambda span: self._is_asked(span[0]) or self._is_supposed(span[0]) or self._is_told(span[0]),
            "past": self._is_past,
            "subject": lambda span: self._is_of_animal_or_thing(span[0]),
        }

    def _sentence(self, place: int, widest: int = _WIDEST_SENTENCE) -> tuple[int, int]:
        """Give where the sentence around a place begins and ends (the first place after it); of a long one, a part."""
        start, end = self._bounds[self._sentences[place]]
        return max(start, place - widest), min(end, place + widest)

    def _is_denied(self, span: Span) -> bool:
        start, end = self._sentence(span[0], _WIDEST_LIST)
        words = self._words
        if self._is_answered_no(span[1]) or self._is_in_list_of_denied(start, span[0]):
            return True
        listed = any(word in cues.OR for word in words[span[1] + 1 : min(end, span[1] + 5)])
        for place in range(span[0] - 1, start - 1, -1):
            word = words[place]
            if word in cues.DENYING:
                return words[place + 1] not in cues.NO_NEGATION
            if word in cues.TURNS:
                return False
            if word in cues.OR:
                listed = True
            elif self._ends_denial(place, span[0], listed):
                return False
        return False

    def _ends_denial(self, place: int, mention: int, listed: bool) -> bool:
        """Whether what is denied before a word no longer covers a mention after it."""
        word = self._words[place]
        if word in cues.SUBJECTS:
            return place > 0 and self._words[place - 1] not in cues.DENYING
        return not listed and (word not in cues.TRANSPARENT or self._clauses[place] != self._clauses[mention])

    def _is_in_list_of_denied(self, start: int, place: int) -> bool:
        """Whether it stands in a list as doctors write it: "denies fever, cough and chest pain"."""
        for before in range(place - 1, start - 1, -1):
            if self._words[before] in cues.TURNS:
                return False
            if self._words[before] in cues.LISTING:
                return True
        return False

    def _is_answered_no(self, end: int) -> bool:
        """Whether a "no" follows: "chest pain: no"."""
        if end + 1 >= len(self._words) or self._words[end + 1] not in cues.ANSWERS_NO:
            return False
        is_apart = self._clauses[end + 1] == self._clauses[end] + 1
        is_alone = end + 2 >= len(self._words) or self._clauses[end + 2] != self._clauses[end + 1]
        return is_apart and is_alone

    def _is_asked(self, place: int) -> bool:
        """Whether the sentence asks what is known, and speaks of nobody."""
        sentence = self._sentences[place]
        if sentence not in self._asked:
            start, end = self._sentence(place)
            self._asked[sentence] = self._asks(self._words[start:end])
        return self._asked[sentence]

    def _asks(self, sentence: list[str]) -> bool:
        while sentence and sentence[0] in cues.GREETINGS:
            sentence = sentence[1:]
        for opening in cues.ASKING:
            if len(sentence) > len(opening) and all(
                word in choice.split("|") for word, choice in zip(sentence, opening, strict=False)
            ):
                return not any(word in cues.NEAR for word in sentence[len(opening) :])
        return False

    def _is_supposed(self, place: int) -> bool:
        """Whether an "if" stands before it, with nothing but somebody who has it between."""
        for before in range(place - 1, max(-1, place - 7), -1):
            if self._sentences[before] != self._sentences[place]:
                return False
            if self._words[before] in cues.IF:
                if cues.NOT_SUPPOSED & set(self._words[before - 1 : before]):
                    return False
                return "my" not in self._words[before:place]
            if self._words[before] not in cues.SUPPOSED:
                return False
        return False

    def _is_told(self, place: int) -> bool:
        """Whether it is of a film, a book or a lesson, or told in jest."""
        start, end = self._sentence(place, 14)
        before = set(self._words[start:place])
        following = self._words[place : min(end, place + 14)]
        if cues.TOLD_AFTER & set(following[:10]) or ("aid" in following and cues.LESSONS & set(following)):
            return True
        return bool(before & cues.SCENES) and not before & cues.NOT_TOLD

    def _is_past(self, span: Span) -> bool:
        start, end = self._sentence(span[0])
        marks = self._marks_of_past[bisect_left(self._marks_of_past, start) : bisect_left(self._marks_of_past, end)]
        if not marks:
            return False
        clause = self._clauses[span[0]]
        here = {self._words[place] for place in range(start, end) if self._clauses[place] == clause}
        if any(self._clauses[place] == clause and abs(place - span[0]) < _WIDEST_LIST for place in marks):
            return not cues.SURELY_NOW & here
        return not here & (cues.NOW | cues.OWN)

    @cached_property
    def _marks_of_past(self) -> list[int]:
        """The places of all words that put what is said into the past."""
        sentences = self._sentences
        return [
            place
            for place, word in enumerate(self._words)
            if (word in _MAY_BE_PAST or (len(word) == 4 and word.isdecimal()))
            and self._is_mark_of_past(place, self._bounds[sentences[place]][0])
        ]

    def _is_mark_of_past(self, place: int, start: int) -> bool:
        word = self._words[place]
        before = self._words[max(start, place - 3) : place]
        following = self._words[place + 1 : place + 4]
        if word.isdecimal():
            return len(word) == 4 and word[:2] in {"19", "20"} and bool({"in", "since", "of", "back"} & set(before))
        match word:
            case "ago":
                return bool(set(before) & cues.YEARS)
            case "last":
                return bool({"year", "decade"} & set(following[:1]))
            case "used" | "history":
                return following[:1] == [{"used": "to", "history": "of"}[word]]
            case "when":
                return "was" in following[1:2] and bool(set(self._words[place + 3 : place + 8]) & cues.AGES)
            case "once":
                return bool(set(before[-1:]) & cues.BEFORE_ONCE) or bool(set(following[:1]) & cues.AFTER_ONCE)
            case "at":
                return (
                    bool(set(following) & cues.TIMES)
                    or self._is_age(place)
                    or (following[:1] != [] and following[0] in cues.GROWN and following[1:2] not in _CLOCK)
                )
            case "in" | "back" | "during" | "after":
                return bool(set(following) & cues.TIMES)
            case "as":
                return following[:1] == ["a"] and bool(set(following) & cues.AGES)
        return word in {"childhood", "previously", "formerly"}

    def _is_age(self, place: int) -> bool:
        """Whether "age 7" or "the age of 7" follows; in weeks or months it is a baby's, who is that old now."""
        following = self._words[place + 1 : place + 6]
        return "age" in following[:2] and not cues.WEEKS & set(following)

    def _is_of_animal_or_thing(self, place: int) -> bool:
        """Whether the nearest before it that can be ill is no person."""
        for before in range(place - 1, max(0, place - _SUBJECT_WORDS) - 1, -1):
            word = self._words[before]
            if (word in cues.ANIMALS or word in cues.THINGS) and not self._is_place(before):
                return self._is_ill(before, place)
            if word in cues.PEOPLE and not (word in {"my", "our"} and self._is_owner(before)):
                return False
        return False

    def _is_place(self, thing: int) -> bool:
        """Whether it is where something is, and not who: "in the car", "off my horse"."""
        return bool(cues.PLACING & set(self._words[max(0, thing - 2) : thing]))

    def _is_ill(self, animal: int, place: int) -> bool:
        """Whether an animal or a thing is what ails, and not what did harm."""
        word = self._words[animal]
        harms = cues.BITES if word in cues.ANIMALS else cues.HITS if word in cues.VEHICLES else frozenset[str]()
        around = set(self._words[max(0, animal - 3) : place + 4])
        before = self._words[max(0, animal - 3) : animal]
        is_subject = bool(cues.OWNERS & set(before)) or self._sentence(animal, 3)[0] > animal - 3
        return is_subject and not around & harms

    def _is_owner(self, place: int) -> bool:
        return any(word in cues.ANIMALS or word in cues.THINGS for word in self._words[place + 1 : place + 4])


_MAY_BE_PAST = frozenset(
    [
        *("ago", "last", "used", "history", "when", "once", "at", "in", "back", "during", "after", "as", "childhood"),
        *("previously", "formerly"),
    ]
)
_CLOCK = (
    ["am"],
    ["pm"],
    ["o"],
    ["oclock"],
    ["in"],
    ["clock"],
    ["tonight"],
    ["night"],
    ["weeks"],
    ["week"],
    ["degrees"],
)


def _bounds(sentences: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Give where each sentence begins, and the first place after it."""
    bounds: dict[int, tuple[int, int]] = {}
    for place, sentence in enumerate(sentences):
        bounds[sentence] = (bounds[sentence][0] if sentence in bounds else place, place + 1)
    return bounds
