"""Writes the contact sheet as a page: HTML, complete in one file, for light and dark screens."""

import base64
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from models.evaluation.html_page import html_page
from models.vision.clustering.clusters import Clusters, Group
from models.vision.clustering.contact_sheet import figures, heading
from models.vision.clustering.words import notes, summary

_MOST = 1_200
"""Thumbnails on one page, so that it stays below some 10 MiB."""

_FEWEST = 4
_MOST_OF_ASIDE = 24

_STYLE = """
body { max-width: 84rem; }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); gap: .75rem; margin: .75rem 0; }
figure { margin: 0; }
figure img { width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--raised); border-radius: .25rem; }
figcaption { color: var(--quiet); font-size: .75rem; line-height: 1.3; overflow-wrap: anywhere; }
.pair { display: flex; gap: .25rem; }
.pair img { min-width: 0; }
details ul { columns: 16rem; font-size: .8rem; margin: 0; padding: 0 1rem 1rem 2rem; overflow-wrap: anywhere; }
"""


def contact_page(clusters: Clusters, title: str) -> str:
    """Give the page.

    Of each group the pictures nearest to its centre are shown, the nearest first; the names of the others are there.

    Args:
        clusters: what is shown.
        title: what it is of, one line.
    """
    each = max(_FEWEST, _MOST // len(clusters.groups))
    body = [f"<h1>{escape(title)}</h1>", f"<p>{escape(summary(clusters))}</p>"]
    body += [f'<p class="quiet">{escape(note)}</p>' for note in notes(clusters)]
    shown = clusters.groups[: _MOST // _FEWEST]
    for number, group in enumerate(shown, start=1):
        body.extend(_group(clusters, number, group, each))
    if len(shown) < len(clusters.groups):
        body.append(f'<p class="quiet">and {len(clusters.groups) - len(shown):,} smaller groups</p>')
    body.extend(_outliers(clusters))
    body.extend(_near_identical(clusters))
    body.extend(_refused(clusters))
    return html_page(title, body, _STYLE)


def _group(clusters: Clusters, number: int, group: Group, each: int) -> Iterator[str]:
    yield f'<section><h2>{escape(heading(number, group))}</h2><p class="quiet">{escape(figures(group))}</p>'
    yield from _sheet(
        _figure(clusters, one.picture, f"silhouette {one.silhouette:.2f}") for one in group.members[:each]
    )
    rest = [clusters.path(one.picture) for one in group.members[each:]]
    if rest:
        yield f"<details><summary>and {len(rest):,} more</summary>{_list(rest)}</details>"
    yield "</section>"


def _outliers(clusters: Clusters) -> Iterator[str]:
    if clusters.outliers:
        yield '<h2>Like none of the others</h2><p class="quiet">Far from their group’s centre, or alone in it.</p>'
        shown = clusters.outliers[:_MOST_OF_ASIDE]
        yield from _sheet(_figure(clusters, one.picture, f"likeness {one.likeness:.2f}") for one in shown)


def _near_identical(clusters: Clusters) -> Iterator[str]:
    if not clusters.near_identical:
        return
    yield "<h2>Nearly the same</h2>"
    count = clusters.near_identical_count
    pairs = "One pair" if count == 1 else f"{count:,} pairs"
    yield f'<p class="quiet">{pairs} with a likeness of {clusters.likeness} or more.</p>'
    yield from _sheet(_pair(clusters, *pair) for pair in clusters.near_identical[:_MOST_OF_ASIDE])


def _refused(clusters: Clusters) -> Iterator[str]:
    refused = clusters.album.refused
    if refused:
        told = _list([f"{one.path}: {one.reason}" for one in refused])
        yield f"<h2>Refused</h2><details><summary>{len(refused):,} of the files</summary>{told}</details>"


def _sheet(figures_of_it: Iterable[str]) -> Iterator[str]:
    yield '<div class="sheet">'
    yield from figures_of_it
    yield "</div>"


def _figure(clusters: Clusters, picture: int, told: str) -> str:
    path = escape(clusters.path(picture))
    label = escape(f"{clusters.album.pictures[picture].label}; {told}")
    return f'<figure title="{label}">{_image(clusters, picture)}<figcaption>{path}</figcaption></figure>'


def _pair(clusters: Clusters, one: int, other: int, likeness: float) -> str:
    paths = escape(f"{clusters.path(one)} and {clusters.path(other)}: {likeness:.3f}")
    images = f'<div class="pair">{_image(clusters, one)}{_image(clusters, other)}</div>'
    return f"<figure>{images}<figcaption>{paths}</figcaption></figure>"


def _image(clusters: Clusters, picture: int) -> str:
    kept = clusters.album.pictures[picture]
    source = "data:image/jpeg;base64," + base64.b64encode(kept.thumbnail).decode()
    return f'<img src="{source}" alt="{escape(kept.path)}" loading="lazy">'


def _list(names: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(name)}</li>" for name in names) + "</ul>"
