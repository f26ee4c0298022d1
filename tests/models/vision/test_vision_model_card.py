"""The model card of a classifier of pictures: the hub's metadata, the figures, and what it must not be taken for."""

import numpy as np
import pytest
from markdown_it import MarkdownIt

from models.evaluation.classification.calibration import softmax
from models.evaluation.classification.figures import Figures, figures_of
from models.training.options import Curve
from models.vision.training.model_card import model_card
from models.vision.training.report_data import PictureReport

SECRET = "grandmother-at-the-clinic.jpg"
LABELS = ("cat | tom", "<b>dog</b>")


def _figures(right: float, labels: tuple[str, ...] = LABELS) -> Figures:
    probabilities = np.array([[right, 1 - right], [1 - right, right]])
    return figures_of(probabilities, labels, labels, 0.0, probabilities, [SECRET] * 2)


def _no_thumbnail(row: int) -> bytes:
    raise AssertionError(f"The card shows no picture, and asked for number {row}.")


@pytest.fixture
def data() -> PictureReport:
    return PictureReport(
        name="mine",
        base="org/base: a model",
        honest=_figures(0.3),
        thumbnail=_no_thumbnail,
        temperature=1.5,
        sure_from=0.6,
        random=_figures(0.9),
        in_use=_figures(0.8),
        curves={"fine-tuning": Curve(((0.5, 2.0), (1.0, 1.0)), ())},
        pictures_per_label={LABELS[0]: 61, LABELS[1]: 1_070},
        data={"folder": "pets", "near_duplicate_groups": 2_871},
        settings={"unfreeze": 2, "augmentation": True},
    )


def test_the_head_is_the_hubs_metadata(data: PictureReport) -> None:
    lines = model_card(data).splitlines()
    assert lines[0] == "---"
    assert {
        "library_name: transformers",
        "pipeline_tag: image-classification",
        'base_model: "org/base: a model"',
        "tags: [preceptor, vision]",
    } == set(lines[1 : lines.index("---", 1)])


def test_the_card_says_how_it_is_used_and_what_it_is_not(data: PictureReport) -> None:
    card = " ".join(model_card(data).split())
    assert "`preceptor models use mine --for images`" in card
    assert "`AutoModelForImageClassification`" in card
    assert "Tells which of 2 classes a picture shows." in card
    assert "says one of them of every picture, whatever that shows" in card
    assert "must not decide about people" in card


def test_honest_scores_stand_beside_those_in_use_and_by_chance(data: PictureReport) -> None:
    card = model_card(data)
    assert "|  | mine | in use | random split |" in card
    assert "| Top 1 | 0.0% | 100.0% | 100.0% |" in card
    assert "top 1 is then 100.0%, which flatters." in card.replace("\n", " ")


def test_calibration_and_doubt_are_told_in_words(data: PictureReport) -> None:
    card = model_card(data).replace("\n", " ")
    assert "divided by a temperature of 1.500" in card
    assert "told 100.0% without doubt, at a probability of 60.0% and above, and 0.0% of these rightly." in card


def test_classes_with_bars_and_markup_stay_in_their_cell(data: PictureReport) -> None:
    html = MarkdownIt("commonmark").enable("table").render(model_card(data).split("---\n", 2)[2])
    assert "<td>cat | tom</td>" in html
    assert "<td>&lt;b&gt;dog&lt;/b&gt;</td>" in html
    assert html.count("<td>1,070</td>") == 1
    assert "<b>" not in html


def test_the_card_shows_and_names_none_of_the_pictures(data: PictureReport) -> None:
    assert data.honest.mistakes
    card = model_card(data)
    assert SECRET not in card
    assert "shows the pictures of its worst mistakes: leave that file out" in card.replace("\n", " ")


def test_only_plots_that_lie_beside_it_are_shown(data: PictureReport) -> None:
    card = model_card(data, ["confusion.png", "loss-fine-tuning.png", "cat.png"])
    assert "(confusion.png)" in card
    assert "![The losses of the fine-tuning](loss-fine-tuning.png)" in card
    assert "cat.png" not in card
    assert ".png" not in model_card(data)


def test_of_a_thousand_classes_the_card_has_those_that_are_told_worst() -> None:
    labels = tuple(f"class {number}" for number in range(1_000))
    logits = 9 * np.eye(1_000)
    logits[7, :2] = 20
    card = model_card(PictureReport("many", "base", figures_of(softmax(logits), labels, labels, 0.0), _no_thumbnail))
    assert "The 100 of 1,000 classes that are told worst" in card
    assert "| class 7 | 0.000 | – | 1 |" in card
    assert len(card.splitlines()) < 200


def test_a_card_with_the_least_that_is_known_is_whole(data: PictureReport) -> None:
    card = model_card(PictureReport("mine", "base", data.honest, _no_thumbnail))
    assert "None" not in card
    assert "## Settings" not in card
    assert all(len(line) <= 130 for line in card.splitlines())
