"""Writes a growing answer as server-sent events: its text piece by piece, its citations, the whole."""

import asyncio
from collections.abc import AsyncIterator, Callable

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from adapters.http.problems import Problem, of_reply, to_json
from bot.adapter import Exchange
from bot.messages import Reply, answer_document

_QUIET_SECONDS = 15.0
"""After this long without an event a comment is sent: proxies close connections on which nothing happens."""


async def events(
    exchange: Exchange, patience: float, leave: Callable[[], None], quiet: float = _QUIET_SECONDS
) -> AsyncIterator[bytes]:
    """Yield the events of one answer: ``token`` or ``replace``, then ``citations`` and ``done``, or else ``error``.

    While nobody has written anything yet, ``status`` says what is waited for.

    Args:
        exchange: where the replies arrive.
        patience: seconds to wait for the complete reply.
        leave: called in the end, also when the client went away before.
        quiet: seconds of silence after which a comment is sent.
    """
    shown = ""
    try:
        async for reply in _states(exchange, patience, quiet):
            if reply is None:
                yield KEEPALIVE_COMMENT
            elif reply.error:
                yield _error(of_reply(reply))
            else:
                if reply.is_placeholder:
                    yield _event("status", {"text": reply.text})
                    continue
                if reply.text != shown:
                    yield _growth(shown, reply.text)
                shown = reply.text
                if reply.complete:
                    document = whole_document(reply)
                    yield _event("citations", document["citations"])
                    yield _event("done", document)
    except TimeoutError:
        yield _error(too_late(patience))
    finally:
        leave()


def whole_document(reply: Reply) -> dict[str, object]:
    """Give an answer's document with what the asker may have meant instead."""
    suggestions = [button.text for button in reply.buttons if button.command == "ask"]
    return answer_document(reply) | {"suggestions": suggestions}


def too_late(patience: float) -> Problem:
    """Give the problem of an answer that did not come."""
    return Problem("timed_out", f"No answer came within {patience:g} seconds.", "Try again in a minute.")


async def _states(exchange: Exchange, patience: float, quiet: float) -> AsyncIterator[Reply | None]:
    """Yield every state of the reply, the complete one last; None whenever it was quiet for long."""
    clock = asyncio.get_running_loop().time
    end = clock() + patience
    while True:
        try:
            async with asyncio.timeout_at(min(clock() + quiet, end)):
                reply = await exchange.next()
        except TimeoutError:
            if clock() >= end:
                raise
            yield None
            continue
        yield reply
        if reply.complete:
            return


def _growth(shown: str, text: str) -> bytes:
    if text.startswith(shown):
        return _event("token", {"text": text[len(shown) :]})
    return _event("replace", {"text": text})


def _error(problem: Problem) -> bytes:
    problem.note()
    return _event("error", problem.document())


def _event(name: str, document: object) -> bytes:
    return format_sse_event(event=name, data_str=to_json(document))
