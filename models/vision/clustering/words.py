"""Says in sentences what groups were found; the command's screen and the page say the same."""

from collections.abc import Sequence

from models.vision.clustering.clusters import Clusters
from models.vision.clustering.grouping import CLEAR, MOST_GROUPS

_NAMED = 5


def summary(clusters: Clusters) -> str:
    """Say how many pictures fall into how many groups, and how clearly."""
    pictures, count = len(clusters.album.pictures), len(clusters.groups)
    trial = clusters.grouping.trial
    if trial is None:
        return f"All {pictures:,} pictures are the same to {clusters.album.model}: there is one group."
    how = f"as asked for, of {clusters.asked}" if clusters.asked and clusters.asked != count else ""
    how = how or ("as asked for" if clusters.asked else f"chosen among 2 to {_most_tried(clusters)}")
    return (
        f"{pictures:,} pictures in {count} groups ({how}); silhouette {trial.silhouette:.2f}, where pictures without"
        f" groups would have {trial.cloud:.2f}. Looked at by {clusters.album.model}."
    )


def notes(clusters: Clusters) -> list[str]:
    """Say what else is to be known: groups that are not clear, outliers, near-identical pairs, refused files."""
    told = [_on_clearness(clusters), _on_outliers(clusters), _on_near_identical(clusters), _on_refused(clusters)]
    return [sentence for sentence in told if sentence]


def _on_clearness(clusters: Clusters) -> str:
    asked, count = clusters.asked, len(clusters.groups)
    if asked and asked > count:
        return f"There are no {asked} groups: only {count} of the pictures differ from each other."
    if count == 1 or clusters.grouping.is_clear:
        return ""
    return (
        f"There are no clear groups: the silhouette is less than {CLEAR} above that of pictures without groups."
        " Take these for a way to sort, not for kinds of pictures."
    )


def _on_outliers(clusters: Clusters) -> str:
    paths = [clusters.path(one.picture) for one in clusters.outliers]
    if not paths:
        return ""
    return (
        f"{_counted(len(paths), 'picture')} alone in a group, or far from the others in it: {_some(paths, len(paths))}."
    )


def _on_near_identical(clusters: Clusters) -> str:
    pairs = [
        f"{clusters.path(one)} and {clusters.path(other)} ({likeness:.3f})"
        for one, other, likeness in clusters.near_identical
    ]
    if not pairs:
        return ""
    count = clusters.near_identical_count
    found = f"{_counted(count, 'pair')} nearly the same (likeness {clusters.likeness} or more)"
    return f"{found}: {_some(pairs, count)}."


def _on_refused(clusters: Clusters) -> str:
    refused = clusters.album.refused
    if not refused:
        return ""
    first = "; ".join(f"{one.path}: {one.reason.removesuffix('.')}" for one in refused[:_NAMED])
    more = f"; and {len(refused) - _NAMED:,} more" if len(refused) > _NAMED else ""
    return f"{len(refused):,} {'file was' if len(refused) == 1 else 'files were'} refused. {first}{more}."


def _counted(number: int, what: str) -> str:
    return f"One {what} is" if number == 1 else f"{number:,} {what}s are"


def _some(names: Sequence[str], count: int) -> str:
    named = ", ".join(names[:_NAMED])
    return named if count <= _NAMED else f"{named} and {count - _NAMED:,} more"


def _most_tried(clusters: Clusters) -> int:
    return max(clusters.grouping.trials, default=MOST_GROUPS)
