"""`preceptor images cluster` as an operator meets it: a real process, its screen, its JSON, its contact sheet."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.models.vision.tiny_picture_models import tiny_classifier

PRECEPTOR = str(Path(sys.executable).with_name("preceptor"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier with random weights, which are enough to tell black from white."""
    return tiny_classifier(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with a folder of pictures of two kinds, and one file that is none."""
    for at in range(8):
        picture = Image.new("RGB", (64, 64), "black" if at % 2 else "white")
        ImageDraw.Draw(picture).rectangle((at, at, at + 6, at + 6), fill="red")
        place = tmp_path / "pictures" / ("dark" if at % 2 else "light")
        place.mkdir(parents=True, exist_ok=True)
        picture.save(place / f"{at}.png")
    (tmp_path / "pictures" / "notes.txt").write_text("Nothing to see here.")
    return tmp_path


def _preceptor(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PRECEPTOR_")}
    return subprocess.run(
        [PRECEPTOR, "images", "cluster", *arguments],
        cwd=folder,
        env=environment | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_groups_are_shown_written_and_not_written_over(folder: Path, model: Path) -> None:
    done = _preceptor(folder, "pictures", "--k", "2", "--model", str(model))
    assert (done.returncode, done.stderr) == (0, "")
    assert "8 pictures in 2 groups (as asked for); silhouette" in done.stdout
    assert "1 file was refused. notes.txt: " in done.stdout
    written = folder / "pictures-groups"
    with Image.open(written / "contact-sheet.png") as sheet:
        assert sheet.format == "PNG"
    assert "<h1>Pictures of pictures</h1>" in (written / "contact-sheet.html").read_text(encoding="utf-8")
    groups = json.loads((written / "groups.json").read_text(encoding="utf-8"))["groups"]
    kinds = [{picture["path"].partition("/")[0] for picture in group["pictures"]} for group in groups]
    assert sorted(map(sorted, kinds)) == [["dark"], ["light"]]
    again = _preceptor(folder, "pictures", "--model", str(model))
    assert again.returncode == 1
    assert again.stderr.startswith("Error: pictures-groups/contact-sheet.png is there already.")


@pytest.mark.slow
def test_the_json_is_one_document_with_everything(folder: Path, model: Path) -> None:
    done = _preceptor(folder, "pictures", "--model", str(model), "--output", "groups.json", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert (document["folder"], document["pictures"], document["asked"]) == ("pictures", 8, "auto")
    assert document["files"] == ["groups.json"]
    assert [one["path"] for one in document["refused"]] == ["notes.txt"]
    assert sum(group["size"] for group in document["groups"]) == 8
    assert not (folder / "pictures-groups").exists()


@pytest.mark.parametrize("k", ["1", "many", "-3", "2.5"])
def test_a_number_of_groups_that_is_none_is_used_wrongly(folder: Path, k: str) -> None:
    done = _preceptor(folder, "pictures", "--k", k)
    assert done.returncode == 2
    assert "Give auto, or a number from 2." in done.stderr


@pytest.mark.slow
def test_what_cannot_be_done_is_one_sentence_and_status_1(folder: Path, model: Path) -> None:
    done = _preceptor(folder, "nowhere", "--model", str(model))
    assert (done.returncode, done.stderr) == (1, "Error: nowhere is no folder. Name a folder of pictures.\n")
    few = folder / "few"
    few.mkdir()
    Image.new("RGB", (8, 8)).save(few / "one.png")
    done = _preceptor(folder, "few", "--model", str(model))
    assert done.returncode == 1
    assert done.stderr == ("Error: There is one picture; groups take 3 or more. Name a folder with more pictures.\n")


def test_without_a_model_the_command_that_gets_one_is_named(folder: Path) -> None:
    done = _preceptor(folder, "pictures", "--model", "nobody/nothing-of-the-kind")
    assert done.returncode == 1
    assert "preceptor models pull nobody/nothing-of-the-kind" in done.stderr
