import json
import stat
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from models.diagnosis.encoder.options import EncoderOptions
from models.errors import ModelMissingError, ModelUnusableError
from models.evaluation.classification.calibration import Calibration
from models.store.checkpoints import judged
from tests.models.diagnosis.tiny_encoders import SIGNS, labelled, tiny_bert

LABELS = tuple(sorted(SIGNS))
CALIBRATION = Calibration(temperature=0.8, threshold=0.4, no_match_bias=0.1)
TEXTS = ("thick red patches and silvery scales", "my dog limps", "", "throbbing head " * 200, "zigzag lines 🦓\x00")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("tiny-bert"))


@pytest.fixture(scope="module")
def encoder(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from models.diagnosis.encoder.training import EncoderTrainee

    options = EncoderOptions(epochs=3, batch=8, learning_rate=3e-3, threads=1)
    trainee = EncoderTrainee(judged(base, "tiny"), options, LABELS)
    folder = tmp_path_factory.mktemp("state")
    return trainee.train(labelled(10), labelled(5, seed=1), folder, lambda *told: None, Event(), False)


@pytest.fixture
def folder(encoder: Any, tmp_path: Path) -> Path:
    encoder.save(tmp_path, CALIBRATION, base="tiny")
    return tmp_path


def test_what_was_saved_says_the_same_as_what_was_trained(encoder: Any, folder: Path) -> None:
    from models.diagnosis.encoder.classifier import load_encoder

    classifier = load_encoder(folder, "mine", threads=1)
    assert (classifier.name, classifier.labels, classifier.threshold) == ("mine", LABELS, 0.4)
    np.testing.assert_allclose(classifier.logits(TEXTS), encoder.logits(TEXTS), atol=1e-5)
    probabilities = classifier.probabilities(TEXTS)
    assert probabilities.shape == (len(TEXTS), 3)
    np.testing.assert_allclose(probabilities, CALIBRATION.probabilities(encoder.logits(TEXTS), 3), atol=1e-5)
    assert LABELS[probabilities[0].argmax()] == "psoriasis"
    assert probabilities[0].max() > 0.8
    assert probabilities[1].max() < 0.4
    assert probabilities.sum(axis=1).max() <= 1 + 1e-9


def test_a_text_is_judged_alike_alone_and_among_others(folder: Path) -> None:
    from models.diagnosis.encoder.classifier import load_encoder

    classifier = load_encoder(folder, "mine", threads=1)
    together = classifier.probabilities(TEXTS)
    alone = np.concatenate([classifier.probabilities([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert classifier.probabilities([]).shape == (0, 3)


def test_of_a_text_that_is_too_long_the_first_and_the_last_words_count(folder: Path) -> None:
    from models.diagnosis.encoder.classifier import load_encoder

    classifier = load_encoder(folder, "mine", threads=1)
    beginning, end = "throbbing head " * 20, "zigzag lines " * 20
    one, other = classifier.logits([beginning + "silvery scales " * 700 + end, beginning + "golden scabs " * 900 + end])
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_the_folder_holds_no_pickle_and_whoever_runs_the_bot_may_read_it(folder: Path) -> None:
    names = {file.name for file in folder.iterdir()}
    assert names >= {"config.json", "model.safetensors", "head.safetensors", "diagnosis.json", "tokenizer.json"}
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]
    for name in ("model.safetensors", "head.safetensors"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == stat.S_IMODE((folder / "config.json").stat().st_mode)
    facts = json.loads((folder / "diagnosis.json").read_text())
    assert facts["labels"] == list(LABELS)
    assert facts["base"] == "tiny"
    assert judged(folder, "mine").kind == "other"


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("diagnosis.json", "{"),
        ("diagnosis.json", "[]"),
        ("diagnosis.json", "[" * 100_000),
        ("diagnosis.json", '{"version": 9}'),
        ("diagnosis.json", '{"version": 1, "labels": ["a"], "no_match": true, "longest": 64, "temperature": 1}'),
        ("diagnosis.json", '{"version": 1, "labels": ["a", "b"], "no_match": true, "longest": 64, "temperature": 0}'),
        ("head.safetensors", "no tensors"),
        ("model.safetensors", "no tensors"),
        ("config.json", "{}"),
    ],
)
def test_a_damaged_folder_is_told_in_a_sentence(folder: Path, file: str, content: str) -> None:
    from models.diagnosis.encoder.classifier import load_encoder

    (folder / file).write_text(content)
    with pytest.raises(ModelUnusableError) as caught:
        load_encoder(folder, "mine", threads=1)
    assert caught.value.fix


@pytest.mark.parametrize(
    "facts",
    [
        {"temperature": 10**400},
        {"labels": ["a", "a", "b"]},
        {"longest": 1},
        {"longest": True},
    ],
)
def test_facts_that_make_no_sense_are_refused(folder: Path, facts: dict[str, Any]) -> None:
    from models.diagnosis.encoder.classifier import load_encoder

    known = json.loads((folder / "diagnosis.json").read_text())
    (folder / "diagnosis.json").write_text(json.dumps(known | facts))
    with pytest.raises(ModelUnusableError, match="Train it again"):
        load_encoder(folder, "mine", threads=1)


def test_a_head_with_what_is_no_number_is_refused(folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    from models.diagnosis.encoder.classifier import load_encoder

    head = load_file(folder / "head.safetensors")
    save_file(head | {"bias": head["bias"] * np.float32("nan")}, folder / "head.safetensors")
    with pytest.raises(ModelUnusableError, match="what it says is no number"):
        load_encoder(folder, "mine", threads=1)


@pytest.mark.parametrize("change", [{"type": "Unheard"}, {"vocab": {"[UNK]": 4_000}}])
def test_a_tokenizer_that_does_not_fit_is_refused(folder: Path, change: dict[str, Any]) -> None:
    from models.diagnosis.encoder.classifier import load_encoder

    document = json.loads((folder / "tokenizer.json").read_text())
    document["model"] |= change
    (folder / "tokenizer.json").write_text(json.dumps(document))
    with pytest.raises(ModelUnusableError, match="mine cannot be loaded"):
        load_encoder(folder, "mine", threads=1)


def test_a_head_of_other_labels_is_refused(folder: Path) -> None:
    from models.diagnosis.encoder.classifier import load_encoder

    facts = json.loads((folder / "diagnosis.json").read_text())
    (folder / "diagnosis.json").write_text(json.dumps(facts | {"labels": ["a", "b"]}))
    with pytest.raises(ModelUnusableError, match="mine cannot be loaded"):
        load_encoder(folder, "mine", threads=1)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    from models.diagnosis.encoder.classifier import load_encoder

    with pytest.raises(ModelMissingError, match="nowhere"):
        load_encoder(tmp_path / "nowhere", "mine")


def test_a_closed_classifier_answers_no_more(folder: Path) -> None:
    from models.diagnosis.encoder.classifier import load_encoder

    classifier = load_encoder(folder, "mine", threads=1)
    classifier.close()
    with pytest.raises(ModelUnusableError, match="closed"):
        classifier.probabilities(["hello"])


def test_a_text_classification_model_of_a_hub_says_what_its_pipeline_says(base: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

    from models.diagnosis.encoder.classifier import load_encoder

    torch.manual_seed(0)
    names = dict(enumerate(("acne", "gout 🦶", "migraine")))
    model = AutoModelForSequenceClassification.from_pretrained(str(base), id2label=names)
    model.save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(str(base)).save_pretrained(tmp_path)
    classifier = load_encoder(tmp_path, "theirs", threads=1)
    assert classifier.labels == tuple(names.values())
    assert classifier.threshold == 0.5
    raw = pipeline("text-classification", model=str(tmp_path), tokenizer=str(tmp_path), top_k=None, device="cpu")
    texts = ["throbbing head since last week", "hello"]
    for said, told in zip(classifier.probabilities(texts), raw(texts), strict=True):
        expected = {one["label"]: one["score"] for one in told}
        assert dict(zip(classifier.labels, said, strict=True)) == pytest.approx(expected, abs=1e-5)


def test_an_encoder_without_a_head_is_no_classifier(base: Path) -> None:
    from models.diagnosis.encoder.classifier import load_encoder

    with pytest.raises(ModelUnusableError, match="cannot be loaded"):
        load_encoder(base, "headless", threads=1)


def test_labels_without_examples_are_told_apart_by_their_descriptions(encoder: Any, folder: Path) -> None:
    from models.diagnosis.encoder.zero_shot import ZeroShotClassifier

    told = {label: " ".join(signs) for label, signs in SIGNS.items()}
    classifier = ZeroShotClassifier(judged(folder, "mine"), LABELS, told)
    texts = ["silvery scales and a flaky scalp", "throbbing head and zigzag lines"]
    probabilities = classifier.probabilities(texts)
    assert [LABELS[column] for column in probabilities.argmax(axis=1)] == ["psoriasis", "migraine"]
    assert probabilities.sum(axis=1).max() < 1
    assert classifier.probabilities([]).shape == (0, 3)
    classifier.close()
    with pytest.raises(ModelUnusableError, match="closed"):
        classifier.probabilities(texts)


def test_a_model_of_entailment_is_asked_of_every_label(base: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from models.diagnosis.encoder.zero_shot import ZeroShotClassifier

    names = {0: "contradiction", 1: "neutral", 2: "entailment"}
    AutoModelForSequenceClassification.from_pretrained(str(base), id2label=names).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(str(base)).save_pretrained(tmp_path)
    probabilities = ZeroShotClassifier(judged(tmp_path, "nli"), LABELS, {}).probabilities(["a throbbing head", ""])
    assert probabilities.shape == (2, 3)
    assert (probabilities >= 0).all()
    assert (probabilities.sum(axis=1) < 1).all()


def test_a_checkpoint_that_is_no_encoder_tells_no_labels_apart(base: Path) -> None:
    from models.diagnosis.encoder.zero_shot import ZeroShotClassifier

    with pytest.raises(ModelUnusableError, match="without examples"):
        ZeroShotClassifier(replace(judged(base, "t"), model_type="t5"), LABELS, {})
    with pytest.raises(ModelUnusableError, match="fewer than two labels"):
        ZeroShotClassifier(judged(base, "t"), ("acne",), {})
