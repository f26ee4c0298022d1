"""Tells what groups a folder's pictures fall into: names, scores, medoids, outliers and near-identical pairs."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import PictureError
from models.vision.clustering.album import Album
from models.vision.clustering.grouping import Grouping, grouped
from models.vision.clustering.near_identical import nearly_same

FEWEST = 3
"""Of fewer pictures no groups can be told."""

_FAR_OUT = 3.0
"""Interquartile ranges above the upper quartile from which on a value is far out (Tukey 1977)."""

_FEWEST_FOR_QUARTILES = 8


@dataclass(frozen=True, slots=True)
class Member:
    """A picture in its group: its number in the album, its silhouette, and its cosine with the group's centre."""

    picture: int
    silhouette: float
    likeness: float


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures that look alike.

    Attributes:
        name: the most frequent of their likeliest labels.
        named: how many of them have it.
        silhouette: the mean of theirs, from -1 to 1.
        members: nearest to the centre first, so that the first is the medoid.
    """

    name: str
    named: int
    silhouette: float
    members: tuple[Member, ...]

    @property
    def title(self) -> str:
        """The first of the label's words for one thing ("tabby" of "tabby, tabby cat"); and whether most have it."""
        word = self.name.partition(",")[0]
        return word if 2 * self.named > len(self.members) else f"{word} and others"


@dataclass(frozen=True, slots=True)
class Clusters:
    """The groups that a folder's pictures fall into.

    Attributes:
        album: the pictures.
        grouping: as it was found.
        groups: largest first.
        outliers: those far from their group's centre, farthest first, and those alone in a group.
        near_identical: pairs of pictures with the cosine of their embeddings, most alike first; not all of them.
        near_identical_count: how many pairs there are.
        asked: how many groups were asked for; None where their number was to be found.
        likeness: the cosine from which on two are nearly the same.
        seed: of all that is left to chance.
    """

    album: Album
    grouping: Grouping
    groups: tuple[Group, ...]
    outliers: tuple[Member, ...]
    near_identical: tuple[tuple[int, int, float], ...]
    near_identical_count: int
    asked: int | None
    likeness: float
    seed: int

    @property
    def silhouette(self) -> float | None:
        """The mean silhouette of all pictures; None where there is one group."""
        return float(self.grouping.silhouettes.mean()) if len(self.groups) > 1 else None

    def path(self, picture: int) -> str:
        """Give a picture's path below the folder, by its number."""
        return self.album.pictures[picture].path

    def as_json(self) -> dict[str, Any]:
        """Give all of it but the thumbnails, as JSON can hold it."""
        return {
            "model": self.album.model,
            "pictures": len(self.album.pictures),
            "k": len(self.groups),
            "asked": self.asked or "auto",
            "clear": self.grouping.is_clear,
            "silhouette": _rounded(self.silhouette),
            "tried": {str(number): _trial(self.grouping, number) for number in sorted(self.grouping.trials)},
            "groups": [self._group(number, group) for number, group in enumerate(self.groups, start=1)],
            "outliers": [self.path(one.picture) for one in self.outliers],
            "near_identical": [
                {"paths": [self.path(one), self.path(other)], "likeness": _rounded(likeness)}
                for one, other, likeness in self.near_identical
            ],
            "near_identical_count": self.near_identical_count,
            "refused": [{"path": one.path, "error": one.reason} for one in self.album.refused],
            "seed": self.seed,
        }

    def _group(self, number: int, group: Group) -> dict[str, Any]:
        return {
            "number": number,
            "name": group.name,
            "named": group.named,
            "size": len(group.members),
            "silhouette": _rounded(group.silhouette),
            "medoid": self.path(group.members[0].picture),
            "pictures": [
                {
                    "path": self.path(one.picture),
                    "label": self.album.pictures[one.picture].label,
                    "silhouette": _rounded(one.silhouette),
                    "likeness": _rounded(one.likeness),
                }
                for one in group.members
            ],
        }


def clusters_of(album: Album, count: int | None, likeness: float, seed: int) -> Clusters:
    """Put an album's pictures into groups.

    Args:
        album: at least `FEWEST` pictures.
        count: how many groups, from 2; None to find it.
        likeness: the cosine from which on two pictures are nearly the same, to 1.
        seed: the same one gives the same groups.

    Raises:
        PictureError: there are too few pictures, or fewer than groups.
    """
    _require_enough(album, count)
    grouping = grouped(album.embeddings, count, seed)
    groups = tuple(_group(album, grouping, number) for number in range(grouping.count))
    near = nearly_same(album.embeddings, likeness)
    return Clusters(album, grouping, groups, _outliers(groups), near.pairs, near.count, count, likeness, seed)


def _require_enough(album: Album, count: int | None) -> None:
    there = len(album.pictures)
    if there < FEWEST:
        pictures = {0: "None of the files is a picture", 1: "There is one picture"}.get(there, "There are two pictures")
        why = (
            f" The first that was refused, {album.refused[0].path}: {album.refused[0].reason}" if album.refused else ""
        )
        raise PictureError(f"{pictures}; groups take {FEWEST} or more.{why}", "Name a folder with more pictures.")
    if count and count > there:
        raise PictureError(f"{count:,} groups cannot be made of {there:,} pictures.", f"Give --k {there} or less.")


def _group(album: Album, grouping: Grouping, number: int) -> Group:
    where = np.flatnonzero(grouping.groups == number)
    cosines = _with_centre(album.embeddings[where])
    members = tuple(
        Member(int(where[at]), float(grouping.silhouettes[where[at]]), float(cosines[at]))
        for at in np.argsort(-cosines, kind="stable")
    )
    labels = Counter(album.pictures[one.picture].label for one in members)
    name, named = labels.most_common(1)[0]
    return Group(name, named, float(grouping.silhouettes[where].mean()), members)


def _with_centre(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    centre = embeddings.mean(axis=0)
    cosines = embeddings @ centre / max(float(np.linalg.norm(centre)), 1e-12)
    return np.asarray(np.clip(cosines, -1.0, 1.0), dtype=np.float32)


def _outliers(groups: tuple[Group, ...]) -> tuple[Member, ...]:
    found = [one for group in groups for one in _far_out(group, len(groups) > 1)]
    return tuple(sorted(found, key=lambda one: (one.likeness if one.likeness < 1 else 0.0, one.picture)))


def _far_out(group: Group, among_others: bool) -> list[Member]:
    if len(group.members) == 1:
        return list(group.members) if among_others else []
    if len(group.members) < _FEWEST_FOR_QUARTILES:
        return []
    distances = np.array([1.0 - one.likeness for one in group.members])
    lower, upper = np.percentile(distances, (25, 75))
    fence = upper + _FAR_OUT * max(upper - lower, 1e-6)
    return [one for one, distance in zip(group.members, distances, strict=True) if distance > fence]


def _trial(grouping: Grouping, number: int) -> dict[str, float | None]:
    trial = grouping.trials[number]
    return {"silhouette": _rounded(trial.silhouette), "without_groups": _rounded(trial.cloud)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
