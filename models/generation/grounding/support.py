"""How well passages bear out a sentence: its words, numbers with units and names, and whether it denies them."""

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from models.generation.contract import GroundingPassage
from models.generation.grounding import formulas
from models.generation.grounding.claims import (
    Claims,
    Quantity,
    claims_of,
    contacts_of,
    plain_formulas,
    supporting_quantities,
    tokens_of,
    without_links,
)
from models.generation.grounding.injections import disarmed
from models.generation.grounding.measuring_units import NO_UNIT, units_named
from models.generation.grounding.polarity import Clause, PolarityReader
from models.generation.question_terms import TermReader

ENOUGH = 0.5
"""Share of a sentence's words that must stand in one passage; set by `benchmarks.grounding`."""

_ENOUGH_OF_TWO = 0.8
"""The same for two passages together."""

# A word of the question says little about whether the passages bear out what is answered.
_ASKED_WEIGHT = 0.4
# What is no longer may be a product of symbols: "ma" for m·a.
_LONGEST_PRODUCT = 6
# The same among the words.
_LONGEST_SYMBOL = 4
# So many sentences of a passage may bear out one sentence of an answer.
_MOST_SENTENCES = 3
# At a sentence's start a capital says nothing; a bare subject before its verb is taken for a name all the same.
_BARE_SUBJECT = re.compile(
    r"^\W*(?P<word>[A-Z][a-zà-ÿ-]{2,})(?:['’]s\b|,? (?=(?:[A-Z][a-z]|is|was|has|had|first|discovered|invented|showed"
    r"|proposed|stated|said|found|formulated|introduced|measured|published|developed|described|named|called|wrote|gave|made"
    r"|built|taught|thought|knew|won|saw|[a-z]{3,}ed)\b))"
)
_SENTENCE = re.compile(r"(?<=[.!?…。！？])[\"”»’)\]*_]*\s+|(?<=[。！？])|\n+")
_WORD = re.compile(r"[^\W\d_]+")
_FRAME_WORDS = """
answer question passage passages according text source sources context information given provided above following state
states mention mentions mentioned say says said describe describes described explain explains find found sure certainly
course hope help helps yes no ok okay thanks thank hello hi summary short brief well actually basically simply example
instance therefore thus hence however because since also means mean called note result way thing things fact general
let know like approx approximately roughly nearly symbols equation look
based document documents article sorry unfortunately apologies details overview explanation key points
conclusion introduction steps notes definition background formula examples details sum short briefly please welcome
"""


@dataclass(frozen=True, slots=True)
class Support:
    """How a sentence is borne out.

    Attributes:
        passage: the number of the passage that does it best; 0 where none does at all.
        share: of the sentence's words, 0 to 1, so many by weight stand there.
        text: what of that passage does it.
        reason: why it is not borne out, as in `Judgement`; empty where it is.
    """

    passage: int
    share: float
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Source:
    """A sentence of a passage."""

    text: str
    stems: frozenset[str]


class _Passage:
    """A passage, read as far as it is asked for."""

    def __init__(self, passage: GroundingPassage, reader: TermReader) -> None:
        self.number = passage.number
        self.heading = disarmed(f"{passage.title} {passage.question}".strip())
        self.text = disarmed(passage.text)
        self._reader = reader

    @cached_property
    def sentences(self) -> list[_Source]:
        parts = (part.strip() for part in _SENTENCE.split(self.text))
        return [_Source(part, frozenset(self._reader.stems(part))) for part in parts if part]

    @cached_property
    def stems(self) -> frozenset[str]:
        return frozenset(self._reader.stems(self.heading)).union(*(one.stems for one in self.sentences))

    @cached_property
    def clauses(self) -> list[Clause]:
        return _own.polarity.clauses_of(self.text)

    @cached_property
    def quantities(self) -> list[Quantity]:
        return supporting_quantities(f"{self.heading}\n{self.text}")

    @cached_property
    def units(self) -> frozenset[str]:
        """The symbols of its units, written out or not."""
        symbols = {symbol for quantity in self.quantities for symbol, _ in quantity.unit}
        return (
            units_named(tokens_of(self.text)) | symbols | {word for word in _WORD.findall(self.text) if len(word) < 4}
        )

    @cached_property
    def tokens(self) -> frozenset[str]:
        return frozenset(tokens_of(f"{self.heading} {self.text}"))

    @cached_property
    def links(self) -> frozenset[str]:
        return frozenset(claims_of(self.text).links)


class _PerThread(threading.local):
    """What each thread has of its own, since stemmers are not to be shared."""

    def __init__(self) -> None:
        self.reader = TermReader()
        self.frame = frozenset(self.reader.stems(_FRAME_WORDS))
        self.polarity = PolarityReader(self.stems_of, self.reader.function_words)

    def stems_of(self, words: Sequence[str]) -> Sequence[str]:
        return [(self.reader.stems(word) or [word])[0] for word in words]


_own = _PerThread()


class Evidence:
    """What an answer may rest on.

    Args:
        question: what was asked; its numbers and names may be repeated.
        passages: what was found; what instructs a model in them bears nothing out.
    """

    def __init__(self, question: str, passages: Sequence[GroundingPassage]) -> None:
        reader = _own.reader
        self._asked = frozenset(reader.stems(question))
        self._question = question
        self._passages = [_Passage(passage, reader) for passage in passages]
        self.numbers = frozenset(passage.number for passage in passages)

    @cached_property
    def links(self) -> frozenset[str]:
        """The addresses that the passages hold."""
        return frozenset().union(*(passage.links for passage in self._passages))

    @cached_property
    def _equations(self) -> formulas.Equations:
        return formulas.equations_of(plain_formulas("\n".join([self._question, *(one.text for one in self._passages)])))

    @cached_property
    def _contacts(self) -> frozenset[str]:
        return contacts_of(self._question).union(*(contacts_of(passage.text) for passage in self._passages))

    @cached_property
    def _question_quantities(self) -> list[Quantity]:
        return supporting_quantities(self._question)

    @cached_property
    def _units_asked(self) -> frozenset[str]:
        return units_named(tokens_of(self._question))

    @cached_property
    def _asked_tokens(self) -> frozenset[str]:
        return frozenset(tokens_of(self._question))

    @cached_property
    def _tokens(self) -> frozenset[str]:
        return frozenset(tokens_of(self._question)).union(*(passage.tokens for passage in self._passages))

    @cached_property
    def _stems(self) -> frozenset[str]:
        return self._asked.union(*(passage.stems for passage in self._passages))

    @cached_property
    def _formulas(self) -> str:
        text = " ".join([self._question, *(f"{one.heading} {one.text}" for one in self._passages)])
        return re.sub(r"[\s·⋅×*^_{}()]+", "", text).casefold()

    def holds_contacts(self, sentence: str) -> bool:
        """Whether every e-mail address and site that a sentence names stands in the passages or the question."""
        return contacts_of(sentence) <= self._contacts

    def weigh(self, sentence: str) -> Support | None:
        """Say how a sentence is borne out; None where it claims nothing."""
        sentence = plain_formulas(sentence)
        claims = claims_of(sentence)
        words = self._weights(without_links(sentence))
        if not words and not claims.quantities and not claims.names:
            return None
        chosen, share = self._best(words, claims)
        if not chosen:
            return Support(0, 0.0, "", "overlap")
        sources = self._sources(words, chosen)
        text = " ".join(source.text for source in sources)
        reason = self._reason(sentence, claims, chosen, text)
        if not reason and share < (ENOUGH if len(chosen) == 1 else _ENOUGH_OF_TWO):
            reason = "overlap"
        return Support(chosen[0].number, share, text, reason)

    def _weights(self, sentence: str) -> dict[str, float]:
        own = _own
        stems = own.reader.stems(sentence)
        meant = [stem for stem in stems if stem not in own.reader.function_words and stem not in own.frame]
        return {stem: _ASKED_WEIGHT if stem in self._asked else 1.0 for stem in meant if not stem.isdigit()}

    def _best(self, words: dict[str, float], claims: Claims) -> tuple[list[_Passage], float]:
        """The passage that bears the words out best, or two that do it together where one does not."""
        if not self._passages:
            return [], 0.0
        ranked = sorted(
            ((self._share(words, claims, [one]), -at) for at, one in enumerate(self._passages)), reverse=True
        )
        share, at = ranked[0]
        if share >= ENOUGH and self._numbers_stand(claims, [self._passages[-at]]):
            return [self._passages[-at]], share
        top = [self._passages[-place] for _, place in ranked[:3]]
        pairs = [([one, other], self._share(words, claims, [one, other])) for one, other in combinations(top, 2)]
        chosen, together = max(pairs, key=lambda pair: pair[1], default=([], 0.0))
        return (chosen, together) if together >= _ENOUGH_OF_TWO else ([self._passages[-at]], share)

    def _share(self, words: dict[str, float], claims: Claims, passages: Sequence[_Passage]) -> float:
        whole = sum(words.values())
        if not whole:
            return float(self._numbers_stand(claims, passages))
        stems = frozenset().union(*(passage.stems for passage in passages))
        symbols = {
            stem for stem in words if claims.is_formula and len(stem) <= _LONGEST_SYMBOL and stem in self._formulas
        }
        return sum(weight for stem, weight in words.items() if stem in stems or stem in symbols) / whole

    def _sources(self, words: dict[str, float], passages: Sequence[_Passage]) -> list[_Source]:
        """The few sentences that hold most of the words between them."""
        left = set(words)
        sources = [source for passage in passages for source in passage.sentences]
        found: list[_Source] = []
        while left and sources and len(found) < _MOST_SENTENCES:
            best = max(sources, key=lambda source: sum(words[stem] for stem in left & source.stems))
            if not left & best.stems:
                break
            found.append(best)
            left -= best.stems
            sources.remove(best)
        return found

    def _reason(self, sentence: str, claims: Claims, passages: Sequence[_Passage], text: str) -> str:
        reason = self._number_reason(claims, passages)
        if reason:
            return reason
        units = units_named(tokens_of(sentence))
        if units and not units <= frozenset().union(self._units_asked, *(passage.units for passage in passages)):
            return "unit"
        if not all(self._is_named(name, passages) for name in claims.names) or self._has_foreign_subject(sentence):
            return "name"
        if not self.holds_contacts(sentence):
            return "link"
        if "=" in sentence and formulas.contradicts(formulas.equations_of(sentence), self._equations):
            return "formula"
        return "negation" if self._is_contradicted(sentence, passages) else ""

    def _is_contradicted(self, sentence: str, passages: Sequence[_Passage]) -> bool:
        """Whether those passages, or one that bears its words out as well, says the contrary."""
        clauses = _own.polarity.clauses_of(sentence)
        return _own.polarity.contradicts(clauses, [clause for passage in passages for clause in passage.clauses])

    def _numbers_stand(self, claims: Claims, passages: Sequence[_Passage]) -> bool:
        return not self._number_reason(claims, passages)

    def _number_reason(self, claims: Claims, passages: Sequence[_Passage]) -> str:
        there = [*self._question_quantities, *(one for passage in passages for one in passage.quantities)]
        reasons = [_quantity_reason(quantity, there, self._stands_alone) for quantity in claims.quantities]
        return next((reason for reason in ("number", "unit") if reason in reasons), "")

    def _stands_alone(self, quantity: Quantity) -> bool:
        """Whether each symbol of a unit stands somewhere by itself, as in "3, 4 and 5 N"."""
        return all(symbol.casefold() in self._unit_tokens for symbol, _ in quantity.unit)

    @cached_property
    def _unit_tokens(self) -> frozenset[str]:
        there = [*self._question_quantities, *(one for passage in self._passages for one in passage.quantities)]
        symbols = {symbol.casefold() for quantity in there for symbol, _ in quantity.unit}
        return frozenset(symbols) | self._tokens

    def _is_named(self, name: str, passages: Sequence[_Passage]) -> bool:
        tokens = self._asked_tokens.union(*(passage.tokens for passage in passages))
        if name in tokens or name.removesuffix("s") in tokens or f"{name}s" in tokens:
            return True
        stem = (_own.reader.stems(name) or [name])[0]
        if stem in self._asked or any(stem in passage.stems for passage in passages):
            return True
        if stem in _own.frame or stem in _own.reader.function_words:
            return True
        return 1 < len(name) <= _LONGEST_PRODUCT and name in self._formulas

    def _has_foreign_subject(self, sentence: str) -> bool:
        subject = _BARE_SUBJECT.match(sentence)
        if subject is None:
            return False
        word = subject["word"].lower()
        stem = (_own.reader.stems(word) or [word])[0]
        known = stem in self._stems or stem in _own.reader.function_words or stem in _own.frame
        return not known and not word.endswith(("ing", "s", "ly"))


def _quantity_reason(quantity: Quantity, there: Sequence[Quantity], stands_alone: Callable[[Quantity], bool]) -> str:
    """Why a number is not borne out: there is no such "number", or it is there with another "unit"."""
    same = [one for one in there if one.values & quantity.values and one.is_ordinal is quantity.is_ordinal]
    if not same:
        return "number"
    if quantity.unit != NO_UNIT:
        has_unit = any(one.unit == quantity.unit for one in same)
        bare = any(one.unit == NO_UNIT for one in same)
        return "" if has_unit or (bare and stands_alone(quantity)) else "unit"
    of_the_kind = [one for one in there if quantity.counted and one.counted == quantity.counted]
    return "number" if of_the_kind and not any(one in same for one in of_the_kind) else ""
