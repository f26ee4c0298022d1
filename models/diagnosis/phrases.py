"""Cuts a description into phrases of its writer's own words, and takes one out of it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

FUNCTION_WORDS = frozenset(
    """
    a about after again all also am an and any are around as at be because been before being both but by can could did
    do does doing down during each even ever every few for from get gets getting got had has have having he her here
    him his how i if im in into is it its ive just keep keeps like lot made make makes me more most much my myself n
    no nor not now of off on once one only or other our out over own really same she since so some still such than
    that the their them then there these they this those through to too under until up us very was we were what when
    where which while who whole why will with without would you your yours u r ur w bit kinda sort maybe please help
    doctor dr hi hello think feel feels feeling felt seem seems started start starts began begin today yesterday day
    days week weeks month months year years ago time times always usually sometimes often someone something anything
    thing things
    """.split()  # noqa: SIM905
)
"""Words that say nothing about an illness by themselves."""

MOST_PHRASES = 12
"""Into no more phrases a description is cut: each costs the classifier one text."""

_MOST_WORDS = 6
_WORD = re.compile(r"[^\W_]+(?:['’´`][^\W\d_]+)*")
_STOP = re.compile(r"[.!?;:,…。！？()\[\]{}\n\"“”]|\s[-–—/+&]\s|—")
# Those of the first kind stand between phrases and belong to none; those of the second begin one.
_BETWEEN = frozenset(
    """
    and but or so because although though while whereas plus also then yet since and/or n und oder aber mit y pero et
    mais e ma with
    """.split()  # noqa: SIM905
)
_BEGINNING = frozenset(
    """
    on in at after before during behind under over between around across along inside near from into when whenever
    without if where which that until for through towards against despite
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Some words of a text that stand together.

    Attributes:
        start: the first character's place in the text, from 0.
        end: the place after the last character.
        text: the words, exactly as they stand there.
    """

    start: int
    end: int
    text: str


def phrases(text: str, most: int = MOST_PHRASES) -> tuple[Phrase, ...]:
    """Cut a description at punctuation, conjunctions and prepositions.

    Args:
        text: anything; phrases of function words alone are left out.
        most: how many phrases at the most, from 1; neighbours are joined until there are no more.

    Returns:
        Phrases in the order of the text, which do not overlap; of one to six words each where `most` allows it.
    """
    spans = [span for part in _parts(text) for span in _pieces(part)]
    told = [(span[0].start(), span[-1].end()) for span in spans if any(is_telling(word[0]) for word in span)]
    return tuple(Phrase(start, end, text[start:end]) for start, end in _joined(told, most))


def without(text: str, phrase: Phrase) -> str:
    """Give the text without one of its phrases."""
    return f"{text[: phrase.start]} {text[phrase.end :]}".strip()


def content_words(text: str) -> list[str]:
    """Give the words of a text that say something by themselves, in lower case."""
    return [word.casefold() for word in _WORD.findall(text) if is_telling(word)]


def is_telling(word: str) -> bool:
    """Whether a word says something by itself: no function word, no number, no single letter of an alphabet."""
    plain = re.sub(r"['’´`]", "", word.casefold())
    return plain not in FUNCTION_WORDS and not plain.isdecimal() and (len(plain) > 1 or plain > "\u2e7f")


def _parts(text: str) -> Iterator[list[re.Match[str]]]:
    """Yield the runs of words between punctuation, conjunctions and before prepositions."""
    part: list[re.Match[str]] = []
    end = 0
    for word in _WORD.finditer(text):
        plain = word[0].casefold()
        is_between = plain in _BETWEEN
        if part and (is_between or plain in _BEGINNING or _STOP.search(text, end, word.start())):
            yield part
            part = []
        if not is_between:
            part.append(word)
        end = word.end()
    if part:
        yield part


def _pieces(part: Sequence[re.Match[str]]) -> Iterator[Sequence[re.Match[str]]]:
    """Cut what is longer than a phrase into pieces of like length."""
    count = -(-len(part) // _MOST_WORDS)
    bounds = [round(place * len(part) / count) for place in range(count + 1)]
    for start, end in pairwise(bounds):
        yield part[start:end]


def _joined(spans: Sequence[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Join neighbours into `most` groups of like size, where there are more."""
    if len(spans) <= most:
        return list(spans)
    bounds = [round(place * len(spans) / most) for place in range(most + 1)]
    return [(spans[start][0], spans[end - 1][1]) for start, end in pairwise(bounds)]
