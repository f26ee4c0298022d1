"""One training from pairs to a model on disk: scores before, training that can go on, scores after, comparison."""

import gc
import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

from models.errors import TrainingError
from models.evaluation import answer_metrics
from models.evaluation.squad import Sample
from models.store.checkpoints import judged
from models.store.model_store import Checkpoint, ModelStore
from models.training.data import Counts, PairFile, Split, split
from models.training.model_card import model_card
from models.training.naming import folder_for, told_name
from models.training.options import Curve, StoppedError, TrainingOptions, require_trainable
from models.training.scores import Scores, scores_of
from models.training.trained_model import whole_or_not_at_all, write_json, write_model, write_plot
from models.training.workspace import alone, keep_plan, require_free, workspace_of

Told = Callable[[str, int, int, float | None], None]
"""Told what is being done, steps done, steps at most, and the loss on the held-out pairs."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be trained.

    Attributes:
        file: the pairs; their samples have passages, where anything was found for them.
        base: what is trained.
        name: under which the result is kept.
        share: of the pairs that is held out, above 0 and below 1.
        options: how it is trained.
        resume: whether to go on with an interrupted training of that name.
        replace: whether a model of that name may be replaced.
        compared_with: the model in use, to be compared with; None: no other than the base.
    """

    file: PairFile
    base: Checkpoint
    name: str
    share: float
    options: TrainingOptions
    resume: bool = False
    replace: bool = False
    compared_with: Checkpoint | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        name: of the trained model.
        folder: where it lies.
        counts: what became of the pairs.
        steps: steps trained.
        curve: how the losses went.
        before: the base's scores on the held-out pairs.
        after: the trained model's.
        rival: scores of the model it was compared with; None where that is the base, or none was asked for.
    """

    name: str
    folder: Path
    counts: Counts
    steps: int
    curve: Curve
    before: Scores
    after: Scores
    rival: Scores | None = None

    @property
    def is_worse(self) -> bool:
        """Whether the one it was compared with, or else the base, answers better."""
        return self.after.is_worse_than(self.rival or self.before)


def require_possible(order: Order, store: ModelStore) -> None:
    """See, before anything is loaded or searched, that an order can be carried out.

    Raises:
        TrainingError: the name is taken, or is none, or the base writes no text.
        ModelError: a library or memory is missing.
    """
    require_free(folder_for(store, "answers", order.name), order.replace)
    require_trainable(order.base, order.options)
    answer_metrics.require_libraries()


def train(order: Order, store: ModelStore, told: Told, stopping: Event) -> Outcome:
    """Train, score and keep a model. Takes minutes to hours; not to be called on an event loop.

    Args:
        order: what is to be trained; `require_possible` has been asked.
        store: where it is kept.
        told: told how far it is.
        stopping: when set, the training's state is kept and the training ends.

    Raises:
        StoppedError: `stopping` was set.
        TrainingError: the data or the options cannot train anything, or the result cannot be written.
        ModelError: a model cannot be loaded.
    """
    found = [sample for sample in order.file.samples if sample.passages]
    if len(found) < 2:
        raise TrainingError(
            "Nothing is found in the knowledge base for the questions of the pairs.",
            "Give the pairs a context, or add what they are about to the knowledge base.",
        )
    parts = split(found, order.share, order.options.seed)
    workspace = workspace_of(folder_for(store, "answers", order.name))
    with alone(workspace):
        return _carried_out(order, parts, workspace, store, told, stopping)


def _carried_out(
    order: Order, parts: Split, workspace: Path, store: ModelStore, told: Told, stopping: Event
) -> Outcome:
    keep_plan(_plan(order), workspace, order.resume)
    # Imports torch: not before it is needed.
    from models.training.training import Trainee

    trainee = Trainee(order.base, order.options)
    training, held_out = trainee.examples.of(parts.training), trainee.examples.of(parts.held_out)
    if not training or not held_out:
        raise TrainingError("Every answer is too long for the model.", "Give shorter answers, or set local.max_tokens.")
    counts = Counts(
        training=len(training),
        held_out=len(held_out),
        duplicates=order.file.duplicates,
        not_found=sum(not sample.passages for sample in order.file.samples),
        too_long=trainee.examples.too_long,
        cut=trainee.examples.cut,
    )

    def _progress(step: int, steps: int, loss: float | None) -> None:
        told("training", step, steps, loss)

    trained = trainee.train(training, held_out, workspace, _progress, stopping, order.resume)
    folder = folder_for(store, "answers", order.name)
    with whole_or_not_at_all(folder) as making:
        write_model(trained.model, order.base, making)
        curve, steps = trained.curve, trained.steps
        write_plot(curve, making / "loss.png")
        # Scoring needs the memory for models of its own; the trainer holds on to itself.
        del trained, trainee
        gc.collect()
        asked = [example.sample for example in held_out]
        models = [order.base, judged(making, order.name), *([order.compared_with] if order.compared_with else [])]
        before, after, *rivals = _scored(models, asked, order, store, told, stopping)
        outcome = Outcome(order.name, folder, counts, steps, curve, before, after, *rivals)
        record = _record(order, outcome)
        write_json(record, making / "training.json")
        (making / "README.md").write_text(model_card(record, before, after), encoding="utf-8")
    shutil.rmtree(workspace, ignore_errors=True)
    return outcome


def _scored(
    models: Sequence[Checkpoint], asked: Sequence[Sample], order: Order, store: ModelStore, told: Told, stopping: Event
) -> list[Scores]:
    found: list[Scores] = []
    for model in models:
        told("scoring", len(found), len(models), None)
        found.append(scores_of(model, asked, store, order.options.longest_answer))
        if stopping.is_set():
            raise StoppedError("The training was stopped while its result was scored.", "Go on with --resume.")
    return found


def _plan(order: Order) -> dict[str, Any]:
    """What decides how the training goes; how many threads compute does not."""
    settings = asdict(replace(order.options, threads=0))
    base = {"base": order.base.name, "revision": order.base.revision, "base's size": order.base.weight_bytes}
    # Those found by search are others once the knowledge base is.
    passages = repr([[one.text for one in sample.passages] for sample in order.file.samples]).encode()
    data = {"data": order.file.sha256, "passages": hashlib.sha256(passages).hexdigest()}
    return {**data, "share held out": order.share, **base, **settings}


def _record(order: Order, outcome: Outcome) -> dict[str, Any]:
    base = order.base
    return {
        "name": order.name,
        "base": {"name": told_name(base), "revision": base.revision, "parameters": base.parameters},
        "data": {
            "file": order.file.path.name,
            "sha256": order.file.sha256,
            "bytes": order.file.size,
            **asdict(outcome.counts),
        },
        "settings": {**asdict(order.options), "evaluation_share": order.share, "steps": outcome.steps},
        "scores": {"before": asdict(outcome.before), "after": asdict(outcome.after)},
        "loss": asdict(outcome.curve),
    }
