"""What the charts of the questions show: the API's figures by day, filled up and summed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

Row = Mapping[str, Any]
"""A row of the API's statistics, or of a chart."""

OUTCOMES = ("answered", "declined", "failed")

OTHERS = "others"
"""What places or generators beyond the largest are shown as."""

_SHOWN = 5


def last_days(number: int, today: date) -> list[str]:
    """Give the last days as ``2026-11-22``, today the last one."""
    return [(today - timedelta(days=back)).isoformat() for back in range(number - 1, -1, -1)]


def by_outcome(rows: Iterable[Row], days: Sequence[str]) -> list[dict[str, Any]]:
    """Count questions by day and how they ended: `day`, `kind`, `value`; every day is there, with zeros."""
    counts: defaultdict[tuple[str, str], float] = defaultdict(float)
    for row in rows:
        for outcome in OUTCOMES:
            counts[row["day"], outcome] += row[outcome]
    return _spread(counts, days, OUTCOMES)


def by_place(rows: Iterable[Row], days: Sequence[str], field: str = "questions") -> list[dict[str, Any]]:
    """Count questions by day and place, the busiest places first; what is beyond five of them is one."""
    return _largest(((row["day"], row["place"], row[field]) for row in rows), days)


def by_generator(rows: Iterable[Row], days: Sequence[str], field: str = "answers") -> list[dict[str, Any]]:
    """Sum a figure (`answers`, `cost`) by day and generator, as `by_place` does."""
    return _largest(((row["day"], row["generator"], row[field]) for row in rows), days)


def times(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Give p50 and p95 by day, in milliseconds, of the days that had answers."""
    return [
        {"day": row["day"], "kind": kind, "value": row[kind]}
        for row in rows
        if row["answers"]
        for kind in ("p50", "p95")
    ]


def totals(rows: Iterable[Row]) -> dict[str, int]:
    """Sum up the questions, how they ended, and what people thought of the answers."""
    names = ("questions", *OUTCOMES, "helpful", "not_helpful")
    listed = list(rows)
    return {name: sum(row[name] for row in listed) for name in names}


def kinds(rows: Iterable[Row]) -> list[str]:
    """Give the kinds in their order."""
    return list(dict.fromkeys(row["kind"] for row in rows))


def _largest(counted: Iterable[tuple[str, str, float]], days: Sequence[str]) -> list[dict[str, Any]]:
    listed = [(day, name, value) for day, name, value in counted if value]
    sums: defaultdict[str, float] = defaultdict(float)
    for _, name, value in listed:
        sums[name] += value
    ranked = sorted(sums, key=lambda name: (-sums[name], name))
    # One place alone is named, and not called "others".
    shown = ranked if len(ranked) == _SHOWN + 1 else ranked[:_SHOWN]
    counts: defaultdict[tuple[str, str], float] = defaultdict(float)
    for day, name, value in listed:
        counts[day, name if name in shown else OTHERS] += value
    return _spread(counts, days, [*shown, *([OTHERS] if len(ranked) > len(shown) else [])])


def _spread(counts: Mapping[tuple[str, str], float], days: Sequence[str], names: Sequence[str]) -> list[dict[str, Any]]:
    return [{"day": day, "kind": name, "value": counts[day, name]} for day in days for name in names]
