"""How near captions come to those that people wrote: BLEU-4, METEOR, ROUGE-L and CIDEr, as COCO's evaluation has them.

Two things differ from COCO's own tools, which need Java: captions are taken apart by NLTK's Treebank tokenizer, where
they use Stanford's after the same rules, so that figures may move a little; and METEOR has no synonyms and the
parameters of 2007, where they have version 1.5 with synonyms and paraphrases, so that it cannot be held against
published figures.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from models.errors import ModelExtraError
from models.evaluation.answer_metrics import meteor

if TYPE_CHECKING:
    from nltk.tokenize import NLTKWordTokenizer

_LIBRARIES = (
    "nltk.tokenize",
    "nltk.translate.meteor_score",
    "pycocoevalcap.bleu.bleu",
    "pycocoevalcap.cider.cider",
    "pycocoevalcap.rouge.rouge",
)
_ENDS = re.compile(r"\.(?=\s|$)")
_WORD = re.compile(r"[\w&#$%@+=]")
"""What stands for a word is counted by COCO's tools; punctuation is not."""


class CaptionScores(NamedTuple):
    """The scores of a set of captions.

    Attributes:
        bleu_4: of all captions together, 0 to 1.
        meteor, rouge_l: of each, 0 to 1.
        cider: of each, 0 to 10.
    """

    bleu_4: float
    meteor: tuple[float, ...]
    rouge_l: tuple[float, ...]
    cider: tuple[float, ...]


def require_libraries() -> None:
    """Import what the metrics are computed with.

    Raises:
        ModelExtraError: one of the libraries is not installed.
    """
    try:
        for name in _LIBRARIES:
            import_module(name)
    except ImportError as error:
        raise ModelExtraError(
            f"Evaluating captions needs {name.partition('.')[0]}, which is not installed.",
            "Add it with `make captions`, which installs the extra preceptor[captions].",
        ) from error


def words_of(caption: str) -> tuple[str, ...]:
    """Take a caption apart: Treebank tokens in lower case, punctuation left out."""
    tokens = _tokenizer().tokenize(_ENDS.sub(" ", caption))
    return tuple(token.lower() for token in tokens if _WORD.search(token))


@cache
def _tokenizer() -> "NLTKWordTokenizer":
    from nltk.tokenize import NLTKWordTokenizer

    return NLTKWordTokenizer()


def caption_scores(given: Sequence[str], golds: Sequence[Sequence[str]]) -> CaptionScores:
    """Score captions.

    BLEU-4 is Papineni et al.'s (ACL 2002) with the closest reference's length, ROUGE-L Lin's (2004) with beta 1.2,
    CIDEr is CIDEr-D (Vedantam et al., CVPR 2015), whose document frequencies are those of the right captions here:
    all three by `pycocoevalcap`. METEOR is `answer_metrics.meteor`.

    Args:
        given: what was written, at least one; an empty one scores 0.
        golds: the right captions of each, at least one each.
    """
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    said = {number: [_joined(one)] for number, one in enumerate(given)}
    right = {number: [_joined(gold) for gold in of_one] for number, of_one in enumerate(golds)}
    (*_, bleu_4), _ = Bleu(4).compute_score(right, said, verbose=0)
    _, rouge_l = Rouge().compute_score(right, said)
    _, cider = Cider().compute_score(right, said)
    return CaptionScores(float(bleu_4), _meteor(said, right), _floats(rouge_l), _floats(cider))


def _meteor(said: Mapping[int, Sequence[str]], right: Mapping[int, Sequence[str]]) -> tuple[float, ...]:
    return tuple(meteor(said[number][0], right[number]) for number in said)


def _joined(caption: str) -> str:
    return " ".join(words_of(caption))


def _floats(scores: Sequence[float]) -> tuple[float, ...]:
    return tuple(map(float, scores))
