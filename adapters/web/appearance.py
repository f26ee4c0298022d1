"""How the pages look beyond Streamlit's theme: one style sheet, laid over every page."""

from pathlib import Path

import streamlit as st

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1d5fc4"/>'
    '<path d="M8 9h16v11h-8l-5 4v-4H8z" fill="#fff"/></svg>'
)
"""The pages' icon; drawn here, since Streamlit fetches those it knows by name from elsewhere."""

_STYLES = Path(__file__).with_name("page.css")


def apply() -> None:
    """Lay the style sheet over the page."""
    st.html(_STYLES)
