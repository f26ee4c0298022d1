"""The heading of a conversation: its name, and what can be done with it as a whole."""

import re

import streamlit as st

from adapters.web import session, trouble
from adapters.web.rendering import plain
from adapters.web.views import chat_export
from adapters.web.views.chat_turns import Talk, open_conversation

_LONGEST_TITLE = 120


def show(talk: Talk) -> None:
    """Show the heading of a conversation that has begun."""
    with st.container(key="heading", horizontal=True, vertical_alignment="center"):
        st.title(plain(title(talk), 80), anchor=False)
        if talk.conversation_id:
            with st.popover("Conversation", key="conversation-menu", icon=":material/more_horiz:"), trouble.told():
                _menu(talk)


def title(talk: Talk) -> str:
    """Give the name of a conversation; its first question where it has none."""
    first = talk.turns[0].asked.name if talk.turns else ""
    return talk.title or first or "Conversation"


def _menu(talk: Talk) -> None:
    with st.form("rename-form", border=False):
        named = st.text_input("Name", value=title(talk)[:_LONGEST_TITLE], max_chars=_LONGEST_TITLE, key="name")
        if st.form_submit_button("Rename", key="rename") and (named or "").strip():
            _rename(talk, (named or "").strip())
    api, name = session.api(), file_name(title(talk))
    st.download_button(
        "Save as Markdown",
        lambda: chat_export.as_markdown(api, talk.conversation_id, title(talk)),
        f"{name}.md",
        "text/markdown",
        key="save-markdown",
        on_click="ignore",
        width="stretch",
    )
    st.download_button(
        "Save as JSON",
        lambda: chat_export.as_json(api, talk.conversation_id),
        f"{name}.json",
        "application/json",
        key="save-json",
        on_click="ignore",
        width="stretch",
    )
    _offer_deletion(talk)


def _rename(talk: Talk, name: str) -> None:
    entry = session.api().send("PATCH", f"/v1/conversations/{talk.conversation_id}", {"title": name})
    talk.title = str(entry["title"])
    st.rerun()


def _offer_deletion(talk: Talk) -> None:
    if st.session_state.get("deleting") != talk.conversation_id:
        st.button("Delete …", key="delete", width="stretch", icon=":material/delete:", on_click=_ask_back, args=(talk,))
        return
    st.html("<p>Delete what was asked and answered here, for good?</p>")
    if st.button("Delete it", key="delete-confirmed", type="primary", width="stretch"):
        session.api().send("DELETE", f"/v1/conversations/{talk.conversation_id}")
        st.session_state.pop("older", None)
        open_conversation()
        st.rerun()
    st.button("Keep it", key="delete-not", width="stretch", on_click=st.session_state.pop, args=("deleting", None))


def _ask_back(talk: Talk) -> None:
    st.session_state["deleting"] = talk.conversation_id


def file_name(name: str) -> str:
    """Give a name that every file system takes."""
    return re.sub(r"[^\w-]+", "-", name).strip("-")[:60].lower() or "conversation"
