"""Shows whether all is well, and what is not; it refreshes by itself."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from adapters.web import notices, session, trouble
from adapters.web.api import ApiError
from adapters.web.figures import ago, counted, duration, milliseconds, moment, number, size
from adapters.web.judging import CIRCUITS, troubles
from adapters.web.quiet import quiet
from adapters.web.rendering import plain
from adapters.web.tables import table
from adapters.web.tiles import tiles

_EVERY_SECONDS = 5

_HEARD = "status_heard"
"""Where the last status is kept: what was known last is worth more than nothing."""

_Document = Mapping[str, Any]


def show() -> None:
    """Show the page."""
    st.title("Now", anchor=False)
    notices.show()
    _refreshed()
    _undelivered()
    notices.open_to_all()


@st.fragment(run_every=_EVERY_SECONDS)
def _refreshed() -> None:
    is_heard = _ask()
    if _HEARD not in st.session_state:
        return
    status, heard = st.session_state[_HEARD]
    if is_heard:
        _verdict(status, heard)
        quiet(f"Heard at {heard:%H:%M:%S} UTC; asked anew every {_EVERY_SECONDS} seconds.")
    else:
        quiet(f"Heard last at {heard:%H:%M:%S} UTC; what follows was so then.")
    _figures(status)
    _front_doors(status["adapters"])
    left, right = st.columns((3, 2), gap="medium")
    with left:
        _generators(status["generators"])
    with right:
        _models(status["models"])
    _errors(status["errors"], heard)


def _ask() -> bool:
    """Ask for the status; say what is wrong where there is none."""
    try:
        st.session_state[_HEARD] = (session.api().get("/v1/status"), datetime.now(UTC))
    except ApiError as error:
        st.error(trouble.in_words(error), icon=":material/cloud_off:")
        if error.is_signed_out:
            trouble.sign_in()
        return False
    return True


def _verdict(status: _Document, heard: datetime) -> None:
    found = troubles(status, heard)
    if not found:
        st.success("All is well.", icon=":material/check_circle:")
    for one in found:
        if one.is_grave:
            st.error(plain(one.sentence), icon=":material/error:")
        else:
            st.warning(plain(one.sentence), icon=":material/warning:")


def _figures(status: _Document) -> None:
    queue = status["queue"]
    oldest = duration(queue["oldest_seconds"]) if queue["oldest_seconds"] else "–"
    told = {
        "Waiting": number(queue["waiting"]),
        "Being answered": number(queue["answering"]),
        "Not sent yet": number(queue["unsent"]),
        "Oldest waits for": oldest,
        "Event loop lags": milliseconds(status["loop_lag_ms"]),
        "Memory": size(status["memory"]["bytes"]),
        "Disk free": size(status["disk_free"]),
        "Running for": ago(status["running_since"], datetime.now(UTC)).removesuffix(" ago"),
    }
    st.html(tiles(told))


def _front_doors(adapters: Sequence[_Document]) -> None:
    st.header("Front doors", anchor=False)
    rows = [[one["name"], "up" if one["is_up"] else "DOWN", one["reason"], one["address"]] for one in adapters]
    st.html(table("Where people reach the bot", ("Name", "State", "What is known", "Address"), rows))


def _generators(generators: Sequence[_Document]) -> None:
    st.header("Generators", anchor=False)
    rows = [
        [one["name"], one["reason"] or CIRCUITS.get(one["state"], one["state"]), one["model"]] for one in generators
    ]
    st.html(table("In the order in which they are asked", ("Name", "State", "Model"), rows))


def _models(models: Sequence[_Document]) -> None:
    st.header("Models", anchor=False)
    if not models:
        quiet("Local models would be listed here. None is set: answers quote the knowledge base.")
        return
    rows = [[one["what"], one["name"] or "none chosen", one["state"]] for one in models]
    st.html(table("What this process computes with", ("For", "Name", "State"), rows))


def _errors(errors: Sequence[_Document], now: datetime) -> None:
    st.header("Last errors", anchor=False)
    if not errors:
        quiet("Errors and warnings since the start would be listed here. There are none.")
        return
    rows = [
        [one[name] for name in ("id", "level", "event")]
        + [number(one["times"]), ago(one["at"], now), one["kind"], one["where"], moment(one["at"])]
        for one in errors
    ]
    columns = ("Id", "Level", "What happened", "Times", "Last", "Error", "Where", "Time")
    st.html(table("By their id in the log", columns, rows))


def _undelivered() -> None:
    st.header("Replies that could not be delivered", anchor=False)
    found = session.api().get("/v1/undelivered")["undelivered"]
    if not found:
        quiet("Replies that a platform refused would be listed here. There are none.")
        return
    rows = [[one["key"], one["place"], moment(one["since"]), one["reason"]] for one in found]
    st.html(table(counted(len(found), "reply").replace("replys", "replies"), ("Key", "Place", "Since", "Why"), rows))
    if st.button("Try all of them again", icon=":material/refresh:"):
        retried = session.api().send("POST", "/v1/undelivered/retry")["retried"]
        notices.leave(f"{number(retried)} of them {'is' if retried == 1 else 'are'} tried again.")
        st.rerun()
