"""What a visitor is told after the page ran anew: that what they asked for is done."""

import streamlit as st

from adapters.web import recently
from adapters.web.rendering import plain

_KEY = "notice"

_LONGEST = 2_000


def leave(text: str) -> None:
    """Leave words for when the page runs next; Markdown in them is shown as it stands."""
    st.session_state[_KEY] = text
    recently.forget()


def show() -> None:
    """Show what was left, once."""
    text = st.session_state.pop(_KEY, "")
    if text:
        told = plain(text, limit=_LONGEST)
        st.success(told, icon=":material/check_circle:")
        # Whoever scrolled down to the button does not see the top of the page.
        st.toast(told, icon=":material/check_circle:", duration="long")


def open_to_all() -> None:
    """Say that everybody is an admin, where no key is set."""
    if not st.session_state.get("about", {}).get("needs_key", True):
        st.info(
            "No key is set: whoever reaches this machine is an admin here. `http.admin_keys` in the settings closes"
            " these pages to all others.",
            icon=":material/lock_open:",
        )
