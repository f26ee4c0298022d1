"""One training from folders of pictures to a classifier on disk: reading, honest split, head, fine-tuning, report."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from models.errors import ModelTooLargeError, TrainingError
from models.evaluation.drawing import require_matplotlib
from models.store.model_store import Checkpoint, ModelStore
from models.store.sizes import in_words
from models.training.naming import folder_for, told_name
from models.training.options import Curve, StoppedError
from models.training.seen import unseen
from models.training.trained_model import whole_or_not_at_all
from models.training.workspace import alone, keep_plan, require_free, workspace_of
from models.vision.decoding.contract import View
from models.vision.decoding.decoder import Decoder
from models.vision.training.judging import SEEN, figures, keys, rival_of
from models.vision.training.options import require_image_encoder
from models.vision.training.order import Order, Outcome, Told
from models.vision.training.parts import Parts, parts_of
from models.vision.training.reading import bytes_needed, read_pictures
from models.vision.training.writing import write_classifier

if TYPE_CHECKING:
    from models.vision.training.phases import Judged, Phases

_FLOOR = "floor"


def require_possible(order: Order, store: ModelStore) -> None:
    """See, before hours are spent, that an order can be carried out.

    Raises:
        TrainingError: the name is taken, or is none, or the base looks at no pictures.
        ModelError: a library or memory is missing.
    """
    if order.name == _FLOOR:
        raise TrainingError("What needs no model is called the floor.", "Choose another --name.")
    require_free(folder_for(store, "images", order.name), order.replace)
    require_image_encoder(order.base, order.options)
    require_matplotlib()


def train(order: Order, store: ModelStore, decoder: Decoder, told: Told, stopping: Event) -> Outcome:
    """Train, calibrate, judge and keep a classifier. Takes minutes to hours; not to be called on an event loop.

    Args:
        order: what is to be trained; `require_possible` has been asked.
        store: where it is kept.
        decoder: decodes the pictures.
        told: told how far it is.
        stopping: when set, the training's state is kept and the training ends.

    Raises:
        StoppedError: `stopping` was set.
        TrainingError: the data or the options cannot train anything, or the result cannot be written.
        ModelError: a model cannot be loaded, or there is not room enough on disk.
    """
    folder = folder_for(store, "images", order.name)
    workspace = workspace_of(folder)
    with alone(workspace):
        keep_plan(_plan(order), workspace, order.resume)
        from safetensors import SafetensorError

        try:
            return _Run(order, folder, workspace, decoder, told, stopping).outcome()
        except (OSError, SafetensorError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or str(error)
            raise TrainingError(
                f"The training's state cannot be kept in {workspace}: {reason}.",
                "Make room; then go on with --resume.",
            ) from error


def _plan(order: Order) -> dict[str, Any]:
    """What decides how the training goes; how many threads compute does not."""
    base = {"base": order.base.name, "revision": order.base.revision, "base's size": order.base.weight_bytes}
    data = {"pictures": order.pictures.fingerprint, "shares": order.shares}
    return {**data, **base, **asdict(replace(order.options, threads=0))}


@dataclass(frozen=True, slots=True)
class _Result:
    """What was found out: by what is kept, by the head alone where it was fine-tuned, by one on a split by chance."""

    kept: "Judged"
    head: "Judged | None"
    random: "Judged | None"
    curves: Mapping[str, Curve]
    is_tuned: bool


class _Run:
    """A training while it goes on."""

    def __init__(
        self, order: Order, folder: Path, workspace: Path, decoder: Decoder, told: Told, stopping: Event
    ) -> None:
        self._order = order
        self._folder = folder
        self._workspace = workspace
        self._decoder = decoder
        self._told = told
        self._stopping = stopping

    def outcome(self) -> Outcome:
        """Carry everything out, one after the other."""
        # Imports torch: not before it is needed.
        from models.vision.image_processors import loaded_preparation
        from models.vision.training.features import Shown
        from models.vision.training.network import block_of, loaded_network
        from models.vision.training.phases import Phases

        order, options = self._order, self._order.options
        network = loaded_network(order.base, order.pictures.labels, options.threads)
        if options.unfreeze:
            block_of(network.model, options.unfreeze)
        preparation = loaded_preparation(order.base.folder, order.base.name)
        parts = self._parts(preparation.view)
        shown = Shown(parts.pictures.pixels, preparation, options.seed, options.flip)
        phases = Phases(parts, network, shown, options, self._workspace, self._told, self._stopping, order.resume)
        phases.look()
        result = self._result(parts, phases)
        self._tell("judging")
        outcome = self._told_of(parts, result)
        with whole_or_not_at_all(self._folder) as making:
            write_classifier(outcome, order, parts, network, result.curves, self._decoder, making)
        shutil.rmtree(self._workspace, ignore_errors=True)
        return outcome

    def _parts(self, view: View) -> Parts:
        """Read the pictures, and see who is on which side."""
        pictures, workspace = self._order.pictures, self._workspace / "pictures"
        _require_room(self._workspace, bytes_needed(pictures, view))
        self._tell("reading")
        read = read_pictures(
            pictures, view, self._decoder, workspace, partial(self._progress, "reading"), self._stopping
        )
        parts = parts_of(self._order, read, partial(self._progress, "looking for near-duplicates"))
        _require_new(parts, self._order.base)
        return parts

    def _result(self, parts: Parts, phases: "Phases") -> _Result:
        self._tell("fitting the head")
        judged, curve = phases.head()
        chance = phases.by_chance(parts.random) if parts.random else None
        if not self._order.options.unfreeze:
            return _Result(judged, None, chance, {"head": curve}, False)
        tuned, tuned_curve, is_better = phases.fine_tune(judged)
        curves = {"head": curve, "fine-tuning": tuned_curve}
        return _Result(tuned if is_better else judged, judged, chance, curves, is_better)

    def _told_of(self, parts: Parts, result: _Result) -> Outcome:
        order, test = self._order, parts.honest.test
        in_use = order.compared_with
        return Outcome(
            name=order.name,
            folder=self._folder,
            base=told_name(order.base),
            labels=parts.labels,
            counts=parts.counts,
            refused=parts.pictures.refused,
            temperature=result.kept.temperature,
            honest=figures(order, parts, result.kept, test),
            head=figures(order, parts, result.head, test) if result.head else None,
            fine_tuned=result.is_tuned,
            random=figures(order, parts, result.random, parts.random.test) if result.random and parts.random else None,
            rival=rival_of(in_use, order, parts, result.kept, self._decoder) if in_use else None,
            report=self._folder / "report.html",
        )

    def _progress(self, doing: str, done: int, total: int) -> None:
        self._told(doing, done, total, None)

    def _tell(self, doing: str) -> None:
        if self._stopping.is_set():
            raise StoppedError(f"The training was stopped before {doing}.", "Go on with --resume.")
        self._told(doing, 0, 1, None)


def _require_room(workspace: Path, needed: int) -> None:
    """See that the pictures, laid out for the model, can be kept while it is trained.

    Raises:
        ModelTooLargeError: there is not room enough; the message has both figures.
    """
    kept = workspace / "pictures"
    there = sum(file.stat().st_size for file in kept.iterdir()) if kept.is_dir() else 0
    free = shutil.disk_usage(workspace).free
    if needed - there > free:
        raise ModelTooLargeError(
            f"The pictures, laid out for the model, need {in_words(needed)} of disk in {workspace} while it is trained,"
            f" and {in_words(free)} are free.",
            "Make room, or give fewer pictures.",
        )


def _require_new(parts: Parts, base: Checkpoint) -> None:
    """See that a base that was trained here has not seen the pictures that its offspring is to be judged by.

    Raises:
        TrainingError: it has.
    """
    held_out = parts.honest.test
    known = len(held_out) - len(unseen(keys(parts, held_out), base.folder / SEEN))
    if known:
        raise TrainingError(
            f"{told_name(base)} was trained on {known:,} of the {len(held_out):,} pictures that the result would be"
            " judged by.",
            "Give --base what that one was made from.",
        )
