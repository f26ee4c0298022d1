"""How much may be asked: token buckets of people, channels and workspaces, kept in the database.

A bucket is kept as the generic cell rate algorithm keeps it (ITU-T I.371, annex A, "virtual scheduling"), in one
number: when it is full again. With n questions a minute each one moves that moment by 60/n seconds, from now at the
least, and may pass while it is no more than 60 seconds away; so n may come at once, and then one every 60/n seconds.
As the number tells what share of the bucket is used, it stays right where n differs from place to place, or is changed.
"""

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from sqlalchemy import Connection, delete, or_

from bot.access import ADMIN
from bot.messages import IncomingMessage
from bot.prepared import driver
from bot.settings.limits import LimitSettings
from bot.tables import rate_limits

_SPAN = 60.0
"""Seconds in which an empty bucket is full again; and those in which a refusal is said once, in one channel to one."""

_ROUNDING = 1e-3
"""Seconds: what sums of 60/n are off by, with Unix seconds in a float, is less."""

_STEP = 1.0
"""Seconds by which a clock that is kept right may be set back at once."""

_LONGEST_KEPT = 7_200.0
"""Seconds; `bot.access` keeps there for an hour whom it told that something is not theirs to do."""

_BUCKETS = 3

_SECONDS_OF_AN_ANSWER = 5.0
"""What is advised to whoever has as many questions open as may be; nobody knows how long their answers take."""

_QUESTIONS = frozenset({"", "ask", "describe", "diagnose", "diagnose_that"})
"""The commands that put a question (`bot.asking.ASKED`). What people do with their own data, or with an answer that
they have, must not depend on how much they asked."""

_ALWAYS_ANSWERED = frozenset({"console", "http"})
"""Platforms on which somebody waits for the answer to every message."""

_SENTENCES = {
    "person": "That was quick: I take {} of each.",
    "channel": "Much is asked in this channel: I take {} in it.",
    "workspace": "Much is asked here: I take {} in all channels together.",
}

_OPEN = "open"

# Run for each question that comes in, in the writer's thread: made by SQLAlchemy anew they would take twice as long.
_READ = (
    "SELECT name, full_again_at FROM rate_limits WHERE name IN (?, ?, ?)"
    " UNION ALL SELECT 'open', count(*) FROM inbox WHERE is_open AND person_id = ? AND key <> ?"
)
_READ_ONE = "SELECT full_again_at FROM rate_limits WHERE name = ?"
_WRITE = (
    "INSERT INTO rate_limits (name, full_again_at) VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET full_again_at = excluded.full_again_at"
)


def asker(person_id: str) -> str:
    """Name the bucket of a person: by a digest, so that it need not go, and be full, when they are forgotten."""
    return f"person/{hashlib.sha256(person_id.encode()).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class TooMany:
    """A question that is one too many.

    Attributes:
        sentence: what is wrong; `fix`: what to do, with the wait in words.
        seconds: the wait.
        is_told: whether it is said; False where it was said not long ago and nothing waits for an answer.
    """

    sentence: str
    fix: str
    seconds: float
    is_told: bool = True


@dataclass(frozen=True, slots=True)
class _Bucket:
    """A bucket that a question takes from: of what, its name in the table, and how many a minute."""

    of: str
    name: str
    per_minute: int


class Limits:
    """The limits, as the settings have them.

    Args:
        settings: how many questions may be asked.
        is_free: whether the author of a message is not limited at all.
        clock: the time in Unix seconds; the machine's own, as buckets outlive processes and restarts.
    """

    def __init__(
        self,
        settings: LimitSettings,
        is_free: Callable[[IncomingMessage], bool] = lambda message: ADMIN in message.author.roles,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._is_free = is_free
        self._clock = clock

    def take(self, connection: Connection, message: IncomingMessage) -> TooMany | None:
        """Count a question that is being accepted; None where it may pass.

        Called in the transaction that writes the question into the inbox, which is not committed yet. A question that
        is one too many for one bucket takes from none.
        """
        if message.command not in _QUESTIONS or self._is_free(message):
            return None
        now, buckets, at_once = self._clock(), self._buckets(message), self._at_once(message)
        if not buckets and not at_once:
            return None
        names = [bucket.name for bucket in buckets] + [None] * (_BUCKETS - len(buckets))
        own_key = f"{message.place.platform}/{message.key}"
        found = driver(connection).execute(_READ, (*names, message.person_id, own_key)).fetchall()
        kept = {str(name): float(number) for name, number in found}
        until = [_taken(kept.get(bucket.name, 0.0), bucket, now) for bucket in buckets]
        refusal = _too_many_open(int(kept[_OPEN]), at_once) or _too_soon(buckets, until, now)
        if refusal is None:
            rows = [(bucket.name, moment) for bucket, moment in zip(buckets, until, strict=True)]
            _write(connection, rows)
            return None
        return replace(refusal, is_told=self._is_told(connection, message, now))

    def prune(self, connection: Connection) -> int:
        """Delete the buckets that are full, and those that a clock which ran ahead has left; give how many they were.

        It may run at any time, and in several processes: a bucket that is not there is full.
        """
        now, full_again_at = self._clock(), rate_limits.c.full_again_at
        return connection.execute(
            delete(rate_limits).where(or_(full_again_at <= now, full_again_at > now + _LONGEST_KEPT))
        ).rowcount

    def _buckets(self, message: IncomingMessage) -> list[_Bucket]:
        place, names = message.place, message.place.names
        buckets = [_Bucket("person", asker(message.person_id), self._number("person_per_minute", names))]
        if place.channel:
            buckets.append(
                _Bucket("channel", f"channel/{place.channel_id}", self._number("channel_per_minute", names[1:]))
            )
        if place.workspace:
            buckets.append(
                _Bucket("workspace", f"workspace/{place.workspace_id}", self._number("workspace_per_minute", names[2:]))
            )
        return [bucket for bucket in buckets if bucket.per_minute]

    def _at_once(self, message: IncomingMessage) -> int:
        # An edited question takes the place of its first form.
        return 0 if message.revises else self._number("person_at_once", message.place.names)

    def _number(self, name: str, places: Sequence[str]) -> int:
        """Give the number that holds in the narrowest of these places."""
        if self._settings.places:
            for place in places:
                found = getattr(self._settings.places.get(place), name, None)
                if found is not None:
                    return int(found)
        return int(getattr(self._settings, name))

    def _is_told(self, connection: Connection, message: IncomingMessage, now: float) -> bool:
        """Say whether the refusal is said, and note that it was: a flood of refusals is a flood, too."""
        if message.command or message.private or message.place.platform in _ALWAYS_ANSWERED:
            return True
        name = f"told/{message.person_id}/too many/{message.place.channel_id}"
        until = connection.exec_driver_sql(_READ_ONE, (name,)).scalar() or 0.0
        if now < until <= now + _SPAN + _STEP:
            return False
        _write(connection, [(name, now + _SPAN)])
        return True


def _write(connection: Connection, rows: list[tuple[str, float]]) -> None:
    if rows:
        driver(connection).executemany(_WRITE, rows)


def _taken(full_again_at: float, bucket: _Bucket, now: float) -> float:
    """Give when a bucket is full again after one more question."""
    # What is further away is from before the clock was set back, and tells nothing.
    known = full_again_at if full_again_at <= now + _SPAN + _STEP else now
    return max(now, known) + _SPAN / bucket.per_minute


def _too_soon(buckets: Sequence[_Bucket], until: Sequence[float], now: float) -> TooMany | None:
    """Refuse a question for the bucket that has to be waited for longest."""
    moment, bucket = max(zip(until, buckets, strict=True), key=itemgetter(0), default=(now, None))
    if bucket is None or moment - now - _SPAN <= _ROUNDING:
        return None
    seconds = math.ceil(moment - now - _SPAN)
    sentence = _SENTENCES[bucket.of].format(_questions(bucket.per_minute))
    return TooMany(sentence, f"Ask again in {seconds} second{'s' * (seconds > 1)}.", seconds)


def _too_many_open(others: int, at_once: int) -> TooMany | None:
    if not at_once or others < at_once:
        return None
    open_ones = f"your last {others} questions" if others > 1 else "your last question"
    return TooMany(f"I am still at {open_ones}.", "Ask again when I have answered.", _SECONDS_OF_AN_ANSWER)


def _questions(per_minute: int) -> str:
    return f"{per_minute:,} question{'s' * (per_minute > 1)} a minute"
