"""A search of the knowledge base that explains its ranking."""

import streamlit as st

from adapters.web import session, trouble
from adapters.web.views import found

_LONGEST = 2_000


def show() -> None:
    """Show the search, and what it finds."""
    st.header("Try a question", anchor=False)
    with st.form("knowledge_search", border=False):
        words = st.text_input(
            "What would be found for", max_chars=_LONGEST, placeholder="A question, as people ask it", key="searched"
        )
        st.form_submit_button("Search", icon=":material/search:")
    if words and words.strip():
        with trouble.told():
            found.show(session.api().get("/v1/knowledge/search", q=words.strip(), limit=10), "search", explained=True)
