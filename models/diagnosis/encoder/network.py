"""The network of a fine-tuned classifier: an encoder, the mean of its tokens' vectors, and a linear head on that.

The mean is how sentence encoders (Reimers and Gurevych, 2019) were trained to tell texts apart, and it needs no layer
of its own: the heads that transformers brings for classification read the first token, through layers that such a base
has never trained. It is the same for every kind of encoder, too.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedModel
from transformers.utils import logging

from models.diagnosis.encoder.tokens import Tokens, batches
from models.errors import ModelUnusableError
from models.store.weight_files import HEAD

if TYPE_CHECKING:
    from models.generation.engines.loading import Loadable

# What loading a damaged or odd checkpoint raises, besides the libraries' own.
UNLOADABLE = (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, ImportError, SafetensorError)

_TOKENS_AT_ONCE = 2_048
_DROPOUT = 0.1


class EncoderNetwork(nn.Module):
    """An encoder, the mean over its tokens, and a linear head.

    Args:
        encoder: gives a vector for each token.
        classes: how many columns the head has.
    """

    def __init__(self, encoder: PreTrainedModel, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(_DROPOUT)
        self.head = nn.Linear(int(encoder.config.hidden_size), classes)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> dict[str, Tensor]:
        """Give ``logits``, shaped [texts, classes]."""
        return {"logits": self.head(self.dropout(self.vectors(input_ids, attention_mask)))}

    def vectors(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Give the mean of each text's tokens, shaped [texts, width]."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0]
        mask = attention_mask.unsqueeze(-1).to(states.dtype)
        return cast(Tensor, (states * mask).sum(1) / mask.sum(1).clamp(min=1))

    def set_head(self, weight: NDArray[np.float64], bias: NDArray[np.float64]) -> None:
        """Set the head's weight, shaped [classes, width], and its bias, shaped [classes]."""
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(weight))
            self.head.bias.copy_(torch.from_numpy(bias))


class HeadedNetwork(nn.Module):
    """A text-classification model of transformers' own, as hubs have them."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> dict[str, Tensor]:
        """Give ``logits``, shaped [texts, classes]."""
        return {"logits": self.model(input_ids=input_ids, attention_mask=attention_mask).logits}


def computed(
    function: Callable[..., Tensor],
    tokens: Tokens,
    texts: Sequence[str],
    told: Callable[[int], None] = lambda done: None,
) -> NDArray[np.float64]:
    """Give one row for each text, in their order, computed in batches of a like length.

    Args:
        function: takes ``input_ids`` and ``attention_mask``, and gives one row each.
        tokens: takes the texts apart.
        texts: any; none give an empty array.
        told: how many texts are done.
    """
    rows = tokens.of(texts)
    found: list[NDArray[np.float64] | None] = [None] * len(rows)
    done = 0
    with torch.inference_mode():
        for batch in batches(rows, _TOKENS_AT_ONCE):
            values = function(**tokens.padded([rows[number] for number in batch])).double().numpy()
            for number, value in zip(batch, values, strict=True):
                found[number] = value
            told(done := done + len(batch))
    return np.array(found, dtype=np.float64)


def quiet() -> None:
    """Let transformers print nothing while it loads: that is for developers; what matters is raised."""
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def loaded_encoder(folder: Path, name: str) -> PreTrainedModel:
    """Load an encoder in float32, for use.

    A pooling layer that its files lack is passed over: nothing here reads it.

    Raises:
        ModelUnusableError: it cannot be loaded, or lacks weights.
    """
    quiet()
    try:
        model, found = cast("Loadable", AutoModel).from_pretrained(
            str(folder),
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
    except UNLOADABLE as error:
        raise unloadable(name, error) from error
    lacking = sorted(str(key) for key in found["missing_keys"] if not str(key).startswith("pooler."))
    if lacking or found.get("mismatched_keys"):
        raise unloadable(name, ValueError("layers have no fitting weights"))
    return cast(PreTrainedModel, model.eval())


def loaded_tokens(folder: Path, name: str, longest: int, config: Any) -> Tokens:  # noqa: ANN401 - each model has its own
    """Load a checkpoint's tokenizer.

    Args:
        folder: the checkpoint.
        name: what the error calls it.
        longest: tokens to read; never more than the model has positions for.
        config: the model's.

    Raises:
        ModelUnusableError: there is none that can be loaded.
    """
    positions = getattr(config, "max_position_embeddings", None)
    # RoBERTa and its kin number positions from behind the padding's number on.
    usable = positions - 1 - (getattr(config, "pad_token_id", None) or 0) if isinstance(positions, int) else 0
    try:
        return Tokens.from_folder(folder, min(longest, usable) if usable > 0 else longest)
    except Exception as error:  # the tokenizers library raises Exception itself
        raise unloadable(name, error) from error


def save_head(network: EncoderNetwork, folder: Path) -> None:
    """Write the head beside the encoder.

    Raises:
        OSError: it cannot be written.
        SafetensorError: the same.
    """
    values = {"weight": network.head.weight.detach().contiguous(), "bias": network.head.bias.detach().contiguous()}
    save_file(values, folder / HEAD)


def load_head(network: EncoderNetwork, folder: Path, name: str) -> None:
    """Read the head that lies beside the encoder.

    Raises:
        ModelUnusableError: it is missing, damaged or of another model.
    """
    try:
        network.head.load_state_dict(load_file(folder / HEAD))
    except UNLOADABLE as error:
        raise unloadable(name, error) from error


def unloadable(name: str, error: Exception) -> ModelUnusableError:
    """Make the error that says that a model cannot be loaded, and why."""
    reason = " ".join(str(error).split())[:300]
    return ModelUnusableError(f"{name} cannot be loaded: {reason}.", "Get or train it once more, or choose another.")
