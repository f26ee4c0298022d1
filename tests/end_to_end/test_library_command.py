"""The library on the command line, at three in the morning: what was changed, and taking it back."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from knowledge import Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    (tmp_path / "notes.md").write_text("# Parking\n\nVisitors park on the north side.\n")
    (tmp_path / "preceptor.toml").write_text('[knowledge]\nsources = ["notes.md"]\n')
    return Library(tmp_path / "data" / "library")


def preceptor(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PRECEPTOR_")}
    command = [str(Path(sys.executable).with_name("preceptor")), "knowledge", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_changes_are_listed_and_taken_back(library: Library, tmp_path: Path) -> None:
    assert preceptor(tmp_path, "versions").stdout == "The library holds no file.\n"
    nothing = preceptor(tmp_path, "undo")
    assert (nothing.returncode, nothing.stderr) == (
        1,
        "Error: Nothing was changed in the library yet. There is nothing to take back.\n",
    )
    for answer in ("At noon.", "At one."):
        with library.changed(library.teaching("When is lunch?", answer), "http:ada"):
            pass
    undone = preceptor(tmp_path, "undo")
    assert undone.stdout.startswith("The knowledge base is loaded: 2 passages of 2 files")
    assert [one.answer for one in library.answers()] == ["At noon."]
    found = json.loads(preceptor(tmp_path, "search", "when is lunch", "--json").stdout)
    assert found["hits"][0]["passage"]["text"] == "At noon."
    newest, *_ = preceptor(tmp_path, "versions").stdout.splitlines()
    assert newest.startswith("    3  ")
    assert newest.endswith(": went back to version 1")
    listed = json.loads(preceptor(tmp_path, "versions", "--json").stdout)
    assert [version["id"] for version in listed["versions"]] == [3, 2, 1]
    assert listed["versions"][0]["by"].startswith("console:")
    assert "When is lunch?" not in json.dumps(listed)


def test_a_version_whose_page_is_unreadable_is_told_as_that(library: Library, tmp_path: Path) -> None:
    with library.changed(library.teaching("When is lunch?", "At noon."), "http:ada"):
        pass
    (tmp_path / "data" / "library" / "versions" / "1" / "manifest.json").write_text("{")
    told, _ = preceptor(tmp_path, "versions").stdout.splitlines()
    assert told == "    1  its manifest.json cannot be read"
