"""What a report and a model card of a trained classifier tell."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from models.diagnosis.evaluation.wording import told
from models.evaluation.classification.calibration import Calibration
from models.evaluation.classification.comparison import Comparison
from models.evaluation.classification.figures import Figures
from models.training.options import Curve


@dataclass(frozen=True, slots=True)
class ReportData:
    """What a report tells.

    Attributes:
        name: of the trained classifier.
        base: of the model it was made from; empty where there is none.
        honest: its figures on texts that are not near-duplicates of any it was trained on.
        random: the figures of one trained just so on a split by chance; flattering where texts are alike.
        floor: those of the floor, trained on the same texts and tried on the same texts as `honest`.
        in_use: those of the model in use, tried on those of the texts of `honest` that it was not trained on.
        comparison: with that one, or with the floor.
        calibration: that of the classifier.
        curve: how the losses went.
        texts_per_label: texts trained on for each condition; `NO_MATCH` for those that match nothing.
        data: what else is to be said of the data: files, duplicates, groups, sizes of the parts.
        settings: how it was trained.
        notes: what else a reader has to know, a sentence each.
    """

    name: str
    base: str
    honest: Figures
    random: Figures | None = None
    floor: Figures | None = None
    in_use: Figures | None = None
    comparison: Comparison | None = None
    calibration: Calibration | None = None
    curve: Curve | None = None
    texts_per_label: Mapping[str, int] = field(default_factory=dict)
    data: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def columns(self) -> list[tuple[str, Figures]]:
        """Give the figures that there are, with what each is called."""
        named = (
            (self.name, self.honest),
            ("floor, same texts", self.floor),
            ("in use", self.in_use),
            ("random split", self.random),
        )
        return [(name, figures) for name, figures in named if figures is not None]

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON values, as `report.write_report` documents them."""
        parts = {
            "honest": self.honest,
            "random": self.random,
            "floor": self.floor,
            "in_use": self.in_use,
            "comparison": self.comparison,
            "calibration": self.calibration,
        }
        return {
            "name": self.name,
            "base": self.base,
            **{name: None if part is None else told(part.as_json()) for name, part in parts.items()},
            "curve": None if self.curve is None else asdict(self.curve),
            "texts_per_label": dict(self.texts_per_label),
            "data": dict(self.data),
            "settings": dict(self.settings),
            "notes": list(self.notes),
        }
