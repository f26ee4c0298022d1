"""Tells apart labels of which there is no example, by their names and descriptions alone.

It is the weakest of the classifiers: nothing is calibrated to anybody's texts, and who has even ten texts of each label
does better to train. With all-MiniLM-L6-v2 and the starter's 24 labels, on descriptions by other hands than wrote the
starter texts: macro-F1 about .73, AUROC of abstention .88, a third of the descriptions refused and an eighth of the
other texts answered. Cosines see what a text is about, not what it denies.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.diagnosis.encoder.network import EncoderNetwork, computed, loaded_encoder, loaded_tokens
from models.diagnosis.encoder.options import ENCODERS
from models.errors import ModelUnusableError
from models.generation.grounding.verifier import EntailmentVerifier, load_verifier
from models.store.checkpoints import Checkpoint
from models.store.weight_files import read_json_object

_LONGEST = 256
_HYPOTHESIS = "This person may have {label}."
_THRESHOLD = 0.3
# Cosines are told apart at this temperature, and below this one a text is about something else than a label. Both were
# found on the starter texts with all-MiniLM-L6-v2.
_TEMPERATURE = 0.05
_NOTHING = 0.4

_Judge = Callable[[Sequence[str]], NDArray[np.float64]]


class ZeroShotClassifier:
    """A classifier without training; see `SymptomClassifier`.

    A model that was trained on entailment is asked of each label whether the text bears it out (Yin et al., 2019); any
    other encoder gives vectors, and the cosine of a text's with those of the labels' descriptions is taken.

    Args:
        checkpoint: the model.
        labels: at least two.
        descriptions: a sentence on what a label means, where there is one.

    Attributes:
        threshold: .3, which is not calibrated either.

    Raises:
        ModelUnusableError: the model can do neither, or there are fewer than two labels.
        ModelExtraError: the libraries are not installed.
    """

    def __init__(self, checkpoint: Checkpoint, labels: Sequence[str], descriptions: Mapping[str, str]) -> None:
        if len(labels) < 2:
            raise ModelUnusableError("There is nothing to tell apart with fewer than two labels.", "Give two or more.")
        self.name = checkpoint.name
        self.labels = tuple(labels)
        self.knows_no_match = False
        self.threshold = _THRESHOLD
        judge = _by_entailment if _classifies(checkpoint.folder, checkpoint.name) else _by_cosine
        self._judge: _Judge | None = judge(checkpoint, self.labels, descriptions)

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """See `SymptomClassifier.probabilities`; they are not calibrated."""
        if self._judge is None:
            raise ModelUnusableError(f"{self.name} was closed.", "Ask again.")
        return self._judge(texts)

    def close(self) -> None:
        """Let go of the memory; it answers no more."""
        self._judge = None


def _classifies(folder: Path, name: str) -> bool:
    config = read_json_object(folder / "config.json", name, "Get it once more.")
    architectures = config.get("architectures")
    names = architectures if isinstance(architectures, list) else []
    return any(str(one).endswith("ForSequenceClassification") for one in names)


def _by_entailment(checkpoint: Checkpoint, labels: Sequence[str], descriptions: Mapping[str, str]) -> _Judge:
    """Labels share the probability of the one that is borne out best, by how well each is borne out."""
    verifier = load_verifier(checkpoint.folder)
    if not isinstance(verifier, EntailmentVerifier):
        raise ModelUnusableError(f"{checkpoint.name} judges no entailment.", "Choose a model trained on entailment.")
    statements = [_HYPOTHESIS.format(label=label) for label in labels]

    def _judged(texts: Sequence[str]) -> NDArray[np.float64]:
        pairs = [(text, statement) for text in texts for statement in statements]
        borne_out = np.array(verifier.support(pairs), dtype=np.float64).reshape(-1, len(labels))
        total = borne_out.sum(axis=1, keepdims=True)
        shares: NDArray[np.float64] = borne_out / np.maximum(total, 1e-12) * borne_out.max(axis=1, keepdims=True)
        return shares

    return _judged


def _by_cosine(checkpoint: Checkpoint, labels: Sequence[str], descriptions: Mapping[str, str]) -> _Judge:
    """A softmax over the labels' cosines and a fixed one that stands for everything else."""
    if checkpoint.model_type not in ENCODERS:
        raise ModelUnusableError(
            f"{checkpoint.name} ({checkpoint.model_type}) can tell no labels apart without examples.",
            "Choose a model trained on entailment, or one for sentence embeddings.",
        )
    network = EncoderNetwork(loaded_encoder(checkpoint.folder, checkpoint.name), 1).eval()
    tokens = loaded_tokens(checkpoint.folder, checkpoint.name, _LONGEST, network.encoder.config)

    def _vectors(texts: Sequence[str]) -> NDArray[np.float64]:
        vectors = computed(network.vectors, tokens, texts).reshape(len(texts), -1)
        unit: NDArray[np.float64] = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return unit

    told = _vectors([f"{label}. {descriptions.get(label, '')}".strip() for label in labels])

    def _judged(texts: Sequence[str]) -> NDArray[np.float64]:
        if not texts:
            return np.zeros((0, len(labels)))
        likeness = np.exp((_vectors(texts) @ told.T - _NOTHING) / _TEMPERATURE)
        shares: NDArray[np.float64] = likeness / (likeness.sum(axis=1, keepdims=True) + 1)
        return shares

    return _judged
