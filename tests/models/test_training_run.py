import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from models.errors import ModelUnusableError, TrainingError
from models.generation import GroundingPassage
from models.store.checkpoints import judged
from models.store.model_store import ModelStore
from models.training.data import read_pairs
from models.training.naming import name_for
from models.training.options import LoraOptions, StoppedError, TrainingOptions
from models.training.run import Order, Outcome, require_possible, train
from models.training.scores import Scores
from models.training.trained_model import whole_or_not_at_all
from tests.models.training_pairs import new_pairs, new_samples, written

OPTIONS = TrainingOptions(epochs=3, batch=8, learning_rate=2e-3, threads=1)


def an_order(base: Path, folder: Path, pairs: int = 32, **fields: Any) -> Order:
    file = replace(read_pairs(written(folder, new_pairs(pairs))), samples=tuple(new_samples(pairs)))
    return Order(
        **{"file": file, "base": judged(base, str(base)), "name": "finder", "share": 0.2, "options": OPTIONS} | fields
    )


def carried_out(order: Order, store: ModelStore) -> Outcome:
    return train(order, store, lambda *told: None, Event())


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Refuse to write more to any file, as a full disk does."""
    import signal

    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_lora_is_merged_so_that_the_result_loads_as_any_model(tiny_t5: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForSeq2SeqLM

    store = ModelStore(tmp_path / "models")
    lora = replace(OPTIONS, lora=LoraOptions(8, 16, ("all-linear",)), learning_rate=5e-3)
    outcome = carried_out(an_order(tiny_t5, tmp_path, options=lora), store)
    found = store.find("finder")
    assert (found.folder, found.kind) == (outcome.folder, "seq2seq")
    assert [file.name for file in found.weight_files] == ["model.safetensors"]
    assert json.loads((found.folder / "config.json").read_text())["tie_word_embeddings"] is False
    model = AutoModelForSeq2SeqLM.from_pretrained(str(found.folder))
    assert model.lm_head.weight is not model.shared.weight
    assert outcome.after.loss is not None
    assert outcome.before.loss is not None
    assert outcome.after.loss < outcome.before.loss


def test_a_disk_that_is_full_leaves_nothing_half_written_and_the_old_model_as_it_was(
    tiny_t5: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "finder"
    folder.mkdir()
    (folder / "config.json").write_text("the old one")
    with (
        pytest.raises(TrainingError, match=r"cannot be written to .*finder.*Make room"),
        files_no_larger_than(1000),
        whole_or_not_at_all(folder) as making,
    ):
        (making / "model.safetensors").write_bytes(bytes(2000))
    assert [file.name for file in tmp_path.iterdir()] == ["finder"]
    assert (folder / "config.json").read_text() == "the old one"


def test_weights_that_do_not_fit_on_the_disk_are_told_in_a_sentence(tiny_t5: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(TrainingError, match=r"state cannot be kept|cannot be written"),
        files_no_larger_than(100_000),
    ):
        carried_out(an_order(tiny_t5, tmp_path, options=replace(OPTIONS, epochs=1)), ModelStore(tmp_path / "models"))
    answers = tmp_path / "models/answers"
    assert [path.name for path in answers.iterdir() if path.name != ".training"] == []


def test_a_model_is_replaced_only_when_told_so(tiny_t5: Path, tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "models")
    (store.directory / "answers/finder").mkdir(parents=True)
    with pytest.raises(TrainingError, match="--force"):
        require_possible(an_order(tiny_t5, tmp_path), store)
    require_possible(an_order(tiny_t5, tmp_path, replace=True), store)


def test_a_base_that_writes_no_text_is_refused(tiny_t5: Path, tmp_path: Path) -> None:
    order = an_order(tiny_t5, tmp_path)
    with pytest.raises(TrainingError, match="does not write text"):
        require_possible(replace(order, base=replace(order.base, kind="other")), ModelStore(tmp_path))


def test_a_folder_that_is_no_model_is_no_base(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusableError):
        ModelStore(tmp_path).find(str(tmp_path))


def test_questions_for_which_nothing_is_found_train_nothing(tiny_t5: Path, tmp_path: Path) -> None:
    order = an_order(tiny_t5, tmp_path)
    bare = tuple(replace(sample, passages=()) for sample in order.file.samples)
    with pytest.raises(TrainingError, match="Nothing is found in the knowledge base"):
        carried_out(replace(order, file=replace(order.file, samples=bare)), ModelStore(tmp_path / "models"))


def test_a_training_goes_on_with_its_own_data_only(tiny_t5: Path, tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "models")
    order = an_order(tiny_t5, tmp_path)
    stopped(order, store, "training")
    others = tuple(replace(sample, passages=(GroundingPassage(1, "Else."),)) for sample in order.file.samples)
    found_by_search = replace(order, file=replace(order.file, samples=others), resume=True)
    with pytest.raises(TrainingError, match=r"cannot go on: it differs in passages\."):
        carried_out(found_by_search, store)
    other_options = replace(order, options=replace(OPTIONS, learning_rate=1e-3), resume=True)
    with pytest.raises(TrainingError, match=r"cannot go on: it differs in learning rate\."):
        carried_out(other_options, store)


def stopped(order: Order, store: ModelStore, doing: str) -> None:
    """Begin a training, and stop it when it first says that it does this."""
    stopping = Event()
    with pytest.raises(StoppedError, match=r"Go on with --resume\."):
        train(order, store, lambda *told: stopping.set() if told[0] == doing else None, stopping)


@pytest.mark.parametrize(
    "learning_rate",
    [pytest.param(2e-3, id="all epochs done", marks=pytest.mark.slow), pytest.param(0.2, id="ended early")],
)
def test_who_stops_it_while_it_is_scored_goes_on_from_there(
    tiny_t5: Path, tmp_path: Path, learning_rate: float
) -> None:
    store = ModelStore(tmp_path / "models")
    options = replace(OPTIONS, learning_rate=learning_rate, epochs=4, patience=1)
    order = an_order(tiny_t5, tmp_path, options=options)
    stopped(order, store, "scoring")
    assert store.trained() == []
    done: list[str] = []
    outcome = train(replace(order, resume=True), store, lambda *told: done.append(told[0]), Event())
    assert set(done) == {"scoring"}
    whole = carried_out(replace(order, name="whole"), store)
    assert (outcome.steps, outcome.after, outcome.curve) == (whole.steps, whole.after, whole.curve)


def test_a_question_that_is_too_long_is_not_scored_either(tiny_t5: Path, tmp_path: Path) -> None:
    order = an_order(tiny_t5, tmp_path, share=0.5, options=replace(OPTIONS, epochs=1))
    long = tuple(
        replace(sample, question=sample.question + " why" * 600 * (at % 3 == 0))
        for at, sample in enumerate(order.file.samples)
    )
    outcome = carried_out(replace(order, file=replace(order.file, samples=long)), ModelStore(tmp_path / "models"))
    assert outcome.counts.too_long == 11
    assert outcome.after.loss is not None


def test_only_one_training_of_a_name_runs_at_a_time(tiny_t5: Path, tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "models")
    order = an_order(tiny_t5, tmp_path, options=replace(OPTIONS, epochs=1))
    refused: list[str] = []

    def _told(*told: Any) -> None:
        if told[0] == "training" and not refused:
            with pytest.raises(TrainingError) as error:
                carried_out(order, store)
            refused.append(str(error.value))

    train(order, store, _told, Event())
    assert refused == ["A training of finder is running already. Wait for its end, or choose another --name."]


def test_a_link_in_the_models_place_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    target, folder = tmp_path / "elsewhere", tmp_path / "finder"
    target.mkdir()
    (target / "config.json").write_text("somebody's")
    folder.symlink_to(target)
    for text in ("one", "two"):
        with whole_or_not_at_all(folder) as making:
            (making / "config.json").write_text(text)
        assert (folder / "config.json").read_text() == text
    assert (target / "config.json").read_text() == "somebody's"
    assert {path.name for path in tmp_path.iterdir()} == {"elsewhere", "finder"}


def test_a_link_that_leads_nowhere_takes_a_name_too(tiny_t5: Path, tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "models")
    (store.directory / "answers").mkdir(parents=True)
    (store.directory / "answers/finder").symlink_to(tmp_path / "nowhere")
    with pytest.raises(TrainingError, match="--force"):
        require_possible(an_order(tiny_t5, tmp_path), store)


def test_a_name_is_made_of_the_base_and_the_data(tiny_t5: Path) -> None:
    checkpoint = replace(judged(tiny_t5, "google/flan-t5-small"), revision="abc")
    assert name_for(checkpoint, Path("Our pairs.jsonl")) == "flan-t5-small-our-pairs"


@pytest.mark.parametrize(
    ("f1", "loss", "vocabulary", "is_worse"),
    [(0.7, 1.0, 8, True), (0.9, 9.0, 8, False), (0.8, 2.0, 8, True), (0.8, 0.5, 8, False), (0.8, 2.0, 9, False)],
    ids=["lower F1", "higher F1", "same F1, higher loss", "same F1, lower loss", "losses not comparable"],
)
def test_which_of_two_models_is_worse(f1: float, loss: float, vocabulary: int, is_worse: bool) -> None:
    old = Scores(1.0, 2.7, 0.5, 0.8, 8)
    assert Scores(loss, 2.7, 0.5, f1, vocabulary).is_worse_than(old) is is_worse
