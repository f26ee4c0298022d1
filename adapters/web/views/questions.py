"""Shows what was asked and how it was answered: figures, charts, and what was not answered well."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from adapters.web import charts, daily, notices, recently, session
from adapters.web.figures import milliseconds, money, number, place, share
from adapters.web.quiet import quiet
from adapters.web.tables import table
from adapters.web.tiles import tiles
from adapters.web.views import questions_asked

_DAYS = (7, 30, 90)

_Document = Mapping[str, Any]


def show() -> None:
    """Show the page."""
    st.title("Questions", anchor=False)
    notices.show()
    notices.open_to_all()
    days = st.segmented_control(
        "Time", _DAYS, default=30, format_func=lambda days: f"{days} days", required=True, key="questions_days"
    )
    statistics = recently.got(f"statistics {days}", lambda: session.api().get("/v1/statistics", days=days))
    _figures(statistics)
    _charts(statistics, daily.last_days(days, datetime.now(UTC).date()))
    questions_asked.show()


def _figures(statistics: _Document) -> None:
    sums = daily.totals(statistics["days"])
    rated = sums["helpful"] + sums["not_helpful"]
    told = {
        "Questions": number(sums["questions"]),
        "Answered": share(sums["answered"], sums["questions"]),
        "Declined": share(sums["declined"], sums["questions"]),
        "Failed": share(sums["failed"], sums["questions"]),
        f"Helpful, of {number(rated)} rated": share(sums["helpful"], rated),
        "95 % within": _time(statistics["total"], "p95"),
        "Cost": money(sum(row["cost"] for row in statistics["generators"])),
    }
    st.html(tiles(told))


def _charts(statistics: _Document, days: list[str]) -> None:
    st.header("Day by day (UTC)", anchor=False)
    rows, generators = statistics["days"], statistics["generators"]
    if not any(row["questions"] for row in rows):
        st.info("Charts of the questions by day, place and generator will be here. Nothing was asked in these days.")
        return
    left, right = st.columns(2, gap="medium")
    with left:
        _columns("How questions ended", "questions", daily.by_outcome(rows, days), charts.OUTCOME_COLOURS)
        _times(daily.times(statistics["latency"]), days)
    with right:
        named = [{**row, "place": place(row["place"])} for row in rows]
        _columns("Where they were asked", "questions", daily.by_place(named, days))
        _columns("Who wrote the answers", "answers", daily.by_generator(generators, days))
    if any(row["cost"] for row in generators):
        _columns("What models cost", "in the prices’ currency", daily.by_generator(generators, days, "cost"))
    with st.expander("The same as tables"):
        _tables(statistics)


def _columns(title: str, unit: str, rows: list[dict[str, Any]], colours: Mapping[str, str] | None = None) -> None:
    st.subheader(title, anchor=False)
    if rows:
        st.altair_chart(charts.columns(rows, title, unit, colours))
    else:
        quiet("This will be here once answers are kept.")


def _times(rows: list[dict[str, Any]], days: list[str]) -> None:
    title = "How long answers took"
    st.subheader(title, anchor=False, help="Half of a day’s answers took no longer than p50, and 95 of 100 than p95.")
    if rows:
        st.altair_chart(charts.lines(rows, days, title, "milliseconds", charts.TIME_COLOURS))
    else:
        quiet("This will be here once answers are kept.")


def _time(times: _Document, name: str) -> str:
    return milliseconds(times[name] if times["answers"] else None)


def _tables(statistics: _Document) -> None:
    columns = ("Day", "Place", "Questions", "Answered", "Declined", "Failed", "Helpful", "Not helpful", "p50", "p95")
    rows = [
        [
            row["day"],
            row["place"],
            *(number(row[name]) for name in ("questions", *daily.OUTCOMES, "helpful", "not_helpful")),
            *(_time(row["latency_ms"], name) for name in ("p50", "p95")),
        ]
        for row in reversed(statistics["days"])
    ]
    st.html(table("By day and place", columns, rows, columns[2:]))
    by = ("Day", "Generator", "Answers", "p50", "p95", "Tokens read", "Tokens written", "Cost")
    rows = [
        [
            row["day"],
            row["generator"],
            number(row["answers"]),
            *(_time(row, name) for name in ("p50", "p95")),
            *(number(row[name]) for name in ("input_tokens", "output_tokens")),
            money(row["cost"]),
        ]
        for row in reversed(statistics["generators"])
    ]
    st.html(table("By day and generator", by, rows, by[2:]))
