"""The reports on labels and captions: one page with the worst pictures in it, safe whatever files are called."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.vision.decoding.decoder import Decoder
from models.vision.evaluation.batches import Refused
from models.vision.evaluation.captioning import CaptionEvaluation, CaptionFigures, ToldPicture
from models.vision.evaluation.label_figures import judged, label_figures
from models.vision.evaluation.labelling import LabelEvaluation
from models.vision.evaluation.report import thumbnails, write_caption_report, write_label_report

LABELS = ("a cat", "<b>dog</b>", "bird")
NASTY = "<script>alert(1)</script>.png"


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as made:
        yield made


def _labels() -> LabelEvaluation:
    rows = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]], np.float32)
    figures = label_figures(judged(rows, ["right.png", NASTY], [0, 2]), LABELS)
    return LabelEvaluation("vit", figures, (Refused("x.png", "It is empty."),))


def test_the_page_shows_the_mistakes_with_their_pictures(tmp_path: Path, decoder: Decoder) -> None:
    Image.new("RGB", (400, 300), (9, 90, 200)).save(tmp_path / "blue.png")

    page = write_label_report(
        _labels(), tmp_path / "report", "pets", thumbnails(decoder, {NASTY: tmp_path / "blue.png"})
    )

    text = page.read_text(encoding="utf-8")
    assert "Labels of pets" in text
    assert "vit looked at 2 pictures." in text
    assert "50.0%" in text
    assert re.findall(r"said, ([\d.]+%)", text) == ["80.0%"]
    assert text.count("data:image/jpeg;base64,") == 1
    assert "x.png was not looked at: it is empty." in text
    document = json.loads((tmp_path / "report" / "evaluation.json").read_text(encoding="utf-8"))
    assert (document["data"], document["top1"]) == ("pets", 0.5)


def test_what_files_and_labels_are_called_is_never_markup(tmp_path: Path) -> None:
    text = write_label_report(_labels(), tmp_path, "<i>pets</i>", {}).read_text(encoding="utf-8")

    for markup in ("<script", "<b>", "<i>"):
        assert markup not in text
    assert "no picture" in text


def test_a_picture_that_went_away_meanwhile_is_left_out(tmp_path: Path, decoder: Decoder) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "here.png")

    small = thumbnails(decoder, {"here": tmp_path / "here.png", "gone": tmp_path / "gone.png"})

    assert list(small) == ["here"]
    assert small["here"].startswith(b"\xff\xd8")


def test_the_page_of_captions_shows_what_was_written_and_what_people_wrote(tmp_path: Path) -> None:
    figures = CaptionFigures(1, 0.25, 0.5, 0.75, 1.25, 0.0, 0, 4.0)
    worst = ToldPicture("1.png", "A <red> dog.", ("a blue dog", "some dog"), 0.5, 0.75, 1.25)
    evaluation = CaptionEvaluation("git", figures, (worst,), (), ("METEOR has no synonyms.",))

    text = write_caption_report(evaluation, tmp_path, "coco", {}).read_text(encoding="utf-8")

    for told in ("25.0%", "1.250", "A &lt;red&gt; dog.", "a blue dog<br>some dog", "METEOR has no synonyms."):
        assert told in text
