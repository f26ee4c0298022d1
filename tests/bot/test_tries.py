"""How often somebody may try a key."""

from bot.tries import Tries


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_so_many_may_come_at_once_and_then_one_every_so_often() -> None:
    clock = Clock()
    tries = Tries(5, clock)
    assert [tries.take("a") for _ in range(6)] == [0, 0, 0, 0, 0, 12]
    clock.now += 11.5
    assert tries.take("a") == 1
    clock.now += 0.5
    assert [tries.take("a"), tries.take("a")] == [0, 12]
    clock.now += 60
    assert [tries.take("a") for _ in range(6)] == [0, 0, 0, 0, 0, 12]


def test_every_address_has_its_own() -> None:
    tries = Tries(1, Clock())
    assert [tries.take("a"), tries.take("a"), tries.take("b")] == [0, 60, 0]


def test_a_good_try_does_not_count() -> None:
    tries = Tries(1, Clock())
    for _ in range(5):
        assert tries.take("a") == 0
        tries.give_back("a")
    tries.give_back("never seen")
    assert tries.take("a") == 0
    assert tries.take("a") == 60


def test_a_flood_of_addresses_takes_no_more_room_than_there_is_and_the_latest_are_kept() -> None:
    tries = Tries(1, Clock())
    for number in range(25_000):
        tries.note(str(number))
    assert len(tries._full_again) <= 10_000
    assert tries.wait("24999") == 60
