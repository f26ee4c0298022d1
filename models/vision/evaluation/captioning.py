"""Evaluates a captioner: has it tell of pictures of which people have told."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from models.evaluation.answer_metrics import mean
from models.vision.contract import Captioner
from models.vision.decoding.decoder import Decoder
from models.vision.evaluation.batches import Refused, Told, in_batches, require_some, unwatched
from models.vision.evaluation.caption_metrics import caption_scores, require_libraries, words_of
from models.vision.evaluation.coco_captions import CaptionedFile

FEWEST = 10
"""With fewer pictures than this CIDEr says nothing: it weighs words by how few of the pictures they are said of."""

_WORST = 20
_TOOLS = (
    "Captions were taken apart by NLTK's Treebank tokenizer, and METEOR was computed without synonyms; COCO's own tools"
    " use Java for both, so that published figures differ a little, and METEOR's cannot be compared."
)
_TOO_FEW = f"CIDEr weighs words by how rare they are among the pictures; with fewer than {FEWEST} it means nothing."


@dataclass(frozen=True, slots=True)
class ToldPicture:
    """What was written of a picture, what people wrote, and how near the two are (0 to 1; CIDEr 0 to 10).

    Attributes:
        path: the picture's name in the annotations.
        caption: what was written; may be empty.
        captions: what people wrote.
    """

    path: str
    caption: str
    captions: tuple[str, ...]
    meteor: float
    rouge_l: float
    cider: float


@dataclass(frozen=True, slots=True)
class CaptionFigures:
    """How a captioner did.

    Attributes:
        pictures: how many were told of.
        bleu_4, meteor, rouge_l: 0 to 1.
        cider: 0 to 10; papers tell it times 100.
        exact: share of the captions that are, but for case and punctuation, one that people wrote, 0 to 1.
        silent: pictures for which there were no words.
        words: in a caption, on average.
    """

    pictures: int
    bleu_4: float
    meteor: float
    rouge_l: float
    cider: float
    exact: float
    silent: int
    words: float


@dataclass(frozen=True, slots=True)
class CaptionEvaluation:
    """What came of it.

    Attributes:
        model: the captioner's name.
        figures: of all pictures.
        worst: the twenty captions furthest from what people wrote, by CIDEr and ROUGE-L, none of them exact.
        refused: the files that could not be looked at.
        notes: what has to be known to read the figures; a sentence each.
    """

    model: str
    figures: CaptionFigures
    worst: tuple[ToldPicture, ...]
    refused: tuple[Refused, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            "model": self.model,
            **asdict(self.figures),
            "worst": [asdict(one) for one in self.worst],
            "refused": [{"path": one.name, "reason": one.reason} for one in self.refused],
            "notes": list(self.notes),
        }


def evaluate_captions(
    captioner: Captioner, decoder: Decoder, files: Sequence[CaptionedFile], told: Told = unwatched
) -> CaptionEvaluation:
    """Have captions written, as in life, and compare them with what people wrote. Blocking; in bounded memory.

    Args:
        captioner: writes them, `batches.BATCH` at once.
        decoder: decodes the pictures.
        files: at least one, each with its captions.
        told: told of each file.

    Raises:
        EvaluationError: none of the files can be looked at.
        ModelExtraError: a library of the metrics is not installed.
        ModelError: the model broke off.
    """
    require_libraries()
    written: list[tuple[CaptionedFile, str]] = []
    refused: list[Refused] = []
    for numbers, pixels, bad in in_batches(decoder, [one.path for one in files], captioner.view, told):
        refused += [Refused(files[number].name, reason) for number, reason in bad]
        if numbers:
            captions = captioner.captions(pixels)
            written += [(files[number], caption) for number, caption in zip(numbers, captions, strict=True)]
    require_some(len(written), refused)
    return _summed_up(captioner.name, written, refused)


def _summed_up(model: str, written: Sequence[tuple[CaptionedFile, str]], refused: list[Refused]) -> CaptionEvaluation:
    scores = caption_scores([caption for _, caption in written], [file.captions for file, _ in written])
    pictures = [
        ToldPicture(file.name, caption, file.captions, *of_one)
        for (file, caption), *of_one in zip(written, scores.meteor, scores.rouge_l, scores.cider, strict=True)
    ]
    figures = CaptionFigures(
        pictures=len(pictures),
        bleu_4=scores.bleu_4,
        meteor=mean(scores.meteor),
        rouge_l=mean(scores.rouge_l),
        cider=mean(scores.cider),
        exact=mean([_is_exact(one) for one in pictures]),
        silent=sum(not one.caption for one in pictures),
        words=mean([len(words_of(one.caption)) for one in pictures]),
    )
    worst = sorted((one for one in pictures if not _is_exact(one)), key=lambda one: (one.cider, one.rouge_l))[:_WORST]
    notes = (_TOOLS, _TOO_FEW) if len(pictures) < FEWEST else (_TOOLS,)
    return CaptionEvaluation(model, figures, tuple(worst), tuple(refused), notes)


def _is_exact(picture: ToldPicture) -> float:
    said = words_of(picture.caption)
    return float(any(said == words_of(gold) for gold in picture.captions))
