"""`preceptor evaluate images` and `evaluate captions` as an operator meets them: real processes, real models."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import skimage
import sklearn.datasets

from tests.models.vision.scene_captioner import scene_captioner_fixture, unseen_scenes  # noqa: F401 - a fixture

# The first test of captions may have to train the captioner.
pytestmark = pytest.mark.timeout(600)

PRECEPTOR = str(Path(sys.executable).with_name("preceptor"))
VIT_TINY = Path(__file__).parents[2].parent / "shared" / "models" / "vit-tiny-patch16-224"
PHOTOGRAPHS = {
    "daisy": Path(sklearn.datasets.__file__).parent / "images" / "flower.jpg",
    "espresso": Path(skimage.__file__).parent / "data" / "coffee.png",
    "missile": Path(skimage.__file__).parent / "data" / "rocket.jpg",
    "Egyptian_cat": Path(skimage.__file__).parent / "data" / "chelsea.png",
}

needs_vit_tiny = pytest.mark.skipif(not VIT_TINY.is_dir(), reason="the weights of ViT-tiny are not here")


def _evaluated(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PRECEPTOR_")}
    return subprocess.run(
        [PRECEPTOR, "evaluate", *arguments],
        cwd=folder,
        env=environment | {"OMP_NUM_THREADS": "1", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def _document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Four real photographs in folders of their classes, and a file that is none."""
    folder = tmp_path / "photographs"
    for label, photograph in PHOTOGRAPHS.items():
        (folder / label).mkdir(parents=True)
        shutil.copy(photograph, folder / label)
    (folder / "daisy" / "poem.txt").write_text("Roses are red")
    return folder


@pytest.mark.slow
@needs_vit_tiny
def test_real_photographs_are_labelled_and_the_figures_are_one_document(photographs: Path) -> None:
    document = _document(
        _evaluated(photographs.parent, "images", "--data", "photographs", "--model", str(VIT_TINY), "--json")
    )

    assert (document["data"], document["pictures"]) == ("photographs", 4)
    assert document["top1"] == 0.75
    assert document["top5"] == 1.0
    assert 0 <= document["ece"] <= 1
    assert {one["label"]: one["top1"] for one in document["classes"]} == {
        "Egyptian cat": 1,
        "missile": 0,
        "espresso": 1,
        "daisy": 1,
    }
    assert [(one["path"], one["said"]) for one in document["mistakes"]] == [("missile/rocket.jpg", "drilling platform")]
    assert document["refused"] == [{"path": "daisy/poem.txt", "reason": "It is plain text, which I cannot look at."}]


@pytest.mark.slow
@needs_vit_tiny
def test_the_screen_shows_figures_classes_mistakes_and_refusals_within_100_columns(photographs: Path) -> None:
    done = _evaluated(
        photographs.parent, "images", "--data", "photographs", "--model", str(VIT_TINY), "--report", "report"
    )

    assert done.returncode == 0, done.stderr
    assert "The report is report/report.html." in done.stderr
    assert "missile/rocket.jpg" in (photographs.parent / "report" / "report.html").read_text(encoding="utf-8")
    assert max(map(len, done.stdout.splitlines())) <= 100
    for told in ("Top-1", "75.0%", "ECE", "espresso", "drilling platform", "daisy/poem.txt was not looked at"):
        assert told in done.stdout


def test_a_model_that_is_not_here_is_named_with_the_command_that_gets_it(photographs: Path) -> None:
    done = _evaluated(photographs.parent, "images", "--data", "photographs", "--model", "google/vit-large-patch16-224")

    assert done.returncode == 1
    assert "preceptor models pull google/vit-large-patch16-224" in done.stderr


@pytest.mark.slow
def test_captions_of_unseen_scenes_are_evaluated_from_cocos_layout(scene_captioner: Path, tmp_path: Path) -> None:
    scenes = unseen_scenes(60, seed=5)
    (tmp_path / "val2017").mkdir()
    for number, scene in enumerate(scenes):
        (tmp_path / "val2017" / f"{number:012}.jpg").write_bytes(scene.file("JPEG"))
    annotations = {
        "images": [{"id": at, "file_name": f"{at:012}.jpg"} for at in range(61)],
        "annotations": [{"id": at, "image_id": at, "caption": f"{one.caption} ."} for at, one in enumerate(scenes)]
        + [{"id": 60, "image_id": 60, "caption": "a picture that is not there"}],
    }
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "captions_val2017.json").write_text(json.dumps(annotations))

    done = _evaluated(tmp_path, "captions", "--data", ".", "--model", str(scene_captioner), "--json")
    document = _document(done)

    assert (document["pictures"], document["absent"]) == (60, 1)
    assert document["exact"] >= 0.9
    assert document["bleu_4"] > 0.9
    assert document["rouge_l"] > 0.95
    assert document["meteor"] > 0.95
    assert document["cider"] > 8.5
    assert "published figures differ a little" in document["notes"][0]
    assert "000000000060.jpg" in done.stderr

    shown = _evaluated(tmp_path, "captions", "--data", ".", "--model", str(scene_captioner), "--limit", "5")

    assert shown.returncode == 0, shown.stderr
    assert max(map(len, shown.stdout.splitlines())) <= 100
    for told in ("looked at 5 pictures", "BLEU-4", "METEOR", "ROUGE-L", "CIDEr", "means nothing", "without synonyms"):
        assert told in shown.stdout


def test_a_damaged_file_of_captions_is_one_sentence_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "captions.json").write_text('{"images": [{"id": 1}],\n "annotations": [,]}')

    done = _evaluated(tmp_path, "captions", "--data", ".")

    assert (done.returncode, done.stdout) == (1, "")
    assert "captions.json, line 2, column 18: it is not JSON" in " ".join(done.stderr.split())
