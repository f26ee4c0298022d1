import hashlib
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from models.errors import ModelTooLargeError, TrainingError
from models.store.checkpoints import judged
from models.training.data import Example
from models.training.options import LoraOptions, StoppedError, TrainingOptions, require_trainable
from tests.models.training_pairs import new_samples

FEW_STEPS = TrainingOptions(epochs=2, batch=8, learning_rate=1e-3, threads=1)


def examples(trainee: Any) -> tuple[Sequence[Example], Sequence[Example]]:
    made = trainee.examples.of(new_samples(48))
    return made[:40], made[40:]


def fingerprint(model: Any) -> str:
    """One figure for all weights."""
    digest = hashlib.sha256()
    for name, values in sorted(model.state_dict().items()):
        digest.update(name.encode() + values.numpy().tobytes())
    return digest.hexdigest()


def trained(
    base: Path,
    folder: Path,
    options: TrainingOptions = FEW_STEPS,
    stop_after: int = 0,
    resume: bool = False,
    seen: list[int] | None = None,
) -> Any:
    from models.training.training import Trainee

    trainee, stopping = Trainee(judged(base, "tiny"), options), Event()

    def progress(step: int, steps: int, loss: float | None) -> None:
        if seen is not None:
            seen.append(step)
        if step == stop_after:
            stopping.set()

    return trainee.train(*examples(trainee), folder, progress, stopping, resume).model


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tiny_t5: Path, tmp_path: Path) -> None:
    other = TrainingOptions(epochs=2, batch=8, learning_rate=1e-3, threads=1, seed=1)
    first = fingerprint(trained(tiny_t5, tmp_path / "first"))
    assert fingerprint(trained(tiny_t5, tmp_path / "second")) == first
    assert fingerprint(trained(tiny_t5, tmp_path / "third", other)) != first


@pytest.mark.parametrize("lora", [None, LoraOptions(4, 8)], ids=["whole", "lora"])
@pytest.mark.parametrize(
    "step",
    [
        pytest.param(3, id="in the first epoch", marks=pytest.mark.slow),
        pytest.param(5, id="at its end"),
        pytest.param(7, id="in the second", marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_training_ends_with_the_weights_of_one_that_was_not(
    tiny_t5: Path, tmp_path: Path, step: int, lora: LoraOptions | None
) -> None:
    options = TrainingOptions(epochs=2, batch=8, learning_rate=1e-3, threads=1, lora=lora)
    steps: list[int] = []
    with pytest.raises(StoppedError, match=rf"stopped after step {step}\. Go on with --resume"):
        trained(tiny_t5, tmp_path / "one", options, stop_after=step)
    resumed = trained(tiny_t5, tmp_path / "one", options, resume=True, seen=steps)
    assert steps[0] == step + 1
    assert fingerprint(resumed) == fingerprint(trained(tiny_t5, tmp_path / "other", options))


def test_a_state_that_was_half_written_in_a_crash_is_passed_over(tiny_t5: Path, tmp_path: Path) -> None:
    steps: list[int] = []
    trained(tiny_t5, tmp_path)
    (tmp_path / "checkpoint-10/trainer_state.json").write_text('{"epoch": 2.0, ')
    trained(tiny_t5, tmp_path, resume=True, seen=steps)
    assert steps[0] == 6


def test_weights_that_are_kept_for_going_on_are_safetensors(tiny_llama: Path, tmp_path: Path) -> None:
    trained(tiny_llama, tmp_path)
    kept = {file.name for file in tmp_path.glob("checkpoint-*/*")}
    assert "model.safetensors" in kept
    assert "pytorch_model.bin" not in kept


def test_lora_on_layers_that_the_model_does_not_have_is_refused_by_name(tiny_t5: Path, tmp_path: Path) -> None:
    options = TrainingOptions(lora=LoraOptions(targets=("query_key_value",)), threads=1)
    with pytest.raises(TrainingError, match=r"query_key_value.*Name layers of the model with --targets"):
        trained(tiny_t5, tmp_path, options)


def test_a_learning_rate_that_breaks_the_model_is_told(tiny_llama: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"went astray.*Lower --learning-rate"):
        trained(tiny_llama, tmp_path, TrainingOptions(epochs=1, learning_rate=1e30, threads=1))


def test_going_on_without_an_interrupted_training_is_refused(tiny_t5: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no interrupted training"):
        trained(tiny_t5, tmp_path / "nothing", resume=True)


def test_a_base_larger_than_the_memory_is_refused_with_both_figures(tiny_t5: Path) -> None:
    checkpoint = judged(tiny_t5, "tiny-t5")
    with pytest.raises(ModelTooLargeError, match=r"needs 6\d\d MB .*, and 100 MB are free") as whole:
        require_trainable(checkpoint, FEW_STEPS, free=100_000_000)
    with pytest.raises(ModelTooLargeError) as lora:
        require_trainable(checkpoint, TrainingOptions(lora=LoraOptions()), free=100_000_000)
    assert "--lora" in whole.value.fix
    assert "--lora" not in lora.value.fix
