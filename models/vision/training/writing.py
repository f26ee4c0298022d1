"""Writes a trained classifier to its folder: weights, processor, calibration, report, card, record of its training."""

import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.errors import PictureError
from models.store.weight_files import IMAGES_FILE
from models.training.naming import told_name
from models.training.options import Curve
from models.training.seen import write_seen
from models.training.trained_model import write_json, write_weights
from models.vision.decoding.decoder import Decoder
from models.vision.files import decoded_files
from models.vision.training.judging import SEEN, keys, paths
from models.vision.training.model_card import model_card
from models.vision.training.order import Order, Outcome
from models.vision.training.parts import Parts
from models.vision.training.report import write_report
from models.vision.training.report_data import PictureReport

if TYPE_CHECKING:
    from models.vision.training.network import PictureNetwork

_VERSION = 1
_PROCESSORS = ("preprocessor_config.json", "processor_config.json")
_THUMBNAIL = 160

_LOOSENED = (
    "{count:,} pictures hang together as near-duplicates so that a class could not have been split; some stand on"
    " different sides all the same, and what is measured on them flatters."
)
_MIXED = (
    "In {count:,} of the groups of near-duplicates there are pictures of more than one class: look whether they lie"
    " where they belong."
)
_NOT_BETTER = (
    "Fine-tuning the last blocks did no better on the validation pictures, so that the encoder was kept as it is, with"
    " its head."
)
_HEAD = "The head alone, on the encoder as it is, told {head:.1%} rightly.{random} What is kept is the fine-tuned one."
_BY_CHANCE = " On a split by chance, near-duplicates on both sides, such a head would have told {random:.1%} rightly."
_UNLIKE = "No comparison with {name}, which is in use: {reason}"


def write_classifier(
    outcome: Outcome,
    order: Order,
    parts: Parts,
    network: "PictureNetwork",
    curves: Mapping[str, Curve],
    decoder: Decoder,
    folder: Path,
) -> None:
    """Write everything that belongs to a classifier into a folder that is there.

    transformers' `AutoModelForImageClassification` and `AutoImageProcessor` load it as they load its base.

    Raises:
        OSError: it cannot be written.
        SafetensorError: the same.
        ModelExtraError: matplotlib is not installed.
    """
    write_weights(network.model, folder)
    for name in _PROCESSORS:
        if (order.base.folder / name).is_file():
            shutil.copyfile(order.base.folder / name, folder / name)
    own = {"version": _VERSION, "temperature": outcome.temperature, "labels": list(outcome.labels)}
    write_json({**own, "base": outcome.base, "fine_tuned": outcome.fine_tuned}, folder / IMAGES_FILE)
    known = np.concatenate([parts.honest.training, parts.honest.validation])
    write_seen(keys(parts, known), folder / SEEN, order.base.folder / SEEN)
    data = _report_data(outcome, order, parts, curves, _thumbnails(order, parts, decoder))
    write_report(folder, data)
    plots = [file.name for file in folder.glob("*.png")]
    (folder / "README.md").write_text(model_card(data, plots), encoding="utf-8")
    write_json(_record(outcome, order, data), folder / "training.json")


def _thumbnails(order: Order, parts: Parts, decoder: Decoder) -> Callable[[int], bytes]:
    files = paths(order, parts, parts.honest.test)

    def _of(row: int) -> bytes:
        (result,) = decoded_files(decoder, [files[row]], (), _THUMBNAIL)
        return b"" if isinstance(result, PictureError) else result.preview

    return _of


def _report_data(
    outcome: Outcome, order: Order, parts: Parts, curves: Mapping[str, Curve], thumbnail: Callable[[int], bytes]
) -> PictureReport:
    rival = outcome.rival
    return PictureReport(
        name=outcome.name,
        base=outcome.base,
        honest=outcome.honest,
        thumbnail=thumbnail,
        temperature=outcome.temperature,
        sure_from=order.sure,
        near_duplicate_groups=outcome.counts.near_duplicate_groups,
        # What the head did says nothing of what the fine-tuned one would have done.
        random=None if outcome.fine_tuned else outcome.random,
        in_use=rival.figures if rival else None,
        comparison=outcome.comparison,
        curves=curves,
        pictures_per_label=dict(Counter(parts.truth(parts.honest.training))),
        data={"folder": order.pictures.path.name, "files": len(order.pictures.files)} | asdict(outcome.counts),
        settings=_settings(order),
        notes=tuple(_notes(outcome, order)),
    )


def _settings(order: Order) -> dict[str, Any]:
    """How it was trained; what is of the fine-tuning alone, only where there was one."""
    options = order.options
    told = {"base revision": order.base.revision or "none", "shares": order.shares, "seed": options.seed}
    told |= {"augmentation": options.augmentation, "flip": options.flip, "unfreeze": options.unfreeze}
    if not options.unfreeze:
        return told
    tuning = {name: getattr(options, name) for name in ("epochs", "batch", "patience")}
    return told | tuning | {"learning rate": options.learning_rate or "usual"}


def _notes(outcome: Outcome, order: Order) -> list[str]:
    notes = []
    if outcome.counts.loosened:
        notes.append(_LOOSENED.format(count=outcome.counts.loosened))
    if outcome.counts.mixed_groups:
        notes.append(_MIXED.format(count=outcome.counts.mixed_groups))
    if order.options.unfreeze and not outcome.fine_tuned:
        notes.append(_NOT_BETTER)
    if outcome.fine_tuned and outcome.head:
        random = _BY_CHANCE.format(random=outcome.random.accuracy) if outcome.random else ""
        notes.append(_HEAD.format(head=outcome.head.accuracy, random=random))
    if outcome.rival and outcome.rival.reason:
        notes.append(_UNLIKE.format(name=outcome.rival.name, reason=outcome.rival.reason))
    return notes


def _record(outcome: Outcome, order: Order, data: PictureReport) -> dict[str, Any]:
    base = order.base
    return {
        "name": outcome.name,
        "base": {"name": told_name(base), "revision": base.revision, "parameters": base.parameters},
        "data": dict(data.data),
        "settings": dict(data.settings),
        "temperature": outcome.temperature,
        "scores": {
            "honest": outcome.honest.main(),
            "head": outcome.head and outcome.head.main(),
            "random": outcome.random and outcome.random.main(),
        },
    }
