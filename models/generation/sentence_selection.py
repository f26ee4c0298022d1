"""Which sentences make up an answer: the best one, what it needs to be understood, and those that add something."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.generation.sentence_ranking import Ranking, Source

# A sentence is brought together with at most so many before it.
_LONGEST_CHAIN = 2
# A passage of so few sentences and characters is given whole.
_VERY_SHORT = 2
_VERY_SHORT_TEXT = 400
# Sentences of several passages read less well together: a further one has to be so much likelier.
_OTHER_PASSAGE = 1.0
# A sentence that stands before the best one and is likely by so little less is read before it.
_CLOSE = 0.7
# Two sentences say the same when so many of the shorter one's words are in the other.
_SAME = 0.7


@dataclass(frozen=True, slots=True, order=True)
class Pick:
    """A sentence chosen: the place of its passage among the passages, and its own place in that passage."""

    source: int
    position: int


def select(sources: Sequence[Source], ranking: Ranking, at_most: int, margin: float) -> list[Pick]:
    """Choose the sentences of an answer, in the order in which they are to be read.

    The best sentence comes first, but after the ones it refers back to and those before it that are about as likely.
    Others follow where their log-odds lie within `margin` of the best one's and they don't repeat what is already
    said: first those of the same passage, then other passages', each in reading order.

    Args:
        sources: at least one, with at least one sentence between them.
        ranking: the log-odds and the words of their sentences.
        at_most: how many sentences, at least 1.
        margin: in natural logarithms; 0 lets only the best sentence through.
    """
    picks = [Pick(at, position) for at, source in enumerate(sources) for position in range(len(source.sentences))]
    by_odds = sorted(picks, key=lambda pick: (-ranking.log_odds[pick.source][pick.position], pick))
    fitting = [pick for pick in by_odds if len(_with_antecedents(ranking, pick)) <= at_most]
    best = (fitting or by_odds)[0]
    lead = _lead(sources, ranking, best, at_most)
    floor = ranking.log_odds[best.source][best.position] - margin
    likely = [pick for pick in fitting if _odds(ranking, pick, best) >= floor]
    chosen = _extended(ranking, lead, likely, at_most)
    close = ranking.log_odds[best.source][best.position] - _CLOSE
    first = [
        one for one in chosen if one < lead[0] and one.source == best.source and _odds(ranking, one, best) >= close
    ]
    rest = [one for one in chosen if one not in first]
    return sorted(first) + lead + sorted(rest, key=lambda pick: (pick.source != best.source, pick))


def _odds(ranking: Ranking, pick: Pick, best: Pick) -> float:
    odds = ranking.log_odds[pick.source][pick.position]
    return odds if pick.source == best.source else odds - _OTHER_PASSAGE


def _lead(sources: Sequence[Source], ranking: Ranking, best: Pick, at_most: int) -> list[Pick]:
    sentences = sources[best.source].sentences
    length = sum(len(sentence.text) + len(sentence.block) for sentence in sentences)
    if len(sentences) <= min(_VERY_SHORT, at_most) and length <= _VERY_SHORT_TEXT:
        return [Pick(best.source, position) for position in range(len(sentences))]
    return _with_antecedents(ranking, best)[-at_most:]


def _with_antecedents(ranking: Ranking, pick: Pick) -> list[Pick]:
    understood = ranking.understood[pick.source]
    start = pick.position
    while start > max(0, pick.position - _LONGEST_CHAIN) and not understood[start]:
        start -= 1
    return [Pick(pick.source, position) for position in range(start, pick.position + 1)]


def _extended(ranking: Ranking, lead: list[Pick], likely: Sequence[Pick], at_most: int) -> list[Pick]:
    """What is added to the lead."""
    chosen: list[Pick] = []
    for pick in likely:
        said = [*lead, *chosen]
        new = [one for one in _with_antecedents(ranking, pick) if one not in said]
        if len(said) + len(new) <= at_most and not any(_repeats(ranking, one, said) for one in new):
            chosen.extend(new)
    return chosen


def _repeats(ranking: Ranking, pick: Pick, said: Sequence[Pick]) -> bool:
    words = ranking.words[pick.source][pick.position]
    others = (ranking.words[other.source][other.position] for other in said)
    return any(len(words & other) >= _SAME * min(len(words), len(other)) for other in others)
