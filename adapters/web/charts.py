"""The charts of the admin pages: legible in a screenshot, in light and dark, and by people who see colours differently.

The colours are of Okabe and Ito's and of Tol's palettes, darkened until each has a contrast of 3 : 1 or more against
both the light and the dark page. Lines differ by their dashes as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import altair as alt

from adapters.web.daily import kinds

OUTCOME_COLOURS = {"answered": "#0072B2", "declined": "#C17A00", "failed": "#BB4488"}

TIME_COLOURS = {"p50": "#0072B2", "p95": "#C17A00"}

PALETTE = ("#0072B2", "#C17A00", "#009E73", "#BB4488", "#7A6FD0", "#7F7F7F")

_HEIGHT = 320
"""Pixels."""

_LABELS = 8
"""Days that are named below a chart at the most."""


def columns(rows: Sequence[Mapping[str, Any]], title: str, unit: str, colours: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - Altair's own type is not exported
    """Stack figures by day.

    Args:
        rows: `day`, `kind` and `value` each; all days, in their order.
        title: what is counted; read aloud, and to be shown above the chart.
        unit: of the values.
        colours: for each kind; left out, in order of the palette.
    """
    order = kinds(rows)
    ranked = [{**_named(row), "rank": order.index(row["kind"])} for row in rows]
    return (
        _chart(ranked, title, unit)
        .mark_bar()
        .encode(
            x=_days(dict.fromkeys(row["day"] for row in rows)),
            y=alt.Y("value:Q", title=unit, stack="zero", axis=_axis(rows)),
            color=_colour(order, colours, "square"),
            order=alt.Order("rank:Q"),
            tooltip=_tooltip(unit),
        )
    )


def lines(
    rows: Sequence[Mapping[str, Any]],
    days: Sequence[str],
    title: str,
    unit: str,
    colours: Mapping[str, str] | None = None,
) -> Any:  # noqa: ANN401
    """Draw a line of figures by day for each kind; the arguments are those of `columns`, and all `days`."""
    order = kinds(rows)
    return (
        _chart([_named(row) for row in rows], title, unit)
        .mark_line(point={"size": 40, "filled": True}, strokeWidth=2)
        .encode(
            x=_days(days),
            y=alt.Y("value:Q", title=unit, axis=_axis(rows), scale=alt.Scale(zero=True)),
            color=_colour(order, colours, "stroke"),
            strokeDash=alt.StrokeDash("kind:N", scale=alt.Scale(domain=order, range=_dashes(order)), legend=None),
            tooltip=_tooltip(unit),
        )
    )


def _chart(values: list[dict[str, Any]], title: str, unit: str) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=values), height=_HEIGHT, description=f"{title}, in {unit} by day")


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "label": day_in_words(row["day"])}


def day_in_words(day: str) -> str:
    """Write ``2026-11-02`` as ``2 Nov``."""
    read = date.fromisoformat(day)
    return f"{read.day} {read:%b}"


def _days(days: Iterable[str]) -> alt.X:
    labels = [day_in_words(day) for day in days]
    step = max(-(-len(labels) // _LABELS), 1)
    # Counted from the last day, so that today is always named.
    named = labels[::-1][::step][::-1]
    axis = alt.Axis(values=named, labelAngle=0, labelOverlap=True, title=None, ticks=False)
    return alt.X("label:O", sort=labels, scale=alt.Scale(domain=labels), axis=axis)


def _axis(rows: Sequence[Mapping[str, Any]]) -> alt.Axis:
    # There is no half of a question.
    is_whole = all(float(row["value"]).is_integer() for row in rows)
    return alt.Axis(tickCount=5, format=",~r", tickMinStep=1 if is_whole else alt.Undefined)


def _colour(order: Sequence[str], colours: Mapping[str, str] | None, symbol: str) -> alt.Color:
    given = colours or dict(zip(order, PALETTE, strict=False))
    scale = alt.Scale(domain=list(order), range=[given[name] for name in order])
    return alt.Color(
        "kind:N",
        scale=scale,
        legend=alt.Legend(
            title=None, orient="bottom", columns=_legend_columns(order), labelLimit=150, offset=4, symbolType=symbol
        ),
    )


def _legend_columns(order: Sequence[str]) -> int:
    """Give how many names fit beside each other where a chart is half as wide as the page."""
    longest = max(map(len, order), default=0)
    return 4 if longest <= len("extractive") else 2


def _dashes(order: Sequence[str]) -> list[list[int]]:
    styles = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [10, 4], [1, 3]]
    return [styles[at % len(styles)] for at in range(len(order))]


def _tooltip(unit: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("day:N", title="Day"),
        alt.Tooltip("kind:N", title="Kind"),
        alt.Tooltip("value:Q", title=unit.capitalize(), format=",.4~r"),
    ]
