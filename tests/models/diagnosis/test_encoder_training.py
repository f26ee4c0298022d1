import hashlib
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from models.diagnosis.contract import NO_MATCH
from models.diagnosis.encoder.options import EncoderOptions
from models.errors import TrainingError
from models.store.checkpoints import judged
from models.training.options import LoraOptions, StoppedError
from tests.models.diagnosis.tiny_encoders import SIGNS, labelled, tiny_bert

QUICK = EncoderOptions(epochs=3, batch=8, learning_rate=3e-3, threads=1)
LABELS = tuple(sorted(SIGNS))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("tiny-bert"))


def trained(
    base: Path,
    folder: Path,
    options: EncoderOptions = QUICK,
    stop_after: int = 0,
    resume: bool = False,
    seen: list[tuple[int, int]] | None = None,
) -> Any:
    from models.diagnosis.encoder.training import EncoderTrainee

    stopping = Event()

    def progress(step: int, steps: int, loss: float | None) -> None:
        if seen is not None:
            seen.append((step, steps))
        if step == stop_after:
            stopping.set()

    trainee = EncoderTrainee(judged(base, "tiny"), options, LABELS)
    return trainee.train(labelled(10), labelled(5, seed=1), folder, progress, stopping, resume)


def said(encoder: Any, seed: int = 2) -> float:
    """The share of new texts that the encoder tells rightly."""
    texts = labelled(10, seed)
    columns = [*LABELS, NO_MATCH]
    right = [columns[column] for column in encoder.logits(texts.texts).argmax(axis=1)]
    return float(np.mean([one == other for one, other in zip(right, texts.labels, strict=True)]))


def fingerprint(encoder: Any) -> str:
    return hashlib.sha256(encoder.logits(labelled(5, seed=3).texts).tobytes()).hexdigest()


@pytest.mark.parametrize("method", ["full", "last:1", "frozen", "lora", "few-shot"])
def test_every_method_learns_to_tell_the_labels_apart(base: Path, tmp_path: Path, method: str) -> None:
    steps: list[tuple[int, int]] = []
    encoder = trained(
        base, tmp_path, replace(QUICK, method=method, lora=LoraOptions(4, 8, ("all-linear",))), seen=steps
    )
    assert encoder.knows_no_match
    assert said(encoder) >= 0.9
    assert all(done <= total for done, total in steps)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert steps


@pytest.mark.parametrize(
    ("options", "step"),
    [
        pytest.param(replace(QUICK, method="full"), 10, id="in the first epoch"),
        pytest.param(replace(QUICK, method="full"), 12, id="at its end", marks=pytest.mark.slow),
        pytest.param(replace(QUICK, method="lora", lora=LoraOptions(4, 8, ("all-linear",))), 14, id="with LoRA"),
        pytest.param(replace(QUICK, method="few-shot", epochs=1), 4, id="among pairs", marks=pytest.mark.slow),
        pytest.param(replace(QUICK, method="last:1", masked_epochs=1), 3, id="in the warm-up", marks=pytest.mark.slow),
        pytest.param(replace(QUICK, method="last:1", masked_epochs=1), 15, id="behind the warm-up"),
    ],
)
def test_an_interrupted_training_ends_with_the_weights_of_one_that_was_not(
    base: Path, tmp_path: Path, options: EncoderOptions, step: int
) -> None:
    whole: list[tuple[int, int]] = []
    stopped: list[tuple[int, int]] = []
    expected = trained(base, tmp_path / "whole", options, seen=whole)
    with pytest.raises(StoppedError, match=r"Go on with --resume\."):
        trained(base, tmp_path / "stopped", options, stop_after=step)
    resumed = trained(base, tmp_path / "stopped", options, resume=True, seen=stopped)
    assert fingerprint(resumed) == fingerprint(expected)
    assert resumed.curve == expected.curve
    assert resumed.steps == expected.steps
    assert len(stopped) < len(whole)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(base: Path, tmp_path: Path) -> None:
    short = replace(QUICK, epochs=1)
    first = fingerprint(trained(base, tmp_path / "first", short))
    assert fingerprint(trained(base, tmp_path / "second", short)) == first
    assert fingerprint(trained(base, tmp_path / "third", replace(short, seed=1))) != first


def test_texts_that_match_nothing_are_a_class_only_where_there_are_some(base: Path, tmp_path: Path) -> None:
    from models.diagnosis.encoder.training import EncoderTrainee

    trainee = EncoderTrainee(judged(base, "tiny"), replace(QUICK, method="frozen"), LABELS)
    without = labelled(6, no_match=False)
    encoder = trainee.train(without, labelled(3, seed=1), tmp_path, lambda *told: None, Event(), False)
    assert not encoder.knows_no_match
    assert encoder.logits(["throbbing head", "hello"]).shape == (2, 3)
    assert encoder.logits([]).shape == (0, 3)


def test_a_learning_rate_that_breaks_the_model_is_told(base: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"went astray.*Lower --learning-rate"):
        trained(base, tmp_path, replace(QUICK, epochs=1, learning_rate=1e30))


def test_a_label_without_a_text_is_named(base: Path, tmp_path: Path) -> None:
    from models.diagnosis.encoder.training import EncoderTrainee

    trainee = EncoderTrainee(judged(base, "tiny"), QUICK, (*LABELS, "zoster 🦠"))
    with pytest.raises(TrainingError, match="zoster 🦠"):
        trainee.train(labelled(4), labelled(2), tmp_path, lambda *told: None, Event(), False)


def test_more_layers_than_the_base_has_are_refused(base: Path) -> None:
    from models.diagnosis.encoder.training import EncoderTrainee

    with pytest.raises(TrainingError, match=r"The last 9 layers cannot be trained: the base has 2\."):
        EncoderTrainee(judged(base, "tiny"), replace(QUICK, method="last:9"), LABELS)


def test_one_label_is_nothing_to_tell_apart(base: Path) -> None:
    from models.diagnosis.encoder.training import EncoderTrainee

    with pytest.raises(TrainingError, match="fewer than two labels"):
        EncoderTrainee(judged(base, "tiny"), QUICK, ("acne",))
