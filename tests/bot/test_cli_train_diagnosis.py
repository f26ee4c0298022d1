"""The training of a classifier through the real command line, and how it comes into use."""

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
from bot.training_diagnosis import Wish, train_diagnosis
from models.diagnosis.encoder.options import EncoderOptions
from models.errors import ModelError
from tests.models.symptom_training import descriptions, strangers, tiny_encoder, written

Run = Callable[..., subprocess.CompletedProcess[str]]

QUICK = ("--epochs", "10", "--batch", "8", "--learning-rate", "5e-3", "--patience", "10")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture
def preceptor(tmp_path: Path) -> Run:
    """Run a command in a folder of its own."""

    def _run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        variables = environment() | variables
        return subprocess.run(
            command(*words), cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=110, check=False
        )

    return _run


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", "from bot.cli import main; main()", *words]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PRECEPTOR_", "HF_"))}
    ours = {"OMP_NUM_THREADS": "1", "PRECEPTOR_LOCAL__THREADS": "1", "COLUMNS": "120", "HF_HUB_OFFLINE": "1"}
    return kept | ours


def files(folder: Path) -> tuple[str, ...]:
    data = written(folder / "told.csv", descriptions(40))
    others = written(folder / "others.csv", strangers(30), ("kind", "text"))
    return "--data", str(data), "--no-match", str(others)


@pytest.mark.slow
def test_a_classifier_is_trained_compared_taken_into_use_and_given_up_again(
    preceptor: Run, tmp_path: Path, base: Path
) -> None:
    trained = preceptor(
        "train",
        "diagnosis",
        *files(tmp_path),
        "--base",
        str(base),
        "--name",
        "teller",
        *QUICK,
        "--use",
        "--json",
        "--no-random-split",
    )
    assert trained.returncode in (0, 1), trained.stderr
    document = json.loads(trained.stdout)
    assert len(trained.stdout.splitlines()) == 1
    assert document["name"] == "teller"
    assert document["labels"] == ["common cold", "migraine", "psoriasis"]
    assert document["macro_f1"] == document["honest"]["macro_f1"] > 0.8
    assert document["ece"] == document["honest"]["ece_after"]
    assert {"temperature", "threshold", "brier_after", "abstention_auroc", "top3"} <= set(document["honest"])
    assert document["random"] is None
    assert document["floor"]["macro_f1"] > 0.8
    assert document["in_use"] is None
    assert sum(document["texts"][side] for side in ("training", "validation", "test")) == 150
    assert Path(document["report"]["html"]).is_file()
    assert Path(document["report"]["json"]).is_file()
    assert document["used"] is (trained.returncode == 0)
    assert document["refused"] is (trained.returncode == 1)
    assert "Traceback" not in trained.stderr

    assert preceptor("models", "use", "teller").stdout.startswith("teller (bert) judges symptoms")
    assert json.loads((tmp_path / "data/models/in_use.json").read_text()) == {"diagnosis": "teller"}
    listed = preceptor("models", "list").stdout
    assert "teller (in use for diagnosis)" in listed
    assert json.loads(preceptor("models", "list", "--json").stdout)["in_use"]["diagnosis"] == "teller"
    kept = preceptor("models", "remove", "teller", "--yes")
    assert (kept.returncode, "teller is in use for diagnosis." in kept.stderr) == (1, True)

    staked = ("--name", "teller", "--force", "--compare")
    staked_run = preceptor("train", "diagnosis", *files(tmp_path), "--base", str(base), *staked)
    assert staked_run.returncode == 1
    assert "teller judges symptoms now, and would be replaced even if the new one is worse." in staked_run.stderr

    assert "floor" in preceptor("models", "use", "floor", "--for", "diagnosis").stdout
    assert json.loads((tmp_path / "data/models/in_use.json").read_text()) == {}
    assert preceptor("models", "remove", "teller", "--yes").returncode == 0
    assert not (tmp_path / "data/models/diagnosis/teller").exists()


@pytest.mark.slow
def test_the_outcome_is_told_to_people_as_a_table(preceptor: Run, tmp_path: Path, base: Path) -> None:
    words = (*files(tmp_path), "--base", str(base), "--name", "teller", "--epochs", "1", "--no-random-split")
    trained = preceptor("train", "diagnosis", *words)
    assert trained.returncode == 0, trained.stderr
    assert "macro f1" in trained.stdout
    assert "floor" in trained.stdout
    assert "random split" not in trained.stdout
    assert "Use it with `preceptor models use teller --for diagnosis`." in trained.stdout


@pytest.mark.slow
def test_a_worse_one_is_refused_and_forced_nevertheless(preceptor: Run, tmp_path: Path, base: Path) -> None:
    bad = ("--epochs", "1", "--learning-rate", "1e-9", "--no-random-split", "--base", str(base), "--name", "worse")
    refused = preceptor("train", "diagnosis", *files(tmp_path), *bad, "--use")
    assert refused.returncode == 1
    assert "worse does worse than the floor" in refused.stderr or "but its probabilities say less" in refused.stderr
    assert "What judges now stays in use." in refused.stderr
    assert not (tmp_path / "data/models/in_use.json").exists()
    forced = preceptor("train", "diagnosis", *files(tmp_path), *bad, "--use", "--force", "--json")
    assert forced.returncode == 0, forced.stderr
    assert json.loads(forced.stdout)["used"] is True
    assert json.loads((tmp_path / "data/models/in_use.json").read_text()) == {"diagnosis": "worse"}


@pytest.mark.slow
def test_an_interrupted_training_says_how_it_goes_on_and_does(preceptor: Run, tmp_path: Path, base: Path) -> None:
    words = ("train", "diagnosis", *files(tmp_path), "--base", str(base), "--name", "teller", "--no-random-split")
    words += ("--epochs", "60", "--batch", "4", "--patience", "60", "--learning-rate", "1e-4")
    with subprocess.Popen(command(*words), cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True) as run:
        state = tmp_path / "data/models/diagnosis/.training/teller"
        wait_until(lambda: any(state.rglob("trainer_state.json")), run)
        run.send_signal(signal.SIGINT)
        told = run.communicate(timeout=60)[1]
    assert run.returncode == 130
    assert "Go on with --resume." in told
    assert not (tmp_path / "data/models/diagnosis/teller").exists()
    resumed = preceptor(*words, "--resume", "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["name"] == "teller"


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
        ({"base": ""}, "preceptor models pull sentence-transformers/all-MiniLM-L6-v2"),
        ({"data": Path("nowhere.csv")}, "There is no file nowhere.csv."),
        ({"data": Path()}, "is a folder"),
        ({"text_column": "told"}, 'no column "told"'),
        ({"no_match": Path("nowhere.csv")}, "There is no file nowhere.csv."),
        ({"options": EncoderOptions("best")}, "There is no method 'best'."),
        ({"name": "Not A Name"}, "No model can be called 'Not A Name'"),
        ({"name": "floor"}, "The floor is called so"),
        ({"name": "taken"}, "There is a model called taken already."),
        ({"resume": True}, "There is no interrupted training of tiny-told."),
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
    (settings.models_directory / "diagnosis/taken").mkdir(parents=True)
    data = written(tmp_path / "told.csv", descriptions(5))
    wish = Wish(**{"data": data, "base": str(base), "name": "", "options": EncoderOptions()} | asked)
    with pytest.raises(ModelError) as refused:
        train_diagnosis(settings, wish, lambda *told: None, Event())
    assert said in str(refused.value)
    assert refused.value.fix


def test_a_judge_that_is_gone_is_named_before_anything_is_compared_with_it(
    base: Path, tmp_path: Path, settings: Settings
) -> None:
    settings.models_directory.mkdir(parents=True)
    (settings.models_directory / "in_use.json").write_text(json.dumps({"diagnosis": "gone"}))
    data = written(tmp_path / "told.csv", descriptions(5))
    with pytest.raises(ModelError, match=r"gone is chosen to judge symptoms.*models use floor --for diagnosis"):
        train_diagnosis(settings, Wish(data, str(base), "", EncoderOptions(), use=True), lambda *told: None, Event())


def test_a_setting_that_names_the_judge_is_stronger_than_a_wish(tmp_path: Path, settings: Settings) -> None:
    chosen = settings.model_copy(update={"diagnosis": settings.diagnosis.model_copy(update={"model": "other"})})
    with pytest.raises(ModelError, match=r"which is stronger than --use\. Unset it"):
        train_diagnosis(chosen, Wish(None, "", "", EncoderOptions(), use=True), lambda *told: None, Event())


def test_a_model_that_tells_nothing_apart_is_not_chosen_for_diagnosis(
    preceptor: Run, tmp_path: Path, base: Path
) -> None:
    chosen = preceptor("models", "use", str(base), "--for", "diagnosis")
    assert chosen.returncode == 1
    assert "tells no conditions apart" in chosen.stderr
    assert not (tmp_path / "data/models/in_use.json").exists()


def test_options_of_lora_alone_are_refused_without_it(preceptor: Run, tmp_path: Path) -> None:
    ended = preceptor("train", "diagnosis", *files(tmp_path), "--rank", "8")
    assert ended.returncode == 2
    assert "give --method lora, too" in ended.stderr
