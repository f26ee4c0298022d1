"""The extractive generator: answers in the passages' own sentences, each with the number of its passage."""

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import Executor

from models.generation.contract import Generator, GroundingPassage, Spent, Turn
from models.generation.question_terms import TermReader
from models.generation.quotation import cited, quoted
from models.generation.sentence_ranking import Source, rank
from models.generation.sentence_selection import Pick, select
from models.generation.sentences import Sentence, sentences_of

_KEPT = 1_024
"""Passages that stay taken apart: some are found again and again."""


class ExtractiveGenerator(Generator):
    """Quotes the sentences that answer. Needs no model, computes in linear time, says the same every time.

    Args:
        most_sentences: how many sentences an answer has at most, from 1; a ready answer is given whole.
        margin: how far a further sentence's log-odds to be the answer may lie below the best one's, at least 0.

    Raises:
        ValueError: `most_sentences` is below 1, or `margin` below 0.
    """

    name = "extractive"
    quotes = True

    def __init__(self, most_sentences: int = 3, margin: float = 2.0, threads: Executor | None = None) -> None:
        if most_sentences < 1:
            raise ValueError(f"An answer needs at least one sentence, not {most_sentences}.")
        if margin < 0:
            raise ValueError(f"The margin of further sentences is at least 0, not {margin}.")
        self._most_sentences = most_sentences
        self._margin = margin
        self._threads = threads
        self._thread = _PerThread()

    async def stream(
        self,
        question: str,
        passages: Sequence[GroundingPassage],
        history: Sequence[Turn] = (),
        spent: Spent | None = None,
    ) -> AsyncIterator[str]:
        """Yield the answer sentence by sentence; see `Generator.stream`. The work is done in a thread."""
        work = functools.partial(self.answer, question, passages, history)
        for piece in await asyncio.get_running_loop().run_in_executor(self._threads, work):
            yield piece

    def answer(self, question: str, passages: Sequence[GroundingPassage], history: Sequence[Turn] = ()) -> list[str]:
        """Give the pieces that `stream` yields; takes a millisecond or two."""
        return list(self._pieces(question, passages, history))

    def _pieces(self, question: str, passages: Sequence[GroundingPassage], history: Sequence[Turn]) -> Iterator[str]:
        if passages and passages[0].question and passages[0].text.strip():
            return iter([cited(passages[0].text.strip(), passages[0].number)])
        sources = [_source(passage) for passage in passages]
        if not any(source.sentences for source in sources):
            return (cited(passage.title, passage.number) for passage in passages[:1] if passage.title)
        reader = self._thread.reader
        terms = reader.question_terms(question, history)
        picks = select(sources, rank(terms, sources, reader), self._most_sentences, self._margin)
        return _written(picks, passages, sources)


class _PerThread(threading.local):
    """What each thread has of its own, since stemmers are not to be shared."""

    def __init__(self) -> None:
        self.reader = TermReader()


def _source(passage: GroundingPassage) -> Source:
    # What a picture shows is somebody's own, and not kept beyond the answer.
    is_lasting = not passage.image
    sentences = _taken_apart(passage.text) if is_lasting else sentences_of(passage.text)
    return Source(sentences, f"{passage.title} {passage.question}", passage.score, is_lasting)


@functools.lru_cache(_KEPT)
def _taken_apart(text: str) -> Sequence[Sentence]:
    return tuple(sentences_of(text))


def _written(picks: Sequence[Pick], passages: Sequence[GroundingPassage], sources: Sequence[Source]) -> Iterator[str]:
    """The quotations; those of one passage make a paragraph."""
    before: Pick | None = None
    for pick in picks:
        sentence = sources[pick.source].sentences[pick.position]
        starts_paragraph = before is None or before.source != pick.source or sentence.block
        follows_block = before is not None and sources[before.source].sentences[before.position].block
        separator = "\n\n" if starts_paragraph or follows_block else " "
        yield ("" if before is None else separator) + quoted(sentence, passages[pick.source].number)
        before = pick
