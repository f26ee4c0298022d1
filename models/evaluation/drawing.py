"""What the pictures of reports have in common: colours for light and dark pages, and an empty picture to draw in."""

import io
from dataclasses import dataclass, replace
from typing import Any

from models.errors import ModelExtraError


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of a picture; those side by side can be told apart by colour-blind readers (Okabe & Ito).

    Attributes:
        text: of words.
        lines: of axes and grids.
        series: of what is drawn, side by side.
        page: of what the picture lies on, which also words on a series' colour can be read in.
        opaque: whether the picture brings that colour with it, as one that may lie on any page.
    """

    text: str
    lines: str
    series: tuple[str, ...]
    page: str
    opaque: bool = False


LIGHT = Theme("#24292f", "#d0d7de", ("#0072b2", "#d55e00", "#009e73", "#9a5b84"), "#ffffff")
DARK = Theme("#e6edf3", "#3d444d", ("#56b4e9", "#e69f00", "#2bc59a", "#d99bc0"), "#0d1117")
ANYWHERE = replace(LIGHT, opaque=True)
"""For pictures that lie in a file of their own."""


def require_matplotlib() -> None:
    """Import what the pictures are drawn with.

    Raises:
        ModelExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib.backends.backend_agg
        import matplotlib.figure  # noqa: F401 - to see that it is there
    except ImportError as error:
        raise ModelExtraError(
            "The report's pictures need matplotlib, which is not installed.",
            "Add it with `make plots`, which installs the extra preceptor[plots].",
        ) from error


def empty_picture(theme: Theme, height: float, width: float = 7.4) -> tuple[Any, Any]:
    """Give an empty picture, by its size in inches, and its axes."""
    figure, (axes,) = empty_panels(theme, height, 1, width)
    return figure, axes


def empty_panels(theme: Theme, height: float, count: int, width: float = 7.4) -> tuple[Any, list[Any]]:
    """Give an empty picture, by its size in inches, and the axes of so many panels side by side."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=160, layout="constrained", facecolor=theme.page)
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(1, count, squeeze=False)[0])
    for axes in panels:
        _dress(axes, theme)
    return figure, panels


def _dress(axes: Any, theme: Theme) -> None:  # noqa: ANN401 - matplotlib's own
    axes.set_facecolor("none")
    axes.set_axisbelow(True)
    axes.tick_params(colors=theme.text, length=0, pad=6)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(theme.lines)
    axes.xaxis.label.set_color(theme.text)
    axes.yaxis.label.set_color(theme.text)
    axes.title.set_color(theme.text)


def png(figure: Any, axes: Any, theme: Theme) -> bytes:  # noqa: ANN401 - matplotlib's own
    """Give the finished picture, with a legend above it where several things are drawn."""
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > 1:
        figure.legend(handles, labels, loc="outside upper left", ncols=4, frameon=False, labelcolor=theme.text)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", transparent=not theme.opaque)
    return drawn.getvalue()
