"""Models that look at pictures, as the store knows them: by what they do, whole or not, and never for anything else."""

import json
from pathlib import Path
from typing import Any

import pytest

from models.errors import ModelMissingError, ModelUnusableError
from models.store.inventory import entries
from models.store.model_store import ModelStore, task_of
from models.store.verification import examine
from models.vision.defaults import CAPTIONS, LABELS
from tests.models.model_folders import LLAMA, T5, VIT, cached, model_files, write

GIT = {"model_type": "git", "architectures": ["GitForCausalLM"]}
BLIP = {"model_type": "blip", "architectures": ["BlipForConditionalGeneration"]}
PAIR = {"model_type": "vision-encoder-decoder", "architectures": ["VisionEncoderDecoderModel"]}
TEACHER = {"model_type": "deit", "architectures": ["DeiTForImageClassificationWithTeacher"]}
CLASSIFIER = {"model_type": "bert", "architectures": ["BertForSequenceClassification"]}
BLIP_ANSWERING = {"model_type": "blip", "architectures": ["BlipForQuestionAnswering"]}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return ModelStore(tmp_path / "models")


def picture_model(config: dict[str, Any]) -> dict[str, bytes]:
    return model_files(config, preprocessor_config__json=b"{}")


def trained(store: ModelStore, task: str, name: str, **files: bytes) -> Path:
    return write(store.directory / task / name, picture_model(VIT) | {"images.json": b'{"temperature": 1.5}'} | files)


@pytest.mark.parametrize(
    ("config", "task"),
    [
        (VIT, "images"),
        (TEACHER, "images"),
        (GIT, "captions"),
        (BLIP, "captions"),
        (PAIR, "captions"),
        (T5, "answers"),
        (LLAMA, "answers"),
        (CLASSIFIER, "diagnosis"),
        (BLIP_ANSWERING, ""),
    ],
)
def test_a_model_is_chosen_for_what_it_does_and_for_nothing_else(
    store: ModelStore, tmp_path: Path, config: dict[str, Any], task: str
) -> None:
    folder = str(write(tmp_path / "model", picture_model(config)))
    assert task_of(store.find(folder)) == task
    for other in ("answers", "diagnosis", "images", "captions"):
        if other == task:
            assert store.use(other, folder).folder == Path(folder)
        else:
            way = f"`preceptor models use {folder} --for {task}`" if task else "Choose "
            with pytest.raises(ModelUnusableError) as refused:
                store.use(other, folder)
            assert way in refused.value.fix
    assert [store.in_use(one) for one in ("answers", "diagnosis", "images", "captions") if one != task].count("") >= 3


def test_what_is_chosen_for_pictures_is_remembered_and_given_up_alone(store: ModelStore) -> None:
    trained(store, "images", "birds")
    write(store.directory, {"in_use.json": json.dumps({"answers": "writer", "captions": "teller"}).encode()})
    store.use("images", "birds")
    assert store.in_use("images") == "birds"
    store.use_floor("images")
    assert (store.in_use("images"), store.in_use("captions"), store.in_use("answers")) == ("", "teller", "writer")


def test_of_two_models_of_a_name_the_one_for_pictures_is_meant(store: ModelStore) -> None:
    ours = trained(store, "images", "mine")
    write(store.directory / "answers" / "mine", model_files())
    assert store.find("mine", task="images").folder == ours
    assert store.find("mine").folder != ours


@pytest.mark.parametrize(
    ("config", "lacking", "said"),
    [
        (VIT, "preprocessor_config.json", "it has no image processor"),
        (GIT, "preprocessor_config.json", "it has no image processor"),
        (GIT, "tokenizer.json", "it has no tokenizer"),
        (BLIP, "tokenizer.json", "it has no tokenizer"),
        (PAIR, "model.safetensors", "it has no weights"),
    ],
)
def test_what_a_model_of_pictures_lacks_is_named(
    store: ModelStore, tmp_path: Path, config: dict[str, Any], lacking: str, said: str
) -> None:
    folder = write(tmp_path / "model", picture_model(config))
    (folder / lacking).unlink()
    with pytest.raises(ModelUnusableError, match=said):
        store.find(str(folder))


def test_a_classifier_of_pictures_needs_no_tokenizer(store: ModelStore, tmp_path: Path) -> None:
    folder = write(tmp_path / "model", picture_model(VIT))
    (folder / "tokenizer.json").unlink()
    assert store.use("images", str(folder)).sight == "images"


def test_a_damaged_calibration_is_found_by_looking_at_all_files(store: ModelStore) -> None:
    trained(store, "images", "birds", **{"images.json": b"{"})
    (report,) = examine(store, ["birds"])
    assert "birds is damaged: images.json is not JSON" in report.problem


def test_the_inventory_says_what_models_of_pictures_do(store: ModelStore, tmp_path: Path) -> None:
    trained(store, "images", "birds")
    cached(tmp_path / "hf" / "hub", CAPTIONS, picture_model(GIT))
    assert {(entry.name, entry.kind) for entry in entries(store)} == {("birds", "images"), (CAPTIONS, "captions")}


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("google/vit-base-patch16-24", LABELS), ("microsoft/git-bas", CAPTIONS), ("git-base", CAPTIONS)],
)
def test_a_misspelt_name_is_told_the_right_one(store: ModelStore, asked: str, meant: str) -> None:
    with pytest.raises(ModelMissingError, match=f"Did you mean {meant}\\?"):
        store.find(asked, task="images")
