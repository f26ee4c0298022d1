"""Evaluates the models that look at pictures, as the settings describe them, and has it written down."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.describers import decoder_of, load_captioner_of, load_labeller_of
from bot.settings import Settings
from models.vision.evaluation import captioning, labelling
from models.vision.evaluation.batches import Told
from models.vision.evaluation.coco_captions import CaptionedFile
from models.vision.evaluation.labelled_pictures import LabelledFile
from models.vision.evaluation.report import thumbnails, write_caption_report, write_label_report


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator asks for.

    Attributes:
        data: what the pictures are called together.
        model: another one than that in use; empty: that.
        report: the folder of the report; None: none is written.
    """

    data: str
    model: str = ""
    report: Path | None = None


def evaluate_labels(
    settings: Settings, files: Sequence[LabelledFile], wish: Wish, told: Told
) -> labelling.LabelEvaluation:
    """Have a classifier label pictures of which the class is known. Blocking.

    Raises:
        ModelError: the model is not here, does not know a class, or none of the files can be looked at.
        OSError: the report cannot be written.
    """
    _make_folder(wish)
    labeller = load_labeller_of(settings, wish.model)
    try:
        with decoder_of(settings) as decoder:
            evaluation = labelling.evaluate_labels(labeller, decoder, files, told)
            if wish.report:
                wanted = _named(files, (one.path for one in evaluation.figures.mistakes))
                write_label_report(evaluation, wish.report, wish.data, thumbnails(decoder, wanted))
            return evaluation
    finally:
        labeller.close()


def evaluate_captions(
    settings: Settings, files: Sequence[CaptionedFile], wish: Wish, told: Told
) -> captioning.CaptionEvaluation:
    """Have a captioner tell of pictures that people have captioned. Blocking.

    Raises:
        ModelError: the model is not here, or none of the files can be looked at.
        OSError: the report cannot be written.
    """
    _make_folder(wish)
    captioner = load_captioner_of(settings, wish.model)
    try:
        with decoder_of(settings) as decoder:
            evaluation = captioning.evaluate_captions(captioner, decoder, files, told)
            if wish.report:
                wanted = _named(files, (one.path for one in evaluation.worst))
                write_caption_report(evaluation, wish.report, wish.data, thumbnails(decoder, wanted))
            return evaluation
    finally:
        captioner.close()


def _make_folder(wish: Wish) -> None:
    """See before the evaluation that there is a place for the report."""
    if wish.report:
        wish.report.mkdir(parents=True, exist_ok=True)


def _named(files: Sequence[LabelledFile] | Sequence[CaptionedFile], names: Iterable[str]) -> dict[str, Path]:
    """Give where the files of these names lie."""
    paths = {file.name: file.path for file in files}
    return {name: paths[name] for name in names}
