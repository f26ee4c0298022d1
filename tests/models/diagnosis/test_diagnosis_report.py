"""The report of a classifier, as somebody reads it: complete in one file, and safe whatever labels and texts hold."""

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

from models.diagnosis import NO_MATCH
from models.diagnosis.evaluation.report import page, summary, write_report
from models.diagnosis.evaluation.report_data import ReportData
from models.diagnosis.evaluation.wording import SYMPTOMS
from models.errors import ModelExtraError
from models.evaluation.classification.calibration import Calibration, softmax
from models.evaluation.classification.comparison import compare
from models.evaluation.classification.figures import Figures, figures_of
from models.evaluation.classification.page_parts import most_confused
from models.evaluation.classification.plots import MOST_LABELS, confusion_matrix, drawable
from models.training.options import Curve

ODD = ("🤧 cold, common", '<img src=x onerror="alert(1)">', "$fever$ | rash", "疾病")
EVIL = "<script>alert('text')</script> & my $knee$ hurts"


def _figures(labels: tuple[str, ...], rounds: int = 6, sharpness: float = 3.0, seed: int = 0) -> Figures:
    """Give figures on so many texts a label and a few that match nothing, told well the sharper they are."""
    targets = np.repeat(np.arange(len(labels) + 1), rounds)
    logits = np.random.default_rng(seed).normal(0, 1, (len(targets), len(labels) + 1))
    logits[np.arange(len(targets)), targets] += sharpness
    known = len(labels)
    truth = [(*labels, NO_MATCH)[target] for target in targets]
    return figures_of(
        softmax(logits)[:, :known], labels, truth, 0.4, softmax(logits / 3)[:, :known], [EVIL] * len(truth)
    )


@pytest.fixture(scope="module")
def data() -> ReportData:
    honest, floor = _figures(ODD, sharpness=2.0), _figures(ODD, sharpness=1.0)
    return ReportData(
        name="mine & <b>yours</b>",
        base="sentence-transformers/all-MiniLM-L6-v2",
        honest=honest,
        random=_figures(ODD, sharpness=5),
        floor=floor,
        in_use=floor,
        comparison=compare(honest, floor, "mine", "floor", wording=SYMPTOMS),
        calibration=Calibration(1.5, 0.4, -0.25),
        curve=Curve(((0.5, 2.0), (1.0, 1.0)), ((1.0, 1.5), (2.0, 1.2))),
        texts_per_label={ODD[0]: 61, NO_MATCH: 400},
        data={"file": "a<b>.csv", "near_duplicate_groups": 2_871, "texts": {"training": 1_680, "test": 480}},
        settings={"method": "full", "learning_rate": 5e-5},
        notes=("Two texts <i>stand</i> under two labels.",),
    )


@pytest.fixture(scope="module")
def html(data: ReportData) -> str:
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


def test_the_page_fetches_nothing_and_runs_nothing_whatever_texts_and_labels_hold(html: str) -> None:
    seen = _Page(html)
    assert not {"script", "link", "iframe", "a", "b", "i"} & {tag for tag, _ in seen.tags}
    sources = [fields.get("src") or fields.get("srcset") for tag, fields in seen.tags if tag in {"img", "source"}]
    assert len(sources) == 8
    assert all(source is not None and source.startswith("data:image/png;base64,") for source in sources)
    assert "default-src 'none'" in str([fields for _, fields in seen.tags if "http-equiv" in fields])
    for label in ODD:
        assert label in seen.text
    assert EVIL in seen.text


def test_the_page_shows_each_picture_for_light_and_dark(html: str) -> None:
    pictures = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", html)
    assert len(set(pictures)) == 8
    assert all(Image.open(io.BytesIO(base64.b64decode(picture))).width >= 800 for picture in pictures)


def test_honest_random_and_floor_stand_side_by_side(data: ReportData, html: str) -> None:
    text = " ".join(_Page(html).text.split())
    assert "Figuremine & <b>yours</b>floor, same textsin userandom split" in text
    assert data.random is not None
    assert data.floor is not None
    told = "".join(f"{one.macro_f1:.3f}" for one in (data.honest, data.floor, data.floor, data.random))
    assert f"each counting the same{told}" in text
    assert "Split by chance, texts that are nearly alike come to lie on both sides" in text
    assert data.comparison is not None
    assert data.comparison.sentence in text


def test_the_page_tells_every_condition_the_data_and_the_settings(data: ReportData, html: str) -> None:
    text = _Page(html).text
    assert summary(data) in text
    assert "24 descriptions of 4 conditions and 6 texts that match nothing" in summary(data)
    for wanted in ("a<b>.csv", "2,871", "training 1,680, test 480", "5e-05", "61", "temperature of 1.500"):
        assert wanted in text
    assert "Two texts <i>stand</i> under two labels." in text


def test_the_worst_mistakes_stand_in_the_page_with_their_text(data: ReportData, html: str) -> None:
    floor = replace(data, honest=data.floor or data.honest, curve=None)
    mistakes = floor.honest.mistakes
    assert 3 < len(mistakes) <= 20
    shown = page(floor)
    assert shown.count("<article>") == len(mistakes)
    assert f"{mistakes[0].probability:.1%}" in shown


def test_a_classifier_without_mistakes_has_a_page_too() -> None:
    figures = figures_of(np.array([[0.9, 0.1], [0.1, 0.9]]), ("a", "b"), ["a", "b"], 0.5)
    text = _Page(page(ReportData("perfect", "", figures))).text
    assert "There are none." in text
    assert "Most often confused" not in text


def test_a_text_of_many_pages_is_cut_in_the_page_and_whole_in_the_json(tmp_path: Path) -> None:
    figures = figures_of(np.array([[0.9, 0.1]]), ("a", "b"), ["b"], 0.5, examples=["ill " * 5_000])
    write_report(tmp_path, ReportData("long", "", figures))
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert html.count("ill ill") < 1_000
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert document["honest"]["mistakes"][0]["text"] == "ill " * 5_000


def test_page_json_and_pictures_lie_in_the_folder_and_nothing_else(data: ReportData, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "report"
    assert write_report(folder, data) == folder / "report.html"
    pictures = {"confusion.png", "reliability.png", "coverage.png", "loss.png"}
    assert {path.name for path in folder.iterdir()} == pictures | {"report.html", "report.json"}
    # On a page of any colour they can be read.
    assert all(Image.open(folder / name).convert("RGBA").getpixel((1, 1)) == (255,) * 4 for name in pictures)
    document = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert document["honest"]["macro_f1"] == data.honest.macro_f1
    assert document["floor"]["labels"][0]["label"] == ODD[0]
    assert document["comparison"]["is_worse"] is False
    assert document["calibration"] == {"temperature": 1.5, "threshold": 0.4, "no_match_bias": -0.25}
    assert document["curve"]["held_out"] == [[1.0, 1.5], [2.0, 1.2]]
    assert document["texts_per_label"][""] == 400


def test_five_hundred_conditions_are_thinned_out_to_those_with_the_most_mistakes() -> None:
    figures = _figures(tuple(f"condition {number}" for number in range(500)), 2, 4)
    names, matrix = confusion_matrix(figures)
    assert len(names) == MOST_LABELS + 2
    assert names[-2:] == ["all others", "nothing"]
    assert matrix.sum() == figures.examples
    text = _Page(page(ReportData("many", "", figures))).text
    assert "Of 500 conditions the 30 with the most mistakes." in text
    assert "500 conditions" in text


def test_twenty_four_conditions_all_have_their_row() -> None:
    labels = tuple(f"condition {number}" for number in range(24))
    names, matrix = confusion_matrix(_figures(labels))
    assert names == [*labels, "nothing"]
    assert matrix.sum(axis=1).tolist() == [6] * 25


def test_names_that_cannot_be_drawn_are_told_by_their_number() -> None:
    assert drawable(["🤧 cold, common", "疾病", "🤧", "a\nb", "$x$"]) == [
        "cold, common",
        "no. 2",
        "no. 3",
        "a b",
        r"\$x\$",
    ]
    assert len(drawable(["gastroesophageal reflux disease with oesophagitis"])[0]) == 32


def test_what_is_most_often_confused_comes_first(data: ReportData) -> None:
    counts = [cell.examples for cell in most_confused(data.honest)]
    assert counts == sorted(counts, reverse=True)
    assert all(cell.truth != cell.said for cell in most_confused(data.honest))


def test_without_matplotlib_the_command_that_brings_it_is_named(
    data: ReportData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModelExtraError, match="make plots"):
        write_report(tmp_path / "report", data)
    assert not (tmp_path / "report").exists()
