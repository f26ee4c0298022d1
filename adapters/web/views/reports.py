"""Shows the reports of trainings and evaluations, as they are; what could run a script is downloaded, not shown."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import streamlit as st

from adapters.web import notices, session, trouble
from adapters.web.figures import moment
from adapters.web.quiet import quiet
from adapters.web.rendering import harmless, plain, prose
from adapters.web.tables import table

_PICTURES = (".png", ".jpg", ".jpeg", ".webp")

_LONGEST_CELL, _LONGEST_LIST = 200, 80

_HEAD = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)

_PICTURE = re.compile(r"!\[([^\]\n]*)\]\(([\w.-]+)\)")

_ROWS_SHOWN = 200

_Document = Mapping[str, Any]


def show() -> None:
    """Show the page."""
    st.title("Reports", anchor=False)
    notices.show()
    notices.open_to_all()
    reports = {report["id"]: report for report in session.api().get("/v1/reports")["reports"]}
    if not reports:
        st.info(
            "Reports of trainings and evaluations would be listed here. `preceptor train` and `preceptor evaluate`"
            " write them."
        )
        return
    chosen = st.selectbox("Report", tuple(reports), format_func=lambda one: _title(reports[one]), key="report")
    if chosen:
        _report(reports[chosen])


def _title(report: _Document) -> str:
    return harmless(f"{report['name']} · {report['kind']} · {moment(report['at'])}")


def _report(report: _Document) -> None:
    st.header(plain(report["name"]), anchor=False)
    quiet(f"{report['kind']}, {moment(report['at'])}")
    titles: dict[str, str] = {}
    for name in sorted(report["files"], key=_order):
        with trouble.told():
            content, media_type = session.api().content(f"/v1/reports/{quote(report['id'], safe='')}/{quote(name)}")
            if PurePosixPath(name).suffix == ".md":
                words, titles = readable(content.decode("utf-8", "replace"))
                st.html(prose(words))
            else:
                st.subheader(plain(titles.get(name, name)), anchor=False)
                _shown(name, content)
            st.download_button(
                f"Download {plain(name)}",
                content,
                file_name=PurePosixPath(name).name,
                mime=media_type.partition(";")[0] or "application/octet-stream",
                key=f"download_{report['id']}_{name}",
                on_click="ignore",
            )


def _order(name: str) -> tuple[int, str]:
    """Words first, then pictures, then figures, then what is only downloaded."""
    suffixes = (".md", *_PICTURES, ".json")
    suffix = PurePosixPath(name).suffix.lower()
    return (suffixes.index(suffix) if suffix in suffixes else len(suffixes), name)


def readable(text: str) -> tuple[str, dict[str, str]]:
    """Give a report's CommonMark without what only programs read at its head, and without its pictures.

    Returns:
        the text, and what the pictures show, by their files' names: they are shown by themselves.
    """
    body = _HEAD.sub("", text)
    return _PICTURE.sub("", body), {file: words for words, file in _PICTURE.findall(body)}


def _shown(name: str, content: bytes) -> None:
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in _PICTURES:
        st.image(content, alt=f"The plot {harmless(name)}")
    elif suffix == ".json":
        _figures(name, content)
    else:
        quiet("This file is for a browser or a program of its own: download it.")


def _figures(name: str, content: bytes) -> None:
    try:
        rows = list(figures(json.loads(content)))
    except ValueError:
        quiet("This file cannot be read as JSON: download it.")
        return
    with st.expander("Show the figures"):
        st.html(table(f"Figures of {name}", ("Figure", "Value"), rows[:_ROWS_SHOWN]))
        if len(rows) > _ROWS_SHOWN:
            quiet(f"and {len(rows) - _ROWS_SHOWN:,} more, in the file")


def figures(document: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Give the values of JSON with their names: ``per class · acne`` and ``0.8``; of long lists their length."""
    if isinstance(document, dict):
        for key, value in document.items():
            words = str(key).replace("_", " ")
            yield from figures(value, f"{name} · {words}" if name else words)
        return
    if isinstance(document, float):
        yield name, f"{document:,.4g}"
    elif isinstance(document, int) and not isinstance(document, bool):
        yield name, f"{document:,}"
    elif isinstance(document, list) and len(json.dumps(document)) > _LONGEST_LIST:
        yield name, f"{len(document):,} entries, in the file"
    else:
        text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
        yield name, text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]}…"
