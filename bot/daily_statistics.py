"""What was asked and answered on each day (UTC) in each workspace, and who wrote the answers at what cost."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select

from bot.tables import conversations, feedback, generation_usage, inbox, messages, places

MOST_DAYS = 366

_ENDED = ("answered", "declined", "failed")
_JUDGED = {1: "helpful", -1: "not_helpful"}

_Key = tuple[str, str]
"""A day, as 2026-03-14, and a workspace or generator."""

_Answers = tuple[str, str, str, list[float]]


def _workspace(place_id: ColumnElement[str]) -> ColumnElement[str]:
    """Give what a place's id begins with: ``platform/workspace``; the platform where there are no workspaces."""
    platform = func.instr(place_id, "/")
    workspace = func.instr(func.substr(place_id, platform + 1), "/")
    return func.rtrim(func.substr(place_id, 1, platform + workspace - 1), "/")


def days(connection: Connection, now: datetime, number: int) -> dict[str, Any]:
    """Give the figures of the last days, today's among them, oldest first; days on which nothing was are left out.

    Args:
        connection: the database.
        now: the moment at which the last day is not over.
        number: how many days, 1 to `MOST_DAYS`.

    Returns:
        ``days`` by day and place: questions and how they ended, verdicts by the day they were given on, times;
        ``latency`` the times by day, and ``total`` of all days; ``generators`` by day and who wrote: answers, times,
        tokens, cost. Times are in milliseconds.
    """
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - timedelta(days=min(max(number, 1), MOST_DAYS) - 1)
    answers = _answers(connection, since)
    of_days: dict[str, list[float]] = defaultdict(list)
    for day, _, _, elapsed in answers:
        of_days[day] += elapsed
    return {
        "days": _by_place(connection, since, answers),
        "latency": [{"day": day, **percentiles(times)} for day, times in sorted(of_days.items())],
        "total": percentiles([time for times in of_days.values() for time in times]),
        "generators": _by_generator(connection, since, answers),
    }


def _answers(connection: Connection, since: datetime) -> list[_Answers]:
    """Give the milliseconds of the answers by day, workspace and who wrote, which is empty where nobody had to."""
    kinds = (func.substr(messages.c.at, 1, 10), func.rtrim(places.c.workspace_id, "/"), messages.c.generator)
    # As one text each: to fetch a row for every answer would take longer than all the rest.
    written = select(*kinds, func.json_group_array(messages.c.elapsed_ms)).select_from(
        messages.join(conversations).join(places)
    )
    recent = written.where(
        messages.c.generator.is_not(None), messages.c.elapsed_ms.is_not(None), messages.c.at >= since
    ).group_by(*kinds)
    return [(*kind, json.loads(times)) for *kind, times in connection.execute(recent)]


def _by_place(connection: Connection, since: datetime, answers: Iterable[_Answers]) -> list[dict[str, Any]]:
    figures: dict[_Key, dict[str, int]] = defaultdict(
        lambda: dict.fromkeys(("questions", *_ENDED, *_JUDGED.values()), 0)
    )
    for day, place, outcome, count in connection.execute(_ended(since)):
        figures[day, place]["questions"] += count
        figures[day, place][outcome] += count
    for day, place, verdict, count in connection.execute(_judged(since)):
        figures[day, place][_JUDGED[verdict]] += count
    times: dict[_Key, list[float]] = defaultdict(list)
    for day, place, _, elapsed in answers:
        times[day, place] += elapsed
    return [
        {"day": day, "place": place, **figures[day, place], "latency_ms": percentiles(times.get((day, place), ()))}
        for day, place in sorted({*figures, *times})
    ]


def _ended(since: datetime) -> Any:  # noqa: ANN401 - SQLAlchemy's select has no better type
    # Places of which nothing is kept are not in the table; events of former versions know none.
    known = func.rtrim(places.c.workspace_id, "/")
    place = func.coalesce(known, case((inbox.c.place_id == "", inbox.c.platform), else_=_workspace(inbox.c.place_id)))
    day = func.substr(inbox.c.received_at, 1, 10)
    asked = select(day, place, inbox.c.outcome, func.count()).select_from(
        inbox.outerjoin(places, places.c.id == inbox.c.place_id)
    )
    return asked.where(inbox.c.received_at >= since, inbox.c.outcome.in_(_ENDED)).group_by(day, place, inbox.c.outcome)


def _judged(since: datetime) -> Any:  # noqa: ANN401 - as above
    day, place = func.substr(feedback.c.at, 1, 10), func.rtrim(places.c.workspace_id, "/")
    given = select(day, place, feedback.c.verdict, func.count()).select_from(
        feedback.join(messages).join(conversations).join(places)
    )
    return given.where(feedback.c.at >= since).group_by(day, place, feedback.c.verdict)


def _by_generator(connection: Connection, since: datetime, answers: Iterable[_Answers]) -> list[dict[str, Any]]:
    """Give who wrote, by the name that answers are kept under; what answers took is counted by the same."""
    times: dict[_Key, list[float]] = defaultdict(list)
    for day, _, generator, elapsed in answers:
        if generator:
            times[day, generator] += elapsed
    usage = generation_usage.c
    sums = [func.sum(column) for column in (usage.input_tokens, usage.output_tokens, usage.cost)]
    used = select(usage.day, usage.model, *sums).where(usage.day >= f"{since:%Y-%m-%d}")
    took = {(row[0], row[1]): row[2:] for row in connection.execute(used.group_by(usage.day, usage.model))}
    return [
        {
            "day": day,
            "generator": generator,
            **percentiles(times.get((day, generator), ())),
            **_taken(*took.get((day, generator), (0, 0, 0.0))),
        }
        for day, generator in sorted({*times, *took})
    ]


def _taken(read: int, written: int, cost: float) -> dict[str, float]:
    return {"input_tokens": read, "output_tokens": written, "cost": round(cost, 6)}


def percentiles(times: Sequence[float]) -> dict[str, float]:
    """Give the 50th and the 95th percentile (nearest rank), in the times' unit, and of how many; 0 of none."""
    ranked = sorted(times) or [0.0]
    ranks = {f"p{percent}": round(ranked[ceil(percent / 100 * len(ranked)) - 1], 1) for percent in (50, 95)}
    return {**ranks, "answers": len(times)}
