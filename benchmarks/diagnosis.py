"""How well and how fast symptoms are judged: the floor beside scikit-learn's own pipeline of the same kind, a trained
encoder beside transformers' own pipeline.

    python benchmarks/diagnosis.py
    python benchmarks/diagnosis.py --folds 0 --model data/models/diagnosis/NAME
    python benchmarks/diagnosis.py --folds 0 --texts LABELLED.csv --no-match OTHERS.csv

Quality: each fifth of the starter data, near-duplicates on one side, is judged by what was trained and calibrated on
the other four. An answer is what the bot asks for one description: the description and those left when a phrase is cut.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.diagnosis.contract import NO_MATCH, LabelledTexts
from models.diagnosis.data.reading import read_labelled, read_no_match
from models.diagnosis.data.splits import group_folds
from models.diagnosis.evaluation.wording import told
from models.diagnosis.floor import FloorClassifier, load_floor, save_floor, train_floor
from models.diagnosis.floor.starter_floor import starter_texts
from models.evaluation.classification.figures import Figures, figures_of

_DESCRIPTION = (
    "For about three weeks I have had red itchy patches with silvery scales on both elbows and knees, they crack and"
    " bleed when I scratch, no fever, nobody else at home has it, and the cream from the chemist does nothing"
)
_PHRASES = 10
_ROUNDS = 200
_GOAL_MS = 5.0
_ENCODER_ROUNDS = 30
_ENCODER_GOAL_MS = 40.0


class Judge(Protocol):
    """What is compared."""

    labels: tuple[str, ...]
    threshold: float

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]: ...


class Pipeline:
    """TF-IDF of words and letters with logistic regression, as scikit-learn's pages put them together."""

    def __init__(self, texts: LabelledTexts) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline, make_union

        self.labels = texts.conditions
        self.threshold = 0.5
        self._pipeline = make_pipeline(
            make_union(
                TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2),
                TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2),
            ),
            LogisticRegression(C=10, tol=1e-3, max_iter=200),
        )
        # What matches nothing is named so that it comes last.
        self._pipeline.fit(texts.texts, [label or chr(0x10FFFF) for label in texts.labels])

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        said: NDArray[np.float64] = self._pipeline.predict_proba(list(texts))
        return said[:, : len(self.labels)]


def _held_out(texts: LabelledTexts, folds: int, train: Callable[[LabelledTexts], Judge]) -> Figures:
    """Have every text judged by what was trained on the other folds."""
    said = np.empty((len(texts.texts), len(texts.conditions)))
    thresholds = []
    for held_out in group_folds(texts, folds):
        judge = train(texts.at(np.setdiff1d(np.arange(len(said)), held_out)))
        said[held_out] = judge.probabilities(texts.at(held_out).texts)
        thresholds.append(judge.threshold)
    return figures_of(said, texts.conditions, texts.labels, statistics.mean(thresholds))


def _tell(name: str, figures: Figures) -> None:
    main = told(figures.main())
    print(f"{name}: " + "  ".join(f"{key} {value:.3f}" for key, value in main.items() if value is not None), flush=True)


def _milliseconds(work: Callable[[], object], rounds: int = _ROUNDS) -> float:
    work()
    took = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return 1_000 * statistics.median(took)


def _answer() -> list[str]:
    """A description of 40 words, and what is left of it when the first tenth of them is cut, the second, and so on."""
    words = _DESCRIPTION.split()
    length = len(words) // _PHRASES
    return [_DESCRIPTION, *(" ".join(words[: n * length] + words[(n + 1) * length :]) for n in range(_PHRASES))]


def _tell_speed(floor: FloorClassifier, peer: Pipeline) -> None:
    answer = _answer()
    ours = _milliseconds(lambda: floor.probabilities(answer))
    theirs = _milliseconds(lambda: peer.probabilities(answer))
    verdict = "reached" if ours <= _GOAL_MS else "MISSED"
    print(
        f"an answer, {len(answer)} texts: floor {ours:.2f} ms, scikit-learn {theirs:.2f} ms, ratio {theirs / ours:.1f}"
    )
    print(f"goal, at most {_GOAL_MS:.0f} ms: {verdict}")
    with tempfile.TemporaryDirectory() as folder:
        save_floor(floor, Path(folder))
        print(f"loading the floor: {_milliseconds(lambda: load_floor(Path(folder))):.0f} ms")


def _tell_encoder(folder: Path) -> None:
    """Judge one description by a trained encoder, alone and with what occlusion asks, and by the raw pipeline."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

    from models.diagnosis.encoder.classifier import load_encoder

    ours = load_encoder(folder, folder.name)
    # Its head is not ours, which changes nothing of the time.
    model = AutoModelForSequenceClassification.from_pretrained(str(folder), num_labels=len(ours.labels) + 1)
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    raw = pipeline("text-classification", model=model, tokenizer=tokenizer, top_k=None)
    answer = _answer()
    one = _milliseconds(lambda: ours.probabilities(answer[:1]), _ENCODER_ROUNDS)
    theirs = _milliseconds(lambda: raw(answer[:1]), _ENCODER_ROUNDS)
    every = _milliseconds(lambda: ours.probabilities(answer), _ENCODER_ROUNDS)
    all_theirs = _milliseconds(lambda: raw(answer), _ENCODER_ROUNDS)
    verdict = "reached" if one <= _ENCODER_GOAL_MS else "MISSED"
    print(f"{folder.name}, one text: {one:.1f} ms, raw pipeline {theirs:.1f} ms, ratio {theirs / one:.1f}")
    print(f"goal, at most {_ENCODER_GOAL_MS:.0f} ms: {verdict}")
    ratio = all_theirs / every
    print(f"with its {_PHRASES} variants: {every:.0f} ms, raw pipeline {all_theirs:.0f} ms, ratio {ratio:.1f}")


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=int, default=5, help="of the starter data; 0 leaves them out")
    parser.add_argument("--texts", type=Path, help="labelled descriptions by others, to be judged as well")
    parser.add_argument("--no-match", type=Path, help="with --texts: others' texts that describe no condition")
    parser.add_argument("--model", type=Path, help="the folder of a trained encoder, to be timed as well")
    options = parser.parse_args()
    texts = starter_texts()
    if options.folds:
        _tell("scikit-learn, held out", _held_out(texts, options.folds, Pipeline))
        _tell("floor, held out", _held_out(texts, options.folds, train_floor))
    started = time.perf_counter()
    floor = train_floor(texts)
    print(f"training the floor on {len(texts.texts):,} texts: {time.perf_counter() - started:.1f} s")
    peer = Pipeline(texts)
    if options.texts:
        described = read_labelled(options.texts).texts
        others = read_no_match(options.no_match) if options.no_match else ()
        asked, truth = (*described.texts, *others), (*described.labels, *(NO_MATCH for _ in others))
        for name, judge in (("scikit-learn", peer), ("floor", floor)):
            _tell(
                f"{name}, others' texts", figures_of(judge.probabilities(asked), judge.labels, truth, judge.threshold)
            )
    _tell_speed(floor, peer)
    if options.model:
        _tell_encoder(options.model)


if __name__ == "__main__":
    _main()
