"""Joins examples that are linked, directly or in a chain, to groups, and numbers these."""

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def joined(found: Rows, first: Rows, second: Rows) -> Rows:
    """Give the groups after more pairs are linked.

    Args:
        found: the number of each example's group so far, from 0, shaped [examples].
        first, second: the linked examples, pair by pair.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    if not len(first):
        return found
    size = int(found.max()) + 1
    edges = coo_matrix((np.ones(len(first)), (found[first], found[second])), shape=(size, size))
    _, numbers = connected_components(edges, directed=False)
    return np.asarray(numbers[found], dtype=np.int64)


def in_order(found: Rows) -> Rows:
    """Give the same groups, numbered from 0 in the order of their first examples."""
    _, first, numbers = np.unique(found, return_index=True, return_inverse=True)
    place = np.empty(len(first), dtype=np.int64)
    place[np.argsort(first, kind="stable")] = np.arange(len(first))
    return place[numbers]
