"""What a visitor sees before anything is said: what this is, what it knows, and what one might ask."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from adapters.web import session
from adapters.web.api import ApiError
from adapters.web.rendering import escaped, plain
from adapters.web.views.chat_turns import Asked, ask_next

_MOST_NAMED = 4


def show(about: Mapping[str, Any]) -> None:
    """Show the headline, what the answers come from, and examples to press."""
    st.title(f"Ask {plain(session.config().title)}", anchor=False)
    st.html(f"<p>{escaped(in_words(about, _figures()))}</p>")
    examples: Sequence[str] = about.get("examples") or []
    if not examples:
        return
    with st.container(key="examples", gap="small"):
        st.html('<p class="quiet">For example</p>')
        for number, question in enumerate(examples):
            st.button(
                plain(question),
                key=f"example-{number}",
                width="stretch",
                on_click=ask_next,
                args=(Asked(question),),
            )


def in_words(about: Mapping[str, Any], figures: Mapping[str, Any]) -> str:
    """Say what the answers come from, and what else can be asked."""
    sources = [str(name) for name in about.get("sources") or []]
    named = ", ".join(sources[:_MOST_NAMED]) + (" and more" if len(sources) > _MOST_NAMED else "")
    size = (
        f"{_counted(figures['passages'], 'passage')} in {_counted(figures['files'], 'file')}"
        if figures.get("files")
        else "documents"
    )
    told = [
        f"It answers from {size}{f' ({named})' if named else ''}, names its sources, and says so when it does not know."
    ]
    if (about.get("pictures") or {}).get("looking", "off") != "off":
        told.append("Drop a picture, and it tells what it can of it.")
    if about.get("diagnosis"):
        told.append("Describe symptoms, and it tells what they may point to.")
    return " ".join(told)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _figures() -> Mapping[str, Any]:
    if st.session_state.get("is_away"):
        return {}
    try:
        figures: Mapping[str, Any] = session.api().get("/v1/knowledge")
    except ApiError:
        # It is the small print of the greeting; whoever asks hears what is wrong.
        return {}
    return figures
