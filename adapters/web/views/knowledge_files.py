"""The files of the knowledge base: the list, uploads with a preview, deleting, versions and undo."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import streamlit as st

from adapters.web import notices, recently, session, trouble
from adapters.web.api import UploadedFile
from adapters.web.figures import counted, moment, number, problem, size
from adapters.web.quiet import quiet
from adapters.web.rendering import plain
from adapters.web.tables import table
from adapters.web.views.knowledge_loading import in_words

_FILES = "/v1/knowledge/files"

_SHOWN = 200
"""Files in the table at the most; a filter finds the others."""

_TITLES_SHOWN = 5

_NAMES_SHOWN = 10

_Document = Mapping[str, Any]


def show(files: Sequence[_Document]) -> None:
    """Show the files, and take others."""
    st.header("Files", anchor=False)
    _table(files)
    _upload()
    _delete([file["name"] for file in files if file["is_managed"]])


def _table(files: Sequence[_Document]) -> None:
    if not files:
        st.info("The files that answers come from would be listed here. There are none: upload some below.")
        return
    shown = files
    if len(files) > _SHOWN:
        part = st.text_input("Part of a file's name", key="files_filter") or ""
        shown = [file for file in files if part.lower() in file["name"].lower()]
    rows = [
        [
            file["name"],
            file["source"],
            number(file["passages"]),
            size(file["bytes"]),
            moment(file["changed_at"]),
            "in the library" if file["is_managed"] else "on the disk",
            "; ".join(problem(one) for one in file["problems"]) or "none",
        ]
        for file in shown[:_SHOWN]
    ]
    columns = ("Name", "Source", "Passages", "Size", "Changed", "Kept", "Problems")
    caption = counted(len(files), "file") if len(shown) <= _SHOWN else f"The first {_SHOWN} of {number(len(shown))}"
    st.html(table(caption, columns, rows, ("Passages", "Size")))


def _upload() -> None:
    st.subheader("Upload", anchor=False)
    # Its key counts up, so that the field is empty once the files are loaded.
    round_of = st.session_state.setdefault("upload_round", 0)
    given = st.file_uploader(
        "Files to add, or new versions of those uploaded earlier",
        help="The size that is named holds for all of them together; upload more in several rounds.",
        accept_multiple_files=True,
        key=f"upload_{round_of}",
    )
    if not given:
        return
    files = [UploadedFile(one.name, one.getvalue(), one.type or "application/octet-stream") for one in given]
    with trouble.told():
        names = " ".join(one.file_id for one in given)
        preview = recently.got(f"preview {names}", lambda: session.api().upload(_FILES, files, preview=True))
        refused = [file for file in preview["files"] if file["refused"]]
        _preview(preview)
        for file in refused:
            st.error(plain(file["refused"]), icon=":material/block:")
        if refused:
            st.warning(plain(f"Nothing is loaded until you take out {_held([one['name'] for one in refused])}."))
        if st.button("Load these", type="primary", icon=":material/upload:", disabled=bool(refused)):
            with st.spinner("Loading them; questions are answered all the while"):
                report = session.api().upload(_FILES, files)
            st.session_state["upload_round"] = round_of + 1
            notices.leave(in_words(report))
            st.rerun()


def _preview(preview: _Document) -> None:
    added, removed = counted(preview["added"], "passage"), counted(preview["removed"], "passage")
    if not any(file["refused"] for file in preview["files"]):
        st.write(f"This adds {added} and takes {removed} away. Nothing is changed yet.")
    rows = [
        [
            file["name"],
            "replaces the one there is" if file["replaces"] else "new",
            number(file["passages"]),
            "; ".join(file["titles"][:_TITLES_SHOWN]),
            "; ".join(problem(one) for one in file["problems"]) or "none",
        ]
        for file in preview["files"]
    ]
    st.html(table("What would be loaded", ("Name", "", "Passages", "Some titles", "Problems"), rows, ("Passages",)))


def _delete(names: Sequence[str]) -> None:
    if not names:
        return
    st.subheader("Delete", anchor=False)
    with st.form("delete_file", border=False, clear_on_submit=True):
        name = st.selectbox("File of the library", names, index=None, placeholder="Choose a file")
        is_sure = st.checkbox("Yes, take it out of the knowledge base (“Undo” below brings it back)")
        pressed = st.form_submit_button("Delete the file", icon=":material/delete:")
    if not pressed:
        return
    if not name or not is_sure:
        st.error("Choose a file, and tick that it is to be deleted.")
        return
    with trouble.told():
        report = session.api().send("DELETE", f"{_FILES}/{quote(name, safe='')}")
        notices.leave(f"{name} is deleted. {in_words(report)}")
        st.rerun()


def versions() -> None:
    """Show the versions of what was uploaded and taught, and the way back."""
    st.header("Versions", anchor=False)
    made = session.api().get("/v1/knowledge/versions")["versions"]
    if not made:
        quiet("What you upload, teach and delete here makes versions, and each can be undone. There is none yet.")
        return
    rows = [
        [str(one["id"]), moment(one["at"]), one["action"], one["by"] or "somebody forgotten", _held(one["files"])]
        if one["at"]
        else [str(one["id"]), "", one["action"], "", ""]
        for one in made
    ]
    columns = ("Version", "When", "What was done", "By", "Files in it")
    st.html(table("Newest first; the first one is in use", columns, rows))
    if st.button("Undo the last change", icon=":material/undo:"):
        _go_back(None)
    with st.expander("Bring back an older version", icon=":material/history:"):
        wanted = st.selectbox("Version", [one["id"] for one in made[1:]], index=None)
        if st.button("Bring it back", disabled=wanted is None):
            _go_back(wanted)


def _held(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN:,} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more if names else "none"


def _go_back(version: int | None) -> None:
    with trouble.told():
        report = session.api().send("POST", "/v1/knowledge/undo", to=version)
        done = "The last change is undone" if version is None else f"Version {version} is back"
        notices.leave(f"{done}; undo once more to take that back. {in_words(report)}")
        st.rerun()
