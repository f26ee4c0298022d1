"""Which model judges symptoms: chosen by name, by folder, or none."""

import json
import re
from pathlib import Path

import pytest

from models.errors import ModelUnusableError
from models.store.model_store import ModelStore, is_classifier
from models.store.verification import examine
from tests.models.model_folders import model_files, safetensors, write

ENCODER = {"model_type": "bert", "architectures": ["BertModel"]}
CLASSIFIER = {"model_type": "bert", "architectures": ["BertForSequenceClassification"]}


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def trained(store: ModelStore, task: str, name: str) -> Path:
    own = {"diagnosis.json": b"{}", "head.safetensors": safetensors({"weight": 8, "bias": 2})}
    return write(store.directory / task / name, model_files(ENCODER) | own)


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


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("head.safetensors", None, "mine is incomplete: it has no head"),
        ("head.safetensors", b"no tensors", r"damaged: head\.safetensors"),
        ("diagnosis.json", b"{", r"damaged: diagnosis\.json is not JSON"),
    ],
)
def test_a_classifier_without_a_whole_head_is_neither_whole_nor_chosen(
    store: ModelStore, file: str, content: bytes | None, said: str
) -> None:
    folder = trained(store, "diagnosis", "mine")
    (folder / file).unlink() if content is None else (folder / file).write_bytes(content)
    (report,) = examine(store, ["mine"])
    assert re.search(said, report.problem)
    with pytest.raises(ModelUnusableError, match=said):
        store.use("diagnosis", "mine")
    assert store.in_use("diagnosis") == ""
