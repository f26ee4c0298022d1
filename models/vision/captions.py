"""Captioners: an image encoder with a text decoder of any kind, GIT and BLIP, by the model's type.

What a model's own generation config says is kept (beams, penalties, bans), but for two things: a caption is never drawn
by lot, so that a picture is told of in the same words twice, and it has a few dozen tokens at the most.
"""

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import (
    AutoTokenizer,
    BlipForConditionalGeneration,
    GenerationConfig,
    GitForCausalLM,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    VisionEncoderDecoderModel,
)

from models.errors import ModelUnusableError
from models.generation.engines.loading import whole_model
from models.store.checkpoints import CAPTIONERS, Checkpoint
from models.vision.caption_text import sentence
from models.vision.image_processors import Preparation, loaded_preparation
from models.vision.loading import make_ready, unloadable

if TYPE_CHECKING:
    from models.generation.engines.loading import Loadable

MOST_TOKENS = 40
"""A caption has so many at the most; COCO's have a dozen."""

_MOST_BEAMS = 8
_CLASSES: Mapping[str, Any] = {
    "vision-encoder-decoder": VisionEncoderDecoderModel,
    "git": GitForCausalLM,
    "blip": BlipForConditionalGeneration,
}


class _Writer(Protocol):
    def generate(self, pixel_values: Tensor, **options: Any) -> Tensor:  # noqa: ANN401 - as the library has it
        """Give tokens, shaped [pictures, tokens]."""


class CaptionWriter:
    """A captioner; see `Captioner`.

    Args:
        name: what it is called.
        network: writes tokens for ``pixel_values``.
        tokenizer: makes words of them.
        preparation: makes pixels ready for it.
        generation: how it writes.
        begins: the token that each caption begins with, where the network has to be given it.
    """

    def __init__(
        self,
        name: str,
        network: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        preparation: Preparation,
        generation: GenerationConfig,
        begins: int | None = None,
    ) -> None:
        self.name = name
        self.view = preparation.view
        self._network: PreTrainedModel | None = network
        self._tokenizer = tokenizer
        self._preparation = preparation
        self._generation = generation
        self._begins = begins

    def captions(self, pixels: NDArray[np.uint8]) -> list[str]:
        """Give one sentence for each picture; empty where the model has no words for it, or only stammers.

        Args:
            pixels: pictures laid out as `view` says, shaped [pictures, height, width, 3].
        """
        written = self._tokenizer.batch_decode(self._written(pixels), skip_special_tokens=True)
        return [sentence(text) for text in written]

    def close(self) -> None:
        """Let go of the memory; it writes nothing more."""
        self._network = None

    def _written(self, pixels: NDArray[np.uint8]) -> Tensor:
        if self._network is None:
            raise ModelUnusableError(f"{self.name} was closed.", "Send the picture again.")
        given = {} if self._begins is None else {"input_ids": torch.full((len(pixels), 1), self._begins)}
        with torch.inference_mode():
            values = torch.from_numpy(self._preparation.values(pixels))
            writer = cast("_Writer", self._network)
            return writer.generate(pixel_values=values, generation_config=self._generation, **given)


def load_captioner(found: Checkpoint, name: str, threads: int = 0) -> CaptionWriter:
    """Load a captioner; takes some seconds.

    Args:
        found: where it lies.
        name: what it is called.
        threads: that compute; 0: one for each core this process may use.

    Raises:
        ModelTooLargeError: there is not memory enough for it.
        ModelUnusableError: it writes no captions, is damaged, or wants pictures laid out in a way that is not known
            here.
    """
    if found.model_type not in _CLASSES:
        raise ModelUnusableError(
            f"{name} ({found.model_type}) writes no captions.",
            f"Choose a model of one of these types: {', '.join(sorted(CAPTIONERS))}.",
        )
    make_ready(found, name, threads)
    preparation = loaded_preparation(found.folder, name)
    try:
        network = whole_model(cast("Loadable", _CLASSES[found.model_type]), str(found.folder), "float32")
        tokenizer = AutoTokenizer.from_pretrained(str(found.folder), local_files_only=True, trust_remote_code=False)
        writer = _writer(name, found.model_type, network, tokenizer, preparation)
        # Its files may not belong together; and some ways to write take no two pictures at once.
        writer.captions(np.repeat(preparation.blank(), 2, axis=0))
    # Files of any content are read here, and the tokenizers library raises Exception itself.
    except Exception as error:
        raise unloadable(name, error) from error
    return writer


def _writer(
    name: str,
    model_type: str,
    network: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    preparation: Preparation,
) -> CaptionWriter:
    # BLIP's text decoder writes by itself, with tokens of its own that it is given anew each time.
    decoder = cast(PreTrainedModel, network.text_decoder) if model_type == "blip" else network
    generation = _generation(network.generation_config)
    if model_type == "vision-encoder-decoder":
        _set_tokens(generation, network.config.decoder, tokenizer)
    decoder.generation_config = generation
    begins = _first(network.config.bos_token_id, tokenizer.cls_token_id) if model_type == "git" else None
    return CaptionWriter(name, network, tokenizer, preparation, generation, begins)


def _generation(own: GenerationConfig) -> GenerationConfig:
    """Take over how a model writes, within bounds."""
    generation = copy.deepcopy(own)
    tokens = _first(own.max_new_tokens, own.max_length and own.max_length - 1, MOST_TOKENS)
    generation.max_new_tokens = max(1, min(int(tokens or MOST_TOKENS), MOST_TOKENS))
    generation.max_length = None
    generation.num_beams = max(1, min(own.num_beams or 1, _MOST_BEAMS))
    generation.do_sample = False
    generation.num_return_sequences = 1
    generation.return_dict_in_generate = False
    return generation


def _set_tokens(generation: GenerationConfig, decoder: PreTrainedConfig, tokenizer: PreTrainedTokenizerBase) -> None:
    """Say with which token a decoder begins and ends, where its checkpoint leaves that to whoever uses it."""
    ends = _first(generation.eos_token_id, decoder.eos_token_id, tokenizer.eos_token_id, tokenizer.sep_token_id)
    begins = _first(generation.bos_token_id, decoder.bos_token_id, tokenizer.bos_token_id, tokenizer.cls_token_id)
    generation.eos_token_id = ends
    generation.decoder_start_token_id = _first(generation.decoder_start_token_id, begins, ends)
    generation.pad_token_id = _first(generation.pad_token_id, decoder.pad_token_id, tokenizer.pad_token_id, ends)


def _first(*stated: Any) -> Any:  # noqa: ANN401 - some have one number, some several
    """Give the first that is said."""
    return next((one for one in stated if one is not None), None)
