"""A classifier of pictures: any of transformers' image classifiers that reads one layout, ViT and its kin first of all.

What it gives besides the probabilities, the embedding, comes from the same computation: the encoder's last state of the
first token (CLS), after the encoder's own last normalisation, where there is such a token, and the mean of all states
where there is none (Swin, SigLIP, ConvNeXT).
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoModelForImageClassification, PreTrainedModel

from models.errors import ModelUnusableError
from models.generation.engines.loading import IncompleteWeightsError, whole_model
from models.store.checkpoints import Checkpoint
from models.store.weight_files import IMAGES_FILE, read_json_object
from models.vision.image_processors import Preparation, loaded_preparation
from models.vision.loading import UNLOADABLE, make_ready, unloadable

if TYPE_CHECKING:
    from models.generation.engines.loading import Loadable

COLDEST, HOTTEST = 0.01, 100.0
"""Between these lies the temperature that a trained model's logits are divided by."""

_FIRST_TOKENS = ("cls_token", "class_embedding")
_NAMELESS = "LABEL_"  # what transformers calls labels that have no names
_MEND = "Train or get it once more, or choose another."


class ImageClassifier:
    """A classifier of pictures; see `Labeller`.

    Args:
        name: what it is called.
        labels: its words, by number.
        network: takes ``pixel_values``.
        preparation: makes pixels ready for it.
        temperature: what logits are divided by.
    """

    def __init__(
        self,
        name: str,
        labels: tuple[str, ...],
        network: PreTrainedModel,
        preparation: Preparation,
        temperature: float = 1.0,
    ) -> None:
        self.name = name
        self.labels = labels
        self.view = preparation.view
        self._preparation = preparation
        self._temperature = temperature
        # Labels that do not exclude each other have a probability each.
        self._exclusive = network.config.problem_type != "multi_label_classification"
        self._network: PreTrainedModel | None = network
        self._states: Tensor | None = None
        encoder = _encoder_of(network)
        self._first_counts = any(key.endswith(_FIRST_TOKENS) for key, _ in encoder.named_parameters())
        encoder.register_forward_hook(self._keep_states)

    def probabilities(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `Labeller.probabilities`."""
        logits, embeddings = self._computed(pixels)
        scaled = logits / self._temperature
        likely = scaled.softmax(-1) if self._exclusive else scaled.sigmoid()
        return likely.numpy(), embeddings.numpy()

    def logits(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Give what the head says, not calibrated, shaped [pictures, labels]."""
        return cast(NDArray[np.float32], self._computed(pixels)[0].numpy())

    def close(self) -> None:
        """Let go of the memory; it looks at nothing more."""
        self._network = None

    def _computed(self, pixels: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
        """Give logits, shaped [pictures, labels], and embeddings, shaped [pictures, width]."""
        if self._network is None:
            raise ModelUnusableError(f"{self.name} was closed.", "Send the picture again.")
        with torch.inference_mode():
            values = torch.from_numpy(self._preparation.values(pixels))
            logits = self._network(pixel_values=values).logits.float()
            return logits, nn.functional.normalize(self._embedding().float(), dim=-1)

    def _keep_states(self, encoder: nn.Module, given: object, states: Any) -> None:  # noqa: ANN401 - each has its own
        self._states = states[0]

    def _embedding(self) -> Tensor:
        states, self._states = self._states, None
        if states is None:
            raise RuntimeError("the encoder was not asked")
        if states.dim() == 4:  # [pictures, width, rows, columns]
            return states.mean((2, 3))
        return states[:, 0] if self._first_counts else states.mean(1)


def load_labeller(found: Checkpoint, name: str, threads: int = 0) -> ImageClassifier:
    """Load a classifier of pictures; takes a second or more.

    Beside its weights may lie ``images.json``, as for those that were trained here: an object with a ``temperature``.

    Args:
        found: where it lies.
        name: what it is called.
        threads: that compute; 0: one for each core this process may use.

    Raises:
        ModelTooLargeError: there is not memory enough for it.
        ModelUnusableError: it is no classifier of pictures, has no names for its labels, is damaged, or wants pictures
            laid out in a way that is not known here.
    """
    make_ready(found, name, threads)
    labels = labels_of(found.folder, name)
    temperature = temperature_of(found.folder, name)
    preparation = loaded_preparation(found.folder, name)
    try:
        network = whole_model(cast("Loadable", AutoModelForImageClassification), str(found.folder), "float32")
        classifier = ImageClassifier(name, labels, network, preparation, temperature)
        _prove(classifier, preparation)
    except IncompleteWeightsError as error:
        raise ModelUnusableError(
            f"{name} tells no pictures apart: {error}.", "Choose a model for image classification."
        ) from error
    except UNLOADABLE as error:
        raise unloadable(name, error) from error
    return classifier


def labels_of(folder: Path, name: str) -> tuple[str, ...]:
    """Read the words of a classifier from its config, by number.

    Raises:
        ModelUnusableError: there are fewer than two, they are not numbered from 0 on, or one has no name.
    """
    try:
        named = json.loads((folder / "config.json").read_bytes()).get("id2label")
        words = {int(number): " ".join(str(word).split()) for number, word in (named or {}).items()}
    except (OSError, ValueError, AttributeError) as error:
        raise unloadable(name, error) from error
    if not words or all(word.startswith(_NAMELESS) for word in words.values()):
        raise ModelUnusableError(
            f"{name} has no names for its labels (id2label in its config.json).",
            "Choose a model for image classification, or write them there.",
        )
    if len(words) < 2 or set(words) != set(range(len(words))) or not all(words.values()):
        raise ModelUnusableError(
            f"{name} is damaged: the labels in its config.json (id2label) are not numbered from 0 on, or lack names.",
            _MEND,
        )
    return tuple(words[number] for number in range(len(words)))


def temperature_of(folder: Path, name: str) -> float:
    """Read what a classifier's logits are divided by; 1 where nothing is said.

    Raises:
        ModelUnusableError: the file is damaged, or the number is none that makes sense.
    """
    file = folder / IMAGES_FILE
    if not file.is_file():
        return 1.0
    try:
        stated = read_json_object(file, name, _MEND).get("temperature", 1.0)
    except OSError as error:
        raise unloadable(name, error) from error
    if not isinstance(stated, int | float) or not COLDEST <= stated <= HOTTEST:
        raise ModelUnusableError(
            f"{name} is damaged: the temperature in its {IMAGES_FILE} is no number from {COLDEST} to {HOTTEST:g}.",
            _MEND,
        )
    return float(stated)


def _encoder_of(network: PreTrainedModel) -> nn.Module:
    """Give what comes before the head: the base model, or where that is not named, the first part."""
    return network.base_model if network.base_model is not network else next(network.children())


def _prove(classifier: ImageClassifier, preparation: Preparation) -> None:
    """See that it says as many numbers as it has labels; else its files do not belong together.

    Raises:
        ValueError: they do not.
    """
    probabilities, embeddings = classifier.probabilities(preparation.blank())
    if probabilities.shape != (1, len(classifier.labels)):
        raise ValueError(
            f"its head tells {probabilities.shape[-1]} labels apart, and {len(classifier.labels)} are named"
        )
    if not (np.isfinite(probabilities).all() and np.isfinite(embeddings).all()):
        raise ValueError("what it says is no number")
