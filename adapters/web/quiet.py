"""A remark in small letters, which stands out from the page enough to be read by all."""

import streamlit as st

from adapters.web.rendering import escaped


def quiet(text: str) -> None:
    """Show a remark, as plain text."""
    st.html(f'<p class="quiet">{escaped(text)}</p>')
