"""What the report and the model card of a classifier of pictures tell."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from models.evaluation.classification.comparison import Comparison
from models.evaluation.classification.figures import Figures
from models.training.options import Curve
from models.vision.wording import told


@dataclass(frozen=True, slots=True)
class PictureReport:
    """What a report tells.

    Attributes:
        name: of the trained classifier.
        base: of the model it was made from.
        honest: its figures on the pictures held out, none of them a near-duplicate of one it was trained on. All
            figures here are `figures_of(calibrated, labels, truth, 0.0, uncalibrated, names)`: the threshold is 0, as
            pictures are always told something; `names` are the pictures' names below their folder.
        thumbnail: gives a small JPEG of a picture held out, by its row among those of `honest`, about 160 pixels at
            its longest edge; called for at most twenty of them. It gives no bytes where there is none.
        temperature: what the logits are divided by.
        sure_from: the probability from which on a label is told without doubt, 0 to 1.
        near_duplicate_groups: groups of two pictures or more that were kept on one side.
        random: the figures of one trained just so on a split by chance; None where that was not tried.
        in_use: those of the model in use, on the same pictures as `comparison`.
        comparison: with the model in use (`compare(new, old, …, wording=PICTURES)`); None where there is none.
        curves: how the losses went, by what was trained, a word each (``head``, ``fine-tuning``).
        pictures_per_label: pictures trained on, by class.
        data: what else is to be said of the data: folder, counts of files, sizes of the parts.
        settings: how it was trained.
        notes: what else a reader has to know, a sentence each.
    """

    name: str
    base: str
    honest: Figures
    thumbnail: Callable[[int], bytes]
    temperature: float = 1.0
    sure_from: float = 0.0
    near_duplicate_groups: int = 0
    random: Figures | None = None
    in_use: Figures | None = None
    comparison: Comparison | None = None
    curves: Mapping[str, Curve] = field(default_factory=dict)
    pictures_per_label: Mapping[str, int] = field(default_factory=dict)
    data: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def columns(self) -> list[tuple[str, Figures]]:
        """Give the figures that there are, with what each is called; threshold and coverage are those of `sure_from`.

        The confusion is that by forced choice all the same.
        """
        named = ((self.name, self.honest), ("in use", self.in_use), ("random split", self.random))
        return [(name, _surely(figures, self.sure_from)) for name, figures in named if figures is not None]

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON values, as `report.write_report` documents them."""
        parts = {"honest": self.honest, "in_use": self.in_use, "random": self.random}
        return {
            "name": self.name,
            "base": self.base,
            **{
                name: None if part is None else told(_surely(part, self.sure_from).as_json())
                for name, part in parts.items()
            },
            "comparison": None if self.comparison is None else told(self.comparison.as_json()),
            "temperature": self.temperature,
            "sure_from": self.sure_from,
            "near_duplicate_groups": self.near_duplicate_groups,
            "curves": {name: asdict(curve) for name, curve in self.curves.items()},
            "pictures_per_label": dict(self.pictures_per_label),
            "data": dict(self.data),
            "settings": dict(self.settings),
            "notes": list(self.notes),
        }


def _surely(figures: Figures, sure_from: float) -> Figures:
    """Tell what is said without doubt: the share of the pictures, and how much of that is right."""
    sure = np.array(figures.confidences) >= sure_from
    right = np.array(figures.truth) == np.array(figures.choices)
    return replace(
        figures,
        threshold=sure_from,
        coverage=float(sure.mean()),
        covered_accuracy=float(right[sure].mean()) if sure.any() else None,
        mistakes=tuple(one._replace(answered=one.probability >= sure_from) for one in figures.mistakes),
    )
