"""A fine-tuned encoder as the diagnosis uses it, from its folder; or any text-classification model of a hub."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from models.diagnosis.encoder.network import (
    UNLOADABLE,
    EncoderNetwork,
    HeadedNetwork,
    computed,
    load_head,
    loaded_encoder,
    loaded_tokens,
    quiet,
    unloadable,
)
from models.diagnosis.encoder.saved import Saved, read_saved
from models.diagnosis.encoder.tokens import Tokens
from models.errors import ModelMissingError, ModelUnusableError
from models.evaluation.classification.calibration import Calibration
from models.generation.engines.loading import whole_model
from models.machine import usable_cores

if TYPE_CHECKING:
    from models.generation.engines.loading import Loadable

_UNCALIBRATED = Calibration(temperature=1.0, threshold=0.5)
_LONGEST = 256
_PROBE = "my head hurts"


class EncoderClassifier:
    """A classifier on an encoder; see `SymptomClassifier`.

    Args:
        name: what it is called.
        saved: its labels and calibration.
        network: gives ``logits`` of tokens.
        tokens: takes texts apart.
    """

    def __init__(self, name: str, saved: Saved, network: EncoderNetwork | HeadedNetwork, tokens: Tokens) -> None:
        self.name = name
        self.labels = saved.labels
        self.knows_no_match = saved.knows_no_match
        self.threshold = saved.calibration.threshold
        self._saved = saved
        self._network: EncoderNetwork | HeadedNetwork | None = network
        self._tokens = tokens

    def logits(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Give what the head says, not calibrated, shaped [texts, labels], or with a column more for "nothing matches".

        Of a text longer than the model reads, its first and its last tokens count, as many of each.
        """
        columns = len(self.labels) + self._saved.knows_no_match
        return computed(self._asked, self._tokens, texts).reshape(-1, columns)

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """See `SymptomClassifier.probabilities`."""
        return self._saved.calibration.probabilities(self.logits(texts), len(self.labels))

    def close(self) -> None:
        """Let go of the memory; it answers no more."""
        self._network = None

    def _asked(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        if self._network is None:
            raise ModelUnusableError(f"{self.name} was closed.", "Ask again.")
        return cast(Tensor, self._network(input_ids, attention_mask)["logits"])


def load_encoder(folder: Path, name: str, threads: int = 0) -> EncoderClassifier:
    """Load a classifier from its folder; takes a second or more.

    A folder without ``diagnosis.json`` has to hold a text-classification model with names for its labels, as hubs have
    them; it is taken as it is, uncalibrated, and abstains below a probability of .5.

    Args:
        folder: where it lies.
        name: what it is called.
        threads: that compute; 0: one for each core this process may use.

    Raises:
        ModelMissingError: there is no such folder.
        ModelUnusableError: it holds no classifier, or a damaged one.
    """
    if not folder.is_dir():
        raise ModelMissingError(f"There is no model {name} in {folder}.", "Train it, or choose another.")
    torch.set_num_threads(threads or usable_cores())
    saved = read_saved(folder, name)
    return _proved(_of_hub(folder, name) if saved is None else _of_ours(folder, name, saved))


def _proved(classifier: EncoderClassifier) -> EncoderClassifier:
    """See that it says numbers of a text; else its files do not belong together, or are damaged within."""
    try:
        said = classifier.logits([_PROBE])
    except (RuntimeError, ValueError, IndexError) as error:
        raise unloadable(classifier.name, error) from error
    if not np.isfinite(said).all():
        raise unloadable(classifier.name, ValueError("what it says is no number"))
    return classifier


def _of_ours(folder: Path, name: str, saved: Saved) -> EncoderClassifier:
    network = EncoderNetwork(loaded_encoder(folder, name), len(saved.labels) + saved.knows_no_match)
    load_head(network, folder, name)
    tokens = loaded_tokens(folder, name, saved.longest, network.encoder.config)
    return EncoderClassifier(name, saved, network.eval(), tokens)


def _of_hub(folder: Path, name: str) -> EncoderClassifier:
    model = _loaded_with_head(folder, name)
    labels = _labels(model.config, name)
    tokens = loaded_tokens(folder, name, _LONGEST, model.config)
    saved = Saved(labels, knows_no_match=False, calibration=_UNCALIBRATED, longest=tokens.longest)
    return EncoderClassifier(name, saved, HeadedNetwork(model).eval(), tokens)


def _loaded_with_head(folder: Path, name: str) -> PreTrainedModel:
    quiet()
    try:
        return whole_model(cast("Loadable", AutoModelForSequenceClassification), str(folder), "float32")
    except UNLOADABLE as error:
        raise unloadable(name, error) from error


def _labels(config: Any, name: str) -> tuple[str, ...]:  # noqa: ANN401 - each model has its own
    """The names of a hub's model's labels, by column."""
    names: dict[int, str] = dict(config.id2label or {})
    if len(names) < 2:
        raise ModelUnusableError(f"{name} tells no labels apart.", "Choose a model for text classification.")
    return tuple(names[column] for column in sorted(names))
