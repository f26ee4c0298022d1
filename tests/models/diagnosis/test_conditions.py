"""What is said of conditions: complete, in sentences, without doses; and a damaged file is refused."""

import csv
import json
import re
from pathlib import Path

import pytest

from models.diagnosis.conditions import Condition, conditions
from models.diagnosis.starter import SYMPTOMS
from models.errors import ModelUnusableError

ENTRY = {"what": "A sentence.", "course": "Another.", "urgent": ["See a doctor today."], "ask": "Say where."}


def written(folder: Path, document: object) -> Path:
    path = folder / "conditions.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_there_are_24_conditions_spelt_as_in_the_starter_data() -> None:
    if not SYMPTOMS.exists():
        pytest.skip("the starter data are not there")
    with SYMPTOMS.open(encoding="utf-8", newline="") as file:
        labels = {row["label"] for row in csv.DictReader(file)}
    assert conditions().keys() == labels
    assert len(labels) == 24


@pytest.mark.parametrize("condition", conditions().values(), ids=lambda condition: condition.label)
def test_every_condition_says_what_it_is_how_it_goes_and_when_it_is_urgent(condition: Condition) -> None:
    assert 2 <= len(condition.urgent) <= 7
    for sentence in (condition.what, condition.course, condition.ask, *condition.urgent):
        assert sentence[0].isupper(), sentence
        assert sentence.endswith("."), sentence


def test_no_condition_names_a_dose() -> None:
    told = " ".join(" ".join((one.what, one.course, one.ask, *one.urgent)) for one in conditions().values())
    assert not re.search(r"\d\s*(?:mg|ml|mcg|micrograms?|milligrams?|tablets?|drops|puffs)\b", told, re.IGNORECASE)


def test_a_condition_that_users_trained_themselves_has_no_entry() -> None:
    assert conditions().get("homesickness") is None


@pytest.mark.parametrize("field", sorted(ENTRY))
def test_an_entry_that_lacks_something_is_refused_by_name(tmp_path: Path, field: str) -> None:
    path = written(tmp_path, {"acne": {name: value for name, value in ENTRY.items() if name != field}})
    with pytest.raises(ModelUnusableError, match=f"“acne” lacks the (?:text|list) “{field}”"):
        conditions(path)


@pytest.mark.parametrize("document", [[], "acne", {"acne": ["a sentence"]}, {"acne": ENTRY | {"urgent": [""]}}])
def test_what_is_no_object_of_conditions_is_refused(tmp_path: Path, document: object) -> None:
    with pytest.raises(ModelUnusableError, match="does not tell about conditions"):
        conditions(written(tmp_path, document))


def test_a_field_that_means_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusableError, match="field “dose” that means nothing"):
        conditions(written(tmp_path, {"acne": ENTRY | {"dose": "none"}}))


def test_a_damaged_or_missing_file_is_refused_with_the_fix(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.json"
    damaged.write_bytes(b'{"acne": \xff')
    for path in (damaged, tmp_path / "missing.json"):
        with pytest.raises(ModelUnusableError, match="Restore the file"):
            conditions(path)
