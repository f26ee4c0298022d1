"""A generator that fails again and again is left alone, and tried again with one question."""

from models.generation.circuit_breaker import CircuitBreaker


class Clock:
    """A clock that is set by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> CircuitBreaker:
    breaker = CircuitBreaker(failures=2, pause=30.0, clock=clock)
    for _ in range(2):
        assert breaker.admit()
        breaker.failed()
    return breaker


def test_a_circuit_opens_after_failures_in_a_row_alone() -> None:
    breaker = CircuitBreaker(failures=2, pause=30.0, clock=Clock())
    for _ in range(5):
        breaker.failed()
        breaker.succeeded()
    assert breaker.state == "closed"
    breaker.failed()
    breaker.failed()
    assert breaker.state == "open"
    assert not breaker.admit()


def test_after_the_pause_a_single_attempt_is_let_through() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 29.9
    assert not breaker.admit()
    clock.now += 0.2
    assert breaker.state == "half-open"
    assert [breaker.admit() for _ in range(3)] == [True, False, False]


def test_a_probe_that_succeeds_closes_the_circuit() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 31
    breaker.admit()
    breaker.succeeded()
    assert breaker.state == "closed"
    assert breaker.admit()
    assert breaker.admit()


def test_a_probe_that_fails_opens_it_for_another_pause() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 31
    breaker.admit()
    breaker.failed()
    assert not breaker.admit()
    clock.now += 31
    assert breaker.admit()


def test_a_probe_that_nobody_waited_for_makes_room_for_the_next() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 31
    breaker.admit()
    breaker.let_go()
    assert breaker.state == "half-open"
    assert breaker.admit()
