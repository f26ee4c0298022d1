"""When an answer is streamed and when it is one document."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http.negotiation import wants_events


@pytest.mark.parametrize(
    "accept",
    [
        "text/event-stream",
        "Text/Event-Stream",
        "text/event-stream, */*;q=0.5",
        "text/event-stream;q=0.9, application/json;q=0.8",
        "text/event-stream, application/json",
        "application/json;q=0.1, text/event-stream;q=0.2",
        "text/html, text/event-stream;charset=utf-8",
    ],
)
def test_events_are_streamed_to_who_prefers_them(accept: str) -> None:
    assert wants_events(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "text/*",
        "application/json",
        "text/html",
        "application/json, text/event-stream",
        "application/json, text/event-stream;q=0.9",
        "text/event-stream;q=0",
        "text/event-stream;q=0, text/html",
        "text/event-stream;q=high",
        "text/event-stream;q=0.2, application/*;q=0.3",
        "text/event-streams",
    ],
)
def test_one_document_goes_to_everybody_else(accept: str) -> None:
    assert not wants_events(accept)


@given(st.text())
def test_no_header_is_too_odd(accept: str) -> None:
    assert wants_events(accept) in (True, False)
