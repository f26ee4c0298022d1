"""Fine-tunes a text encoder to tell labels apart: every weight, the last layers, LoRA, a head alone, or by few shots.

Every method begins with a head that is fitted to the vectors of the encoder as it is. Fine-tuning from there keeps more
of what the encoder knows of texts unlike those of the training (Kumar et al., 2022, "Fine-tuning can distort pretrained
features"), and needs fewer epochs. It ends early by the loss on the validation texts, not by macro-F1: the loss counts
for every text how sure the model was, which calibration and abstention hang on, while F1 moves by chance in the steps
of a few texts.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import DataCollatorWithPadding, PreTrainedModel, set_seed

from models.diagnosis.contract import NO_MATCH, LabelledTexts
from models.diagnosis.encoder import few_shot, masked_language
from models.diagnosis.encoder.network import EncoderNetwork, computed, loaded_encoder, loaded_tokens
from models.diagnosis.encoder.options import EncoderOptions
from models.diagnosis.encoder.phases import Steps, Workspace, trained_phase
from models.diagnosis.encoder.saved import Saved, write_encoder
from models.diagnosis.encoder.tokens import Tokens
from models.errors import TrainingError
from models.evaluation.classification.calibration import Calibration
from models.machine import usable_cores
from models.store.model_store import Checkpoint
from models.training.linear_head import Head, class_weights, fitted_head
from models.training.options import Curve
from models.training.trainer import Pace, Progress, stopped, with_lora

_NAME = "classification"
_SMOOTHING = 0.05
_NARROW = 512
"""Up to this width of its vectors an encoder is a small one, which wants a higher learning rate."""

_HEAD_FASTER = 3.0


@dataclass(frozen=True, slots=True)
class TrainedEncoder:
    """An encoder after its training.

    Attributes:
        labels: the conditions, in the order of the columns.
        knows_no_match: whether there is a column more, the last, for texts that match nothing.
        curve: how the losses went; one point of a head alone.
        steps: steps trained, those before an interruption included.
    """

    labels: tuple[str, ...]
    knows_no_match: bool
    curve: Curve
    steps: int
    _network: EncoderNetwork
    _tokens: Tokens
    _base: Checkpoint

    def logits(self, texts: Sequence[str], told: Callable[[int], None] = lambda done: None) -> NDArray[np.float64]:
        """Give what the head says of texts, not calibrated, shaped [texts, labels], or [texts, labels + 1].

        Args:
            texts: any.
            told: how many are done.
        """
        columns = len(self.labels) + self.knows_no_match
        return computed(lambda **batch: self._network(**batch)["logits"], self._tokens, texts, told).reshape(
            -1, columns
        )

    def save(self, folder: Path, calibration: Calibration, **facts: object) -> None:
        """Write encoder, tokenizer, head and ``diagnosis.json``; `load_encoder` reads them.

        Args:
            folder: exists.
            calibration: what was found on the validation texts.
            facts: what else is to stand in ``diagnosis.json``, as JSON values.

        Raises:
            OSError: it cannot be written.
            SafetensorError: the same.
        """
        saved = Saved(self.labels, self.knows_no_match, calibration, self._tokens.longest)
        write_encoder(self._network, self._base, saved, folder, facts)


class EncoderTrainee:
    """An encoder that is to be fine-tuned.

    Args:
        checkpoint: `require_encoder` has been asked.
        options: how.
        labels: the conditions, at least two, in the order of the columns; without `NO_MATCH`.

    Raises:
        ModelUnusableError: the checkpoint cannot be loaded.
        TrainingError: there are fewer than two labels, or fewer layers than are to be trained.
    """

    def __init__(self, checkpoint: Checkpoint, options: EncoderOptions, labels: Sequence[str]) -> None:
        if len(labels) < 2:
            raise TrainingError("There is nothing to tell apart with fewer than two labels.", "Give texts of two.")
        torch.set_num_threads(options.threads or usable_cores())
        self._checkpoint = checkpoint
        self._options = options
        self._labels = tuple(labels)
        self._encoder = loaded_encoder(checkpoint.folder, checkpoint.name)
        self._tokens = loaded_tokens(checkpoint.folder, checkpoint.name, options.longest, self._encoder.config)
        if options.last_layers:
            _layers(self._encoder, options.last_layers)

    def train(
        self,
        training: LabelledTexts,
        validation: LabelledTexts,
        folder: Path,
        progress: Progress,
        stopping: Event,
        resume: bool,
    ) -> TrainedEncoder:
        """Train until the loss on the validation texts falls no more, or all epochs are done.

        Args:
            training: texts of every label; those of `NO_MATCH` among them make a class of their own.
            validation: texts to judge by, at least one.
            folder: where the state is kept after every epoch, so that the training can go on; the caller removes it.
            progress: told after every step; reading the texts for the head counts as steps, too.
            stopping: when set, the state is kept after the step and the training ends.
            resume: whether to go on from the state that is kept. What is not kept is done once more, from the same
                seed: the result is that of a training that was never stopped. Only fitting the head, seconds to a
                minute, begins anew.

        Raises:
            StoppedError: `stopping` was set.
            TrainingError: a label has no text, there are no validation texts, the loss is no number any more, or the
                state cannot be written.
        """
        task = _Task(training, validation, self._labels)
        steps = self._steps(task, progress)
        workspace = Workspace(folder, stopping, resume)
        # Each part starts with the seed, so that it goes the same way whether or not those before it are done again.
        set_seed(self._options.seed)
        encoder, steps = self._warmed_up(task, workspace, steps)
        set_seed(self._options.seed)
        network = EncoderNetwork(encoder, task.classes)
        steps = self._contrasted(network, task, workspace, steps)
        if self._options.trains_head_alone:
            head = self._with_head(network, task, stopping, steps)
            curve = Curve(((1.0, head.training_loss),), ((1.0, head.validation_loss),))
            return self._trained(network, task, curve, steps.trained)
        if not workspace.goes_on(_NAME):  # else the state that was kept holds the head, too
            self._with_head(network, task, stopping, steps)
        steps = steps.after(self._reading_steps(task))
        curve, taken = self._classifying(network, task, workspace, steps)
        return self._trained(network, task, curve, steps.trained + taken)

    def _trained(self, network: EncoderNetwork, task: "_Task", curve: Curve, steps: int) -> TrainedEncoder:
        return TrainedEncoder(
            self._labels, task.knows_no_match, curve, steps, network.eval(), self._tokens, self._checkpoint
        )

    def _steps(self, task: "_Task", progress: Progress) -> Steps:
        """How many steps all phases have at most."""
        options, texts = self._options, len(task.training.texts)
        total = masked_language.steps_of(texts, options.batch, options.masked_epochs)
        if options.method == "few-shot":
            total += few_shot.steps_of(texts, options.pairs, options.batch, options.epochs)
        elif not options.trains_head_alone:
            total += math.ceil(texts / options.batch) * options.epochs
        return Steps(progress, total + self._reading_steps(task))

    def _reading_steps(self, task: "_Task") -> int:
        """What reading all texts counts for, in steps."""
        return (len(task.training.texts) + len(task.validation.texts)) // self._options.batch

    def _pace(self, texts: int, epochs: int = 0) -> Pace:
        options = self._options
        rate = options.learning_rate or _usual_rate(options.method, int(self._encoder.config.hidden_size))
        return Pace(texts, epochs or options.epochs, options.batch, rate, options.seed, options.patience)

    def _warmed_up(self, task: "_Task", workspace: Workspace, steps: Steps) -> tuple[PreTrainedModel, Steps]:
        epochs, texts = self._options.masked_epochs, (task.training.texts, task.validation.texts)
        if not epochs:
            return self._encoder, steps
        base, pace = self._checkpoint, self._pace(len(texts[0]), epochs)
        encoder = masked_language.warmed_up(base.folder, base.name, self._tokens, texts, pace, workspace, steps)
        taken = masked_language.steps_of(len(texts[0]), pace.batch, epochs)
        return encoder, steps.after(taken, taken)

    def _contrasted(self, network: EncoderNetwork, task: "_Task", workspace: Workspace, steps: Steps) -> Steps:
        if self._options.method != "few-shot":
            return steps
        sides = [(part.texts, task.targets(part).tolist()) for part in (task.training, task.validation)]
        pace = self._pace(len(task.training.texts))
        taken = few_shot.contrasted(
            network, self._tokens, sides[0], sides[1], self._options.pairs, pace, workspace, steps
        )
        most = few_shot.steps_of(len(task.training.texts), self._options.pairs, pace.batch, pace.epochs)
        return steps.after(most, taken)

    def _with_head(self, network: EncoderNetwork, task: "_Task", stopping: Event, steps: Steps) -> Head:
        """Fit the head to the encoder as it is, and set it."""
        network.eval()

        def _vectors(part: LabelledTexts, before: int) -> NDArray[np.float64]:
            def _told(done: int) -> None:
                if stopping.is_set():
                    raise stopped(steps.trained)
                steps.told((before + done) // self._options.batch, 0, None)

            return computed(network.vectors, self._tokens, part.texts, _told)

        training, validation = task.training, task.validation
        held_out = (_vectors(validation, 0), task.targets(validation))
        vectors = _vectors(training, len(validation.texts))
        head = fitted_head(vectors, task.targets(training), held_out, task.classes)
        network.set_head(head.weight, head.bias)
        return head

    def _classifying(
        self, network: EncoderNetwork, task: "_Task", workspace: Workspace, steps: Steps
    ) -> tuple[Curve, int]:
        options, pace = self._options, self._pace(len(task.training.texts))
        if options.method == "lora":
            network.encoder = with_lora(network.encoder, options.lora, "FEATURE_EXTRACTION")
        elif options.last_layers:
            _freeze_all_but(network.encoder, options.last_layers)
        rows = tuple(self._rows(part, task) for part in (task.training, task.validation))
        curve, taken = trained_phase(
            network,
            cast(Any, rows),
            pace,
            workspace.phase(_NAME, steps),
            data_collator=DataCollatorWithPadding(self._tokens.tokenizer),
            compute_loss_func=_loss(class_weights(task.targets(task.training), task.classes)),
            optimizers=(_optimizer(network, pace.learning_rate), None),
        )
        if options.method == "lora":
            network.encoder = cast(Any, network.encoder).merge_and_unload()
        return curve, taken

    def _rows(self, part: LabelledTexts, task: "_Task") -> list[dict[str, Any]]:
        read, targets = self._tokens.of(part.texts), task.targets(part).tolist()
        return [
            {"input_ids": tokens, "attention_mask": [1] * len(tokens), "labels": target}
            for tokens, target in zip(read, targets, strict=True)
        ]


class _Task:
    """What is to be told apart.

    Raises:
        TrainingError: a label has no text, or there are no validation texts.
    """

    def __init__(self, training: LabelledTexts, validation: LabelledTexts, labels: Sequence[str]) -> None:
        absent = sorted(set(labels) - set(training.labels))
        if absent:
            raise TrainingError(f"The label {absent[0]!r} has no text to train on.", "Give it more texts.")
        self.knows_no_match = NO_MATCH in training.labels
        self._columns = {label: column for column, label in enumerate(labels)}
        if self.knows_no_match:
            self._columns[NO_MATCH] = len(labels)
        self.classes = len(self._columns)
        self.training = training
        known = [row for row, label in enumerate(validation.labels) if label in self._columns]
        self.validation = validation.at(known)
        if not known:
            raise TrainingError("There is no text to judge the training by.", "Give more texts of each label.")

    def targets(self, part: LabelledTexts) -> NDArray[np.int64]:
        """The column of each text."""
        return np.array([self._columns[label] for label in part.labels], dtype=np.int64)


def _usual_rate(method: str, width: int) -> float:
    """Learning rates at which encoders of these widths learn well from a few thousand texts."""
    if method == "lora":
        return 1e-3
    if method == "few-shot":
        return 5e-5 if width <= _NARROW else 2e-5
    return 2e-4 if width <= _NARROW else 5e-5


def _loss(weights: NDArray[np.float64]) -> Callable[..., Tensor]:
    """Cross-entropy with class weights; smoothed a little, so that no text pulls without end."""
    function = nn.CrossEntropyLoss(torch.from_numpy(weights).float(), label_smoothing=_SMOOTHING)

    def _of(outputs: dict[str, Tensor], labels: Tensor, num_items_in_batch: object = None) -> Tensor:
        return cast(Tensor, function(outputs["logits"], labels))

    return _of


def _optimizer(network: EncoderNetwork, rate: float) -> torch.optim.AdamW:
    """The head learns faster than the encoder, which knows much already."""
    body = [one for one in network.encoder.parameters() if one.requires_grad]
    groups = [
        {"params": body, "lr": rate},
        {"params": list(network.head.parameters()), "lr": rate * _HEAD_FASTER},
    ]
    return torch.optim.AdamW(groups, weight_decay=0.01)


def _layers(encoder: nn.Module, wanted: int) -> nn.ModuleList:
    """The layers of an encoder: its longest list of modules.

    Raises:
        TrainingError: it has fewer than are wanted.
    """
    lists = [module for module in encoder.modules() if isinstance(module, nn.ModuleList)]
    layers = max(lists, key=len, default=nn.ModuleList())
    if len(layers) < wanted:
        raise TrainingError(
            f"The last {wanted} layers cannot be trained: the base has {len(layers)}.", "Give --method last:N less."
        )
    return layers


def _freeze_all_but(encoder: nn.Module, last: int) -> None:
    layers = _layers(encoder, last)
    encoder.requires_grad_(False)
    for layer in list(layers)[-last:]:
        layer.requires_grad_(True)
