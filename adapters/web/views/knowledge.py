"""Shows what the answers come from, and changes it."""

import streamlit as st

from adapters.web import notices, session
from adapters.web.figures import number, problem
from adapters.web.quiet import quiet
from adapters.web.tiles import tiles
from adapters.web.views import knowledge_answers, knowledge_files, knowledge_loading, knowledge_search

_PROBLEMS_SHOWN = 20


def show() -> None:
    """Show the page."""
    st.title("Knowledge", anchor=False)
    notices.show()
    notices.open_to_all()
    api = session.api()
    knowledge, files = api.get("/v1/knowledge"), api.get("/v1/knowledge/files")
    found = [*files["problems"], *(one for file in files["files"] for one in file["problems"])]
    told = {"Files": knowledge["files"], "Passages": knowledge["passages"], "Problems": len(found)}
    st.html(tiles({name: number(figure) for name, figure in told.items()}))
    quiet(f"Version {knowledge['version']}")
    problems(found)
    knowledge_loading.reload()
    knowledge_search.show()
    knowledge_files.show(files["files"])
    knowledge_answers.show()
    knowledge_files.versions()


def problems(found: list[dict[str, object]]) -> None:
    """Name what could not be used, with file, line and fix."""
    if not found:
        return
    with st.expander(f"What could not be used ({number(len(found))})", icon=":material/warning:"):
        for one in found[:_PROBLEMS_SHOWN]:
            st.text(problem(one))
        if len(found) > _PROBLEMS_SHOWN:
            quiet(f"and {number(len(found) - _PROBLEMS_SHOWN)} more: “preceptor knowledge check” lists them all")
