"""The side of the chat page: earlier conversations to turn to and to search, what to answer from, who is signed in."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from adapters.web import session, trouble
from adapters.web.rendering import escaped, plain
from adapters.web.views.chat_turns import Talk, open_conversation

_PAGE = 20
_LABEL_LENGTH = 60
_ANYTHING = ""


def show(about: Mapping[str, Any], talk: Talk) -> None:
    """Show the side."""
    with st.sidebar:
        st.button(
            "New conversation",
            key="new",
            icon=":material/add:",
            width="stretch",
            on_click=open_conversation,
            args=("",),
        )
        _choices(about)
        if about.get("keeps") and not st.session_state.get("is_away"):
            with trouble.told():
                _conversations(talk)
        _who(about)


def _conversations(talk: Talk) -> None:
    st.html('<h2 class="small">Conversations</h2>')
    search = (
        st.text_input(
            "Search conversations",
            key="search",
            type="search",
            placeholder="Search",
            label_visibility="collapsed",
            icon=":material/search:",
        )
        or ""
    ).strip()
    entries, has_more = _found(search)
    if not entries:
        st.html(f'<p class="quiet">{"Nothing found." if search else "What you ask is listed here."}</p>')
    with st.container(key="conversations", gap=None):
        for entry in entries:
            _entry(entry, is_open=entry["conversation_id"] == talk.conversation_id)
    if has_more:
        st.button("Show more", key="more", on_click=_show_more, width="stretch")


def _entry(entry: Mapping[str, Any], *, is_open: bool) -> None:
    st.button(
        plain(str(entry.get("title") or ""), _LABEL_LENGTH) or "Untitled",
        key=f"open-{entry['conversation_id']}",
        type="secondary" if is_open else "tertiary",
        width="stretch",
        wrap=False,
        on_click=open_conversation,
        args=(entry["conversation_id"],),
    )


def _found(search: str) -> tuple[Sequence[Mapping[str, Any]], bool]:
    """Give the newest conversations, as many pages of them as were asked for, and whether there are more.

    The first page is always new; those behind it are kept, since only what is newest changes.
    """
    api = session.api()
    older = st.session_state.get("older")
    if older is None or older["search"] != search:
        older = st.session_state["older"] = {"search": search, "pages": 0, "entries": [], "next": None}
    first = api.get("/v1/conversations", search=search or None, limit=_PAGE)
    if not older["entries"]:
        older["next"] = first["next"]
    while older["pages"] * _PAGE > len(older["entries"]) and older["next"]:
        page = api.get("/v1/conversations", search=search or None, limit=_PAGE, before=older["next"])
        older["entries"] += page["conversations"]
        older["next"] = page["next"]
    once = {entry["conversation_id"]: entry for entry in (*first["conversations"], *older["entries"])}
    return list(once.values()), bool(older["next"])


def _show_more() -> None:
    st.session_state["older"]["pages"] += 1


def _choices(about: Mapping[str, Any]) -> None:
    """Offer what there is more than one of."""
    _choice("source", "Answer from", about.get("sources") or [], "Everything")
    _choice("generator", "Written by", about.get("generators") or [], "As it is set")


def _choice(name: str, label: str, values: Sequence[str], anything: str) -> None:
    if len(values) > 1:
        st.selectbox(
            label,
            (_ANYTHING, *values),
            key=f"chosen_{name}",
            format_func=lambda value: plain(value) if value else anything,
        )


def _who(about: Mapping[str, Any]) -> None:
    if not about.get("needs_key"):
        return
    person = about.get("person") or {}
    who = "a guest" if about.get("is_guest") else person.get("name") or person.get("id") or ""
    st.html(
        f'<p class="quiet">You are signed in as {escaped(str(who))}.</p>'
        '<form class="sign-out" method="post" action="/sign-out"><button type="submit">Sign out</button></form>'
    )
