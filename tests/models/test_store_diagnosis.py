"""Which model judges symptoms: chosen by name, by folder, or none."""

import json
from pathlib import Path

import pytest

from models.errors import ModelUnusableError
from models.store.model_store import ModelStore, is_classifier
from tests.models.model_folders import model_files, write

ENCODER = {"model_type": "bert", "architectures": ["BertModel"]}
CLASSIFIER = {"model_type": "bert", "architectures": ["BertForSequenceClassification"]}


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def trained(store: ModelStore, task: str, name: str) -> Path:
    return write(store.directory / task / name, model_files(ENCODER, diagnosis__json=b"{}"))


def test_of_two_models_of_a_name_the_one_for_the_task_is_meant(store: ModelStore) -> None:
    others, ours = (trained(store, task, "mine") for task in ("answers", "diagnosis"))
    assert store.find("mine").folder == others
    assert store.find("mine", task="diagnosis").folder == ours
    assert store.use("diagnosis", "mine").folder == ours
    assert store.in_use("diagnosis") == "mine"


def test_the_floor_comes_back_and_the_other_choices_stay(store: ModelStore) -> None:
    trained(store, "diagnosis", "mine")
    (store.directory / "in_use.json").write_text(json.dumps({"answers": "writer"}))
    store.use("diagnosis", "mine")
    store.use_floor("diagnosis")
    assert (store.in_use("diagnosis"), store.in_use("answers")) == ("", "writer")


def test_an_encoder_without_a_head_judges_nothing_and_is_not_chosen(store: ModelStore, tmp_path: Path) -> None:
    folder = write(tmp_path / "encoder", model_files(ENCODER))
    with pytest.raises(ModelUnusableError, match=r"tells no conditions apart.*train diagnosis"):
        store.use("diagnosis", str(folder))
    assert store.in_use("diagnosis") == ""


def test_a_classifier_of_somebody_elses_is_chosen_by_its_folder(store: ModelStore, tmp_path: Path) -> None:
    folder = write(tmp_path / "theirs", model_files(CLASSIFIER))
    assert is_classifier(store.use("diagnosis", str(folder)))
    assert store.in_use("diagnosis") == str(folder)
    with pytest.raises(ModelUnusableError, match=r"does not write text.*--for diagnosis"):
        store.use("answers", str(folder))
