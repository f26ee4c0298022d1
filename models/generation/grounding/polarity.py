"""Whether a sentence says the contrary of what it rests on: by a "not" more or less, or by a word's opposite."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

Stems = Callable[[Sequence[str]], Sequence[str]]
"""Gives the stems of lower-case words, one for each."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")
_CLAUSE = re.compile(
    r"[,;:()—]| – |\b(?:but|whereas|while|although|though|and|so|because|since|which|who|if|when|unless|until|where"
    r"|aber|und|weil|wenn|während|mais|et|parce|si|pero|porque|cuando|ma|perché|quando|mas)\b",
    re.IGNORECASE,
)
# "Not only … but also" and its kin deny nothing.
_NO_NEGATION = re.compile(
    r"\bnot only\b|\bwhether or not\b|\bno matter\b|\bnothing but\b|\bno fewer than\b|\bnot just\b|\bno less than\b"
    r"|\bno sooner\b|\bnicht nur\b|\bnon seulement\b|\bno s[oó]lo\b|\bnon solo\b",
    re.IGNORECASE,
)
_NO_LONGER = re.compile(r"\bno longer\b|\bnot yet\b|\bnot any ?more\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?…。！？])\s+|(?<=[。！？])|\n+")
# What stands in short brackets interrupts a clause, and ends none.
_ASIDE = re.compile(r"\([^()]{0,25}\)")
_NEGATORS = frozenset(
    """
    not no never none nor neither cannot without nobody nothing nowhere nicht kein keine keinen keinem keiner keines
    nie niemals ohne pas jamais aucun aucune sans nunca ningún ninguna ninguno non mai nessun nessuna nessuno senza não
    nenhum nenhuma sem niet geen nooit zonder не нет никогда без
    """.split()  # noqa: SIM905
)
# Words that deny in their own way: they may stand for a "not", on either side.
_IMPLICIT = re.compile(
    r"\b(?:(?<!absolute )zero|independent\w*|fails?|failed|lacks?|lacking|vanish\w*|absen\w+|impossible|unable"
    r"|unlike|rather than"
    r"|instead of|regardless|prevents?|neglect\w*|refus\w+|den(?:y|ies|ied)|excludes?|un(?!i|der|til|less|d)\w{4,}"
    r"|non-\w+"
    r"|in(?:accurate|correct|compressible|variant|visible|sufficient)"
    r"|unchanged|ceases?|except|myth|wrong|false|mistak\w+|hardly|rarely|barely)\b",
    re.IGNORECASE,
)
_OPPOSITES = """
increase/decrease rise/fall grow/shrink raise/lower directly/inversely more/less greater/smaller larger/smaller
higher/lower faster/slower longer/shorter heavier/lighter stronger/weaker hotter/colder thicker/thinner warmer/cooler
bigger/smaller most/least positive/negative attract/repel parallel/perpendicular same/different same/opposite
always/never before/after above/below maximum/minimum hot/cold warm/cool gain/lose absorb/emit expand/contract
north/south east/west left/right series/parallel towards/away toward/away inside/outside inward/outward
inwards/outwards elastic/inelastic convex/concave reversible/irreversible vector/scalar kinetic/potential
upward/downward upwards/downwards clockwise/anticlockwise accelerate/decelerate converge/diverge compress/stretch
charge/discharge heat/cool slow/fast weak/strong small/large short/long high/low light/heavy early/late
first/last possible/impossible equal/unequal stable/unstable true/false transparent/opaque conductor/insulator
longitudinal/transverse real/virtual constant/variable proton/electron cathode/anode input/output double/halve
twice/half doubles/halves primary/secondary step-up/step-down aufwärts/abwärts steigt/sinkt mehr/weniger
größer/kleiner höher/niedriger positiv/negativ immer/nie augmente/diminue plus/moins aumenta/disminuye más/menos
maximal/minimal upper/lower near/far closer/farther nearer/further allow/prevent push/pull melt/freeze
evaporate/condense open/closed static/kinetic static/dynamic internal/external wide/narrow wider/narrower
widens/narrows older/younger old/young dim/bright dry/humid dry/wet
plastic/elastic plastically/elastically oppose/support opposes/supports opposing/supporting slow/quick slowly/quickly
slowly/rapidly slower/quicker greatest/smallest greatest/least highest/lowest largest/smallest greatest/lowest
highest/smallest highest/least fastest/slowest permanent/temporary node/antinode crest/trough rise/sink
rises/falls rises/drops increases/drops increases/falls grows/falls decreases/rises decreases/grows common/rare
rough/smooth hard/soft solid/liquid continuous/discrete direct/inverse directly/indirectly even/odd begin/end
starts/stops start/end closer/away gains/loses heats/cools well/poorly plus/minus zero/infinity zero/infinite
product/sum product/quotient dangerous/harmless joining/splitting fusion/fission thick/thin safe/dangerous
supplied/removed entering/leaving enter/leave full/empty
"""
# So much of a clause's words has to stand in another one for the two to speak of the same.
_SAME_CLAUSE = 0.5
# A clause about as like as the likest one counts, too.
_CLOSE = 0.75
# Words behind a "not" that it may deny; behind a "no", the thing that there isn't.
_REACH = 4
_REACHES = {"no": 3, "without": 3, "kein": 3, "keine": 3, "sans": 3, "ohne": 3}
# Share of the words around it that have to stand around its opposite, too.
_LEAST_AROUND = 0.4


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause of a sentence.

    Attributes:
        stems: of its words with a meaning, in order.
        denied: those that a "not" before them denies.
        negations: how many words deny in it.
        is_implicit: whether it may deny without such a word.
        sentence: the place of its sentence in the text.
    """

    stems: tuple[str, ...]
    denied: frozenset[str]
    negations: int
    is_implicit: bool
    sentence: int


class PolarityReader:
    """Reads clauses, and finds what contradicts.

    Args:
        stems: the stemmer.
        function_words: stems of words without a meaning of their own.
    """

    def __init__(self, stems: Stems, function_words: Collection[str]) -> None:
        self._stems = stems
        self._function_words = function_words
        self._opposites = self._paired()

    def _paired(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for pair in _OPPOSITES.split():
            one, other = self._stems(pair.replace("-", "").split("/"))
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
        return {stem: frozenset(others) for stem, others in found.items()}

    def clauses_of(self, text: str) -> list[Clause]:
        """Take a text apart into clauses; those without a word of meaning are left out."""
        plain = _ASIDE.sub(" ", _NO_LONGER.sub("not", _NO_NEGATION.sub(" ", text))).replace("step-", "step")
        sentences = enumerate(_SENTENCE.split(plain))
        clauses = (self._clause(part, at) for at, sentence in sentences for part in _CLAUSE.split(sentence))
        return [clause for clause in clauses if clause.stems]

    def _clause(self, part: str, sentence: int) -> Clause:
        words = [word.lower().replace("’", "'") for word in _WORD.findall(part)]
        stems = self._stems(words)
        at = [position for position, word in enumerate(words) if word in _NEGATORS or word.endswith("n't")]
        meant = [position for position, stem in enumerate(stems) if self._has_meaning(words[position], stem)]
        denied = {stems[place] for start in at for place in _scope(meant, start, _REACHES.get(words[start], _REACH))}
        implicit = _IMPLICIT.search(part) is not None
        return Clause(tuple(stems[place] for place in meant), frozenset(denied), len(at), implicit, sentence)

    def _has_meaning(self, word: str, stem: str) -> bool:
        if stem in self._opposites:
            return True
        return stem not in self._function_words and word not in _NEGATORS and "'" not in word

    def contradicts(self, clauses: Sequence[Clause], support: Sequence[Clause]) -> bool:
        """Whether one of the clauses denies what the support says, says what it denies, or says the opposite."""
        if _is_crossed(clauses, support):
            return True
        return any(_is_denied_otherwise(clause, support) or self._is_opposite(clause, support) for clause in clauses)

    def _is_opposite(self, clause: Clause, support: Sequence[Clause]) -> bool:
        """Whether an odd number of its words are opposites of what stands in their place in the support."""
        swaps = sum(self._is_swapped(clause, at, support) for at in range(len(clause.stems)))
        return swaps % 2 == 1

    def _is_swapped(self, clause: Clause, at: int, support: Sequence[Clause]) -> bool:
        stem = clause.stems[at]
        opposites = self._opposites.get(stem)
        if not opposites or stem in clause.denied:
            return False
        around = set(clause.stems) - {stem} - opposites
        own = _most_common(around, [other for other in support if stem in other.stems])
        contrary = _most_common(around, [other for other in support if opposites & set(other.stems) - other.denied])
        if contrary is None:
            return False
        if own is None or (own.sentence != contrary.sentence and _common(around, own) != _common(around, contrary)):
            found = _common(around, contrary)
            return found >= _LEAST_AROUND * len(around) and (own is None or found > _common(around, own))
        return self._stands_otherwise(clause, at, support)

    def _stands_otherwise(self, clause: Clause, at: int, support: Sequence[Clause]) -> bool:
        """Whether its neighbours stand nearer to the word's opposite in the support than to the word itself."""
        stem = clause.stems[at]
        near = [clause.stems[place] for place in (at - 1, at + 1) if 0 <= place < len(clause.stems)]
        votes = 0
        for neighbour in near:
            if neighbour not in self._opposites:
                own = _distance(support, neighbour, {stem})
                contrary = _distance(support, neighbour, self._opposites[stem])
                votes += (contrary < own) - (own < contrary)
        return votes > 0


def _scope(meant: Sequence[int], start: int, reach: int) -> Sequence[int]:
    """The places of the words that a negation at `start` denies: the next ones of its clause, or the one before it."""
    after = [position for position in meant if start < position <= start + reach]
    return after or [position for position in meant if position < start][-1:]


def _common(stems: Collection[str], clause: Clause) -> int:
    return len(set(stems) & set(clause.stems))


def _likeness(clause: Clause, other: Clause) -> float:
    return _common(clause.stems, other) / len(set(clause.stems))


def _most_common(stems: Collection[str], clauses: Sequence[Clause]) -> Clause | None:
    return max(clauses, key=lambda clause: _common(stems, clause), default=None)


def _closeness(clause: Clause, other: Clause) -> float:
    """Dice's coefficient of their words, 0 to 1."""
    return 2 * _common(clause.stems, other) / (len(set(clause.stems)) + len(set(other.stems)))


def _is_denied_otherwise(clause: Clause, support: Sequence[Clause]) -> bool:
    if clause.negations % 2:
        return _denies_what_is_said(clause, support)
    if clause.negations or clause.is_implicit:
        return False
    return _says_what_is_denied(clause, support)


def _denies_what_is_said(clause: Clause, support: Sequence[Clause]) -> bool:
    closeness = [_closeness(clause, other) for other in support]
    best = max(closeness, default=0.0)
    if not best or any(other.denied & clause.denied for other in support):
        return False
    near = [other for other, close in zip(support, closeness, strict=True) if close >= _CLOSE * best]
    return not any(other.is_implicit or (other.negations and _shares(clause, other)) for other in near)


def _says_what_is_denied(clause: Clause, support: Sequence[Clause]) -> bool:
    """Whether what is denied somewhere is said in it, and nothing in the support is closer to it."""
    said = max((_closeness(clause, other) for other in support if not other.negations), default=0.0)
    denials = (other for other in support if other.negations % 2 and other.denied & set(clause.stems))
    return any(
        2 * _common(denial.denied, clause) > len(denial.denied)
        and _likeness(clause, denial) >= _SAME_CLAUSE
        and _closeness(clause, denial) > said
        for denial in denials
    )


def _shares(clause: Clause, other: Clause) -> bool:
    return bool(clause.denied & set(other.stems)) or bool(other.denied & set(clause.stems))


def _is_crossed(clauses: Sequence[Clause], support: Sequence[Clause]) -> bool:
    """Whether two clauses have exchanged a word: each lacks in a clause it is like what another one like it has."""
    alike = [(clause, _alike(clause, support)) for clause in clauses]
    return any(
        one is not other and _lack(first, one) & set(other.stems) and _lack(second, other) & set(one.stems)
        for (first, ones), (second, others) in combinations(alike, 2)
        for one in ones
        for other in others
        if one.sentence == other.sentence
    )


def _alike(clause: Clause, support: Sequence[Clause]) -> list[Clause]:
    """The clauses it is like; none where one of them holds it whole."""
    found = [(other, like) for other in support if (like := _likeness(clause, other)) >= _SAME_CLAUSE]
    return [] if any(like == 1 for _, like in found) else [other for other, _ in found]


def _lack(clause: Clause, other: Clause) -> set[str]:
    return set(clause.stems) - set(other.stems)


def _distance(support: Sequence[Clause], stem: str, others: Collection[str]) -> float:
    """How many words lie between a word and the nearest of the others, in one clause; infinite where in none."""
    return min(_distances(support, stem, others), default=float("inf"))


def _distances(support: Sequence[Clause], stem: str, others: Collection[str]) -> Iterator[int]:
    for clause in support:
        at = [position for position, one in enumerate(clause.stems) if one == stem]
        there = [position for position, one in enumerate(clause.stems) if one in others]
        yield from (abs(one - other) for one in at for other in there)
