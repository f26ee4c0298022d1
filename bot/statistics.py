"""How the bot does: what was asked and how it ended, how fast, what people thought of it, and what is still open."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select

from bot.daily_statistics import MOST_DAYS, days, percentiles
from bot.database import Database
from bot.delivery import inbox_key
from bot.delivery_statements import IS_OPEN
from bot.errors import QuestionError
from bot.knowledge_desk import counted
from bot.loaded_models import CIRCUITS
from bot.messages import IncomingMessage, Place, Reply
from bot.question_text import plain
from bot.tables import escalations, feedback, generation_usage, inbox, messages, outbox, pruned_events

_WINDOWS = ("day", "week", "all")
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)

_QUESTIONS = ("answered", "declined", "failed")
"""Outcomes that count as questions; a command that failed is among them."""

_TIMED = 10_000
"""The newest answers that the times are taken of: enough for a percentile, quick to read."""

_ROWS: Mapping[str, str] = {
    "questions": "Questions",
    "answered": "– answered",
    "declined": "– declined",
    "failed": "– failed",
    "undelivered": "Undelivered replies",
    "helpful": "Found helpful",
    "not_helpful": "Found not helpful",
    "people_asked": "People asked for",
    "people_asked_solved": "– solved",
}
"""The rows of the table: a figure's key in the document, and the words for it."""

_state = case((escalations.c.solved_at.is_(None), "open"), else_="solved")

_Tally = Mapping[tuple[Any, ...], Sequence[int]]
"""How many there were of each kind, for each of `_WINDOWS`."""


class Statistics:
    """The figures for admins.

    Args:
        database: where what was asked and answered is kept.
        running_since: when the process started (UTC).
        now: tells what holds now, for a place: the event loop's lag, and the state of each generator.
    """

    def __init__(
        self,
        database: Database,
        running_since: datetime,
        now: Callable[[Place], Awaitable[Mapping[str, Any]]] | None = None,
    ) -> None:
        self._database = database
        self._running_since = running_since
        self._now = now

    async def tell(self, message: IncomingMessage) -> Reply:
        """Give the figures of the last day, of the last week and in all: as a table, and for machines.

        Where questions came from and how they ended is counted by the events in the inbox, which stay (without their
        texts) when people have theirs forgotten; who wrote the answers, and how fast, by the answers that are kept.
        """
        document = await self._database.read(lambda connection: self._document(connection, message))
        if self._now:
            document |= await self._now(message.place)
        return Reply(_in_words(document, message.received_at), ephemeral=True, data=document)

    async def tell_days(self, message: IncomingMessage) -> Reply:
        """Give the same, and for machines the figures of each of the last days, of all places; the text says how many.

        Raises:
            QuestionError: it is no number of days.
        """
        text = message.text.strip()
        number = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_DAYS)) else 0
        if not 1 <= number <= MOST_DAYS:
            raise QuestionError("That is no number of days.", f"Write one up to {MOST_DAYS}.")
        told = await self.tell(message)
        daily = await self._database.read(lambda connection: days(connection, message.received_at, number))
        return replace(told, data={**told.data, "daily": daily})

    def _document(self, connection: Connection, message: IncomingMessage) -> dict[str, Any]:
        now = message.received_at
        outcomes = _tally(connection, now, inbox.c.received_at, inbox.c.platform, inbox.c.outcome)
        _add_pruned(connection, outcomes)
        generators = _tally(connection, now, messages.c.at, messages.c.generator)
        verdicts = _tally(connection, now, feedback.c.at, feedback.c.verdict)
        calls = _tally(connection, now, escalations.c.asked_at, _state)
        times = _times(connection, now)
        used = _used(connection, now)
        windows = {
            name: {
                **_questions(outcomes, at),
                "by_generator": {generator: counts[at] for (generator,), counts in generators.items() if generator},
                "helpful": _count(verdicts, at, 1),
                "not_helpful": _count(verdicts, at, -1),
                "people_asked": sum(counts[at] for counts in calls.values()),
                "people_asked_solved": _count(calls, at, "solved"),
                "latency_ms": times[at],
                "usage": used[at],
            }
            for at, name in enumerate(_WINDOWS)
        }
        since = {"running_since": self._running_since.isoformat()}
        return since | _still_open(connection, message) | {"windows": windows}


def _tally(
    connection: Connection, now: datetime, moment: ColumnElement[datetime], *kinds: ColumnElement[Any]
) -> dict[tuple[Any, ...], list[int]]:
    """Count by kind. Once the kinds are known, an index over them and the moment leads right to the last week."""
    number = func.count()
    every = select(*kinds, number).where(*(kind.is_not(None) for kind in kinds)).group_by(*kinds)
    tally = {tuple(row[:-1]): [0, 0, int(row[-1])] for row in connection.execute(every)}
    known = [kind.in_({key[at] for key in tally}) for at, kind in enumerate(kinds)]
    recent = select(*kinds, number.filter(moment >= now - _DAY), number).where(*known, moment >= now - _WEEK)
    for row in connection.execute(recent.group_by(*kinds)):
        if (key := tuple(row[:-2])) in tally:
            tally[key][:2] = row[-2:]
    return tally


def _add_pruned(connection: Connection, outcomes: dict[tuple[Any, ...], list[int]]) -> None:
    """Add the events that are not in the inbox any more, all of them from before the last week."""
    for row in connection.execute(select(pruned_events)):
        outcomes.setdefault((row.platform, row.outcome), [0, 0, 0])[2] += row.number


def _count(tally: _Tally, at: int, kind: object) -> int:
    return tally[(kind,)][at] if (kind,) in tally else 0


def _questions(outcomes: _Tally, at: int) -> dict[str, Any]:
    ended = dict.fromkeys((*_QUESTIONS, "undelivered"), 0)
    platforms: dict[str, int] = {}
    for (platform, outcome), counts in outcomes.items():
        if outcome in ended:
            ended[outcome] += counts[at]
        if outcome in _QUESTIONS:
            platforms[platform] = platforms.get(platform, 0) + counts[at]
    return {"questions": sum(platforms.values()), **ended, "by_platform": platforms}


def _still_open(connection: Connection, message: IncomingMessage) -> dict[str, int]:
    # The request for these figures is open itself.
    received = select(func.count()).where(IS_OPEN, inbox.c.key != inbox_key(message))
    parts = select(func.count()).select_from(outbox.join(inbox)).where(outbox.c.is_sent.is_(False), IS_OPEN)
    return {"open_messages": connection.scalar(received) or 0, "unsent_parts": connection.scalar(parts) or 0}


def _times(connection: Connection, now: datetime) -> list[dict[str, float]]:
    """Give the times of the newest answers, for each of `_WINDOWS`, from acceptance to the complete reply."""
    newest = select(messages.c.at, messages.c.elapsed_ms).where(messages.c.elapsed_ms.is_not(None))
    rows = connection.execute(newest.order_by(messages.c.id.desc()).limit(_TIMED)).all()
    return [
        percentiles([row.elapsed_ms for row in rows if longest is None or row.at >= now - longest])
        for longest in (_DAY, _WEEK, None)
    ]


def _used(connection: Connection, now: datetime) -> list[dict[str, dict[str, float]]]:
    """Give the tokens and the cost of each model, for each of `_WINDOWS`."""
    usage = generation_usage.c
    sums = [func.sum(column).label(column.name) for column in (usage.input_tokens, usage.output_tokens, usage.cost)]
    return [
        {
            row.model: {
                "input_tokens": row.input_tokens,
                "output_tokens": row.output_tokens,
                "cost": round(row.cost, 6),
            }
            for row in connection.execute(
                select(usage.model, *sums).where(usage.day >= _day(now, longest)).group_by(usage.model)
            )
        }
        for longest in (_DAY, _WEEK, None)
    ]


def _day(now: datetime, longest: timedelta | None) -> str:
    """Give the first day (UTC) of a window; usage is counted by days."""
    return f"{now - longest + _DAY:%Y-%m-%d}" if longest else ""


def _in_words(document: Mapping[str, Any], now: datetime) -> str:
    windows = [document["windows"][name] for name in _WINDOWS]
    rows = [(words, [f"{window[key]:,}" for window in windows]) for key, words in _ROWS.items()]
    for key, words in (("by_platform", "Questions on"), ("by_generator", "Answers by")):
        rows += [
            (f"{words} {plain(name)}", [f"{w[key][name]:,}" for w in windows]) for name in sorted(windows[-1][key])
        ]
    for model in sorted(windows[-1]["usage"]):
        rows += _usage_rows(plain(model), [window["usage"].get(model, {}) for window in windows])
    for key, words in (("p50", "Half of the answers within"), ("p95", "95 % of the answers within")):
        rows.append((words, [_milliseconds(window["latency_ms"], key) for window in windows]))
    lines = [f"| {words} | {' | '.join(figures)} |" for words, figures in rows]
    table = "\n".join(["| | 24 hours | 7 days | In all |", "| :-- | --: | --: | --: |", *lines])
    since = datetime.fromisoformat(document["running_since"])
    timed = windows[-1]["latency_ms"]["answers"] == _TIMED
    return (
        f"{table}\n\n{f'The times are those of the newest {_TIMED:,} answers. ' if timed else ''}"
        f"Open now: {_open_now(document)}. {_process(document)}"
        f"Running since {since:%Y-%m-%d %H:%M} UTC ({_duration(now - since)})."
    )


def _usage_rows(model: str, used: Sequence[Mapping[str, float]]) -> list[tuple[str, list[str]]]:
    """Give a model's tokens and, where it has a price, its cost."""
    tokens = [f"{one.get('input_tokens', 0):,} + {one.get('output_tokens', 0):,}" for one in used]
    rows = [(f"Tokens of {model}, read + written", tokens)]
    if used[-1]["cost"]:
        rows.append((f"Cost of {model}", [f"{one.get('cost', 0.0):,.4f}" for one in used]))
    return rows


def _milliseconds(latency: Mapping[str, float], key: str) -> str:
    return f"{latency[key]:,.0f} ms" if latency["answers"] else "–"


def _open_now(document: Mapping[str, Any]) -> str:
    waiting = document["windows"]["all"]
    return (
        f"{document['open_messages']:,} to answer, {document['unsent_parts']:,} to send,"
        f" {waiting['people_asked'] - waiting['people_asked_solved']:,} waiting for a person"
    )


def _process(document: Mapping[str, Any]) -> str:
    said = ""
    if "loop_lag_ms" in document:
        said += f"The event loop is at most {document['loop_lag_ms']['p99']:.0f} ms late, 99 times of 100. "
    for name, state in document.get("generators", {}).items():
        said += f"{name}: {CIRCUITS[state]}. "
    return said + _cleaned(document.get("cleaned"))


def _cleaned(document: Mapping[str, Any] | None) -> str:
    """Tell of the last time that what is kept no longer was deleted."""
    if document is None:
        return ""
    at, number = datetime.fromisoformat(document["at"]), document["deleted"].get("conversations", 0)
    failed = f"; not {', '.join(document['failed'])}" if document["failed"] else ""
    return f"Last cleaned {at:%Y-%m-%d %H:%M} UTC: {counted(number, 'old conversation')} deleted{failed}. "


def _duration(time: timedelta) -> str:
    """Give a time in days, hours and minutes."""
    minutes = max(int(time.total_seconds()) // 60, 0)
    days, hours = minutes // 1440, minutes // 60 % 24
    parts = ((days, "d"), (hours, "h"), (minutes % 60, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "less than a minute"
