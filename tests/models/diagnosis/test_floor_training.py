"""The floor is trained on any labelled texts, and kept whole or not at all."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from models.diagnosis import NO_MATCH, LabelledTexts
from models.diagnosis.floor import FloorClassifier, load_floor, save_floor, train_floor
from models.diagnosis.floor.starter_floor import kept_floor, starter_texts
from models.diagnosis.floor.storage import FILE
from models.diagnosis.floor.training import MOST_TEXTS
from models.errors import ModelUnusableError, TrainingError

_ROOT = Path(__file__).parents[3]
_PARTS = {
    "migraine": (
        "my head throbs",
        "bright light hurts",
        "half my head pounds",
        "noise makes my head worse",
        "I see zigzags",
    ),
    "haemorrhoids": (
        "my bottom bleeds",
        "there is a lump at my bottom",
        "wiping hurts",
        "sitting is sore",
        "blood on paper",
    ),
    "common cold": ("my nose runs", "I sneeze all day", "my throat is scratchy", "I am stuffed up", "a cough came"),
    NO_MATCH: ("the bus was late", "what a lovely day", "who won the match", "my car needs paint", "I like tea"),
}


def small(labels: tuple[str, ...] = tuple(_PARTS)) -> LabelledTexts:
    """Two dozen texts of each label: two parts of it, and a time."""
    rows = [
        (f"{one} and {other} {when}", label)
        for label in labels
        for one in _PARTS[label]
        for other in _PARTS[label]
        if one != other
        for when in ("since Monday", "at night")[: 1 + (len(one) + len(other)) % 2]
    ]
    texts, given = zip(*rows, strict=True)
    return LabelledTexts(texts, given)


@pytest.fixture(scope="module")
def trained() -> FloorClassifier:
    return train_floor(small())


def test_it_tells_its_labels_apart_and_abstains_from_the_rest(trained: FloorClassifier) -> None:
    head, bottom, tea = trained.probabilities(
        ["half my head throbs", "a sore lump at my bottom", "a cup of tea, please"]
    )
    assert trained.labels == ("common cold", "haemorrhoids", "migraine")
    assert trained.labels[head.argmax()] == "migraine"
    assert head.max() > trained.threshold
    assert trained.labels[bottom.argmax()] == "haemorrhoids"
    assert tea.max() < trained.threshold


def test_without_texts_that_match_nothing_the_probabilities_sum_to_one() -> None:
    floor = train_floor(small(("migraine", "common cold")))
    assert floor.probabilities(["my head throbs", "tea"]).sum(axis=1) == pytest.approx([1, 1])
    assert 0 <= floor.threshold <= 0.5


def test_the_same_texts_give_the_same_floor(trained: FloorClassifier) -> None:
    again = train_floor(small())
    assert np.array_equal(again.coefficients, trained.coefficients)
    assert again.calibration == trained.calibration


def test_progress_is_told_for_every_fit() -> None:
    told: list[tuple[int, int]] = []
    train_floor(small(), lambda done, fits: told.append((done, fits)))
    assert told == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_a_label_of_one_text_is_no_obstacle() -> None:
    few = small(("migraine", "common cold"))
    floor = train_floor(LabelledTexts((*few.texts, "a single spot on my nose"), (*few.labels, "acne")))
    assert floor.labels == ("acne", "common cold", "migraine")
    assert floor.probabilities(["my nose runs"]).argmax() == 1


def test_two_texts_are_enough_for_a_floor() -> None:
    floor = train_floor(LabelledTexts(("my head hurts", "my nose runs"), ("migraine", "common cold")))
    assert floor.probabilities(["my head hurts"]).sum() == pytest.approx(1)


def test_labels_may_be_anything() -> None:
    few = small(("migraine", "common cold"))
    floor = train_floor(
        LabelledTexts(few.texts, tuple({"migraine": "🤕", "common cold": "a\nb"}[one] for one in few.labels))
    )
    assert floor.labels == ("a\nb", "🤕")


def test_texts_of_one_condition_train_nothing() -> None:
    with pytest.raises(TrainingError, match="fewer than two conditions"):
        train_floor(small(("migraine", NO_MATCH)))


def test_texts_without_a_word_in_common_train_nothing() -> None:
    with pytest.raises(TrainingError, match="No two texts have a word in common"):
        train_floor(LabelledTexts(("gloomy", "zzz " * 20), ("migraine", "common cold")))


def test_of_very_many_texts_some_of_every_label_are_taken() -> None:
    rng = np.random.default_rng(0)
    words = np.array([f"{one}{other}" for one in "bdfgklm" for other in ("al", "ek", "op", "uz", "in")])
    many = MOST_TEXTS + 2_000
    texts = tuple(" ".join(row) for row in rng.choice(words, (many, 3)))
    labels = ("rare", *("even" if "al" in text else "odd" for text in texts[1:]))
    floor = train_floor(LabelledTexts(texts, labels))
    assert floor.labels == ("even", "odd", "rare")
    said = floor.probabilities(texts[1:200]).argmax(axis=1)
    assert np.mean(said == [floor.labels.index(label) for label in labels[1:200]]) > 0.95


def test_the_starter_data_has_24_conditions_and_texts_of_none() -> None:
    texts = starter_texts()
    assert len(texts.conditions) == 24
    assert texts.labels.count(NO_MATCH) >= 400
    assert min(texts.labels.count(label) for label in texts.conditions) >= 60


def test_what_was_saved_is_loaded_exactly(trained: FloorClassifier, tmp_path: Path) -> None:
    save_floor(trained, tmp_path / "deep" / "folder")
    loaded = load_floor(tmp_path / "deep" / "folder")
    texts = small().texts
    assert np.array_equal(loaded.probabilities(texts), trained.probabilities(texts))
    assert (loaded.name, loaded.labels, loaded.threshold) == ("floor", trained.labels, trained.threshold)


def test_what_is_saved_holds_no_pickle(trained: FloorClassifier, tmp_path: Path) -> None:
    save_floor(trained, tmp_path)
    with np.load(tmp_path / FILE, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype.kind in "uf" for name in arrays.files)


def test_a_floor_of_something_else_is_not_loaded(trained: FloorClassifier, tmp_path: Path) -> None:
    save_floor(trained, tmp_path, "these data")
    load_floor(tmp_path, "these data")
    with pytest.raises(ModelUnusableError, match="other data or by another version"):
        load_floor(tmp_path, "those data")


def test_a_floor_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusableError, match="is missing"):
        load_floor(tmp_path)


def test_a_changed_bit_changes_no_answer(trained: FloorClassifier, tmp_path: Path) -> None:
    """Either it is noticed, or it lies where it says nothing, as in a time of the archive."""
    save_floor(trained, tmp_path)
    whole = (tmp_path / FILE).read_bytes()
    expected = trained.probabilities(small().texts)
    noticed = 0
    places = np.unique(np.concatenate([np.linspace(0, len(whole) - 1, 150), np.arange(len(whole) - 150, len(whole))]))
    for place in places.astype(int):
        changed = bytearray(whole)
        changed[place] ^= 0b0100_0001
        (tmp_path / FILE).write_bytes(changed)
        try:
            loaded = load_floor(tmp_path)
        except ModelUnusableError:
            noticed += 1
        else:
            assert np.array_equal(loaded.probabilities(small().texts), expected)
    assert noticed > 200


@pytest.mark.parametrize("content", [b"", b"not an archive", b"\x80\x04."])
def test_a_file_of_something_else_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ModelUnusableError, match="is damaged"):
        load_floor(tmp_path)


def test_a_damaged_floor_is_trained_anew_and_the_log_says_so(tmp_path: Path) -> None:
    first = kept_floor(tmp_path, "print", small)
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:-1_000])
    with capture_logs() as logs:
        second = kept_floor(tmp_path, "print", small)
    assert [(entry["event"], "is damaged" in entry["reason"]) for entry in logs] == [
        ("floor of diagnosis is trained", True)
    ]
    assert second.calibration == first.calibration
    with capture_logs() as logs:
        kept_floor(tmp_path, "print", small)
    assert logs == []


def test_a_folder_that_cannot_be_written_leaves_a_floor_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with capture_logs() as logs:
        floor = kept_floor(tmp_path / "file" / "folder", "print", small)
    assert floor.labels
    assert logs[-1]["event"] == "floor of diagnosis cannot be kept, is trained at each start"
    assert logs[-1]["log_level"] == "warning"


def test_nothing_stays_of_a_save_that_failed(trained: FloorClassifier, tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(OSError):
        save_floor(trained, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [FILE]


def test_two_processes_at_once_give_the_same_floor(trained: FloorClassifier, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from models.diagnosis.floor.starter_floor import kept_floor\n"
        "from tests.models.diagnosis.test_floor_training import small\n"
        "print(kept_floor(Path(sys.argv[1]), 'print', small).calibration)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    both = [subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=100)[0].splitlines()[-1] for process in both]
    assert said == [str(trained.calibration)] * 2
    assert [file.name for file in tmp_path.iterdir()] == [FILE]
    shutil.rmtree(tmp_path)
