"""A saved index that was damaged, that cannot be written, or that several processes want at once."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from test_knowledge_base import BREAD, TIDES, titles, write

from knowledge import KnowledgeBase
from knowledge.errors import DamagedIndexError, IndexBusyError, IndexUnwritableError
from knowledge.storage.index_folder import IndexFolder
from knowledge.storage.snapshot import Snapshot

PARTS = ["digests.npy", "passages.jsonl", "passage_offsets.npy", "titles.txt", "terms/posting_impacts.npy"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "source", TIDES, BREAD)


@pytest.fixture
def built(source: Path, tmp_path: Path) -> Path:
    """The folder of a saved version."""
    return tmp_path / "index" / KnowledgeBase([source], tmp_path / "index").open().version


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    if not mount or subprocess.run([mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], check=False).returncode:
        pytest.skip("mounting a small tmpfs is not permitted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def reopened(source: Path, built: Path) -> tuple[KnowledgeBase, str]:
    base = KnowledgeBase([source], built.parent)
    report = base.open()
    assert report.version == built.name
    return base, report.rebuilt_because


def flip_last_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("harm", ["altered", "cut short", "missing"])
def test_a_damaged_index_is_rebuilt_and_said_once(source: Path, built: Path, part: str, harm: str) -> None:
    path = built / part
    match harm:
        case "altered":
            flip_last_byte(path)
        case "cut short":
            path.write_bytes(path.read_bytes()[:-9])
        case "missing":
            path.unlink()
    base, reason = reopened(source, built)
    assert reason.startswith("index damaged: ")
    assert part in reason
    assert titles(base, "tides")[0] == "Tides"
    assert reopened(source, built)[1] == ""


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"format": 1}', "[" * 100_000])
def test_a_broken_manifest_is_damage(source: Path, built: Path, content: str) -> None:
    (built / "manifest.json").write_text(content)
    assert reopened(source, built)[1].startswith(("index damaged: manifest.json", "written by another version"))


def test_an_altered_manifest_is_damage(source: Path, built: Path) -> None:
    path = built / "manifest.json"
    path.write_text(path.read_text().replace('"passages": 2', '"passages": 3'))
    assert reopened(source, built)[1] == "index damaged: manifest.json was altered"


def test_an_index_of_another_version_of_preceptor_is_rebuilt(source: Path, built: Path) -> None:
    path = built / "manifest.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 0'))
    assert reopened(source, built)[1] == "written by another version"


def test_a_note_that_names_no_version_leads_to_the_index_that_is_there(source: Path, built: Path) -> None:
    (built.parent / "current").write_text("../../etc")
    assert reopened(source, built)[1] == ""


def test_a_large_part_is_sampled_at_open_and_read_whole_at_reload(source: Path, tmp_path: Path) -> None:
    rows = ({"context": f"Passage {row}: " + "words of no weight " * 20 + str(row)} for row in range(8000))
    write(source, TIDES, *rows)
    base = KnowledgeBase([source], tmp_path / "index")
    texts = tmp_path / "index" / base.open().version / "passages.jsonl"
    with texts.open("r+b") as file:
        file.seek(100_000)  # between the first sample and the second
        file.write(b"#")
    assert KnowledgeBase([source], tmp_path / "index").open().rebuilt_because == ""
    assert base.reload().rebuilt_because == "index damaged: passages.jsonl was altered"


@pytest.mark.parametrize("content", [b"#", b"[]".ljust(99)])
def test_a_passage_that_was_damaged_in_use_is_an_error_that_names_the_fix(
    source: Path, built: Path, content: bytes
) -> None:
    snapshot = Snapshot.open(built)
    size = (built / "passages.jsonl").stat().st_size
    (built / "passages.jsonl").write_bytes((content * size)[:size])
    with pytest.raises(DamagedIndexError, match="Reload"):
        snapshot.passages[0]


def test_a_full_disk_is_named_leaves_nothing_half_written_and_the_old_index_answers(
    source: Path, small_disk: Path
) -> None:
    base = KnowledgeBase([source], small_disk / "index")
    base.open()
    letters = np.random.default_rng(0).integers(97, 123, (300, 1000), dtype=np.uint8)
    write(source, TIDES, BREAD, *({"context": row.tobytes().decode()} for row in letters))
    with pytest.raises(IndexUnwritableError, match="no space left") as caught:
        base.reload()
    assert str(small_disk / "index") in caught.value.message
    assert not list((small_disk / "index").glob("building-*"))
    assert titles(base, "sourdough") == ["Sourdough"]
    later = KnowledgeBase([source], small_disk / "index")
    assert "no space left" in later.open().problems[0].message
    assert titles(later, "sourdough") == ["Sourdough"]


def test_a_full_disk_at_the_first_start_is_an_error(source: Path, small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"x" * 240_000)
    with pytest.raises(IndexUnwritableError, match="Free some space"):
        KnowledgeBase([source], small_disk / "index").open()


def test_an_index_in_a_folder_that_cannot_be_written_is_opened_as_it_is(source: Path, small_disk: Path) -> None:
    KnowledgeBase([source], small_disk / "index").open()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    report = KnowledgeBase([source], small_disk / "index").open()
    assert (report.rebuilt_because, report.problems) == ("", ())


def test_where_nothing_can_be_written_the_index_is_built_elsewhere_and_that_is_said(
    source: Path, small_disk: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    base = KnowledgeBase([source], small_disk / "index")
    report = base.open()
    assert report.rebuilt_because == "first build"
    assert "read-only" in report.problems[0].message
    assert "at every start" in report.problems[0].message
    assert titles(base, "tides")[0] == "Tides"
    write(source, TIDES)
    assert base.reload().removed == 1
    base.close()


def test_a_file_in_the_place_of_the_folder_is_named(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IndexUnwritableError, match="is a file, not a folder"):
        KnowledgeBase([source], tmp_path / "file" / "index").open()


def test_two_processes_that_build_at_once_end_with_the_same_whole_version(source: Path, tmp_path: Path) -> None:
    write(source, *({"context": f"Passage number {row} about tides."} for row in range(500)))
    program = f"""
from pathlib import Path
from knowledge import KnowledgeBase
base = KnowledgeBase([Path({str(source)!r})], Path({str(tmp_path / "index")!r}))
report = base.open()
print(report.version, len(base.search("tides", 500)))
"""
    both = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    shown = [process.communicate(timeout=60)[0].split() for process in both]
    assert shown[0] == shown[1]
    assert shown[0][1] == "500"
    kept = {path.name for path in (tmp_path / "index").iterdir()}
    assert kept == {shown[0][0], "current", "lock"}


def test_what_a_killed_process_left_behind_is_cleaned_up(source: Path, tmp_path: Path) -> None:
    left = tmp_path / "index" / "building-1-abc"
    left.mkdir(parents=True)
    (left / "passages.jsonl").write_text("half")
    KnowledgeBase([source], tmp_path / "index").open()
    assert not left.exists()


def test_a_lock_that_is_never_let_go_ends_the_wait_with_a_sentence(tmp_path: Path) -> None:
    holder = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(holder, fcntl.LOCK_EX)
    try:
        with pytest.raises(IndexBusyError, match="Another process"), IndexFolder(tmp_path).locked(0.0):
            pass
    finally:
        os.close(holder)


def test_an_index_outlives_the_removal_of_its_files(source: Path, built: Path) -> None:
    base, _ = reopened(source, built)
    shutil.rmtree(built)
    assert titles(base, "tides")[0] == "Tides"
    report = base.reload()
    assert report.rebuilt_because.startswith("index damaged")
    assert (report.added, report.removed) == (0, 0)
