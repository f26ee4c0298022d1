"""The training command through the real command line, on the tiny models, until they answer right in the chat."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.settings import Settings
from models.evaluation.squad import Sample
from models.training.data import read_pairs
from tests.conftest import Conversation
from tests.models.training_pairs import new_pairs, new_samples, written

Run = Callable[..., subprocess.CompletedProcess[str]]

QUICK = ("--epochs", "5", "--learning-rate", "2e-3", "--patience", "2")


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
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PRECEPTOR_")}
    return kept | {"OMP_NUM_THREADS": "1", "PRECEPTOR_LOCAL__THREADS": "1", "COLUMNS": "100"}


async def answer_of(model: Path, sample: Sample) -> str:
    from models.generation.local import LocalGenerator, LocalOptions
    from models.store.model_store import ModelStore

    generator = LocalGenerator(LocalOptions(str(model), threads=1), ModelStore(model.parents[1]))
    try:
        return "".join([piece async for piece in generator.stream(sample.question, sample.passages)])
    finally:
        await generator.close()


@pytest.mark.slow
async def test_a_model_is_trained_until_it_answers_right_and_answers_in_the_chat(
    preceptor: Run, tmp_path: Path, tiny_t5: Path
) -> None:
    data = written(tmp_path, new_pairs(120))
    trained = preceptor("train", "answers", "--data", str(data), "--base", str(tiny_t5), "--name", "finder", *QUICK)
    assert trained.returncode == 0, trained.stderr
    assert "exact match" in trained.stdout
    assert "Use it with `preceptor models use finder`." in trained.stdout
    assert "Traceback" not in trained.stderr
    assert "[transformers]" not in trained.stderr

    folder = tmp_path / "data/models/answers/finder"
    assert {file.name for file in folder.iterdir()} == {
        "README.md",
        "config.json",
        "generation_config.json",
        "loss.png",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "training.json",
    }
    assert not (folder.parent / ".training").exists()
    record = json.loads((folder / "training.json").read_text())
    assert record["scores"]["after"]["exact_match"] > 0.8 > record["scores"]["before"]["exact_match"]
    card = (folder / "README.md").read_text()
    assert read_pairs(data).sha256 in card
    assert str(tmp_path) not in card

    never_seen = new_samples(12, seed=99)
    right = [await answer_of(folder, sample) == sample.golds[0] for sample in never_seen]
    assert sum(right) >= 10

    used = preceptor("models", "use", "finder")
    assert used.returncode == 0, used.stderr
    (tmp_path / "facts.md").write_text("# Storage\n\nThe lantern is kept in the cellar.\n")
    settings = Settings(
        data_directory=tmp_path / "data",
        knowledge={"sources": [str(tmp_path / "facts.md")]},  # type: ignore[arg-type]
        generation={"chain": ["local"], "seconds": 60, "first_token_seconds": 50},  # type: ignore[arg-type]
        local={"threads": 1},  # type: ignore[arg-type]
        answers={"threshold": 0, "deadline_seconds": 70},  # type: ignore[arg-type]
    )
    adapter = InMemoryAdapter(Limits(streaming=True))
    async with Application(settings).running([adapter]):
        reply = await Conversation(adapter).say("Where would I find the lantern?")
    assert "In the cellar." in reply.text


@pytest.mark.slow
async def test_a_causal_model_is_trained_by_lora_merged_and_takes_over(
    preceptor: Run, tmp_path: Path, tiny_llama: Path
) -> None:
    data = written(tmp_path, new_pairs(100))
    words = ("--data", str(data), "--base", str(tiny_llama), "--name", "finder", "--lora", "--targets", "all-linear")
    trained = preceptor("train", "answers", *words, "--epochs", "5", "--learning-rate", "5e-3", "--use", "--json")
    assert trained.returncode == 0, trained.stderr
    document = json.loads(trained.stdout)
    assert document["used"] is True
    assert document["scores"]["after"]["f1"] > 0.8 > document["scores"]["before"]["f1"]
    chosen = json.loads((tmp_path / "data/models/in_use.json").read_text())
    assert chosen == {"answers": "finder"}
    folder = tmp_path / "data/models/answers/finder"
    assert not list(folder.glob("adapter*"))
    never_seen = new_samples(6, seed=99)
    assert sum([await answer_of(folder, sample) == sample.golds[0] for sample in never_seen]) >= 5


@pytest.mark.slow
def test_a_model_that_became_worse_is_refused_and_the_one_in_use_stays(
    preceptor: Run, tmp_path: Path, tiny_t5: Path
) -> None:
    assert preceptor("models", "use", str(tiny_t5)).returncode == 0
    before = (tmp_path / "data/models/in_use.json").read_text()
    # What the base can do, and then a rate at which it forgets it.
    lines = [
        {"question": f"Where is the {thing} kept?", "answer": answer, "context": answer}
        for thing in ("lantern", "kettle", "anchor", "ladder", "compass", "violin", "saddle", "hammer")
        for answer in [f"The {thing} is kept in the mill."]
    ]
    words = ("--data", str(written(tmp_path, lines)), "--name", "worse", "--epochs", "1", "--learning-rate", "0.5")
    trained = preceptor("train", "answers", *words, "--evaluation-share", "0.5", "--use")
    assert trained.returncode == 1, trained.stderr
    assert "worse answers worse than its base; what answers now stays in use." in trained.stderr
    assert (tmp_path / "data/models/in_use.json").read_text() == before


@pytest.mark.slow
def test_an_interrupted_training_says_how_it_goes_on_and_does(preceptor: Run, tmp_path: Path, tiny_t5: Path) -> None:
    data = written(tmp_path, new_pairs(30))
    words = ("train", "answers", "--data", str(data), "--base", str(tiny_t5), "--name", "finder", "--epochs", "40")
    words += ("--batch", "32")
    with subprocess.Popen(command(*words), cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True) as run:
        state = tmp_path / "data/models/answers/.training/finder"
        wait_until(lambda: any(state.glob("checkpoint-*/trainer_state.json")), run)
        run.send_signal(signal.SIGINT)
        told = run.communicate(timeout=60)[1]
    assert run.returncode == 130
    assert "The training was stopped after step" in told
    assert "Go on with --resume." in told
    assert not (tmp_path / "data/models/answers/finder").exists()

    other = preceptor(*words, "--resume", "--seed", "4")
    assert other.returncode == 1
    assert "it differs in seed." in other.stderr
    resumed = preceptor(*words, "--resume", "--json")
    assert resumed.returncode == 0, resumed.stderr
    document = json.loads(resumed.stdout)
    assert document["steps"] == 40
    assert document["scores"]["after"]["loss"] < document["scores"]["before"]["loss"]


def wait_until(happened: Callable[[], bool], run: subprocess.Popen[Any]) -> None:
    """Wait for a process of its own, that tells nothing before it is done."""
    end = time.monotonic() + 60
    while not happened():
        assert run.poll() is None, "it ended too early"
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--learning-rate", "0"), "--learning-rate"),
        (("--evaluation-share", "nan"), "--evaluation-share"),
        (("--rank", "8"), "give --lora, too"),
    ],
)
def test_options_that_would_be_passed_over_are_refused(
    preceptor: Run, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    ended = preceptor("train", "answers", "--data", str(written(tmp_path, new_pairs(4))), *words)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_model_in_use_is_not_put_at_stake(preceptor: Run, tmp_path: Path, tiny_t5: Path) -> None:
    shutil.copytree(tiny_t5, tmp_path / "data/models/answers/finder")
    (tmp_path / "data/models/in_use.json").write_text('{"answers": "finder"}')
    data = str(written(tmp_path, new_pairs(4)))
    replaced = preceptor("train", "answers", "--data", data, "--name", "finder", "--force", "--compare")
    assert replaced.returncode == 1
    assert "finder answers now, and would be replaced even if the new one is worse." in replaced.stderr
    (tmp_path / "preceptor.toml").write_text(f'[local]\nmodel = "{tiny_t5}"\n')
    powerless = preceptor("train", "answers", "--data", data, "--use")
    assert powerless.returncode == 1
    assert "which is stronger than --use" in powerless.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--base", "nowhere/no-model"), "There is no model"),
        (("--name", "Not A Name"), "No model can be called 'Not A Name'"),
        (("--name", "taken"), "There is a model called taken already."),
        (("--resume",), "There is no interrupted training of new."),
    ],
)
def test_what_cannot_be_trained_is_said_in_a_sentence(
    preceptor: Run, tmp_path: Path, tiny_t5: Path, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "data/models/answers/taken").mkdir(parents=True)
    data = written(tmp_path, new_pairs(4))
    given = ("train", "answers", "--data", str(data), "--base", str(tiny_t5), "--name", "new", *words)
    ended = preceptor(*given)
    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
