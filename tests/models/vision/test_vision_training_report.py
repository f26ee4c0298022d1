"""The report of a classifier of pictures, as somebody reads it: complete in one file, with its worst mistakes."""

import base64
import io
import json
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.errors import ModelExtraError
from models.evaluation.classification.calibration import softmax
from models.evaluation.classification.comparison import compare
from models.evaluation.classification.figures import Figures, figures_of
from models.training.options import Curve
from models.vision.training.report import page, summary, write_report
from models.vision.training.report_data import PictureReport
from models.vision.wording import PICTURES

ODD = ("cat & <b>dog</b>", '<img src=x onerror="alert(1)">', "$fish$", "鳥", "tench", "newt", "crane")
PLOTS = {"confusion.png", "reliability.png", "coverage.png", "loss-fine-tuning.png"}


def figures(labels: tuple[str, ...] = ODD, rounds: int = 8, sharpness: float = 2.0, seed: int = 0) -> Figures:
    """Give figures on so many pictures a class, told well the sharper they are."""
    targets = np.repeat(np.arange(len(labels)), rounds)
    logits = np.random.default_rng(seed).normal(0, 1, (len(targets), len(labels)))
    logits[np.arange(len(targets)), targets] += sharpness
    truth = [labels[target] for target in targets]
    names = [f"{label}/IMG_{number}<i>.jpg" for number, label in enumerate(truth)]
    return figures_of(softmax(logits), labels, truth, 0.0, softmax(logits / 3), names)


def thumbnail(row: int) -> bytes:
    """Give a picture of a colour of its own."""
    made = io.BytesIO()
    Image.new("RGB", (160, 90), (row, 255 - row, 40)).save(made, "JPEG")
    return made.getvalue()


@pytest.fixture(scope="module")
def data() -> PictureReport:
    honest, old = figures(), figures(sharpness=1.0)
    return PictureReport(
        name="mine & <b>yours</b>",
        base="google/vit-base-patch16-224",
        honest=honest,
        thumbnail=thumbnail,
        temperature=1.5,
        sure_from=0.6,
        near_duplicate_groups=37,
        random=figures(sharpness=5),
        in_use=old,
        comparison=compare(honest, old, "mine", "older", wording=PICTURES),
        curves={
            "head": Curve(((1.0, 0.4321),), ((1.0, 0.6),)),
            "fine-tuning": Curve(((0.5, 2.0), (1.0, 1.0)), ((1.0, 1.5), (2.0, 1.2))),
        },
        pictures_per_label={ODD[0]: 6_100},
        data={"folder": "a<b>", "refused": 2_871},
        settings={"unfreeze": 2, "learning_rate": 5e-5},
        notes=("Two pictures <i>lie</i> in two classes.",),
    )


@pytest.fixture(scope="module")
def html(data: PictureReport) -> str:
    return page(data)


class _Page(HTMLParser):
    """What a browser would see: tags with their attributes, and texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_fetches_nothing_and_runs_nothing_whatever_classes_and_files_are_called(html: str) -> None:
    seen = _Page(html)
    assert not {"script", "link", "iframe", "a", "b", "i"} & {tag for tag, _ in seen.tags}
    sources = [fields.get("src") or fields.get("srcset") for tag, fields in seen.tags if tag in {"img", "source"}]
    assert all(source is not None and source.startswith("data:image/") for source in sources)
    assert "default-src 'none'" in str([fields for _, fields in seen.tags if "http-equiv" in fields])
    for wanted in (*ODD, "IMG_", "<i>.jpg", "mine & <b>yours</b>"):
        assert wanted in seen.text


def test_the_worst_mistakes_are_seen_with_truth_word_and_probability(data: PictureReport, html: str) -> None:
    mistakes = data.honest.mistakes
    assert 3 < len(mistakes) <= 20
    shown = re.findall(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", html)
    assert [base64.b64decode(one) for one in shown] == [thumbnail(one.row) for one in mistakes]
    seen = _Page(html)
    assert f"A picture of {mistakes[0].truth}, taken for {mistakes[0].said}" in [one.get("alt") for _, one in seen.tags]
    assert f"{mistakes[0].truth} true, {mistakes[0].truth_probability:.1%}" in seen.text
    assert f"{mistakes[0].said} said, {mistakes[0].probability:.1%}" in seen.text
    assert seen.text.count("told with doubt") == sum(one.probability < 0.6 for one in mistakes) > 0


def test_a_picture_that_has_gone_leaves_its_place_empty(data: PictureReport) -> None:
    shown = page(replace(data, thumbnail=lambda row: b""))
    assert "image/jpeg" not in shown
    assert shown.count("no picture") == len(data.honest.mistakes)


def test_honest_figures_stand_beside_those_of_the_model_in_use_and_by_chance(data: PictureReport, html: str) -> None:
    text = " ".join(_Page(html).text.split())
    assert data.in_use is not None
    assert data.random is not None
    told = "".join(f"{one.accuracy:.1%}" for one in (data.honest, data.in_use, data.random))
    assert (
        f"Figuremine & <b>yours</b>in userandom split Top 1pictures whose likeliest class is the right one{told}"
        in text
    )
    assert "Top 5" in text
    assert data.comparison is not None
    assert data.comparison.sentence in text
    assert "McNemar" in data.comparison.sentence
    assert data.comparison.sentence.endswith("56 pictures).")


def test_split_calibration_threshold_and_notes_are_told_in_words(data: PictureReport, html: str) -> None:
    text = _Page(html).text
    assert "56 pictures of 7 classes, none of them nearly the same as one it was trained on" in summary(data)
    assert summary(data) in text
    for wanted in (
        "kept on one side of the split, so that none is scored for having been seen before: 37 groups",
        "The honest figure is the one to go by.",
        "a temperature of 1.500",
        "Below 60% a label is told as what it may be.",
        "The loss of the head is 0.432 nats on what was trained on and 0.600 nats on what was held out to validate.",
        "Two pictures <i>lie</i> in two classes.",
        "a<b>",
        "2,871",
        "5e-05",
        "6,100",
    ):
        assert wanted in text
    assert "text" not in re.sub(r"data:[^\"]*", "", html.partition("<body>")[2])


def test_what_is_told_without_doubt_is_that_from_the_threshold_on(data: PictureReport) -> None:
    sure = [confidence >= 0.6 for confidence in data.honest.confidences]
    document = data.as_json()["honest"]
    assert document["threshold"] == 0.6
    assert document["coverage"] == pytest.approx(np.mean(sure))
    right = np.array(data.honest.truth)[sure] == np.array(data.honest.choices)[sure]
    assert document["covered_accuracy"] == pytest.approx(right.mean())
    never = replace(data, sure_from=1.0).as_json()["honest"]
    assert (never["coverage"], never["covered_accuracy"]) == (0, None)
    # The matrix shows what was said, with doubt or without.
    assert sum(cell["pictures"] for cell in document["confusion"] if cell["said"]) == data.honest.examples


def test_page_json_and_plots_lie_in_the_folder_and_nothing_else(data: PictureReport, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "report"
    assert write_report(folder, data) == folder / "report.html"
    assert {path.name for path in folder.iterdir()} == PLOTS | {"report.html", "report.json"}
    document = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert document["honest"]["macro_f1"] == data.honest.macro_f1
    assert document["honest"]["labels"][3]["label"] == ODD[3]
    assert document["honest"]["mistakes"][0]["picture"] == data.honest.mistakes[0].example
    assert document["comparison"]["pictures"] == 56
    assert document["curves"]["fine-tuning"]["held_out"] == [[1.0, 1.5], [2.0, 1.2]]
    assert document["pictures_per_label"] == {ODD[0]: 6_100}
    assert (document["temperature"], document["near_duplicate_groups"]) == (1.5, 37)


def test_two_classes_told_without_a_mistake_have_a_page_with_the_least_that_is_known() -> None:
    sure = figures_of(np.array([[0.9, 0.1], [0.1, 0.9]]), ("a", "b"), ["a", "b"], 0.0)
    text = _Page(page(PictureReport("perfect", "base", sure, thumbnail))).text
    assert "There are none." in text
    assert "Most often confused" not in text
    # One of two is always among the five likeliest.
    assert "Top 5" not in text
    assert "no group of two or more" in text
    assert "None" not in text


def test_a_thousand_classes_are_thinned_out_to_those_with_the_most_mistakes() -> None:
    many = figures(tuple(f"class {number}" for number in range(1_000)), 2, 6.0)
    text = _Page(page(PictureReport("many", "base", many, thumbnail))).text
    assert "Of 1,000 classes the 30 with the most mistakes." in text
    assert "1,000 classes" in text


def test_without_matplotlib_the_command_that_brings_it_is_named(
    data: PictureReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModelExtraError, match="make plots"):
        write_report(tmp_path / "report", data)
    assert not (tmp_path / "report").exists()
