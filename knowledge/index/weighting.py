"""The TF-IDF weights: how much one occurrence of a term in one document is worth."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True, slots=True)
class TfidfOptions:
    """How documents are weighted and questions are read.

    Attributes:
        title_weight: how often an occurrence in the title counts, beside one in the body; 0 or more.
        tag_weight: the same for the tags.
        saturation: k, the weighted number of occurrences that earns half of what a term can earn; above 0.
        slope: b, how much of a document's length is held against it, 0 (nothing) to 1 (all).
        function_word_weight: weight of *what*, *is*, *the* … in a question, 0 to 1.
        context_weight: weight of the words of the turn before the question, 0 to 1; the turn before that one
            counts with its square, and so on.
        spelling_weight: weight of a word taken for a misspelt one, per letter that was changed, 0 to 1.
    """

    title_weight: int = 3
    tag_weight: int = 1
    saturation: float = 2.0
    slope: float = 0.75
    function_word_weight: float = 0.3
    context_weight: float = 0.4
    spelling_weight: float = 0.8


def inverse_document_frequencies(document_frequencies: NDArray[np.int64], documents: int) -> NDArray[np.float32]:
    """Return log(1 + (N - n + 1/2) / (n + 1/2)) per term, always above 0 (Robertson & Walker; as Lucene has it).

    Args:
        document_frequencies: n, shape (terms,), each 0 to `documents`.
        documents: N.
    """
    n = document_frequencies.astype(np.float64)
    return np.log1p((documents - n + 0.5) / (n + 0.5)).astype(np.float32)


def term_impacts(counts: "csr_matrix", idf: NDArray[np.float32], options: TfidfOptions) -> NDArray[np.float32]:
    """Return idf · tf / (tf + k · (1 - b + b · length / mean length)) for each stored entry of `counts`.

    This is a saturated term frequency (Robertson & Walker, SIGIR 1994) with pivoted length normalisation (Singhal,
    Buckley & Mitra, SIGIR 1996); the length is the sum of a document's term frequencies.

    Args:
        counts: term frequencies, shape (documents, terms), one entry per document and term.
        idf: shape (terms,).

    Returns:
        Impacts in the order of ``counts.data``, each in (0, idf of its term).
    """
    lengths = np.asarray(counts.sum(axis=1), dtype=np.float32).ravel()
    mean = max(float(lengths.mean()), 1.0) if len(lengths) else 1.0
    pivot = np.float32(options.saturation) * (1 - options.slope + options.slope * lengths / np.float32(mean))
    impacts: NDArray[np.float32] = counts.data.astype(np.float32)
    impacts /= impacts + np.repeat(pivot, np.diff(counts.indptr))
    impacts *= idf[counts.indices]
    return impacts
