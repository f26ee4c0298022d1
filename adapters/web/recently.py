"""What a visitor's page got from the API a moment ago: a page runs anew at every click, and need not ask each time."""

import time
from collections.abc import Callable
from typing import Any

import streamlit as st

_KEY = "recently"

_SECONDS = 30.0


def got(name: str, ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - JSON
    """Give what was asked under a name in the last half minute, or ask.

    One thing is kept for each first word of a name (``questions unanswered c1``), so that a long visit stays small.
    """
    kept: dict[str, tuple[str, float, Any]] = st.session_state.setdefault(_KEY, {})
    kind = name.partition(" ")[0]
    known, at, document = kept.get(kind, ("", 0.0, None))
    if known != name or time.monotonic() - at > _SECONDS:
        document = ask()
        kept[kind] = (name, time.monotonic(), document)
    return document


def forget() -> None:
    """Forget all of it: something was changed."""
    st.session_state.pop(_KEY, None)
