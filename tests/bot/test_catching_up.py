"""Where is looked for what was missed, and from when on."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.adapter import Records, Visited
from bot.catching_up import Stretch, looked_through, stretches
from bot.messages import Place
from bot.settings.delivery import CatchUpSettings

SERVER = "81384788765712384"
CHANNEL, OTHER = Place("discord", SERVER, "381870553235193857"), Place("discord", SERVER, "381870553235193858")
NEW = Place("discord", SERVER, "381870553235193859")
THREAD = Place("discord", SERVER, CHANNEL.channel, "481870553235193857")


class _Visits(Records):
    """Records of these visits: place, hours since the first question, hours since the last."""

    def __init__(self, *visits: tuple[Place, float, float]) -> None:
        now = datetime.now(UTC)
        self._visits = [
            Visited(place, now - timedelta(hours=first), now - timedelta(hours=last)) for place, first, last in visits
        ]

        self._values: dict[str, str] = {}

    async def value(self, name: str) -> str:
        return self._values.get(name, "")

    async def keep_value(self, name: str, value: str) -> None:
        self._values[name] = value

    async def visited(self, since: datetime) -> Sequence[Visited]:
        return [visit for visit in self._visits if visit.last >= since]


async def _found(*visits: tuple[Place, float, float], **settings: Any) -> dict[Place, float]:
    """The places in order, and how many minutes back each is read."""
    found: list[Stretch] = await stretches("discord", _Visits(*visits), CatchUpSettings(**settings))
    return {one.place: (datetime.now(UTC) - one.since) / timedelta(minutes=1) for one in found}


async def test_where_something_was_asked_last_is_looked_through_first() -> None:
    found = await _found((CHANNEL, 100, 50), (OTHER, 100, 1))
    assert list(found) == [OTHER, CHANNEL]
    assert list(found.values()) == pytest.approx([60, 60], abs=0.5)


async def test_a_question_in_a_thread_speaks_for_its_channel_too() -> None:
    assert list(await _found((THREAD, 100, 1))) == [CHANNEL, THREAD]


async def test_nothing_is_read_from_before_the_first_question_of_a_thread() -> None:
    found = await _found((CHANNEL, 100, 1), (THREAD, 0.5, 0.25))
    assert found[THREAD] == pytest.approx(30, abs=0.5)
    assert found[CHANNEL] == pytest.approx(60, abs=0.5)


async def test_of_a_new_channel_little_more_is_read_than_what_follows_on_its_first_question() -> None:
    assert (await _found((CHANNEL, 0.5, 0.25)))[CHANNEL] == pytest.approx(31, abs=0.5)


async def test_where_nothing_was_asked_for_a_week_nothing_is_looked_for_save_where_it_is_set() -> None:
    long_ago = (CHANNEL, 400, 200)
    assert not await _found(long_ago)
    assert list(await _found(long_ago, channels=(CHANNEL.channel_id, "slack/T1/C1"))) == [CHANNEL]


async def test_what_is_set_comes_first_for_no_more_than_so_many_places_are_read() -> None:
    found = await _found((OTHER, 0.5, 0.25), (CHANNEL, 0.5, 0.1), channels=(NEW.channel_id, OTHER.channel_id))
    assert list(found) == [NEW, OTHER, CHANNEL]
    assert list(found.values()) == pytest.approx([60, 60, 31], abs=0.5)


async def test_no_minutes_are_no_places() -> None:
    assert not await _found((CHANNEL, 100, 1), minutes=0, channels=(OTHER.channel_id,))


async def _minutes_back(records: Records) -> dict[Place, float]:
    found = await stretches("discord", records, CatchUpSettings())
    return {one.place: round((datetime.now(UTC) - one.since) / timedelta(minutes=1)) for one in found}


async def test_what_was_looked_through_is_not_read_again_and_comes_last() -> None:
    records = _Visits((CHANNEL, 100, 1), (OTHER, 100, 2))
    await looked_through(records, CHANNEL, datetime.now(UTC) - timedelta(minutes=10))
    assert list((await _minutes_back(records)).items()) == [(OTHER, 60), (CHANNEL, 11)]
    await looked_through(records, OTHER, datetime.now(UTC) - timedelta(minutes=5))
    assert list((await _minutes_back(records)).items()) == [(CHANNEL, 11), (OTHER, 6)]


async def test_a_clock_that_was_ahead_hides_nothing() -> None:
    records = _Visits((CHANNEL, 100, 1))
    await looked_through(records, CHANNEL, datetime.now(UTC) + timedelta(hours=1))
    assert await _minutes_back(records) == {CHANNEL: 60}
