"""Waits for the API without holding up the page: while nothing comes, the visitor can still stop it."""

import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from adapters.web.api import Api, ApiError

Event = tuple[str, Any]

_POLL_SECONDS = 0.25


def events(api: Api, path: str, body: Mapping[str, object]) -> Iterator[Event | None]:
    """Yield the events of a streamed answer, and None a few times a second while there is none.

    Raises:
        ApiError: as `Api.events` does.
    """
    return _polled(lambda: api.events(path, body))


def document(call: Callable[[], Any]) -> Iterator[Event | None]:
    """Yield ``("done", document)`` when a call has come back, and None a few times a second until then.

    Raises:
        ApiError: the call did.
    """
    return _polled(lambda: iter([("done", call())]))


def _polled(source: Callable[[], Iterator[Event]]) -> Iterator[Event | None]:
    arriving: queue.SimpleQueue[Event | ApiError | None] = queue.SimpleQueue()
    is_left = threading.Event()

    def read() -> None:
        try:
            for event in source():
                arriving.put(event)
                if is_left.is_set():
                    return
            arriving.put(None)
        except ApiError as error:
            arriving.put(error)

    threading.Thread(target=read, name="answer", daemon=True).start()
    try:
        yield from _until_done(arriving)
    finally:
        is_left.set()


def _until_done(arriving: "queue.SimpleQueue[Event | ApiError | None]") -> Iterator[Event | None]:
    while True:
        try:
            event = arriving.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            yield None
            continue
        if event is None:
            return
        if isinstance(event, ApiError):
            raise event
        yield event
