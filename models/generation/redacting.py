"""Whether what must not leave this machine is hidden in the question that is being answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_here: ContextVar[bool | None] = ContextVar("redacted_here", default=None)


@contextmanager
def redacting(wanted: bool | None) -> Iterator[None]:
    """Say whether what is asked of generators within the body is redacted, in this task and those it starts.

    Args:
        wanted: None leaves it to the setting of each generator.
    """
    token = _here.set(wanted)
    try:
        yield
    finally:
        _here.reset(token)


def is_redacted(by_default: bool) -> bool:
    """Say what holds here, for a generator with that setting of its own."""
    wanted = _here.get()
    return by_default if wanted is None else wanted
