"""Training of a classifier of pictures from a folder to a model on disk, with tiny encoders and drawn shapes."""

import json
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch
from drawn_shapes import shapes, tiny_swin, tiny_vit
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification

from models.errors import ModelTooLargeError, ModelUnusableError, TrainingError
from models.store.checkpoints import judged
from models.store.model_store import ModelStore
from models.training.options import StoppedError
from models.vision.contract import Pixels
from models.vision.decoding.contract import View
from models.vision.decoding.decoder import Decoder
from models.vision.labels import load_labeller
from models.vision.training.folders import find_pictures
from models.vision.training.judging import rival_of
from models.vision.training.network import loaded_network
from models.vision.training.options import ImageTrainingOptions, require_image_encoder
from models.vision.training.order import Order, Outcome
from models.vision.training.parts import Parts, parts_of
from models.vision.training.phases import Judged
from models.vision.training.reading import read_pictures
from models.vision.training.run import require_possible, train

HEAD = ImageTrainingOptions(threads=1)
TUNED = ImageTrainingOptions(unfreeze=1, epochs=4, batch=16, learning_rate=2e-3, patience=4, threads=1)


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as decoder:
        yield decoder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_vit(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shapes(tmp_path_factory.mktemp("drawn") / "shapes", 40)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


@pytest.fixture(scope="module")
def head(base: Path, drawn: Path, decoder: Decoder, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A head alone, trained once for all."""
    return carried_out(an_order(base, drawn), ModelStore(tmp_path_factory.mktemp("head")), decoder)


@pytest.fixture(scope="module")
def tuned(base: Path, drawn: Path, decoder: Decoder, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Its last block fine-tuned, trained once for all, without an interruption."""
    return carried_out(an_order(base, drawn, options=TUNED), ModelStore(tmp_path_factory.mktemp("tuned")), decoder)


def an_order(base: Path, data: Path, **fields: Any) -> Order:
    given = {"base": judged(base, base.name), "name": "shapes", "options": HEAD, "pictures": find_pictures(data)}
    return Order(**given | fields)


def carried_out(order: Order, store: ModelStore, decoder: Decoder, stopping: Event | None = None) -> Outcome:
    return train(order, store, decoder, lambda *told: None, stopping or Event())


def refusal(order: Order, store: ModelStore, decoder: Decoder) -> str:
    with pytest.raises((TrainingError, ModelTooLargeError, ModelUnusableError)) as refused:
        carried_out(order, store, decoder)
    assert refused.value.fix
    return str(refused.value)


def the_parts(order: Order, decoder: Decoder, workspace: Path) -> Parts:
    read = read_pictures(order.pictures, View(32, 32), decoder, workspace, lambda *told: None, Event())
    return parts_of(order, read, lambda *told: None)


def test_a_trained_head_tells_new_pictures_apart_and_all_that_belongs_to_it_is_written(head: Outcome) -> None:
    assert head.labels == ("circle", "square", "triangle")
    assert head.honest.accuracy > 0.8
    assert (head.head, head.fine_tuned, head.rival) == (None, False, None)
    assert (head.counts.training, head.counts.validation, head.counts.test) == (84, 12, 24)
    written = {file.name for file in head.folder.iterdir()}
    wanted = {"config.json", "model.safetensors", "preprocessor_config.json", "images.json", "README.md"}
    assert wanted | {"report.html", "report.json", "training.json", "seen_pictures.txt"} <= written
    assert [file.name for file in head.folder.parent.iterdir()] == ["shapes"]
    assert "circle" in (head.folder / "README.md").read_text()


def test_what_is_saved_is_an_ordinary_image_classifier_that_both_loaders_load_alike(
    head: Outcome, drawn: Path, decoder: Decoder
) -> None:
    file = next((drawn / "circle").iterdir())
    labeller = load_labeller(judged(head.folder, "shapes"), "shapes", threads=1)
    assert labeller.labels == head.labels
    ours, _ = labeller.probabilities(decoder.decode(file.read_bytes(), [labeller.view]).views[0][None])
    model = AutoModelForImageClassification.from_pretrained(head.folder, local_files_only=True).eval()
    processor = AutoImageProcessor.from_pretrained(head.folder, local_files_only=True, backend="pil")
    assert model.config.id2label == {0: "circle", 1: "square", 2: "triangle"}
    kept = json.loads((head.folder / "images.json").read_text())
    assert kept["temperature"] == head.temperature
    assert kept["labels"] == list(head.labels)
    with torch.inference_mode():
        logits = model(**processor(Image.open(file), return_tensors="pt")).logits
    theirs = (logits / kept["temperature"]).softmax(-1).numpy()
    assert np.abs(ours - theirs).max() < 1e-5


def test_the_last_blocks_are_fine_tuned_and_those_before_stay_as_they_are(base: Path, tuned: Outcome) -> None:
    assert tuned.head is not None
    assert tuned.fine_tuned
    assert tuned.honest.accuracy >= tuned.head.accuracy
    assert json.loads((tuned.folder / "images.json").read_text())["fine_tuned"] is True
    assert (tuned.folder / "loss-fine-tuning.png").is_file()
    before = AutoModelForImageClassification.from_pretrained(base, local_files_only=True).state_dict()
    after = AutoModelForImageClassification.from_pretrained(tuned.folder, local_files_only=True).state_dict()
    kept = {key for key in before if before[key].shape == after[key].shape and torch.equal(before[key], after[key])}
    changed = before.keys() - kept
    assert all(".1." in key or key.startswith(("classifier", "vit.layernorm")) for key in changed), changed
    assert any(".1." in key for key in changed)


def test_fine_tuning_that_does_no_good_leaves_the_head_alone_in_its_place(
    base: Path, drawn: Path, store: ModelStore, decoder: Decoder, head: Outcome
) -> None:
    astray = replace(TUNED, epochs=1, learning_rate=1.0)
    outcome = carried_out(an_order(base, drawn, options=astray), store, decoder)
    assert not outcome.fine_tuned
    assert outcome.head == outcome.honest == head.honest
    weights = [(one.folder / "model.safetensors").read_bytes() for one in (outcome, head)]
    assert weights[0] == weights[1]
    assert "Fine-tuning the last blocks did no better" in (outcome.folder / "report.html").read_text()


class StopAt(Event):
    """Is set when a training has told so many steps of what it is doing."""

    def __init__(self, doing: str, step: int) -> None:
        super().__init__()
        self._wanted = (doing, step)

    def told(self, doing: str, done: int, total: int, loss: float | None) -> None:
        if doing == self._wanted[0] and done >= self._wanted[1]:
            self.set()


@pytest.mark.parametrize(
    ("doing", "step"),
    [
        ("fine-tuning", 9),
        pytest.param("reading", 10, marks=pytest.mark.slow),
        pytest.param("looking at the pictures", 32, marks=pytest.mark.slow),
        pytest.param("looking at them augmented, 2 of 2", 1, marks=pytest.mark.slow),
        pytest.param("fine-tuning", 12, marks=pytest.mark.slow),
        pytest.param("judging", 1, marks=pytest.mark.slow),
    ],
)
def test_a_training_that_was_stopped_goes_on_to_the_very_same_weights(
    base: Path, drawn: Path, store: ModelStore, decoder: Decoder, tuned: Outcome, doing: str, step: int
) -> None:
    order, stopping = an_order(base, drawn, options=TUNED), StopAt(doing, step)
    with pytest.raises(StoppedError, match="--resume"):
        train(order, store, decoder, stopping.told, stopping)
    assert not (store.directory / "images" / "shapes").exists()
    resumed = carried_out(replace(order, resume=True), store, decoder)
    for file in ("model.safetensors", "images.json", "config.json"):
        assert (resumed.folder / file).read_bytes() == (tuned.folder / file).read_bytes(), file
    assert resumed.honest == tuned.honest


def test_a_training_that_was_stopped_goes_on_with_nothing_else(
    base: Path, drawn: Path, store: ModelStore, decoder: Decoder, tmp_path: Path
) -> None:
    assert "There is no interrupted training of shapes." in refusal(an_order(base, drawn, resume=True), store, decoder)
    stopping = StopAt("reading", 10)
    with pytest.raises(StoppedError, match="while the pictures were read"):
        train(an_order(base, drawn), store, decoder, stopping.told, stopping)
    other = an_order(base, shapes(tmp_path / "others", 6, seed=1), resume=True, options=replace(HEAD, seed=3))
    assert "it differs in pictures, seed." in refusal(other, store, decoder)


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


@pytest.mark.parametrize("what", ["the pictures", "the weights"])
def test_a_full_disk_is_told_and_the_training_goes_on_once_there_is_room(
    tmp_path: Path, base: Path, store: ModelStore, decoder: Decoder, what: str
) -> None:
    data = shapes(tmp_path / "shapes", 6)
    order = an_order(base, data, options=replace(HEAD, augmentation=False))
    decoder.decode((data / "circle" / "000.png").read_bytes())  # its process is there before the disk is full
    weights = (base / "model.safetensors").stat().st_size
    with files_no_larger_than(weights - 1 if what == "the weights" else 50_000):
        said = refusal(order, store, decoder)
    assert "File too large" in said
    assert "--resume" in said
    assert not (store.directory / "images" / "shapes").exists()
    assert carried_out(replace(order, resume=True), store, decoder).folder.is_dir()


def test_copies_of_a_picture_never_lie_on_two_sides(tmp_path: Path, base: Path, decoder: Decoder) -> None:
    data = shapes(tmp_path / "shapes", 15)
    for file in sorted(data.rglob("*.png")):
        with Image.open(file) as picture:
            picture.resize((60, 60), Image.Resampling.BICUBIC).save(file.with_name(f"{file.stem}-small.jpg"))
    for seed in range(5):
        order = an_order(base, data, options=replace(HEAD, seed=seed))
        parts = the_parts(order, decoder, tmp_path / "read")
        files = [order.pictures.files[number].path for number in parts.pictures.files]
        side = {str(files[row]): number for number, rows in enumerate(parts.honest.sides) for row in rows}
        assert len(side) == 90
        assert all(side[path] == side[path.replace("-small.jpg", ".png")] for path in side if path.endswith(".jpg"))
        assert parts.counts.near_duplicate_groups >= 40
        assert parts.random is not None


def test_refused_repeated_and_contradictory_files_are_counted_and_told(
    tmp_path: Path, base: Path, decoder: Decoder
) -> None:
    data = shapes(tmp_path / "shapes", 12)
    (data / "circle" / "notes.png").write_text("no picture")
    (data / "circle" / "cut.png").write_bytes((data / "circle" / "000.png").read_bytes()[:200])
    shutil.copy(data / "circle" / "001.png", data / "circle" / "again.png")
    shutil.copy(data / "circle" / "002.png", data / "square" / "wrong.png")
    parts = the_parts(an_order(base, data), decoder, tmp_path / "read")
    counts = parts.counts
    assert (counts.refused, counts.duplicates, counts.contradictory) == (2, 1, 2)
    assert counts.training + counts.validation + counts.test == 35
    refused = parts.pictures.refused
    assert [one.path for one in refused] == ["circle/cut.png", "circle/notes.png"]
    assert "text" in refused[1].reason


def test_a_class_whose_pictures_cannot_be_used_is_named(
    tmp_path: Path, base: Path, store: ModelStore, decoder: Decoder
) -> None:
    data = shapes(tmp_path / "shapes", 6)
    for number in range(3):
        (data / "square" / f"00{number}.png").write_text("no picture")
    assert "The class 'square' has 3 pictures that can be used" in refusal(an_order(base, data), store, decoder)


def test_a_class_of_copies_of_one_picture_is_refused(
    tmp_path: Path, base: Path, store: ModelStore, decoder: Decoder
) -> None:
    data = shapes(tmp_path / "shapes", 6)
    with Image.open(data / "square" / "000.png") as picture:
        whole = picture.convert("RGB")
    for number in range(6):
        whole.resize((96 + 8 * number, 96 + 8 * number)).save(data / "square" / f"00{number}.png")
    said = refusal(an_order(base, data), store, decoder)
    assert "The pictures of the class 'square' are nearly the same" in said


def test_a_base_that_knows_the_held_out_pictures_is_not_trained_on(
    drawn: Path, store: ModelStore, decoder: Decoder, head: Outcome
) -> None:
    again = an_order(head.folder, drawn, name="second", options=replace(HEAD, seed=5))
    assert "shapes was trained on" in refusal(again, store, decoder)


def test_the_classifier_in_use_is_judged_on_the_same_pictures_and_a_worse_new_one_is_called_so(
    store: ModelStore, decoder: Decoder, tmp_path: Path, tuned: Outcome
) -> None:
    data, blind = shapes(tmp_path / "others", 40, seed=11), tiny_vit(tmp_path / "blind", sees=False)
    order = an_order(blind, data, name="blind", compared_with=judged(tuned.folder, "shapes"))
    outcome = carried_out(order, store, decoder)
    assert outcome.comparison is not None
    assert outcome.comparison.examples == 24
    assert outcome.comparison.old_macro_f1 > 0.8
    assert outcome.is_worse
    assert outcome.comparison.sentence.startswith("blind does worse than shapes: macro F1")
    assert "blind does worse than shapes" in (outcome.folder / "report.html").read_text()


def test_a_classifier_in_use_that_cannot_be_compared_is_named_with_the_reason(
    base: Path, drawn: Path, decoder: Decoder, tmp_path: Path, head: Outcome
) -> None:
    order = an_order(base, drawn, options=replace(HEAD, seed=4))
    parts = the_parts(order, decoder, tmp_path / "read")
    said = Judged(1.0, 0.0, np.zeros((len(parts.honest.test), 3)))
    other = rival_of(judged(base, "tiny"), order, parts, said, decoder)
    assert (other.reason, other.comparison) == ("it tells other classes apart.", None)
    knowing = rival_of(judged(head.folder, "shapes"), order, parts, said, decoder)
    assert knowing.reason.endswith("of the pictures held out are new to it.")
    assert knowing.figures is None


@pytest.mark.parametrize(
    ("make", "last", "trained"), [(tiny_vit, 1, ("1.",)), (tiny_swin, 3, ("0.blocks.1.", "1.blocks.0."))]
)
def test_of_any_encoder_the_last_blocks_and_what_follows_are_trained(
    make: Callable[[Path], Path], last: int, trained: tuple[str, ...], tmp_path: Path
) -> None:
    network = loaded_network(judged(make(tmp_path / "base"), "base"), ("a", "b", "c", "d"), threads=1)
    network.unfreeze(last)
    names = {name for name, value in network.named_parameters() if value.requires_grad}
    frozen = {name for name, value in network.named_parameters() if not value.requires_grad}
    assert any("embeddings" in name for name in frozen)
    assert not any("embeddings" in name for name in names)
    assert {"model.classifier.weight", "model.classifier.bias"} <= names
    assert network.vectors(torch.zeros(2, 3, 32, 32)).shape == (2, network.head.in_features)
    assert network.head.out_features == 4
    for block in trained:
        assert any(block in name for name in names)


def test_more_blocks_than_there_are_cannot_be_trained(
    base: Path, drawn: Path, store: ModelStore, decoder: Decoder
) -> None:
    order = an_order(base, drawn, options=replace(TUNED, unfreeze=3))
    assert "The last 3 blocks cannot be trained: the base has 2." in refusal(order, store, decoder)


def test_what_cannot_be_is_said_before_anything_is_read(
    base: Path, drawn: Path, store: ModelStore, tmp_path: Path
) -> None:
    (store.directory / "images" / "taken").mkdir(parents=True)
    for name, said in {
        "floor": "the floor",
        "taken": "There is a model called taken already.",
        "No": "No model",
    }.items():
        with pytest.raises(TrainingError, match=said):
            require_possible(an_order(base, drawn, name=name), store)
    checkpoint = judged(base, "tiny")
    with pytest.raises(ModelTooLargeError, match=r"tiny needs .* of memory to be trained, and .* are free"):
        require_image_encoder(checkpoint, TUNED, free=1_000)
    with pytest.raises(TrainingError, match=r"t5 \(t5\) does not look at pictures"):
        require_image_encoder(replace(checkpoint, name="t5", model_type="t5", kind="seq2seq"), HEAD)


def test_augmented_pictures_hang_on_seed_turn_and_picture_alone(decoder: Decoder, drawn: Path) -> None:
    from models.vision.image_processors import Preparation
    from models.vision.training.features import Shown

    table = np.tile(np.arange(256, dtype=np.float32), (3, 1))
    file = drawn / "circle" / "000.png"
    picture: Pixels = decoder.decode(file.read_bytes(), [View(32, 32)]).views[0]
    shown = Shown(np.stack([picture, picture]), Preparation(View(32, 32), table), seed=0, flip=True)
    plain, first, second, third = (shown.values([1], turn) for turn in (0, 1, 1, 2))
    assert np.array_equal(plain[0].transpose(1, 2, 0), picture)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)
    assert not np.array_equal(first, shown.values([0], 1))
    assert np.abs(first - plain).mean() < 60
