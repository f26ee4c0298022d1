"""The script that Streamlit runs for every visitor: which pages there are for them, and the one that they look at."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from adapters.web import appearance, session, trouble
from adapters.web.api import ApiError
from adapters.web.views import chat, knowledge, now, people, questions, reports

_ADMIN: tuple[tuple[str, str, str, Callable[[], None]], ...] = (
    ("now", "Now", ":material/monitor_heart:", now.show),
    ("questions", "Questions", ":material/bar_chart:", questions.show),
    ("knowledge", "Knowledge", ":material/menu_book:", knowledge.show),
    ("people", "People and privacy", ":material/shield_person:", people.show),
    ("reports", "Reports", ":material/lab_profile:", reports.show),
)


def run() -> None:
    """Show the page that the address names."""
    title = session.config().title
    st.set_page_config(page_title=title, page_icon=appearance.ICON)
    about = _about()
    if about is None:
        return
    page = _pages(about)
    st.set_page_config(page_title=_page_title(page.title, title), layout="wide" if _is_wide(page) else "centered")
    appearance.apply()
    with trouble.told():
        page.run()


def _about() -> Mapping[str, Any] | None:
    """Ask the API who the visitor is and what there is for them; None where that is not known, and why has been told.

    Where nobody answers, what was known before does: so what the visitor reads does not go from under their eyes.
    """
    try:
        about: Mapping[str, Any] = session.api().get("/v1/about")
    except ApiError as error:
        known: Mapping[str, Any] | None = st.session_state.get("about")
        st.session_state["is_away"] = error.is_away
        if known is None or not error.is_away:
            # Every page's address still has to be one, or Streamlit itself would say that there is no such page.
            _pages(None).run()
            known = None
        trouble.tell(error)
        return known
    st.session_state["about"], st.session_state["is_away"] = about, False
    return about


def _pages(about: Mapping[str, Any] | None) -> Any:  # noqa: ANN401 - Streamlit has no public name for it
    if about is None:
        blank = [st.Page(_nothing, title=name, url_path=path) for path, name, _, _ in _ADMIN]
        return st.navigation([st.Page(_nothing, title="Ask", default=True), *blank], position="hidden")
    is_admin = bool(about.get("is_admin"))
    ask = st.Page(chat.show, title="Ask", icon=":material/chat:", url_path="ask", default=True)
    admin = [
        st.Page(
            show if is_admin else trouble.tell_not_an_admin,
            title=name,
            icon=icon,
            url_path=path,
            visibility="visible" if is_admin else "hidden",
        )
        for path, name, icon, show in _ADMIN
    ]
    if not is_admin:
        admin.append(
            st.Page(trouble.tell_not_an_admin, title="Admin", icon=":material/admin_panel_settings:", url_path="admin")
        )
    return st.navigation([ask, *admin], position="sidebar")


def _is_wide(page: Any) -> bool:  # noqa: ANN401 - as above
    return page.url_path in {path for path, _, _, _ in _ADMIN}


def _page_title(page: str, title: str) -> str:
    return title if page == "Ask" else f"{page} · {title}"


def _nothing() -> None:
    """Show nothing: what is wrong is told instead."""


if __name__ == "__main__":
    run()
