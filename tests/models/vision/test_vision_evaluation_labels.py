"""Labels, evaluated: what a folder or a table says the pictures are, which label that is, and how often it is said."""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from models.errors import EvaluationError
from models.vision.decoding.contract import View
from models.vision.decoding.decoder import Decoder
from models.vision.evaluation.batches import Refused, by_reason, drawn
from models.vision.evaluation.label_figures import JudgedPicture, judged, label_figures, wilson
from models.vision.evaluation.label_names import LabelNames
from models.vision.evaluation.labelled_pictures import LabelledFile, find_labelled
from models.vision.evaluation.labelling import evaluate_labels
from models.vision.evaluation.table import MOST_CLASSES, class_rows, label_rows, refusals

COLOURS = {"red": (250, 0, 0), "green": (0, 250, 0), "blue": (0, 0, 250)}
LETTERS = tuple("abcdefgh")


class ColourLabeller:
    """A classifier that tells the main colour of a picture; it sees green where there is none."""

    name = "colours"
    labels = ("red", "green", "blue")
    view = View(8, 8)

    def probabilities(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give the shares of the colours, and the same as embeddings."""
        shares = pixels.mean(axis=(1, 2)) + np.array([0, 1, 0])
        shares /= shares.sum(axis=1, keepdims=True)
        return shares.astype(np.float32), shares.astype(np.float32)

    def close(self) -> None:
        """It holds nothing."""


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as made:
        yield made


def _picture(path: Path, colour: tuple[int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (12, 12), colour).save(path)


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    """Seven pictures of each of three colours, in folders of these names."""
    for name, colour in COLOURS.items():
        for number in range(7):
            _picture(tmp_path / name / f"{number}.png", colour)
    return tmp_path


def test_a_folder_for_each_class_says_what_its_pictures_are(colours: Path) -> None:
    _picture(colours / "red" / "dark" / "10.png", (100, 0, 0))
    (colours / "red" / ".hidden.png").write_bytes(b"")
    (colours / "notes.txt").write_text("of no class")

    found = find_labelled(colours)

    assert len(found.files) == 22
    assert {file.label for file in found.files} == set(COLOURS)
    assert "red/dark/10.png" in {file.name for file in found.files}
    assert found.loose == 1


def test_a_table_says_what_pictures_are_as_seen_from_where_it_lies(colours: Path) -> None:
    table = colours / "truth.csv"
    table.write_text('Label,Path,by\nred,red/1.png,me\n\n"blue","blue/2.png"\n', encoding="utf-8-sig")

    files = find_labelled(table).files

    assert [(file.path, file.label) for file in files] == [
        (colours / "red" / "1.png", "red"),
        (colours / "blue" / "2.png", "blue"),
    ]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (b"path,label\na.png,\n", "truth.csv, line 2: the label is missing."),
        (b"path,label\na.png,red\n,red\n", "truth.csv, line 3: the path is missing."),
        (b"path,label\na.png\n", "truth.csv, line 2: the label is missing."),
        (b"path,label\na.png,red\na\0b.png,red\n", "truth.csv, line 3: the path leads to no file."),
        (b"path,class\na.png,red\n", "truth.csv, line 1: the column 'label' is missing."),
        (b"path,label\n", "truth.csv names no picture."),
        (b"", "truth.csv, line 1: the column 'path' is missing."),
        (b"path,label\n\xff.png,red\n", "truth.csv is not UTF-8 (byte 11)."),
    ],
)
def test_a_table_that_will_not_do_is_refused_with_its_line(tmp_path: Path, table: bytes, told: str) -> None:
    (tmp_path / "truth.csv").write_bytes(table)

    with pytest.raises(EvaluationError) as raised:
        find_labelled(tmp_path / "truth.csv")

    assert raised.value.message.endswith(told)
    assert "path and label" in raised.value.fix


def test_a_folder_without_classes_and_one_that_is_not_there_are_told(tmp_path: Path) -> None:
    _picture(tmp_path / "1.png", (0, 0, 0))

    with pytest.raises(EvaluationError, match="holds no folder of a class with pictures in it"):
        find_labelled(tmp_path)
    with pytest.raises(EvaluationError, match="is not there"):
        find_labelled(tmp_path / "nowhere")


IMAGENET = LabelNames(
    "vit", ("junco, snowbird", "crane", "tabby, tabby cat", "tiger cat", "crane", "7", "Egyptian cat")
)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("junco, snowbird", 0),
        ("snowbird", 0),
        ("Tabby_Cat", 2),
        ("tiger_cat", 3),
        ("EGYPTIAN  CAT", 6),
        ("3", 3),
        ("7", 5),
    ],
)
def test_a_class_is_known_by_name_synonym_or_number(name: str, number: int) -> None:
    assert IMAGENET.find(name) == [number]


@pytest.mark.parametrize("name", ["dog", "8", "-1", "²", ""])
def test_what_is_no_label_is_not_found(name: str) -> None:
    assert IMAGENET.find(name) == []


def _file(label: str) -> LabelledFile:
    return LabelledFile(Path("x.png"), "x.png", label, f"The folder pets/{label}")


def test_an_unknown_class_is_told_with_its_folder_and_the_nearest_labels() -> None:
    with pytest.raises(EvaluationError) as raised:
        IMAGENET.truth([_file("tiger cat"), _file("tiger_cats"), _file("dog"), _file("dog")])

    assert raised.value.message == (
        "The folder pets/tiger_cats is of the class 'tiger_cats', which vit does not know."
        " 1 more classes are unknown to it."
    )
    assert raised.value.fix.startswith('Its nearest labels are "tiger cat" (3)')
    assert "one of the model's 7 labels, or by its number" in raised.value.fix


def test_a_class_that_may_be_two_labels_is_told_with_both_numbers() -> None:
    with pytest.raises(EvaluationError, match=r'"crane" \(1\) and "crane" \(4\)'):
        IMAGENET.truth([_file("crane")])
    assert IMAGENET.truth([_file("4")]) == [4]


def test_the_figures_are_those_counted_by_hand() -> None:
    rows = [
        # truth a: right, sure
        [0.90, 0.02, 0.02, 0.02, 0.01, 0.01, 0.01, 0.01],
        # truth a: b was said, a is among five
        [0.30, 0.60, 0.02, 0.02, 0.02, 0.02, 0.01, 0.01],
        # truth h: a was said, h is the least likely
        [0.40, 0.20, 0.10, 0.10, 0.10, 0.05, 0.04, 0.01],
        # truth h: right
        [0.10, 0.10, 0.10, 0.05, 0.05, 0.05, 0.05, 0.50],
    ]
    pictures = judged(np.array(rows, np.float32), ["1", "2", "3", "4"], [0, 0, 7, 7])

    figures = label_figures(pictures, LETTERS)

    assert figures.pictures == 4
    assert figures.top1 == 0.5
    assert figures.top5 == 0.75
    assert figures.class_top1 == 0.5
    assert figures.confidence == pytest.approx((0.9 + 0.6 + 0.4 + 0.5) / 4)
    # Each lies in a bin of its own: the mean of what each misses.
    assert figures.ece == pytest.approx((0.1 + 0.6 + 0.4 + 0.5) / 4)
    assert [(one.label, one.pictures, one.top1, one.top5, one.mistaken_for) for one in figures.classes] == [
        ("a", 2, 0.5, 1.0, "b"),
        ("h", 2, 0.5, 0.5, "a"),
    ]
    assert [(one.path, one.truth, one.said) for one in figures.mistakes] == [("2", "a", "b"), ("3", "h", "a")]
    assert figures.mistakes[0].probability == pytest.approx(0.6)
    assert figures.mistakes[1].probability_of_truth == pytest.approx(0.01)


def test_the_likeliest_five_are_no_figure_of_a_model_with_five_labels() -> None:
    figures = label_figures([JudgedPicture("1", 0, (0, 1), 0.9, 0.9)], LETTERS[:5])

    assert figures.top5 is None
    assert "Top-5" not in {row.label for row in label_rows(figures)}


def test_wilsons_interval_is_that_of_his_paper() -> None:
    # Newcombe, Statistics in Medicine 1998, table I, method 3: 81 of 263, and 0 of 20.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


@given(st.integers(1, 300).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_an_interval_holds_its_share_and_lies_between_0_and_1(drawn_share: tuple[int, int]) -> None:
    right, count = drawn_share
    low, high = wilson(right, count)
    assert 0 <= low <= right / count <= high <= 1


def test_of_many_classes_those_told_worst_are_shown() -> None:
    labels = [f"class {number}" for number in range(40)]
    pictures = [JudgedPicture(f"{at}", at, (at if at != 33 else 0,), 0.9, 0.9) for at in range(40)]

    rows = class_rows(label_figures(pictures, labels))

    assert len(rows) == MOST_CLASSES
    assert rows[0] == ("class 33", "1", "0.0%", "0.0%", "class 0")


def test_pictures_are_labelled_and_what_is_none_is_named_with_its_reason(colours: Path, decoder: Decoder) -> None:
    _picture(colours / "blue" / "reddish.png", (200, 0, 40))
    (colours / "blue" / "letter.txt").write_text("Dear all")
    (colours / "blue" / "cut.png").write_bytes((colours / "blue" / "1.png").read_bytes()[:50])
    told: list[None] = []

    evaluation = evaluate_labels(ColourLabeller(), decoder, find_labelled(colours).files, lambda: told.append(None))

    assert evaluation.figures.pictures == 22
    assert evaluation.figures.top1 == pytest.approx(21 / 22)
    assert [(one.path, one.said) for one in evaluation.figures.mistakes] == [("blue/reddish.png", "red")]
    assert {one.name for one in evaluation.refused} == {"blue/letter.txt", "blue/cut.png"}
    assert len(told) == 24
    assert evaluation.as_json()["refused"][0].keys() == {"path", "reason"}


def test_more_pictures_than_a_batch_keep_their_classes(tmp_path: Path, decoder: Decoder) -> None:
    lines = ["path,label"]
    for number in range(50):
        name = list(COLOURS)[number % 3]
        (tmp_path / f"{number}.png").write_bytes(b"") if number % 10 == 4 else _picture(
            tmp_path / f"{number}.png", COLOURS[name]
        )
        lines.append(f"{number}.png,{name}")
    (tmp_path / "truth.csv").write_text("\n".join(lines))

    evaluation = evaluate_labels(ColourLabeller(), decoder, find_labelled(tmp_path / "truth.csv").files)

    assert (evaluation.figures.pictures, evaluation.figures.top1) == (45, 1.0)
    assert [one.name for one in evaluation.refused] == ["4.png", "14.png", "24.png", "34.png", "44.png"]


def test_an_evaluation_of_no_readable_picture_is_refused(tmp_path: Path, decoder: Decoder) -> None:
    (tmp_path / "red").mkdir()
    (tmp_path / "red" / "1.png").write_bytes(struct.pack(">Q", 7))

    with pytest.raises(EvaluationError, match=r"None of the 1 files could be looked at; of red/1\.png: it is"):
        evaluate_labels(ColourLabeller(), decoder, find_labelled(tmp_path).files)


def test_a_file_that_is_not_there_is_named(colours: Path, decoder: Decoder) -> None:
    (colours / "truth.csv").write_text("path,label\nred/1.png,red\ngone.png,red\n")

    evaluation = evaluate_labels(ColourLabeller(), decoder, find_labelled(colours / "truth.csv").files)

    assert evaluation.refused == (Refused("gone.png", "It cannot be read: No such file or directory."),)


def test_refusals_are_told_by_reason_the_most_frequent_first() -> None:
    refused = [Refused("a", "It is empty."), Refused("b", "It is damaged."), Refused("c", "It is damaged.")]

    assert by_reason(refused) == [("It is damaged.", 2, "b"), ("It is empty.", 1, "a")]
    assert list(refusals(refused)) == [
        "2 files, b the first, were not looked at: it is damaged.",
        "a was not looked at: it is empty.",
    ]


def test_a_draw_keeps_the_order_and_is_the_same_for_the_same_seed() -> None:
    items = list(range(100))
    few = drawn(items, 10, seed=3)

    assert list(few) == sorted(few)
    assert len(set(few)) == 10
    assert list(drawn(items, 10, seed=3)) == list(few)
    assert list(drawn(items, 10, seed=4)) != list(few)
    assert drawn(items, 200, seed=0) == drawn(items, None, seed=0) == items
