"""Captions, evaluated: COCO's layout, and figures that were worked out by hand."""

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from sacrebleu.metrics.bleu import BLEU

from models.errors import EvaluationError, ModelExtraError
from models.vision.decoding.contract import View
from models.vision.decoding.decoder import Decoder
from models.vision.evaluation.caption_metrics import caption_scores, require_libraries, words_of
from models.vision.evaluation.captioning import FEWEST, evaluate_captions
from models.vision.evaluation.coco_captions import find_captioned
from models.vision.evaluation.table import caption_rows

COLOURS = {"red": (250, 0, 0), "green": (0, 250, 0), "blue": (0, 0, 250)}


class ColourCaptioner:
    """A captioner that tells the main colour of a picture, and has no words for black."""

    name = "colours"
    view = View(8, 8)

    def captions(self, pixels: NDArray[np.uint8]) -> list[str]:
        """Say which colour it is."""
        means = pixels.mean(axis=(1, 2))
        return [f"A {list(COLOURS)[row.argmax()]} field of flowers." if row.max() > 50 else "" for row in means]

    def close(self) -> None:
        """It holds nothing."""


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as made:
        yield made


def _coco(folder: Path, captions: dict[str, list[str]], name: str = "annotations/captions_val2017.json") -> Path:
    """Write annotations of pictures as COCO does."""
    images = [{"id": 100 + at, "file_name": file, "width": 12} for at, file in enumerate(captions)]
    annotations = [
        {"id": 7, "image_id": 100 + at, "caption": caption}
        for at, of_one in enumerate(captions.values())
        for caption in of_one
    ]
    return _written(folder / name, {"info": {}, "images": images, "annotations": annotations})


def _written(path: Path, document: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def _picture(path: Path, colour: tuple[int, int, int] = (250, 0, 0)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (12, 12), colour).save(path)


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("A Red circle, above a blue square.", "a red circle above a blue square"),
        ("a man's hat -- black-and-white: don't!", "a man 's hat black-and-white do n't"),
        ('Two dogs ("Rex" & Bello). One runs.', "two dogs rex & bello one runs"),
        ("  \n ... ", ""),
        ("Ein Mädchen läßt 3 Drachen steigen", "ein mädchen läßt 3 drachen steigen"),
    ],
)
def test_captions_are_taken_apart_as_treebank_does_without_case_and_punctuation(caption: str, words: str) -> None:
    assert " ".join(words_of(caption)) == words


def test_captions_that_are_right_score_all_there_is() -> None:
    golds = [["A cat sleeps on the old sofa"], ["Two dogs run along a beach"], ["A train leaves some small station"]]

    scores = caption_scores([f"{gold[0]}." for gold in golds], golds)

    assert scores.bleu_4 == pytest.approx(1)
    assert scores.rouge_l == pytest.approx((1, 1, 1))
    # Of "a", which two captions have, less is to be had; the others share nothing with one another.
    assert scores.cider == pytest.approx((10, 10, 10))
    # One chunk of seven and of six words: 1 - 0.5 (1 / m)³.
    assert scores.meteor == pytest.approx((1 - 0.5 / 343, 1 - 0.5 / 216, 1 - 0.5 / 216))


def test_bleu_and_rouge_are_those_worked_out_by_hand() -> None:
    scores = caption_scores(["the cat sat on the mat"], [["the cat sat on a mat"]])

    # 5 of 6 words, 3 of 5 pairs, 2 of 4 triples, 1 of 3 quadruples; as long as the right one.
    assert scores.bleu_4 == pytest.approx((5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25)
    # The longest common subsequence has 5 of 6 words of both.
    assert scores.rouge_l == pytest.approx((5 / 6,))


def test_a_caption_that_is_too_short_is_punished_by_bleu_and_rouge() -> None:
    scores = caption_scores(["a dog runs in"], [["a dog runs in the park", "some animal"]])

    # Every word is right, but the nearest length is 6 or 2, of which the shorter counts: there is no penalty.
    assert scores.bleu_4 == pytest.approx(1)
    # Precision 1, recall 4/6, beta 1.2.
    assert scores.rouge_l == pytest.approx(((1 + 1.44) * (4 / 6) / (4 / 6 + 1.44),))
    (short,) = caption_scores(["a dog runs in"], [["a dog runs in the park"]])[:1]
    assert short == pytest.approx(math.exp(1 - 6 / 4))


def test_cider_is_that_worked_out_by_hand() -> None:
    scores = caption_scores(["red square", "blue square"], [["red circle"], ["blue square"]])

    # Single words: one of two of the same weight is shared, 1/2; the pair is not; three and four in a row there are
    # none. The mean of the four, times ten.
    assert scores.cider[0] == pytest.approx(10 * (1 / 2) / 4)
    assert scores.cider[1] == pytest.approx(10 * 2 / 4)


def test_an_empty_caption_scores_nothing_and_breaks_nothing() -> None:
    scores = caption_scores(["", "A dog runs fast today"], [["A cat sits there"], ["A dog runs fast today"]])

    assert (scores.meteor[0], scores.rouge_l[0], scores.cider[0]) == (0, 0, 0)
    assert scores.rouge_l[1] == 1
    assert caption_scores([""], [["a cat"]]).bleu_4 == pytest.approx(0, abs=1e-6)


SENTENCES = st.lists(st.sampled_from(["a", "cat", "dog", "on", "red", "mat"]), min_size=5, max_size=9).map(" ".join)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(SENTENCES, st.lists(SENTENCES, min_size=2, max_size=2)), min_size=1, max_size=6))
def test_bleu_agrees_with_sacrebleus(captions: list[tuple[str, list[str]]]) -> None:
    given_captions, golds = [one for one, _ in captions], [gold for _, gold in captions]
    theirs = BLEU(tokenize="none", smooth_method="none", force=True)
    score = theirs.corpus_score(given_captions, [[gold[at] for gold in golds] for at in range(2)]).score / 100

    assert caption_scores(given_captions, golds).bleu_4 == pytest.approx(score, abs=2e-3)


def test_without_the_extra_the_command_that_adds_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycocoevalcap.cider.cider", None)

    with pytest.raises(ModelExtraError) as raised:
        require_libraries()

    assert str(raised.value) == (
        "Evaluating captions needs pycocoevalcap, which is not installed."
        " Add it with `make captions`, which installs the extra preceptor[captions]."
    )


@pytest.mark.parametrize("place", [".", "images", "val2017", "images/val2017", "annotations"])
def test_pictures_are_found_where_coco_and_its_users_put_them(tmp_path: Path, place: str) -> None:
    annotations = _coco(tmp_path, {"1.png": ["A cat.", "Some cat "], "2.png": ["A dog."]})
    for name in ("1.png", "2.png"):
        _picture(tmp_path / place / name)

    found = find_captioned(tmp_path)

    assert found.annotations == annotations
    assert [(file.path, file.captions) for file in found.files] == [
        (tmp_path / place / "1.png", ("A cat.", "Some cat")),
        (tmp_path / place / "2.png", ("A dog.",)),
    ]


def test_what_is_not_there_and_what_has_no_words_is_counted(tmp_path: Path) -> None:
    _coco(tmp_path, {"1.png": ["A cat.", "…"], "2.png": [" . "], "gone.png": ["A dog."], "4.png": []})
    for name in ("1.png", "2.png", "4.png"):
        _picture(tmp_path / name)

    found = find_captioned(tmp_path)

    assert [(file.name, file.captions) for file in found.files] == [("1.png", ("A cat.",))]
    assert (found.absent, found.uncaptioned) == (("gone.png",), 2)


def test_of_several_files_that_of_the_validation_set_is_read_and_else_one_must_be_named(tmp_path: Path) -> None:
    _picture(tmp_path / "1.png")
    _coco(tmp_path, {"1.png": ["A cat."]}, "annotations/captions_train2017.json")
    validation = _coco(tmp_path, {"1.png": ["A dog."]})
    assert find_captioned(tmp_path).annotations == validation

    validation.rename(validation.with_name("captions_test2017.json"))
    with pytest.raises(EvaluationError) as raised:
        find_captioned(tmp_path)
    assert "captions_test2017.json" in raised.value.message
    assert raised.value.fix == "Name one with --annotations."
    assert find_captioned(tmp_path, tmp_path / "annotations" / "captions_train2017.json").files[0].captions == (
        "A cat.",
    )


IMAGE = {"id": 1, "file_name": "1.png"}
CAPTION = {"image_id": 1, "caption": "A cat."}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("{", "captions.json, line 1, column 2: it is not JSON"),
        ("[]", "captions.json is not in COCO's layout: it is not an object."),
        ({"annotations": []}, "the list 'images' is missing."),
        ({"images": {}}, "the list 'images' is not a list."),
        ({"images": [IMAGE]}, "the list 'annotations' is missing."),
        ({"images": [7], "annotations": []}, "captions.json, images[0]: it is not an object."),
        ({"images": [{"file_name": "1.png"}], "annotations": []}, "images[0]: 'id' is missing."),
        ({"images": [{"id": 1.5}], "annotations": []}, "images[0]: 'id' is neither a number nor a text."),
        ({"images": [IMAGE, IMAGE], "annotations": []}, "images[1]: the id 1 is that of an earlier image."),
        ({"images": [{"id": 1}], "annotations": [CAPTION]}, "images[0]: the text 'file_name' is missing."),
        ({"images": [IMAGE], "annotations": [{"image_id": 2}]}, "annotations[0]: no image has the id 2."),
        ({"images": [IMAGE], "annotations": [{"image_id": 1}]}, "annotations[0]: the text 'caption' is missing."),
        ({"images": [IMAGE], "annotations": [CAPTION | {"caption": 5}]}, "the text 'caption' is not a text."),
        ({"images": [IMAGE], "annotations": []}, "captions.json holds no image with a caption."),
        ({"images": [IMAGE | {"file_name": "../1.png"}], "annotations": [CAPTION]}, "'file_name' leads to no file"),
        ({"images": [IMAGE | {"file_name": "/1.png"}], "annotations": [CAPTION]}, "'file_name' leads to no file"),
        ({"images": [IMAGE | {"file_name": "2.png"}], "annotations": [CAPTION]}, "None of the 1 pictures in"),
    ],
)
def test_annotations_that_will_not_do_are_refused_with_the_field(tmp_path: Path, document: Any, told: str) -> None:
    _picture(tmp_path / "1.png")
    _written(tmp_path / "captions.json", document)

    with pytest.raises(EvaluationError) as raised:
        find_captioned(tmp_path)

    assert told in raised.value.message
    assert raised.value.fix


def test_a_folder_without_annotations_is_told(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"has no annotations/captions_….json"):
        find_captioned(tmp_path)
    with pytest.raises(EvaluationError, match="is no folder"):
        find_captioned(tmp_path / "nowhere")
    with pytest.raises(EvaluationError, match="cannot be read: No such file"):
        find_captioned(tmp_path, tmp_path / "nothing.json")
    (tmp_path / "latin.json").write_bytes(b'{"images": "\xe9"}')
    with pytest.raises(EvaluationError, match="is not UTF-8"):
        find_captioned(tmp_path, tmp_path / "latin.json")


def test_captions_are_written_and_compared(tmp_path: Path, decoder: Decoder) -> None:
    captions = {}
    for at in range(FEWEST):
        colour = list(COLOURS)[at % 3]
        captions[f"{at}.png"] = [f"a {colour} field of flowers", f"some {colour} meadow in bloom"]
        _picture(tmp_path / f"{at}.png", COLOURS[colour])
    captions |= {"night.png": ["The sky at night, without a star"], "broken.png": ["Nothing is to be seen here"]}
    _picture(tmp_path / "night.png", (0, 0, 0))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    _coco(tmp_path, captions)

    evaluation = evaluate_captions(ColourCaptioner(), decoder, find_captioned(tmp_path).files)

    assert evaluation.figures.pictures == FEWEST + 1
    assert evaluation.figures.exact == pytest.approx(FEWEST / (FEWEST + 1))
    assert evaluation.figures.silent == 1
    assert evaluation.worst[0].path == "night.png"
    assert [one.name for one in evaluation.refused] == ["broken.png"]
    assert len(evaluation.notes) == 1
    assert "without synonyms" in evaluation.notes[0]
    assert {row.label: row.value for row in caption_rows(evaluation.figures)}["Exact"] == "90.9%"
    assert json.loads(json.dumps(evaluation.as_json()))["bleu_4"] == evaluation.figures.bleu_4


def test_with_a_handful_of_pictures_cider_is_said_to_mean_nothing(tmp_path: Path, decoder: Decoder) -> None:
    _picture(tmp_path / "1.png")
    _coco(tmp_path, {"1.png": ["a red field of flowers"]})

    evaluation = evaluate_captions(ColourCaptioner(), decoder, find_captioned(tmp_path).files)

    assert evaluation.figures.cider == 0
    assert evaluation.notes[1].endswith("with fewer than 10 it means nothing.")
