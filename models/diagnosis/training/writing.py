"""Writes a trained classifier to its folder: weights, calibration, report, card, and the record of its training."""

import shutil
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from models.diagnosis.evaluation.model_card import model_card
from models.diagnosis.evaluation.report import write_report
from models.diagnosis.evaluation.report_data import ReportData
from models.diagnosis.evaluation.wording import told
from models.diagnosis.training.order import Order, Outcome
from models.diagnosis.training.parts import Parts
from models.diagnosis.training.phases import RESULTS, Phase
from models.diagnosis.training.seen_texts import write_seen
from models.training.options import Curve
from models.training.trained_model import write_json

_LOOSENED = (
    "{count:,} texts of the same pattern hang together so that a label could not have been split; they stand on"
    " different sides although they are near-duplicates, and what is measured on them flatters."
)
_UNLIKE = (
    "No comparison with {name}, which is in use: it was trained on the texts held out here. The floor, trained on the"
    " same texts, stands in its place."
)


def write_classifier(outcome: Outcome, order: Order, parts: Parts, phase: Phase, folder: Path) -> None:
    """Write everything that belongs to a classifier into a folder that is there.

    Raises:
        OSError: it cannot be written.
        ModelExtraError: matplotlib is not installed.
    """
    shutil.copytree(phase.folder, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(RESULTS))
    known = parts.honest.known
    write_seen(known.texts, folder, order.base.folder)
    data = _report_data(outcome, order, parts, phase.curve)
    write_report(folder, data)
    pictures = [file.name for file in folder.glob("*.png")]
    (folder / "README.md").write_text(model_card(data, pictures), encoding="utf-8")
    write_json(_record(outcome, order, data), folder / "training.json")


def _report_data(outcome: Outcome, order: Order, parts: Parts, curve: Curve) -> ReportData:
    rival = outcome.rival
    return ReportData(
        name=outcome.name,
        base=outcome.base,
        honest=outcome.honest,
        random=outcome.random,
        floor=outcome.floor,
        in_use=rival.figures if rival else None,
        comparison=outcome.comparison,
        calibration=outcome.calibration,
        curve=curve,
        texts_per_label=dict(Counter(parts.honest.training.labels)),
        data={"file": order.file.path.name, "sha256": order.file.sha256, "bytes": order.file.size}
        | asdict(outcome.counts),
        settings=asdict(order.options) | {"base revision": order.base.revision or "none"},
        notes=tuple(_notes(outcome)),
    )


def _notes(outcome: Outcome) -> list[str]:
    notes = []
    if outcome.counts.loosened:
        notes.append(_LOOSENED.format(count=outcome.counts.loosened))
    if outcome.rival and outcome.rival.figures is None:
        notes.append(_UNLIKE.format(name=outcome.rival.name))
    return notes


def _record(outcome: Outcome, order: Order, data: ReportData) -> dict[str, Any]:
    base = order.base
    return {
        "name": outcome.name,
        "base": {"name": outcome.base, "revision": base.revision, "parameters": base.parameters},
        "data": dict(data.data),
        "settings": dict(data.settings),
        "calibration": outcome.calibration.as_json(),
        "scores": {
            "honest": told(outcome.honest.main()),
            "random": outcome.random and told(outcome.random.main()),
            "floor": told(outcome.floor.main()),
        },
    }
