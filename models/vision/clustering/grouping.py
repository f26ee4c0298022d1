"""Puts embeddings into groups by k-means, and finds how many groups there are."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.vision.clustering.silhouette import silhouettes

MOST_GROUPS = 20
"""As many groups are tried where their number is to be found, and no more than half as many as there are pictures."""

CLEAR = 0.1
"""By so much must the silhouette be above that of a cloud without groups; of clouds by chance none reached 0.08."""

_NEARLY_BEST = 0.95
"""Fewer groups are taken where they do so much of what the best number does: more always fit a little better."""

_CHOSEN_BY = 3_000
"""Pictures by which the number of groups is found; more, drawn by chance, find the same."""

_CLOUD = 1_000
_CLOUDS = 2
_SAME = 1e-5
"""Below this cosine distance two embeddings are of one picture: what is between them is rounding."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a number of groups gave: the mean silhouette, and that of a cloud without groups."""

    silhouette: float
    cloud: float

    @property
    def above(self) -> float:
        """By how much there is more in it than in a cloud."""
        return self.silhouette - self.cloud


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which picture is in which group.

    Attributes:
        groups: the number of each picture's group, from 0 by size, largest first; shaped [pictures].
        silhouettes: of each picture, from -1 to 1; zeros where there is one group.
        trial: what that gave; None where there is one group.
        trials: what each number of groups that was tried gave.
    """

    groups: NDArray[np.intp]
    silhouettes: NDArray[np.float64]
    trial: Trial | None
    trials: dict[int, Trial]

    @property
    def count(self) -> int:
        """How many groups there are."""
        return int(self.groups.max()) + 1

    @property
    def is_clear(self) -> bool:
        """Whether the groups stand out more than those that k-means makes of a cloud without any."""
        return self.trial is not None and self.trial.above >= CLEAR


def grouped(embeddings: NDArray[np.float32], count: int | None = None, seed: int = 0) -> Grouping:
    """Put embeddings into groups. Cosine distance throughout: k-means on unit vectors minimises just that.

    What is found is the number whose mean silhouette stands out most above that of a cloud without groups, a normal
    distribution with the same mean and covariance put on the unit sphere and into as many groups: the idea of the gap
    statistic (Tibshirani, Walther & Hastie 2001). The silhouette alone favours two or three groups wherever
    embeddings spread in few directions, as they do; of nearly equal numbers the smallest is taken.

    Args:
        embeddings: L2-normalised, shaped [pictures, width]; at least three pictures.
        count: how many groups, from 2; None to find it, among 2 to `MOST_GROUPS`. There are never more groups than
            different pictures.
        seed: the same one gives the same groups.
    """
    most = MOST_GROUPS if count is None else count
    different = _different(embeddings, most)
    if different == 1:
        return Grouping(np.zeros(len(embeddings), dtype=np.intp), np.zeros(len(embeddings)), None, {})
    highest = min(most, different)
    tried = [highest] if count else range(2, max(2, min(highest, len(embeddings) // 2)) + 1)
    sample = _drawn(embeddings, _CHOSEN_BY, seed)
    clouds = [_cloud(sample, seed + number) for number in range(_CLOUDS)]
    trials = {number: _tried(sample, clouds, number, seed) for number in tried}
    best = max(trial.above for trial in trials.values())
    chosen = min(
        number for number, trial in trials.items() if trial.above >= (best if best < 0 else _NEARLY_BEST * best)
    )
    groups = _by_size(_k_means(embeddings, chosen, seed, 10))
    values = silhouettes(embeddings, groups)
    # Of the groups as they are told, not of those among the sample.
    trial = Trial(float(values.mean()), trials[chosen].cloud)
    return Grouping(groups, values, trial, trials | {chosen: trial})


def _tried(sample: NDArray[np.float32], clouds: list[NDArray[np.float32]], number: int, seed: int) -> Trial:
    in_clouds = [_mean_silhouette(cloud, number, seed) for cloud in clouds if number < len(cloud)]
    return Trial(_mean_silhouette(sample, number, seed), float(np.mean(in_clouds)) if in_clouds else 0.0)


def _mean_silhouette(embeddings: NDArray[np.float32], number: int, seed: int) -> float:
    groups = _by_size(_k_means(embeddings, number, seed, 3))
    return float(silhouettes(embeddings, groups).mean()) if groups.max() else 0.0


def _k_means(embeddings: NDArray[np.float32], number: int, seed: int, starts: int) -> NDArray[np.intp]:
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    # In one thread: so many short computations lose more by waiting for each other's threads than these save.
    with threadpool_limits(1), warnings.catch_warnings():
        # It warns where pictures are the same, so that groups stay empty: what is told counts those that are not.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = KMeans(min(number, len(embeddings)), n_init=starts, random_state=seed).fit(embeddings)
    return np.asarray(fitted.labels_, dtype=np.intp)


def _by_size(groups: NDArray[np.intp]) -> NDArray[np.intp]:
    """Number groups anew: largest first, of equal ones that with the first picture; none is empty."""
    numbers, firsts, sizes = np.unique(groups, return_index=True, return_counts=True)
    order = np.lexsort((firsts, -sizes))
    anew = np.empty(int(numbers.max()) + 1, dtype=np.intp)
    anew[numbers[order]] = np.arange(len(numbers))
    return anew[groups]


def _different(embeddings: NDArray[np.float32], most: int) -> int:
    """Count the pictures that differ from each other, up to `most`: the farthest from all counted is the next one."""
    distances = 1.0 - embeddings @ embeddings[0]
    count = 1
    while count < most and distances.max() > _SAME:
        count += 1
        distances = np.minimum(distances, 1.0 - embeddings @ embeddings[int(distances.argmax())])
    return count


def _drawn(embeddings: NDArray[np.float32], most: int, seed: int) -> NDArray[np.float32]:
    if len(embeddings) <= most:
        return embeddings
    drawn = np.random.default_rng(seed).choice(len(embeddings), most, replace=False)
    return embeddings[np.sort(drawn)]


def _cloud(embeddings: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Draw unit vectors from one normal distribution with the mean and covariance of the embeddings."""
    mean = embeddings.mean(axis=0)
    draws = np.random.default_rng(seed).standard_normal((min(len(embeddings), _CLOUD), len(embeddings)), np.float32)
    # A sum of the deviations, each with a normal weight, has their covariance; none need be decomposed.
    points = mean + draws @ ((embeddings - mean) / np.float32(np.sqrt(len(embeddings))))
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True), dtype=np.float32)
