"""Shows what an answer rests on: each passage with the words that matched, and where it stands."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from adapters.web.rendering import escaped, link, marked, plain


def show(sources: Sequence[Mapping[str, Any]], key: str) -> None:
    """Show sources as cards to be opened, numbered as in the answer's text."""
    for number, source in enumerate(sources, start=1):
        title = plain(str(source.get("title") or source.get("source") or "Source"), 90)
        with st.expander(f"\\[{number}\\] {title}", key=f"source-{key}-{number}"):
            passage = marked(str(source["text"]), source.get("matched") or ()) if source.get("text") else ""
            st.html(f'<p class="origin">{_origin(source)}</p>{passage}')


def _origin(source: Mapping[str, Any]) -> str:
    place = ", ".join(str(source[name]) for name in ("source", "location") if source.get(name))
    address = str(source.get("url") or "")
    return " · ".join(part for part in (escaped(place), link(address, address) if address else "") if part)
