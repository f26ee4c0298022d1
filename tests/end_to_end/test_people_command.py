"""The command line hands out and deletes what is kept of people, beside a running Preceptor or without one."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

PRECEPTOR = str(Path(sys.executable).with_name("preceptor"))
QUESTION = "When does the office open?"


@pytest.fixture
def folder(tmp_path: Path, handbook: Path) -> Path:
    """A working directory in which somebody asked something."""
    (tmp_path / "preceptor.toml").write_text(f'[knowledge]\nsources = ["{handbook.name}"]\n')
    assert _preceptor(tmp_path, "ask", QUESTION).returncode == 0
    return tmp_path


def _preceptor(folder: Path, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PRECEPTOR_")}
    return subprocess.run(
        [PRECEPTOR, *arguments],
        cwd=folder,
        env=environment,
        input=answer,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _holds(folder: Path, words: str) -> bool:
    files = [file for file in (folder / "data").rglob("preceptor.sqlite3*") if file.is_file()]
    assert files
    return any(words.encode() in file.read_bytes() for file in files)


def test_a_person_is_found_exported_and_after_a_yes_forgotten(folder: Path) -> None:
    (person,) = json.loads(_preceptor(folder, "people", "find", "--json").stdout)
    exported = _preceptor(folder, "people", "export", person["id"], "--output", "ada.json")
    assert exported.returncode == 0
    assert QUESTION in (folder / "ada.json").read_text()
    assert stat.S_IMODE((folder / "ada.json").stat().st_mode) == 0o600
    again = _preceptor(folder, "people", "export", person["id"], "--output", "ada.json")
    assert (again.returncode, "File exists" in again.stderr) == (1, True)
    kept = _preceptor(folder, "people", "forget", person["id"], answer="n\n")
    assert (kept.returncode, "Nothing was deleted." in kept.stdout) == (1, True)
    assert _holds(folder, QUESTION)
    gone = _preceptor(folder, "people", "forget", person["id"], answer="y\n")
    assert "1 conversation of" in gone.stdout
    assert not _holds(folder, QUESTION)
    assert _preceptor(folder, "people", "find").returncode == 1


def test_what_is_no_persons_id_is_refused(folder: Path) -> None:
    refused = _preceptor(folder, "people", "forget", "ada", "--yes")
    assert refused.returncode == 2
    assert "preceptor people find" in refused.stderr


def test_what_is_too_old_is_told_and_then_deleted(folder: Path) -> None:
    (folder / "preceptor.toml").write_text("privacy.retention_days = 1\n")
    assert "conversations: 0" in _preceptor(folder, "privacy", "clean", "--dry-run").stdout
    cleaned = json.loads(_preceptor(folder, "privacy", "clean", "--compact", "--json").stdout)
    assert cleaned["conversations"] == 0
    assert {"keys", "audit", "limits", "bytes_of_the_file"} <= set(cleaned)
    assert _holds(folder, QUESTION)


def test_what_is_done_with_peoples_data_is_in_the_audit_under_one_name(folder: Path) -> None:
    ada = "discord:80351110224678912"
    for words in (("access", "unpair", ada), ("people", "export", ada), ("people", "forget", ada, "--yes")):
        _preceptor(folder, *words)
    entries = json.loads(_preceptor(folder, "audit", "--json").stdout)
    assert [entry["action"] for entry in entries] == ["forget", "export", "access"]
    assert len({entry["person_id"] for entry in entries}) == 1
    assert not any("80351110224678912" in entry["argument"] for entry in entries)


def test_of_whom_nothing_is_kept_that_is_said(folder: Path) -> None:
    for words in (("export", "console:nosuch"), ("forget", "console:nosuch", "--yes")):
        said = _preceptor(folder, "people", *words)
        assert (said.returncode, "Nothing is kept of console:nosuch." in said.stderr) == (1, True)
    assert _preceptor(folder, "people", "export", "discord:123").returncode == 2
    found = _preceptor(folder, "people", "find", "nosuch")
    assert (found.returncode, "nobody under that name" in found.stderr) == (1, True)


def test_an_export_that_could_not_be_written_is_no_done_one(folder: Path) -> None:
    (person,) = json.loads(_preceptor(folder, "people", "find", "--json").stdout)
    assert _preceptor(folder, "people", "export", person["id"], "-o", "nowhere/ada.json").returncode == 1
    (entry,) = json.loads(_preceptor(folder, "audit", "--json").stdout)
    assert entry["outcome"] == "failed"


def test_in_the_terminal_an_export_is_a_file_and_never_over_another(folder: Path) -> None:
    said = _preceptor(folder, "chat", answer="/export\n/export\n")
    assert said.returncode == 0
    for name in ("preceptor-export.json", "preceptor-export-2.json"):
        assert f"Written to {folder / name}." in said.stdout
        assert QUESTION in (folder / name).read_text()
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
