"""The network that is trained: any image classifier of transformers whose head is one linear layer, with a new head."""

from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoModelForImageClassification, PreTrainedModel

from models.errors import TrainingError
from models.generation.engines.loading import Loadable
from models.store.model_store import Checkpoint
from models.vision.loading import UNLOADABLE, make_ready, unloadable

_HEADS = ("classifier", "head", "pooler")


class PictureNetwork(nn.Module):
    """An image classifier with a head for other classes.

    Args:
        model: transformers' own.
        classes: how many its head tells apart.

    Raises:
        TrainingError: its head is none that can be fitted on its own.
    """

    def __init__(self, model: PreTrainedModel, classes: int) -> None:
        super().__init__()
        self.model = model
        # Not as a module of its own: the model has it already, and its weights would be kept twice.
        self._heads = (_head_of(model, classes),)
        self._vectors: Tensor | None = None
        self.head.register_forward_pre_hook(self._keep_vectors)

    @property
    def head(self) -> nn.Linear:
        """The linear layer that gives the logits."""
        return self._heads[0]

    def forward(self, pixel_values: Tensor) -> dict[str, Tensor]:
        """Give ``logits``, shaped [pictures, classes]."""
        return {"logits": self.model(pixel_values=pixel_values).logits}

    def vectors(self, pixel_values: Tensor) -> Tensor:
        """Give what the head is shown, shaped [pictures, width]."""
        self.model(pixel_values=pixel_values)
        vectors, self._vectors = self._vectors, None
        if vectors is None:
            raise RuntimeError("the head was not asked")
        return vectors

    def set_head(self, weight: NDArray[np.floating[Any]], bias: NDArray[np.floating[Any]]) -> None:
        """Set the head's weight, shaped [classes, width], and its bias, shaped [classes]."""
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(weight))
            self.head.bias.copy_(torch.from_numpy(bias))

    def unfreeze(self, last: int) -> None:
        """Freeze everything that comes before the last blocks; these, what comes after them and the head are trained.

        Raises:
            TrainingError: it has fewer blocks.
        """
        block = block_of(self.model, last)
        self.requires_grad_(False)
        modules = list(self.model.modules())
        for module in modules[modules.index(block) :]:
            module.requires_grad_(True)

    def _keep_vectors(self, head: nn.Module, given: tuple[Tensor, ...]) -> None:
        self._vectors = None if self.training else given[0].detach()


def loaded_network(checkpoint: Checkpoint, labels: tuple[str, ...], threads: int) -> PictureNetwork:
    """Load a base with a new head, in float32.

    Args:
        checkpoint: the base; safetensors only, no code of its own.
        labels: the classes, in the order of the head's rows.
        threads: that compute; 0: one for each core this process may use.

    Raises:
        ModelUnusableError: it cannot be loaded, or lacks weights.
        ModelTooLargeError: there is not memory enough.
        TrainingError: its head is none that can be fitted on its own.
    """
    make_ready(checkpoint, checkpoint.name, threads)
    try:
        model, found = cast(Loadable, AutoModelForImageClassification).from_pretrained(
            str(checkpoint.folder),
            id2label=dict(enumerate(labels)),
            label2id={label: number for number, label in enumerate(labels)},
            ignore_mismatched_sizes=True,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
    except UNLOADABLE as error:
        raise unloadable(checkpoint.name, error) from error
    lacking = [*found["missing_keys"], *(str(one[0]) for one in found.get("mismatched_keys", ()))]
    if any(not str(key).startswith(_HEADS) and ".pooler." not in str(key) for key in lacking):
        raise unloadable(checkpoint.name, ValueError("layers have no fitting weights"))
    model.config.problem_type = "single_label_classification"
    return PictureNetwork(model, len(labels)).eval()


def _head_of(model: PreTrainedModel, classes: int) -> nn.Linear:
    """The linear layer that gives the logits: the last one of as many rows, outside the encoder."""
    inside = set(model.base_model.modules()) if model.base_model is not model else set()
    found = [one for one in model.modules() if isinstance(one, nn.Linear) and one not in inside]
    if not found or found[-1].out_features != classes or found[-1].bias is None:
        raise TrainingError(
            f"A model of the type {model.config.model_type} has no head that can be trained on its own.",
            "Give --base a ViT or one of its kin, such as google/vit-base-patch16-224.",
        )
    return found[-1]


def block_of(model: nn.Module, last: int) -> nn.Module:
    """Give the first of the last blocks; blocks are the modules of the class that the model's lists hold most of.

    Raises:
        TrainingError: it has fewer.
    """
    blocks: dict[type[nn.Module], list[nn.Module]] = {}
    for module in model.modules():
        for block in module if isinstance(module, nn.ModuleList) else ():
            blocks.setdefault(type(block), []).append(block)
    most = max(blocks.values(), key=len, default=[])
    if len(most) < last:
        raise TrainingError(
            f"The last {last} blocks cannot be trained: the base has {len(most)}.", "Give --unfreeze less."
        )
    return most[-last]
