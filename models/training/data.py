"""Makes training examples of question/answer pairs, with the prompts of life; what is held out was never trained on."""

import hashlib
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import AnswerUnusableError, EvaluationError, TrainingError
from models.evaluation.answer_metrics import normalised
from models.evaluation.squad import Sample, read_samples
from models.generation.engines.vocabulary import Vocabulary
from models.generation.fitting import Render, fitted_prompt
from models.generation.prompting import UNANSWERABLE

_MORE_PAIRS = "Give more pairs, about different things."


@dataclass(frozen=True, slots=True)
class PairFile:
    """The pairs of a file.

    Attributes:
        path: the file.
        samples: the pairs, at least two; those without a right answer teach the model to say so.
        duplicates: how many said the same as an earlier one and are left out.
        sha256: of the file's bytes, as hexadecimal.
        size: of the file, in bytes.
    """

    path: Path
    samples: tuple[Sample, ...]
    duplicates: int
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Split:
    """What is trained on, and what is held out; no question and no context stands on both sides."""

    training: tuple[Sample, ...]
    held_out: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A pair's prompt and answer, as tokens; `is_cut` where passages had to be cut to the model's window."""

    sample: Sample
    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the pairs.

    Attributes:
        training: examples trained on.
        held_out: examples held out.
        duplicates: said the same as an earlier one.
        not_found: have no context, and nothing was found for them in the knowledge base.
        too_long: dropped: the answer, or the question, is longer than the model may write or read.
        cut: kept, with less of their passages than they have.
    """

    training: int
    held_out: int
    duplicates: int
    not_found: int
    too_long: int
    cut: int


def read_pairs(path: Path) -> PairFile:
    """Read pairs of question and answer, with or without a context: JSON Lines, or SQuAD's layout.

    Raises:
        TrainingError: the file cannot be read, or holds no two different pairs; names file, line and field.
    """
    try:
        file = read_samples(path)
        content = path.read_bytes()
    except EvaluationError as error:
        raise TrainingError(error.message, error.fix) from None
    if len(file.samples) < 2:
        raise TrainingError(f"{path} holds one pair; nothing would be left to judge the training by.", _MORE_PAIRS)
    return PairFile(path, file.samples, file.repeated, hashlib.sha256(content).hexdigest(), len(content))


def split(samples: Sequence[Sample], share: float, seed: int) -> Split:
    """Hold out about a share of the pairs; pairs that have the question or the context in common stay together.

    Args:
        samples: at least two.
        share: of the pairs, above 0 and below 1.
        seed: the same one holds out the same pairs.

    Raises:
        TrainingError: all pairs hang together.
    """
    groups = _groups(samples)
    if len(groups) < 2:
        raise TrainingError(
            "All pairs have the question or the context in common, so that none can be held out without being known"
            " from training.",
            _MORE_PAIRS,
        )
    random.Random(seed).shuffle(groups)  # noqa: S311 - chance, no secret
    wanted = max(1, round(share * len(samples)))
    held: set[int] = set()
    for group in groups[:-1]:
        # A large group would leave little to train on; a smaller one behind it may do.
        if len(held) < wanted and len(held) + len(group) <= max(wanted * 2, len(groups[0])):
            held.update(group)
    return Split(
        tuple(sample for at, sample in enumerate(samples) if at not in held),
        tuple(sample for at, sample in enumerate(samples) if at in held),
    )


def _groups(samples: Sequence[Sample]) -> list[list[int]]:
    """The places of the pairs, those together that are linked by a question or a context (union-find)."""
    parent = list(range(len(samples)))

    def _root(at: int) -> int:
        while parent[at] != at:
            parent[at] = at = parent[parent[at]]
        return at

    first: dict[tuple[str, str], int] = {}
    for at, sample in enumerate(samples):
        for key in _links(sample):
            parent[_root(at)] = _root(first.setdefault(key, at))
    groups: dict[int, list[int]] = {}
    for at in range(len(samples)):
        groups.setdefault(_root(at), []).append(at)
    return list(groups.values())


def _links(sample: Sample) -> Iterable[tuple[str, str]]:
    yield "question", normalised(sample.question) or sample.question
    if sample.context:
        yield "context", " ".join(sample.context.lower().split())


def answer_text(sample: Sample) -> str:
    """Give what the model is to write: the first right answer, or that the passages hold none."""
    return sample.golds[0] if sample.answerable else UNANSWERABLE


class Examples:
    """Takes pairs apart into tokens, and counts what does not fit.

    Args:
        vocabulary: the model's.
        render: writes the model's prompts.
        window: tokens a prompt may have.
        longest_answer: tokens an answer may have, its end not counted.
        end: the tokens that end an answer.

    Attributes:
        too_long: pairs dropped so far.
        cut: pairs kept with less of their passages.
    """

    def __init__(
        self, vocabulary: Vocabulary, render: Render, window: int, longest_answer: int, end: Sequence[int]
    ) -> None:
        self._vocabulary = vocabulary
        self._render = render
        self._window = window
        self._longest_answer = longest_answer
        self._end = tuple(end)
        self.too_long = 0
        self.cut = 0

    def of(self, samples: Iterable[Sample], told: Callable[[], None] = lambda: None) -> list[Example]:
        """Give the examples of those pairs that fit; `told` is called after each."""
        found: list[Example] = []
        for sample in samples:
            example = self._example(sample)
            self.too_long += example is None
            if example:
                self.cut += example.is_cut
                found.append(example)
            told()
        return found

    def _example(self, sample: Sample) -> Example | None:
        count = self._vocabulary.count
        text = self._vocabulary.without_markers(answer_text(sample))
        answer = self._vocabulary.encode(text, special=False)
        if len(answer) > self._longest_answer:
            return None
        try:
            prompt = fitted_prompt(sample.question, sample.passages, (), self._window, count, self._render)
        except AnswerUnusableError:
            return None
        is_cut = len(self._render(sample.question, sample.passages, ())) > len(prompt)
        return Example(sample, tuple(prompt), (*answer, *self._end), is_cut)
