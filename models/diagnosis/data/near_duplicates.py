"""Finds texts that say nearly the same in the same words, exactly, for a hundred thousand texts in bounded memory."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.training.groups import in_order, joined

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

NEAR = 0.5
"""Cosine of TF-IDF vectors from which two texts are near-duplicates."""

Told = Callable[[int, int], None]
"""Told how many texts were compared, and how many there are."""

# A word has two characters or more; scripts that put no blanks between words count by characters.
_TOKEN = r"(?u)[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|\w\w+"  # noqa: S105 - a pattern
# Of a vector's length, what may lie beyond its prefix. Measured: longer prefixes cost more than they spare checks.
_BEYOND = 0.35
_PAIRS_AT_ONCE = 20_000_000
_CHECKED_AT_ONCE = 200_000


class Likeness:
    """The TF-IDF vectors of texts, ready to be compared.

    A vector: words of two characters or more in lower case, term frequency times smoothed inverse document frequency,
    of length 1. That is scikit-learn's `TfidfVectorizer` as it is when nothing is set, but for scripts without blanks.

    Args:
        texts: any; one without a word is like no other.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._vectors = _rare_first(_vectors(texts))

    def groups(
        self,
        rows: NDArray[np.int64],
        threshold: float = NEAR,
        told: Told | None = None,
        pairs_at_once: int = _PAIRS_AT_ONCE,
    ) -> NDArray[np.int64]:
        """Number the connected components of the graph whose edges join texts with a cosine of at least `threshold`.

        No pair is missed (Bayardo, Ma and Srikant, 2007, "Scaling up all pairs similarity search"): words are ordered
        from the rarest on, and a vector's prefix ends where what lies beyond it is shorter than the threshold. Two
        texts that are near share a word of both prefixes; the product of the prefixes plus the longer rest is a bound
        for their cosine, and only those above it, of different components so far, are compared whole.

        Args:
            rows: numbers of the texts to group, from 0.
            threshold: above 0, at most 1.
            told: told how far it is.
            pairs_at_once: how many pairs are looked at together; bounds the memory, at up to 20 bytes each.

        Returns:
            For each of `rows` the number of its group, from 0 in the order of their first texts.
        """
        vectors = self._vectors[rows]
        prefixes, beyond = _prefixes(vectors, min(_BEYOND, threshold))
        count = len(rows)
        found = np.arange(count)
        block = max(1, min(count, pairs_at_once // max(1, count)))
        # A hair below, as cosines of equal texts come out at 1 give or take a rounding.
        least = threshold - 1e-6
        for start in range(0, count, block):
            products = prefixes[start : start + block] @ prefixes[start:].T
            first, second = _possible(products, beyond, start, least)
            found = joined(found, *_near(vectors, first, second, least, found))
            if told:
                told(min(count, start + block), count)
        return in_order(found)


def groups(texts: Sequence[str], threshold: float = NEAR, told: Told | None = None) -> NDArray[np.int64]:
    """Number the groups of near-duplicates: texts linked by cosines of at least `threshold`, directly or in a chain.

    Args:
        texts: any; one without a word is a group of its own.
        threshold: above 0, at most 1.
        told: told how far it is.

    Returns:
        Shaped [texts]: the number of each text's group, from 0 in the order of their first texts.
    """
    return Likeness(texts).groups(np.arange(len(texts)), threshold, told)


def nearest_cosine(texts: Sequence[str], others: Sequence[str]) -> NDArray[np.float64]:
    """Give for each text its highest cosine with any of the others, shaped [texts]; 0 where there are none."""
    if not texts or not others:
        return np.zeros(len(texts))
    vectors = _vectors([*texts, *others])
    known = vectors[len(texts) :].T.tocsr()
    block = max(1, _PAIRS_AT_ONCE // len(others))
    parts = [
        (vectors[start : min(start + block, len(texts))] @ known).max(axis=1).toarray().ravel()
        for start in range(0, len(texts), block)
    ]
    return np.concatenate(parts).astype(np.float64)


def _vectors(texts: Sequence[str]) -> "csr_matrix":
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(token_pattern=_TOKEN, dtype=np.float32)
    tokens = vectorizer.build_analyzer()
    if not any(tokens(text) for text in texts):
        return csr_matrix((len(texts), 1), dtype=np.float32)
    return csr_matrix(vectorizer.fit_transform(texts))


def _rare_first(vectors: "csr_matrix") -> "csr_matrix":
    """The same vectors, the columns renumbered from the rarest word on."""
    from scipy.sparse import csr_matrix

    order = np.argsort(np.bincount(vectors.indices, minlength=vectors.shape[1]), kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    renumbered = csr_matrix((vectors.data, place[vectors.indices], vectors.indptr), shape=vectors.shape)
    renumbered.sort_indices()
    return renumbered


def _prefixes(vectors: "csr_matrix", beyond: float) -> tuple["csr_matrix", NDArray[np.float64]]:
    """The shortest beginnings of vectors beyond which less than `beyond` lies, and how much that is of each."""
    from scipy.sparse import csr_matrix

    row = np.repeat(np.arange(vectors.shape[0]), np.diff(vectors.indptr))
    squares = vectors.data.astype(np.float64) ** 2
    sums = np.concatenate(([0.0], np.cumsum(squares)))
    # What is left of the square of the row's length from each entry on.
    left = sums[vectors.indptr[1:]][row] - sums[:-1]
    kept = left >= beyond**2
    counts = np.bincount(row[kept], minlength=vectors.shape[0])
    starts = np.concatenate(([0], np.cumsum(counts)))
    prefixes = csr_matrix((vectors.data[kept], vectors.indices[kept], starts), shape=vectors.shape)
    rest = np.bincount(row[~kept], weights=squares[~kept], minlength=vectors.shape[0])
    return prefixes, np.sqrt(rest)


def _possible(
    products: "csr_matrix", beyond: NDArray[np.float64], start: int, least: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs of a block, each once, whose cosine may reach `least`."""
    at = np.flatnonzero(products.data >= least - beyond.max(initial=0.0))
    first = np.searchsorted(products.indptr, at, side="right") - 1 + start
    second = products.indices[at] + start
    bound = products.data[at] + np.maximum(beyond[first], beyond[second])
    wanted = (first < second) & (bound >= least)
    return first[wanted], second[wanted]


def _near(
    vectors: "csr_matrix",
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    least: float,
    found: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Those of the pairs, not yet in one group, that are near indeed."""
    apart = found[first] != found[second]
    first, second = first[apart], second[apart]
    near = np.zeros(len(first), dtype=np.bool_)
    for start in range(0, len(first), _CHECKED_AT_ONCE):
        part = slice(start, start + _CHECKED_AT_ONCE)
        cosines: Any = vectors[first[part]].multiply(vectors[second[part]]).sum(axis=1)
        near[part] = np.asarray(cosines).ravel() >= least
    return first[near], second[near]
