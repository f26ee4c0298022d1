"""One training from labelled texts to a classifier on disk: honest split, random split, floor, comparison, report."""

import gc
import hashlib
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from threading import Event
from typing import Any

from models.diagnosis.contract import FLOOR, NO_MATCH, LabelledTexts
from models.diagnosis.encoder.options import require_encoder
from models.diagnosis.evaluation.wording import SYMPTOMS
from models.diagnosis.training.judging import floor_figures, judged, rival_of
from models.diagnosis.training.order import Order, Outcome, Rival, Told
from models.diagnosis.training.parts import Parts, Side, parts_of
from models.diagnosis.training.phases import Phase, phase
from models.diagnosis.training.seen_texts import unseen
from models.diagnosis.training.writing import write_classifier
from models.errors import TrainingError
from models.evaluation.classification.comparison import compare
from models.evaluation.classification.figures import Figures
from models.evaluation.drawing import require_matplotlib
from models.store.model_store import Checkpoint, ModelStore
from models.training.naming import folder_for, told_name
from models.training.options import StoppedError
from models.training.trained_model import whole_or_not_at_all
from models.training.workspace import alone, keep_plan, require_free, workspace_of


def require_possible(order: Order, store: ModelStore) -> None:
    """See, before hours are spent, that an order can be carried out.

    Raises:
        TrainingError: the name is taken, or is none, or the base is no encoder of text.
        ModelError: a library or memory is missing, or what is to be compared with cannot be loaded.
    """
    if order.name == FLOOR:
        raise TrainingError("The floor is called so, which needs no training.", "Choose another --name.")
    require_free(folder_for(store, "diagnosis", order.name), order.replace)
    require_encoder(order.base, order.options)
    require_matplotlib()
    in_use = order.compared_with
    if in_use and in_use.folder:
        from models.diagnosis.encoder.classifier import load_encoder

        load_encoder(in_use.folder, in_use.name, order.options.threads).close()


def _require_new(texts: LabelledTexts, base: Checkpoint) -> None:
    """See that a base that was trained here has not seen the descriptions that its offspring is to be judged by.

    Raises:
        TrainingError: it has: by another split, or of other data with the same texts.
    """
    described = [text for text, label in zip(texts.texts, texts.labels, strict=True) if label != NO_MATCH]
    known = len(described) - len(unseen(described, base.folder))
    if known:
        raise TrainingError(
            f"{told_name(base)} was trained on {known:,} of the {len(described):,} descriptions that the result would"
            " be judged by.",
            "Give --base what that one was made from.",
        )


def train(order: Order, store: ModelStore, told: Told, stopping: Event) -> Outcome:
    """Train, calibrate, judge and keep a classifier. Takes minutes to hours; not to be called on an event loop.

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
    folder = folder_for(store, "diagnosis", order.name)
    workspace = workspace_of(folder)
    with alone(workspace):
        keep_plan(_plan(order), workspace, order.resume)
        return _Run(order, folder, workspace, told, stopping).outcome()


def _plan(order: Order) -> dict[str, Any]:
    """What decides how the training goes; how many threads compute does not."""
    columns = [order.file.label_column, order.file.text_column]
    strangers = hashlib.sha256("\0".join(order.no_match).encode()).hexdigest()
    base = {"base": order.base.name, "revision": order.base.revision, "base's size": order.base.weight_bytes}
    data = {"data": order.file.sha256, "columns": columns, "texts that match nothing": strangers}
    return {**data, "shares": order.shares, **base, **asdict(replace(order.options, threads=0))}


class _Run:
    """A training while it goes on."""

    def __init__(self, order: Order, folder: Path, workspace: Path, told: Told, stopping: Event) -> None:
        self._order = order
        self._folder = folder
        self._workspace = workspace
        self._told = told
        self._stopping = stopping

    def outcome(self) -> Outcome:
        """Carry everything out, one after the other; the longest comes last but for what needs its result."""
        doing = "looking for near-duplicates"
        parts = parts_of(self._order, lambda done, total: self._told(doing, done, total, None))
        _require_new(parts.honest.test, self._order.base)
        self._tell("training the floor")
        floor = floor_figures(parts.honest)
        honest = self._phase("training", "honest", parts, parts.honest)
        chance = self._chance(parts) if self._order.random_split else None
        self._tell("judging")
        figures = judged(honest.test, parts.honest.test, parts.labels, honest.calibration)
        outcome = Outcome(
            name=self._order.name,
            folder=self._folder,
            base=told_name(self._order.base),
            labels=parts.labels,
            counts=parts.counts,
            calibration=honest.calibration,
            honest=figures,
            random=chance,
            floor=floor,
            against_floor=compare(figures, floor, self._order.name, "the floor", wording=SYMPTOMS),
            rival=self._rival(parts, honest),
            report=self._folder / "report.html",
        )
        with whole_or_not_at_all(self._folder) as making:
            write_classifier(outcome, self._order, parts, honest, making)
        shutil.rmtree(self._workspace, ignore_errors=True)
        return outcome

    def _chance(self, parts: Parts) -> Figures:
        """Train and judge on a split by chance."""
        found = self._phase("training on a random split", "random", parts, parts.random)
        return judged(found.test, parts.random.test, parts.labels, found.calibration)

    def _rival(self, parts: Parts, honest: Phase) -> Rival | None:
        in_use = self._order.compared_with
        if in_use is None:
            return None
        return rival_of(in_use, parts, honest.test, honest.calibration, self._order.options.threads)

    def _phase(self, doing: str, name: str, parts: Parts, side: Side) -> Phase:
        self._tell(doing)

        def _progress(step: int, steps: int, loss: float | None) -> None:
            self._told(doing, step, steps, loss)

        found = phase(self._order, parts.labels, side, self._workspace / name, _progress, self._stopping)
        # The trainer holds on to itself, and the next model needs the memory.
        gc.collect()
        return found

    def _tell(self, doing: str) -> None:
        if self._stopping.is_set():
            raise StoppedError(f"The training was stopped before {doing}.", "Go on with --resume.")
        self._told(doing, 0, 1, None)
