"""`preceptor describe` as an operator meets it: a real process, odd files, a terminal, a pipe."""

import json
import os
import pty
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

PRECEPTOR = str(Path(sys.executable).with_name("preceptor"))
KEYS = ["path", "caption", "labels", "width", "height", "format", "error"]
_NO_MODELS = {"PRECEPTOR_MODELS__IMAGES__LABELS": "floor", "PRECEPTOR_MODELS__IMAGES__CAPTIONS": "floor"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with a folder ``pictures``, in which there is one."""
    (tmp_path / "pictures").mkdir()
    _picture(tmp_path / "pictures" / "red.png")
    return tmp_path


def _picture(path: Path) -> Path:
    Image.new("RGB", (6, 4), "red").save(path, "PNG")
    return path


def _environment(settings: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PRECEPTOR_")}
    return kept | _NO_MODELS | settings | {"OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}


def _preceptor(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PRECEPTOR, "describe", *arguments],
        cwd=folder,
        env=_environment(settings),
        capture_output=True,
        encoding="utf-8",
        timeout=50,
        check=False,
    )


def _lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_file_of_a_folder_has_one_line_whatever_it_is(folder: Path) -> None:
    pictures = folder / "pictures"
    _picture(pictures / "new\nline.png")
    os.mkfifo(pictures / "pipe.png")
    (pictures / "nowhere.png").symlink_to("gone")
    (pictures / "endless.png").symlink_to("/dev/zero")
    (pictures / "again").symlink_to(".")
    (pictures / "empty.png").touch()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(pictures / "socket.png"))
        done = _preceptor(folder, "pictures", "--json")
    told = {line["path"]: line["error"] for line in _lines(done)}
    assert (done.returncode, done.stderr) == (0, "")
    assert all(list(line) == KEYS for line in _lines(done))
    no_file = "It is no file, but a pipe, a socket or a device. Save the picture as a file."
    assert told == {
        "pictures/empty.png": "It is empty. Send it once more.",
        "pictures/endless.png": no_file,
        "pictures/new\nline.png": None,
        "pictures/nowhere.png": "It cannot be read: No such file or directory. Look at the path and its rights.",
        "pictures/pipe.png": no_file,
        "pictures/red.png": None,
        "pictures/socket.png": no_file,
    }


def test_one_path_that_cannot_be_read_keeps_none_of_the_others_back(folder: Path) -> None:
    done = _preceptor(folder, "a" * 300, "pictures/red.png/below", "pictures", "--json")
    assert done.returncode == 0
    assert [bool(line["error"]) for line in _lines(done)] == [True, True, False]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folders_and_files_without_rights_are_refused_by_name(folder: Path) -> None:
    closed = folder / "pictures" / "closed"
    closed.mkdir()
    _picture(folder / "pictures" / "secret.png").chmod(0)
    closed.chmod(0)
    try:
        done = _preceptor(folder, "pictures", "pictures/closed", "pictures/closed/in.png", "--json")
    finally:
        closed.chmod(0o700)
    denied = "It cannot be read: Permission denied. Look at the path and its rights."
    assert done.returncode == 0
    assert [(line["path"], line["error"]) for line in _lines(done)] == [
        ("pictures/closed", denied),
        ("pictures/red.png", None),
        ("pictures/secret.png", denied),
        ("pictures/closed", denied),
        ("pictures/closed/in.png", denied),
    ]


def test_a_name_that_is_no_text_can_be_found_again_by_what_is_printed(folder: Path) -> None:
    (folder / "pictures/red.png").rename(folder / "pictures" / os.fsdecode(b"red\xff.png"))
    done = _preceptor(folder, "pictures", "--json")
    (line,) = _lines(done)
    assert os.fsencode(line["path"]) == b"pictures/red\xff.png"
    assert (folder / line["path"]).is_file()


def test_a_name_gives_a_terminal_no_commands(folder: Path) -> None:
    _picture(folder / "pictures" / "x\x1b[2J\ny.png")
    done = _preceptor(folder, "pictures")
    assert "\x1b" not in done.stdout
    assert "pictures/x�[2J�y.png\n" in done.stdout


def test_more_pictures_than_may_wait_are_described_all_the_same(folder: Path) -> None:
    for number in range(20):
        _picture(folder / "pictures" / f"{number}.png")
    done = _preceptor(folder, "pictures", "--json", PRECEPTOR_IMAGES__QUEUE="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line["error"] for line in _lines(done)] == [None] * 21


def test_where_none_could_be_read_the_exit_status_says_so(folder: Path) -> None:
    (folder / "pictures" / "red.png").write_bytes(b"none")
    refused = _preceptor(folder, "pictures", "pictures/gone.png", "--json")
    (folder / "pictures" / "red.png").unlink()
    empty = _preceptor(folder, "pictures", "--json")
    assert (refused.returncode, len(_lines(refused))) == (1, 2)
    assert (empty.returncode, empty.stdout) == (1, "")
    assert empty.stderr == "There are no files to look at; hidden ones are left out.\n"


def test_json_goes_into_a_file_where_only_the_progress_bar_is_on_a_terminal(folder: Path) -> None:
    ours, its = pty.openpty()
    with (folder / "told.jsonl").open("w") as told:
        running = subprocess.Popen(
            [PRECEPTOR, "describe", "pictures", "--json"], cwd=folder, env=_environment({}), stdout=told, stderr=its
        )
    os.close(its)
    screen = _until_closed(ours)
    assert running.wait(50) == 0
    assert "looking" in screen
    assert '"path"' not in screen
    (line,) = (folder / "told.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["path"] == "pictures/red.png"


def _until_closed(terminal: int) -> str:
    shown = bytearray()
    try:
        while part := os.read(terminal, 65_536):
            shown += part
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(terminal)
    return shown.decode()
