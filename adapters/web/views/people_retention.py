"""What is kept where, and for how long; sets it for a place, and deletes what is due."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from adapters.web import notices, session, trouble
from adapters.web.figures import ago, counted, moment
from adapters.web.quiet import quiet
from adapters.web.tables import table

_NAMES: Mapping[str, str] = {
    "keep": "Whether what is said is kept",
    "redact": "Whether what tells of people is taken out before a server gets it",
    "retention": "After how many days conversations are deleted",
}

_OF_DATABASE: Mapping[str, str] = {"keep": "keep", "redact": "redact", "retention_days": "retention"}

_LONGEST_DAYS = 36_500

_Document = Mapping[str, Any]


def show() -> None:
    """Show what holds, and change it."""
    st.header("What is kept, and how long", anchor=False)
    retention, places = session.api().get("/v1/retention"), session.api().get("/v1/places")["places"]
    due = counted(retention["due"], "conversation")
    st.write(f"Conversations are {_days(retention['default_days'])}, where nothing else is set. {due} can go now.")
    quiet(f"Last cleaning: {ago(retention['cleaned'], datetime.now(UTC))} ({moment(retention['cleaned'])}).")
    _table(retention["places"], places)
    _set()
    if st.button("Delete what is due now", icon=":material/cleaning_services:"):
        with trouble.told():
            done = session.api().send("POST", "/v1/retention/clean")
            notices.leave(f"{counted(done['conversations'], 'conversation')} deleted.")
            st.rerun()


def _table(retained: list[_Document], places: list[_Document]) -> None:
    rows = [[one["place"], "retention", _days(one["days"]), _by(one)] for one in retained]
    known = {(row[0], row[1]) for row in rows}
    for one in places:
        name = _OF_DATABASE.get(one["name"], one["name"])
        if (one["place"], name) not in known:
            value = _days(int(one["value"])) if name == "retention" else one["value"]
            rows.append([one["place"], name, value, _by(one)])
    if rows:
        st.html(table("Set for places", ("Place", "Setting", "What holds", "By"), rows))
    else:
        quiet("What is set for single places would be listed here. Nothing is.")


def _days(days: int) -> str:
    return f"deleted after {counted(days, 'day')}" if days else "kept until somebody deletes them"


def _by(one: _Document) -> str:
    return "an admin" if one["by_admin"] else "the settings"


def _set() -> None:
    with st.expander("Set it for a place", icon=":material/tune:"):
        place = (st.text_input("Place", placeholder="discord/SERVER/CHANNEL, slack/TEAM, http") or "").strip()
        name = st.selectbox("Setting", tuple(_NAMES), format_func=lambda one: _NAMES[one])
        if name == "retention":
            days = st.number_input("Days (0: never deleted)", 0, _LONGEST_DAYS, 30)
            value = str(days)
        else:
            value = st.selectbox("Value", ("on", "off"))
        with st.container(horizontal=True):
            is_set = st.button("Set it", disabled=not place)
            is_dropped = st.button("Back to what the settings say", disabled=not place)
    if is_set or is_dropped:
        with trouble.told():
            body = {"place": place, "name": name, "value": "default" if is_dropped else value}
            session.api().send("POST", "/v1/places", body)
            notices.leave(f"Set for {place}.")
            st.rerun()
