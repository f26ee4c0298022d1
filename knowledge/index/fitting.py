"""Fitting a TF-IDF index with scikit-learn: documents are counted, weighted and turned into posting lists."""

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from knowledge.index.analysis import TermMemo, words
from knowledge.index.spelling import SpellingIndex, correctable
from knowledge.index.vocabulary import Vocabulary, hash_order
from knowledge.index.weighting import TfidfOptions, inverse_document_frequencies, term_impacts

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class Fields(NamedTuple):
    """What of a document is searched.

    Attributes:
        title: may be empty.
        body: may be empty.
        tags: words that describe it.
    """

    title: str
    body: str
    tags: tuple[str, ...] = ()


_LAST = Fields("", "")
_LAST_TERM = ""


def fit_arrays(documents: Iterable[Fields], options: TfidfOptions) -> tuple[dict[str, NDArray[Any]], int]:
    """Return the arrays of an index of `documents`, and how many documents there are."""
    analyser = _FieldAnalyser(options)
    counts, terms = _count(documents, analyser)
    order = hash_order(terms)
    _renumber_terms(counts, order)
    vocabulary = Vocabulary.of([terms[old] for old in order.tolist()])
    del terms
    idf, postings = _weigh(counts, options)
    spelling = _spelling(analyser.memo, vocabulary)
    parts = {"vocabulary": vocabulary.arrays(), "posting": postings, "spelling": spelling.arrays()}
    named = {f"{part}_{name}": array for part, arrays in parts.items() for name, array in arrays.items()}
    return {"idf": idf, **named}, counts.shape[0]


class _FieldAnalyser:
    """Turns a document into its terms, each as often as its field weighs, and remembers the words it saw."""

    def __init__(self, options: TfidfOptions) -> None:
        self._options = options
        self.memo = TermMemo()

    def __call__(self, document: Fields) -> list[str]:
        if document is _LAST:
            return [_LAST_TERM]
        found = self._terms(document.body)
        if document.title:
            found += self._terms(document.title) * self._options.title_weight
        if document.tags:
            found += self._terms(" ".join(document.tags)) * self._options.tag_weight
        return found

    def _terms(self, text: str) -> list[str]:
        memo = self.memo
        return [memo[word] for word in words(text)]


def _count(documents: Iterable[Fields], analyser: _FieldAnalyser) -> tuple["csr_matrix", list[str]]:
    """Return the term frequencies, shape (documents, terms), and the terms.

    scikit-learn refuses a collection without a term, so that one more document with a term of its own is
    counted and taken out again.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(analyzer=analyser, dtype=np.int32)
    counts = vectorizer.fit_transform(chain(documents, [_LAST]))
    terms = vectorizer.get_feature_names_out().tolist()
    del vectorizer
    # The empty term sorts first, so that it is column 0.
    counts = type(counts)(
        (counts.data[:-1], counts.indices[:-1] - 1, counts.indptr[:-1]),
        shape=(counts.shape[0] - 1, counts.shape[1] - 1),
    )
    return counts, terms[1:]


def _renumber_terms(counts: "csr_matrix", order: NDArray[np.int64]) -> None:
    numbers = np.empty(len(order), counts.indices.dtype)
    numbers[order] = np.arange(len(order), dtype=numbers.dtype)
    counts.indices = numbers[counts.indices]
    counts.has_sorted_indices = False


def _weigh(counts: "csr_matrix", options: TfidfOptions) -> tuple[NDArray[np.float32], dict[str, NDArray[Any]]]:
    """Return the inverse document frequencies and the arrays of the posting lists; uses up `counts`."""
    documents, terms = counts.shape
    idf = inverse_document_frequencies(np.bincount(counts.indices, minlength=terms), documents)
    counts.data = term_impacts(counts, idf, options)
    lists = counts.tocsc()
    counts.data = counts.indices = np.empty(0, np.int32)
    peaks = np.zeros(terms, np.float32)
    if terms:
        peaks = np.maximum.reduceat(lists.data, lists.indptr[:-1])
    return idf, {
        "starts": lists.indptr.astype(np.int64),
        "documents": lists.indices.astype(np.int32, copy=False),
        "impacts": lists.data,
        "peaks": peaks,
    }


def _spelling(memo: TermMemo, vocabulary: Vocabulary) -> SpellingIndex:
    known = sorted(word for word in memo if correctable(word))
    return SpellingIndex.of(known, [vocabulary.find(memo[word]) for word in known])
