"""Shows who may do what, what admins did, and what is kept of whom for how long; and changes it."""

import streamlit as st

from adapters.web import notices
from adapters.web.views import people_access, people_kept, people_retention


def show() -> None:
    """Show the page."""
    st.title("People and privacy", anchor=False)
    notices.show()
    notices.open_to_all()
    people_access.show()
    people_retention.show()
    people_kept.show()
    people_access.audit()
