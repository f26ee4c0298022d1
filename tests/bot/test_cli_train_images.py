"""The training of a classifier of pictures through the real command line, and how it comes into use."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from bot.settings import Settings
from bot.settings.tree import ModelSettings
from bot.training_images import Wish, train_images
from models.errors import ModelError
from models.vision.training.options import ImageTrainingOptions
from tests.models.vision.drawn_shapes import shapes, tiny_vit

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_vit(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture
def preceptor(tmp_path: Path) -> Run:
    """Run a command in a folder of its own."""

    def _run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*words), cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=110, check=False
        )

    return _run


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", "from bot.cli import main; main()", *words]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PRECEPTOR_", "HF_"))}
    ours = {"OMP_NUM_THREADS": "1", "PRECEPTOR_LOCAL__THREADS": "1", "COLUMNS": "120", "HF_HUB_OFFLINE": "1"}
    return kept | ours


def test_a_classifier_is_trained_and_taken_into_use(preceptor: Run, tmp_path: Path, base: Path) -> None:
    data = shapes(tmp_path / "shapes", 40)
    (data / "circle" / "notes.txt").write_text("no picture")
    words = ("train", "images", "--data", str(data), "--base", str(base), "--name", "shapes")
    trained = preceptor(*words, "--use", "--json")
    assert trained.returncode == 0, trained.stderr
    assert "Traceback" not in trained.stderr
    document = json.loads(trained.stdout)
    assert len(trained.stdout.splitlines()) == 1
    assert document["labels"] == ["circle", "square", "triangle"]
    assert document["accuracy"] == document["honest"]["accuracy"] > 0.8
    assert sum(document["pictures"][side] for side in ("training", "validation", "test")) == 120
    assert document["refused_files"][0]["path"] == "circle/notes.txt"
    assert (document["head"], document["in_use"], document["used"], document["refused"]) == (None, None, True, False)
    assert Path(document["report"]["html"]).is_file()
    assert Path(document["report"]["json"]).is_file()
    assert json.loads((tmp_path / "data/models/in_use.json").read_text()) == {"images": "shapes"}
    staked = preceptor(*words, "--force")
    assert staked.returncode == 1
    assert "shapes looks at pictures now, and would be replaced even if the new one is worse." in staked.stderr


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_worse_one_is_told_refused_and_forced_nevertheless(preceptor: Run, tmp_path: Path, base: Path) -> None:
    data, blind = shapes(tmp_path / "good", 40), tiny_vit(tmp_path / "blind", sees=False)
    assert preceptor("train", "images", "--data", str(data), "--base", str(base), "--use").returncode == 0
    others = shapes(tmp_path / "others", 40, seed=1)
    words = ("train", "images", "--data", str(others), "--base", str(blind), "--name", "worse")
    refused = preceptor(*words, "--use")
    assert refused.returncode == 1
    assert "worse does worse than tiny-good" in refused.stderr
    assert "What looks at pictures now stays in use." in refused.stderr
    assert "top 1" in refused.stdout
    assert json.loads((tmp_path / "data/models/in_use.json").read_text()) == {"images": "tiny-good"}
    forced = preceptor(*words, "--use", "--force")
    assert forced.returncode == 0, forced.stderr
    assert json.loads((tmp_path / "data/models/in_use.json").read_text()) == {"images": "worse"}


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_an_interrupted_training_says_how_it_goes_on_and_does(preceptor: Run, tmp_path: Path, base: Path) -> None:
    data = shapes(tmp_path / "shapes", 20)
    words = ("train", "images", "--data", str(data), "--base", str(base), "--name", "shapes", "--unfreeze", "1")
    words += ("--epochs", "200", "--patience", "200", "--learning-rate", "1e-5")
    with subprocess.Popen(command(*words), cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True) as run:
        wait_until(lambda: any((tmp_path / "data/models/images/.training/shapes").rglob("trainer_state.json")), run)
        run.send_signal(signal.SIGINT)
        told = run.communicate(timeout=60)[1]
    assert run.returncode == 130
    assert "Go on with --resume." in told
    assert not (tmp_path / "data/models/images/shapes").exists()
    resumed = preceptor(*words, "--resume", "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["name"] == "shapes"


def wait_until(happened: Callable[[], bool], run: subprocess.Popen[Any]) -> None:
    """Wait for a process of its own, that tells nothing before it is done."""
    end = time.monotonic() + 60
    while not happened():
        assert run.poll() is None, "it ended too early"
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"base": "nowhere/no-model"}, "preceptor models pull nowhere/no-model"),
        ({"base": ""}, "Or name another encoder of pictures, or its folder, with --base."),
        ({"data": Path("nowhere")}, "nowhere is not there."),
        ({"name": "Not A Name"}, "No model can be called 'Not A Name'"),
        ({"name": "floor"}, "is called the floor"),
        ({"name": "taken"}, "There is a model called taken already."),
        ({"resume": True}, "There is no interrupted training of tiny-shapes."),
    ],
)
def test_what_cannot_be_trained_is_said_in_a_sentence(
    tmp_path: Path,
    base: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    asked: dict[str, Any],
    said: str,
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    (settings.models_directory / "images/taken").mkdir(parents=True)
    data = shapes(tmp_path / "shapes", 5)
    wish = Wish(**{"data": data, "base": str(base), "name": "", "options": ImageTrainingOptions()} | asked)
    with pytest.raises(ModelError) as refused:
        train_images(settings, wish, lambda *told: None, Event())
    assert said in str(refused.value)
    assert refused.value.fix


def test_a_model_in_use_that_is_gone_is_named_before_anything_is_compared_with_it(
    base: Path, tmp_path: Path, settings: Settings
) -> None:
    settings.models_directory.mkdir(parents=True)
    (settings.models_directory / "in_use.json").write_text(json.dumps({"images": "gone"}))
    settings = settings.model_copy(update={"models": ModelSettings()})
    wish = Wish(shapes(tmp_path / "shapes", 5), str(base), "", ImageTrainingOptions())
    with pytest.raises(ModelError, match=r"gone is chosen to look at pictures, but is not here.*--no-compare"):
        train_images(settings, wish, lambda *told: None, Event())


def test_a_setting_that_names_what_looks_at_pictures_is_stronger_than_a_wish(
    tmp_path: Path, settings: Settings
) -> None:
    images = settings.models.images.model_copy(update={"labels": "other"})
    chosen = settings.model_copy(update={"models": settings.models.model_copy(update={"images": images})})
    with pytest.raises(ModelError, match=r"which is stronger than --use\. Unset it"):
        train_images(chosen, Wish(tmp_path, "", "", ImageTrainingOptions(), use=True), lambda *told: None, Event())
