"""The TF-IDF index: fitted with scikit-learn, kept as arrays, searched as posting lists."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from knowledge.index.array_folder import MANIFEST, damaged, open_arrays, save_arrays
from knowledge.index.fitting import Fields, fit_arrays
from knowledge.index.posting_lists import PostingLists
from knowledge.index.question import Question, QuestionReader
from knowledge.index.spelling import SpellingIndex
from knowledge.index.vocabulary import Vocabulary
from knowledge.index.weighting import TfidfOptions

__all__ = ["Fields", "Match", "TermMatch", "TfidfIndex", "TfidfOptions"]

_LAYOUT = 1
"""Raised whenever the arrays or the analysis of texts change, so that an older index is built anew."""

_DEFAULTS = TfidfOptions()

_PARTS = {"vocabulary": Vocabulary.ARRAYS, "posting": PostingLists.ARRAYS, "spelling": SpellingIndex.ARRAYS}
_ARRAYS = ("idf", *(f"{part}_{array}" for part, arrays in _PARTS.items() for array in arrays))


@dataclass(frozen=True, slots=True)
class TermMatch:
    """A word of the question that occurs in a document.

    Attributes:
        query_word: the word as the asker wrote it.
        term: the index term it stands for; of another word where the asker's was taken for a misspelling.
        weight: its contribution to the score, above 0.
    """

    query_word: str
    term: str
    weight: float


@dataclass(frozen=True, slots=True)
class Match:
    """A document found.

    Attributes:
        document: row number.
        score: the sum of its terms' weights, above 0.
        question: what was looked up.
        weights: what each term of the question contributes to the score, 0 for those that don't occur here.
    """

    document: int
    score: float
    question: Question
    weights: list[float]

    @property
    def terms(self) -> tuple[TermMatch, ...]:
        """The words found in the document, in the order of the question."""
        found = zip(self.question.terms, self.weights, strict=True)
        return tuple(TermMatch(term.written, term.term, weight) for term, weight in found if weight > 0)

    @property
    def coverage(self) -> float:
        """The share of the question's words, weighted by inverse document frequency, that occur here, 0 to 1.

        Words that no document holds count as the rarest; function words don't count, nor do earlier turns. Of two
        readings of a misspelt word the better one found counts.
        """
        found = zip(self.question.terms, self.weights, strict=True)
        return self.question.share(term for term, weight in found if weight > 0)


class TfidfIndex:
    """Documents by the weights of their terms; immutable, so that any number of threads may search it."""

    def __init__(self, arrays: dict[str, NDArray[Any]], rows: int, options: TfidfOptions) -> None:
        """Take over arrays as `fit` makes and `open` finds them."""
        self.options = options
        self._arrays = arrays
        self._postings = PostingLists(rows, *(arrays[f"posting_{name}"] for name in PostingLists.ARRAYS))
        self._reader = QuestionReader(
            Vocabulary(*(arrays[f"vocabulary_{name}"] for name in Vocabulary.ARRAYS)),
            arrays["idf"],
            SpellingIndex(*(arrays[f"spelling_{name}"] for name in SpellingIndex.ARRAYS)),
            options,
        )

    @classmethod
    def fit(cls, documents: Iterable[Fields], options: TfidfOptions = _DEFAULTS) -> "TfidfIndex":
        """Build an index; imports scikit-learn.

        Args:
            documents: read once; numbered from 0 in the order they come.
            options: how they are weighted; kept with the index.
        """
        arrays, rows = fit_arrays(documents, options)
        return cls(arrays, rows, options)

    def save(self, folder: Path) -> None:
        """Write the index into an existing, empty folder.

        Raises:
            OSError: a file could not be written; what is in the folder then does not open.
        """
        notes = {"layout": _LAYOUT, "rows": len(self), "options": asdict(self.options)}
        save_arrays(folder, self._arrays, notes)

    @classmethod
    def open(cls, folder: Path) -> "TfidfIndex":
        """Open a saved index, memory-mapped, in milliseconds.

        Raises:
            DamagedIndexError: a file is missing or damaged, or was written by another version.
        """
        arrays, notes = open_arrays(folder, _ARRAYS)
        manifest = folder / MANIFEST
        if notes.get("layout") != _LAYOUT:
            raise damaged(manifest, "was written by another version")
        try:
            rows, options = int(notes["rows"]), TfidfOptions(**notes["options"])
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(manifest, "is not one of ours") from error
        return cls(arrays, rows, options)

    def search(
        self, query: str, limit: int = 10, context: Sequence[str] = (), among: range | None = None
    ) -> list[Match]:
        """Return the documents that match best, best first; equal scores in the order of the row numbers.

        Args:
            query: any text; a word that no document holds is looked up as the nearest ones that some do.
            limit: most documents to return.
            context: earlier turns of the conversation, oldest first; their words count with a lower weight.
            among: the rows that are looked at, one after the other; None: all.
        """
        question = self._reader.read(query, context)
        if not question.terms or limit < 1:
            return []
        numbers = [term.number for term in question.terms]
        weights = [term.weight for term in question.terms]
        found = self._postings.best(numbers, weights, limit, among)
        contributions = found.contributions.tolist()
        return list(map(Match, found.documents.tolist(), found.scores.tolist(), repeat(question), contributions))

    def __len__(self) -> int:
        return self._postings.rows
