"""Reads the knowledge base again, showing how far it is, and says what that changed."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from adapters.web import notices, session, trouble
from adapters.web.figures import counted, milliseconds, number

_STAGES: Mapping[str, tuple[str, float, float]] = {
    "waiting": ("Waiting for a reload that is under way", 0.0, 0.0),
    "looking": ("Looking for files", 0.0, 0.05),
    "reading": ("Reading files", 0.05, 0.7),
    "indexing": ("Building the index", 0.7, 0.95),
    "saving": ("Saving it", 0.95, 1.0),
}
"""What a stage is called, and which part of the bar it fills."""

_Document = Mapping[str, Any]


def reload() -> None:
    """Show the button that has everything read again."""
    if not st.button(
        "Read the sources again", icon=":material/refresh:", help="Takes in what was changed in the files and folders."
    ):
        return
    bar = st.progress(0.0, "Beginning")
    with trouble.told():
        for event, document in session.api().events("/v1/knowledge/reload", None):
            if event == "progress":
                bar.progress(*progress(document))
            elif event == "done":
                notices.leave(in_words(document))
                st.rerun()


def progress(document: _Document) -> tuple[float, str]:
    """Give how full the bar is (0 to 1), and the words over it."""
    words, start, end = _STAGES.get(document["stage"], (str(document["stage"]).capitalize(), 0.0, 1.0))
    done, total = document["done"], document["total"]
    part = min(done / total, 1.0) if total else 1.0
    figures = f": {number(done)} of {number(total)}" if total and total > 1 else ""
    return start + (end - start) * part, f"{words}{figures}"


def in_words(report: _Document) -> str:
    """Say what a reload did."""
    changed = f"{number(report['added'])} added, {number(report['removed'])} removed"
    text = (
        f"Loaded: {counted(report['passages'], 'passage')} of {counted(report['files'], 'file')}"
        f" ({changed if report['changed'] else 'nothing changed'}), in {milliseconds(report['elapsed_ms'])}."
    )
    found = report["problems"]
    return f"{text} {counted(len(found), 'problem')}: see below." if found else text
