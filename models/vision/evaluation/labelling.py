"""Evaluates a classifier: has it label pictures of which the class is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models.vision.contract import Labeller
from models.vision.decoding.decoder import Decoder
from models.vision.evaluation.batches import Refused, Told, in_batches, require_some, unwatched
from models.vision.evaluation.label_figures import JudgedPicture, LabelFigures, judged, label_figures
from models.vision.evaluation.label_names import LabelNames
from models.vision.evaluation.labelled_pictures import LabelledFile


@dataclass(frozen=True, slots=True)
class LabelEvaluation:
    """What came of it: the model's name, the figures, and the files that could not be looked at."""

    model: str
    figures: LabelFigures
    refused: tuple[Refused, ...]

    def as_json(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        refused = [{"path": one.name, "reason": one.reason} for one in self.refused]
        return {"model": self.model, **self.figures.as_json(), "refused": refused}


def evaluate_labels(
    labeller: Labeller, decoder: Decoder, files: Sequence[LabelledFile], told: Told = unwatched
) -> LabelEvaluation:
    """Have pictures labelled, as in life, and see how often that is right. Blocking; in bounded memory.

    Args:
        labeller: labels them, `batches.BATCH` at once.
        decoder: decodes them.
        files: at least one, each with its class.
        told: told of each file.

    Raises:
        EvaluationError: the model does not know a class, or none of the files can be looked at.
        ModelError: the model broke off.
    """
    truth = LabelNames(labeller.name, labeller.labels).truth(files)
    pictures: list[JudgedPicture] = []
    refused: list[Refused] = []
    for numbers, pixels, bad in in_batches(decoder, [one.path for one in files], labeller.view, told):
        refused += [Refused(files[number].name, reason) for number, reason in bad]
        if numbers:
            probabilities, _ = labeller.probabilities(pixels)
            names = [files[number].name for number in numbers]
            pictures += judged(probabilities, names, [truth[number] for number in numbers])
    require_some(len(pictures), refused)
    return LabelEvaluation(labeller.name, label_figures(pictures, labeller.labels), tuple(refused))
