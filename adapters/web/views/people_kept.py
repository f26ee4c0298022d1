"""What is kept of a person: found by name or id, handed out, and forgotten."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import streamlit as st

from adapters.web import notices, recently, session, trouble
from adapters.web.figures import counted
from adapters.web.rendering import harmless

_FOUND = 50

_EXPORT = "export_of"
"""Where an export lies once it was asked for: whose, and what."""


def show() -> None:
    """Find a person, and show what can be done for them."""
    st.header("What is kept of a person", anchor=False)
    words = st.text_input("Name or id", placeholder="Ada, or discord:80351110224678912", key="person_searched")
    if not (words or "").strip():
        st.session_state.pop(_EXPORT, None)
        return
    with trouble.told():
        found = recently.got(
            f"people {words}", lambda: session.api().get("/v1/people", search=(words or "").strip(), limit=_FOUND)
        )["people"]
        if not found:
            st.info("Nothing is kept of anybody of that name or id.")
            return
        names = {
            person["id"]: f"{person['name']} ({person['id']})" if person["name"] else person["id"] for person in found
        }
        person_id = st.selectbox(
            f"{len(names):,} found", tuple(names), format_func=lambda one: harmless(names[one]), key="person_chosen"
        )
        if person_id:
            _export(person_id)
            _forget(person_id)


def _export(person_id: str) -> None:
    if st.button("Collect what is kept of them", icon=":material/folder_open:"):
        st.session_state[_EXPORT] = (person_id, session.api().get(_path(person_id)))
    of, document = st.session_state.get(_EXPORT, ("", {}))
    if of != person_id:
        return
    st.write(f"{counted(len(document['conversations']), 'conversation')}, {counted(len(document['events']), 'event')}.")
    st.download_button(
        "Download it (JSON)", _as_file(document), file_name="personal-data.json", mime="application/json"
    )


def _forget(person_id: str) -> None:
    with st.expander("Forget this person", icon=":material/delete_forever:"):
        st.write("Everything that is kept of them is deleted, for good. To confirm, type their id:")
        st.code(person_id, language=None)
        with st.form("forget", border=False, clear_on_submit=True):
            typed = st.text_input("Their id")
            pressed = st.form_submit_button("Forget them")
        if not pressed:
            return
        if (typed or "").strip() != person_id:
            st.error("That is not their id; nothing was deleted.")
            return
        done = session.api().send("DELETE", _path(person_id), confirm="yes")
        st.session_state.pop(_EXPORT, None)
        notices.leave(f"{person_id} is forgotten: {counted(done['conversations'], 'conversation')} deleted.")
        st.rerun()


def _path(person_id: str) -> str:
    return f"/v1/people/{quote(person_id, safe=':')}"


def _as_file(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)
