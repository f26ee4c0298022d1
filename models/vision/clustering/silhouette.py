"""Tells how well each picture lies in its group: the silhouette, by cosine distance."""

import numpy as np
from numpy.typing import NDArray

_TINY = 1e-12


def silhouettes(embeddings: NDArray[np.float32], groups: NDArray[np.intp]) -> NDArray[np.float64]:
    """Give the silhouette of each picture, from -1 (it belongs to another group) to 1 (it lies well in its own).

    (b - a) / max(a, b), where a is a picture's mean distance from the others of its group and b the least mean distance
    from those of another group; 0 for one that is alone in its group (Rousseeuw 1987, "Silhouettes: a graphical aid to
    the interpretation and validation of cluster analysis"). The mean cosine distance from a group is one dot product
    with the sum of its members, so that all pictures are judged, not a sample, in time that grows with their number.

    Args:
        embeddings: L2-normalised, shaped [pictures, width].
        groups: the number of each picture's group, from 0 without a gap, shaped [pictures]; at least two groups.
    """
    sizes = np.bincount(groups)
    sums = np.stack([embeddings[groups == group].sum(axis=0, dtype=np.float64) for group in range(len(sizes))])
    products = embeddings @ sums.T
    rows, own_sizes = np.arange(len(groups)), sizes[groups]
    selves = np.einsum("ij,ij->i", embeddings, embeddings, dtype=np.float64)
    within = 1.0 - (products[rows, groups] - selves) / np.maximum(own_sizes - 1, 1)
    between = 1.0 - products / sizes
    between[rows, groups] = np.inf
    nearest = between.min(axis=1)
    values = (nearest - within) / np.maximum(np.maximum(nearest, within), _TINY)
    return np.where(own_sizes > 1, np.clip(values, -1.0, 1.0), 0.0)
