"""Draws probabilities as bars that are read aloud as well: each with its name and its figure in words."""

from collections.abc import Iterable
from typing import NamedTuple

from adapters.web.rendering import escaped

_LEAST, _MOST = 0.01, 0.99


class Bar(NamedTuple):
    """A name, a share of 1, words that go before the figure, and words that go under the bar."""

    name: str
    share: float
    words: str = ""
    below: str = ""


def bars(entries: Iterable[Bar], title: str, surest: float = _MOST) -> str:
    """Give bars as HTML for `st.html`; the title is for those who listen."""
    drawn = "".join(_bar(entry, surest) for entry in entries)
    return f'<div class="bars" role="list" aria-label="{escaped(title)}">{drawn}</div>'


def percent(share: float, surest: float = _MOST) -> str:
    """Write a probability so that none is a certainty: beyond the surest it is told as "over"."""
    if share < _LEAST:
        return "under 1 %"
    figure = f"over {surest:.0%}" if share > surest else f"{share:.0%}"
    return figure.replace("%", " %")


def _bar(bar: Bar, surest: float) -> str:
    figure = " · ".join(part for part in (bar.words, percent(bar.share, surest)) if part)
    below = f'<div class="quiet">{escaped(bar.below)}</div>' if bar.below else ""
    width = min(100.0, max(0.5, 100 * bar.share))
    return (
        f'<div role="listitem"><div class="name"><span>{escaped(bar.name)}</span>'
        f'<span class="figure">{escaped(figure)}</span></div>'
        f'<div class="track" aria-hidden="true"><div class="value" style="width: {width:.1f}%"></div></div>'
        f"{below}</div>"
    )
