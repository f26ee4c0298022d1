"""The model card of a classifier: the hub's metadata, the figures, and what it must not be taken for."""

from dataclasses import replace

import numpy as np
import pytest
from markdown_it import MarkdownIt

from models.diagnosis import NO_MATCH
from models.diagnosis.evaluation.model_card import model_card
from models.diagnosis.evaluation.report_data import ReportData
from models.evaluation.classification.calibration import Calibration
from models.evaluation.classification.figures import Figures, figures_of

SECRET = "my rash after the holiday in Spain"
LABELS = ("flu | grippe", "<b>gout</b>")


def _figures(right: float) -> Figures:
    probabilities = np.array([[right, 0.9 - right], [0.9 - right, right], [0.2, 0.1]])
    return figures_of(probabilities, LABELS, (*LABELS, NO_MATCH), 0.4, probabilities, [SECRET] * 3)


@pytest.fixture
def data() -> ReportData:
    return ReportData(
        name="mine",
        base="org/base: a model",
        honest=_figures(0.3),
        random=_figures(0.7),
        floor=_figures(0.6),
        calibration=Calibration(1.5, 0.4, -0.25),
        texts_per_label={LABELS[0]: 61, LABELS[1]: 1_070, NO_MATCH: 400},
        data={"file": "symptoms.csv", "near_duplicate_groups": 2_871},
        settings={"method": "lora", "early_stopping": True},
    )


def test_the_head_is_the_hubs_metadata(data: ReportData) -> None:
    lines = model_card(data).splitlines()
    assert lines[0] == "---"
    assert {
        "library_name: transformers",
        "pipeline_tag: text-classification",
        'base_model: "org/base: a model"',
        "tags: [preceptor, symptoms]",
    } == set(lines[1 : lines.index("---", 1)])


def test_the_card_says_what_it_is_for_and_what_it_is_not(data: ReportData) -> None:
    card = model_card(data)
    assert "preceptor models use mine --for diagnosis" in card
    assert "It is no medical device, and what it says is no diagnosis." in card
    assert "signs of an emergency are looked for apart from it" in card


def test_honest_floor_and_random_scores_stand_side_by_side(data: ReportData) -> None:
    card = model_card(data)
    assert "|  | mine | floor, same texts | random split |" in card
    assert f"| Macro F1 | {data.honest.macro_f1:.3f} | 1.000 | 1.000 |" in card
    assert "macro F1 is then 1.000, which flatters." in card.replace("\n", " ")


def test_calibration_and_silence_are_told_in_words(data: ReportData) -> None:
    card = model_card(data).replace("\n", " ")
    assert "divided by a temperature of 1.500, and -0.250 is added to that of “nothing matches”" in card
    assert "condition fits is below 40.0%, it says nothing: so it answered 100.0% of the descriptions held out" in card
    assert "and 0.0% of the texts that match nothing." in card
    assert "## Calibration" not in model_card(replace(data, calibration=None))


def test_labels_with_bars_and_markup_stay_in_their_cell(data: ReportData) -> None:
    html = MarkdownIt("commonmark").enable("table").render(model_card(data).split("---\n", 2)[2])
    assert "<td>flu | grippe</td>" in html
    assert "<td>&lt;b&gt;gout&lt;/b&gt;</td>" in html
    assert html.count("<td>1,070</td>") == 1
    assert "<td>(nothing of these)</td>" in html
    assert "<b>" not in html


def test_the_card_holds_none_of_the_texts(data: ReportData) -> None:
    assert data.honest.mistakes
    assert SECRET not in model_card(data)


def test_only_pictures_that_lie_beside_it_are_shown(data: ReportData) -> None:
    card = model_card(data, ["confusion.png"])
    assert "(confusion.png)" in card
    assert ".png" not in card.replace("confusion.png", "")


def test_a_card_with_the_least_that_is_known_is_whole(data: ReportData) -> None:
    card = model_card(ReportData("mine", "", data.honest), [])
    assert "base_model" not in card
    assert "None" not in card
    assert "## Settings" not in card
    assert "| flu \\| grippe |" in card
    assert all(len(line) <= 130 for line in card.splitlines())
