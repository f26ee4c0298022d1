"""Fine-tunes the last blocks of an encoder with its head, on pictures shown differently each time.

It begins with a head that is fitted to the encoder as it is: fine-tuning from there keeps more of what the encoder
knows (Kumar et al., 2022, "Fine-tuning can distort pretrained features").
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import Dataset, Sampler
from transformers import Trainer, TrainingArguments, set_seed

from models.training.linear_head import class_weights
from models.training.options import Curve
from models.training.splits import Rows
from models.training.trainer import Pace, Progressing, arguments, carry_out
from models.vision.training.features import Shown
from models.vision.training.network import PictureNetwork
from models.vision.training.options import ImageTrainingOptions

_SMOOTHING = 0.05
_NARROW = 512
"""Up to this width of its vectors an encoder is a small one, which wants a higher learning rate."""


class _Pictures(Dataset[dict[str, Any]]):
    """Pictures with their classes; the number of one says also in which epoch it is shown, counted from 1, if at all.

    Args:
        shown: all pictures.
        rows: which ones.
        targets: the class of each of them.
    """

    def __init__(self, shown: Shown, rows: Rows, targets: Rows) -> None:
        self._shown = shown
        self._rows = rows
        self._targets = targets

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int) -> dict[str, Any]:
        turn, at = divmod(number, len(self._rows))
        values = self._shown.values([int(self._rows[at])], turn)[0]
        return {"pixel_values": torch.from_numpy(values), "labels": int(self._targets[at])}


class ShuffledTurns(Sampler[int]):
    """An order of pictures, another one in each epoch, whose numbers say which epoch it is.

    It hangs on seed and epoch alone, so that a training that goes on sees what one that was never stopped sees.

    Args:
        pictures: how many there are.
        seed: of the order.
        augmented: whether they are shown differently in each epoch; else always as they are.
    """

    def __init__(self, pictures: int, seed: int, augmented: bool) -> None:
        self._pictures = pictures
        self._seed = seed
        self._augmented = augmented
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, from 0; the library calls it."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._pictures

    def __iter__(self) -> Iterator[int]:
        order = np.random.default_rng((self._seed, self._epoch)).permutation(self._pictures)
        turn = (self._epoch + 1) * self._augmented
        return iter((order + turn * self._pictures).tolist())


class _Trainer(Trainer):
    """The Trainer, with an order of our own."""

    turns: ShuffledTurns

    def _get_train_sampler(self, train_dataset: Any = None) -> ShuffledTurns:  # noqa: ANN401 - as the library has it
        return self.turns


def fine_tuned(
    network: PictureNetwork,
    shown: Shown,
    training: tuple[Rows, Rows],
    validation: tuple[Rows, Rows],
    options: ImageTrainingOptions,
    around: Progressing,
) -> Curve:
    """Fine-tune until the loss on the validation pictures falls no more, or all epochs are done.

    Args:
        network: with the head that was fitted; holds the best weights then.
        shown: all pictures.
        training: those trained on, and their classes.
        validation: those that tell when to stop, and their classes.
        options: how.
        around: where the state is kept, and who is told and may stop it.

    Returns:
        How the losses went.

    Raises:
        StoppedError: it was stopped.
        TrainingError: the base has fewer blocks, the loss is no number any more, or the state cannot be written.
    """
    set_seed(options.seed)
    network.unfreeze(options.unfreeze)
    rate = options.learning_rate or (1e-4 if network.head.in_features <= _NARROW else 3e-5)
    pace = Pace(len(training[0]), options.epochs, options.batch, rate, options.seed, options.patience)
    trainer = _Trainer(
        model=network,
        args=TrainingArguments(**arguments(pace, around.folder, weight_decay=0.01, lr_scheduler_type="cosine")),
        train_dataset=_Pictures(shown, *training),
        eval_dataset=_Pictures(shown, *validation),
        data_collator=cast(Any, _collated),
        compute_loss_func=_loss(class_weights(training[1], network.head.out_features)),
        optimizers=(_optimizer(network, rate), None),
    )
    trainer.turns = ShuffledTurns(len(training[0]), options.seed, options.augmentation)
    curve = carry_out(trainer, pace.patience, around)
    network.eval()
    return curve


def _collated(rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
    return {
        "pixel_values": torch.stack([row["pixel_values"] for row in rows]),
        "labels": torch.tensor([row["labels"] for row in rows]),
    }


def _loss(weights: NDArray[np.float64]) -> Callable[..., Tensor]:
    """Cross-entropy with class weights; smoothed a little, so that no picture pulls without end."""
    function = nn.CrossEntropyLoss(torch.from_numpy(weights).float(), label_smoothing=_SMOOTHING)

    def _of(outputs: dict[str, Tensor], labels: Tensor, num_items_in_batch: object = None) -> Tensor:
        return cast(Tensor, function(outputs["logits"], labels))

    return _of


def _optimizer(network: PictureNetwork, rate: float) -> torch.optim.AdamW:
    """AdamW that lets biases and normalisations alone with its decay."""
    trained = [one for one in network.parameters() if one.requires_grad]
    groups = [
        {"params": [one for one in trained if one.dim() > 1], "weight_decay": 0.01},
        {"params": [one for one in trained if one.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate)
