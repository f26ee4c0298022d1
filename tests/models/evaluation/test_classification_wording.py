"""What reports call what was classified: each its own things, in words and in the names of the JSON."""

import numpy as np
import pytest

from models.diagnosis.evaluation import wording as diagnosis
from models.evaluation.classification.comparison import compare
from models.evaluation.classification.figures import Figures, figures_of
from models.evaluation.classification.wording import EXAMPLES, renamed
from models.vision import wording as vision

LABELS = ("cat", "dog")


@pytest.fixture
def figures() -> Figures:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    return figures_of(probabilities, LABELS, ("cat", "dog", "dog"), 0.0, examples=("one", "two", "three"))


def test_the_json_of_diagnosis_speaks_of_texts_and_conditions(figures: Figures) -> None:
    told = diagnosis.told(figures.as_json())
    assert (told["texts"], told["no_match_texts"]) == (3, 0)
    assert told["ece_conditions"] == figures.ece_classes
    assert told["mistakes"][0]["text"] == "three"
    assert told["confusion"][0].keys() == {"truth", "said", "texts"}
    assert "top5" not in told
    assert not {"examples", "example"} & {key for one in told["mistakes"] + told["bins_after"] for key in one}


def test_the_json_of_pictures_speaks_of_pictures_and_not_of_what_matches_nothing(figures: Figures) -> None:
    told = vision.told(figures.as_json())
    assert told["pictures"] == 3
    assert told["mistakes"][0]["picture"] == "three"
    assert told["top5"] == 1.0
    assert "no_match" not in str(told)
    assert "abstention_auroc" not in told


def test_a_comparison_counts_what_the_wording_names(figures: Figures) -> None:
    assert compare(figures, figures, wording=vision.PICTURES).sentence.endswith("p = 1, 3 pictures).")
    assert compare(figures, figures, wording=diagnosis.SYMPTOMS).sentence.endswith("p = 1, 3 texts).")
    assert compare(figures, figures).wording is EXAMPLES
    assert vision.told(compare(figures, figures).as_json())["pictures"] == 3


def test_keys_are_renamed_at_all_depths_and_in_their_order() -> None:
    document = {"b": 1, "list": [{"a": 2, "c": [[1.0, 2.0]]}], "out": 3}
    told = renamed(document, {"a": "x", "b": "y"}, ("out",))
    assert told == {"y": 1, "list": [{"x": 2, "c": [[1.0, 2.0]]}]}
    assert list(told) == ["y", "list"]
