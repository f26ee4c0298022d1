"""Warms an encoder up on the texts of a training: words are masked, and it learns to fill them in.

That is how BERT was trained (Devlin et al., 2019). Gururangan et al. (2020, "Don't stop pretraining") found that going
on with it helps most where the texts are of a kind that the encoder has seen little of.
"""

import math
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor
from transformers import AutoModelForMaskedLM, DataCollatorForLanguageModeling, PreTrainedModel

from models.diagnosis.encoder.network import UNLOADABLE, quiet, unloadable
from models.diagnosis.encoder.phases import Row, Steps, Workspace, trained_phase
from models.diagnosis.encoder.tokens import Tokens
from models.errors import TrainingError
from models.training.trainer import Pace

if TYPE_CHECKING:
    from models.generation.engines.loading import Loadable

_NAME = "masked"
_LEARNING_RATE = 5e-5
_MASKED = 0.15


def steps_of(texts: int, batch: int, epochs: int) -> int:
    """Give the steps that the warm-up takes."""
    return math.ceil(texts / batch) * epochs


def warmed_up(
    base: Path,
    name: str,
    tokens: Tokens,
    texts: tuple[Sequence[str], Sequence[str]],
    pace: Pace,
    workspace: Workspace,
    steps: Steps,
) -> PreTrainedModel:
    """Give the encoder of a checkpoint after its warm-up.

    Args:
        base: the checkpoint's folder.
        name: what errors call it.
        tokens: takes the texts apart.
        texts: those to train on, and those held out.
        pace: how long; the learning rate is the warm-up's own, and no epoch is left out.
        workspace: where the state is kept.
        steps: counts.

    Raises:
        StoppedError: it was stopped.
        TrainingError: the encoder cannot fill in words, or the state cannot be written.
        ModelUnusableError: it cannot be loaded.
    """
    if tokens.tokenizer.mask_token is None:
        raise _cannot(name)
    model = _loaded(base, name)
    rows = tuple([{"input_ids": row} for row in tokens.of(part)] for part in texts)
    around = workspace.phase(_NAME, steps)
    trained_phase(model, cast(Any, rows), _unhurried(pace), around, data_collator=_Masking(tokens, pace.seed))
    return cast(PreTrainedModel, model.base_model.eval())


class _Masking:
    """Puts rows into a batch and masks them, by a chance that hangs on the seed and the batch alone.

    The loader reads a batch ahead, so that drawing from the chance all share would not go on where it was interrupted.
    Every epoch has other batches, and with them other masks.
    """

    def __init__(self, tokens: Tokens, seed: int) -> None:
        self._collator = DataCollatorForLanguageModeling(tokens.tokenizer, mlm=True, mlm_probability=_MASKED)
        self._seed = seed

    def __call__(self, rows: Sequence[Row]) -> Mapping[str, Tensor]:
        key = repr([self._seed, *(row["input_ids"] for row in rows)])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(zlib.crc32(key.encode()))
            return cast(Mapping[str, Tensor], self._collator([dict(row) for row in rows]))


def _unhurried(pace: Pace) -> Pace:
    """Give the warm-up's pace: its own learning rate, and no early end, as which words are masked is left to chance."""
    return Pace(pace.examples, pace.epochs, pace.batch, _LEARNING_RATE, pace.seed, patience=pace.epochs)


def _loaded(base: Path, name: str) -> PreTrainedModel:
    """The encoder with a head that fills in words; the head is new where the checkpoint has none."""
    quiet()
    options = {"use_safetensors": True, "trust_remote_code": False, "local_files_only": True, "dtype": torch.float32}
    try:
        return cast(PreTrainedModel, cast("Loadable", AutoModelForMaskedLM).from_pretrained(str(base), **options))
    except ValueError as error:
        if "Unrecognized configuration class" in str(error):
            raise _cannot(name) from error
        raise unloadable(name, error) from error
    except UNLOADABLE as error:
        raise unloadable(name, error) from error


def _cannot(name: str) -> TrainingError:
    return TrainingError(
        f"{name} cannot fill in masked words.", "Leave --masked-warm-up out, or choose another --base."
    )
