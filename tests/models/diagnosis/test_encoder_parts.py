from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.diagnosis.encoder.options import ENCODERS, EncoderOptions, require_encoder
from models.errors import ModelTooLargeError, TrainingError
from models.store.model_store import Checkpoint


def a_checkpoint(model_type: str = "bert", kind: Any = "other", parameters: int = 22_000_000) -> Checkpoint:
    return Checkpoint("the-base", Path("/nowhere"), kind, model_type, "", (), 4 * parameters, parameters)


@pytest.mark.parametrize(
    ("model_type", "kind"), [("t5", "seq2seq"), ("llama", "causal"), ("vit", "other"), ("clip", "other")]
)
def test_a_base_that_is_no_text_encoder_is_refused(model_type: str, kind: str) -> None:
    with pytest.raises(TrainingError, match=rf"the-base \({model_type}\) is not a text encoder.*--base"):
        require_encoder(a_checkpoint(model_type, kind), EncoderOptions())


def test_every_kind_of_encoder_is_one_that_transformers_can_classify_with() -> None:
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES,
        MODEL_MAPPING_NAMES,
    )

    assert set(MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES) >= ENCODERS
    assert set(MODEL_MAPPING_NAMES) >= ENCODERS


@pytest.mark.parametrize("method", ["", "last", "last:0", "last:-1", "whole", "last:2\n"])
def test_a_method_that_does_not_exist_is_refused_with_those_that_do(method: str) -> None:
    with pytest.raises(TrainingError, match=r"Choose one of full, last:N, frozen, lora, few-shot"):
        require_encoder(a_checkpoint(), EncoderOptions(method=method))


def test_a_base_larger_than_the_memory_is_refused_with_both_figures() -> None:
    with pytest.raises(ModelTooLargeError, match=r"needs 1\.2 GB .*, and 900 MB are free.*--method lora") as whole:
        require_encoder(a_checkpoint(), EncoderOptions(), free=900_000_000)
    assert whole.value.fix.endswith("--base.")
    require_encoder(a_checkpoint(), EncoderOptions(method="frozen"), free=900_000_000)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=200), st.integers(1, 16), st.integers(0, 3))
@settings(max_examples=50, deadline=None)
def test_an_epoch_shows_every_example_once_and_every_epoch_in_another_order(
    lengths: list[int], batch: int, seed: int
) -> None:
    from models.diagnosis.encoder.phases import LengthGrouped

    order = LengthGrouped(lengths, batch, seed)
    first = list(order)
    assert sorted(first) == list(range(len(lengths)))
    assert list(order) == first
    order.set_epoch(1)
    assert sorted(order) == list(range(len(lengths)))
    if len(lengths) > 20:
        assert list(order) != first


@given(st.lists(st.integers(0, 3), min_size=2, max_size=60), st.integers(1, 6), st.integers(0, 3))
@settings(max_examples=50, deadline=None)
def test_pairs_say_whether_both_texts_have_the_same_label(targets: list[int], each: int, seed: int) -> None:
    from models.diagnosis.encoder.few_shot import pairs_of

    pairs = pairs_of(targets, each, seed)
    assert pairs == pairs_of(targets, each, seed)
    assert len(pairs) <= each * len(targets)
    for first, second, same in pairs:
        assert first != second
        assert same == float(targets[first] == targets[second])


@given(st.lists(st.integers(1, 300), max_size=40), st.integers(8, 512))
@settings(max_examples=50, deadline=None)
def test_batches_hold_every_row_once_and_no_more_tokens_than_are_allowed(lengths: list[int], most: int) -> None:
    from models.diagnosis.encoder.tokens import batches

    rows = [[0] * length for length in lengths]
    found = list(batches(rows, most))
    assert sorted(number for batch in found for number in batch) == list(range(len(rows)))
    for batch in found:
        assert len(batch) == 1 or max(lengths[number] for number in batch) * len(batch) <= most


def test_the_head_weighs_rare_labels_more_but_not_without_bound() -> None:
    from models.training.linear_head import class_weights

    weights = class_weights(np.array([0] * 300 + [1] * 30 + [2] * 1), 4)
    assert weights.tolist() == [0.5, pytest.approx(331 / 90), 4.0, 1.0]


@pytest.mark.parametrize("classes", [2, 3])
def test_a_fitted_head_tells_apart_what_lies_apart(classes: int) -> None:
    from models.training.linear_head import fitted_head

    chance = np.random.default_rng(0)
    targets = np.arange(60) % classes
    vectors = np.eye(4)[targets] * 3 + chance.normal(scale=0.3, size=(60, 4))
    head = fitted_head(vectors[:40], targets[:40], (vectors[40:], targets[40:]), classes)
    assert head.weight.shape == (classes, 4)
    assert ((vectors @ head.weight.T + head.bias).argmax(axis=1) == targets).all()
    assert head.validation_loss < 0.3
