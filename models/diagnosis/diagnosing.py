"""Tells what a description may point to, and why: red flags first, then a classifier that runs off the event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from models.diagnosis.contract import FLOOR, Diagnosis, PossibleCondition, Reason, RedFlag, SymptomClassifier
from models.diagnosis.phrases import Phrase, phrases, without
from models.diagnosis.red_flags.detector import FlagDetector
from models.diagnosis.red_flags.watch import RedFlagWatch
from models.diagnosis.relevance import cleaned, speaks_of_somebody, unfit
from models.errors import ModelError
from models.evaluation.classification.calibration import sureness
from models.runtime import Job, Runtime, RuntimeLimits

LONGEST = 4_000
"""Of longer descriptions a classifier sees only so many characters; red flags are sought in five times as many."""

LEAST_PROBABILITY = 0.05
"""A condition less likely than this is not told of."""

LEAST_DROP = 0.2
"""By how much a phrase's absence must lower a condition's log-odds, at the least, for the phrase to count for it."""

_LONGEST_FOR_FLAGS = 5 * LONGEST
_DETECTOR_SECONDS = 2.0  # that a description waits for the detector of red flags
_MOST_REASONS = 3
_CHUNK = 32
_TEXTS_AT_ONCE = 64
_LIMITS = RuntimeLimits(queue=64, batch=16, wait=0.0, when_full="Ask again in a moment.")

Texts = tuple[str, ...]
Probabilities = NDArray[np.float64]


class Diagnoser:
    """A diagnosis model: red flags, a classifier in a runtime of its own, and the phrases that spoke for a condition.

    For one event loop. The classifier is loaded when it is first needed.

    Args:
        load: loads the classifier, blocking; called in the runtime's thread. It raises `ModelError`.
        limits: how much the runtime takes on.
        languages: ISO 639-1 codes of what the classifier was trained on; none for one that takes any language.
        name: what the classifier is called as long as it is not loaded.
        detector: loads the detector that watches for red flags beside the rules, blocking; it raises `ModelError`. It
            is called with the first description, in a thread. None where the rules are to watch alone.
    """

    def __init__(
        self,
        load: Callable[[], SymptomClassifier],
        limits: RuntimeLimits = _LIMITS,
        languages: Collection[str] = ("en",),
        name: str = FLOOR,
        detector: Callable[[], FlagDetector] | None = None,
    ) -> None:
        self._name = name
        self._languages = frozenset(languages)
        self._flags = RedFlagWatch(detector)
        self._watching: asyncio.Task[None] | None = None
        self._classifier: SymptomClassifier | None = None
        self._runtime: Runtime[Texts, Probabilities] = Runtime(
            f"the diagnosis model {name}", lambda stopping: self._loaded(load), limits, "diagnosis"
        )

    async def predict(self, text: str, limit: int = 3) -> Diagnosis:
        """Judge a description.

        Args:
            text: anything, of any length; control characters are ignored, and so is what is longer than `LONGEST`.
            limit: how many conditions at the most, from 1.

        Raises:
            ModelError: the classifier cannot be loaded, or too many wait for it, and the text has no red flag. With
                red flags the diagnosis abstains as ``unavailable`` instead, since they must be told all the same.
        """
        (diagnosis,) = await self._judge((text,), limit)
        return diagnosis

    async def predict_many(self, texts: Iterable[str], limit: int = 3) -> AsyncIterator[Diagnosis]:
        """Judge many descriptions, in their order; some dozens are computed at once, and no more are held.

        Raises:
            ModelError: as `predict`, at the first text that cannot be judged.
        """
        rest = iter(texts)
        while chunk := tuple(islice(rest, _CHUNK)):
            for diagnosis in await self._judge(chunk, limit):
                yield diagnosis

    async def looks_like_symptoms(self, text: str, flags: tuple[RedFlag, ...] | None = None) -> bool:
        """Whether somebody seems to tell of an illness, their own or a relative's, without being asked for it.

        Questions of knowledge and texts for which the classifier would abstain do not; red flags always do.

        Args:
            text: what was said.
            flags: its `red_flags`, where they are known already.

        Raises:
            ModelError: the classifier cannot be loaded, or too many wait for it.
        """
        seen = await asyncio.to_thread(self._look, text, flags)
        if seen.flags:
            return True
        if seen.reason or not speaks_of_somebody(seen.text):
            return False
        (row,) = await self._probabilities((seen.text,))
        return _is_sure(row, self._ready_classifier)

    def red_flags(self, text: str) -> tuple[RedFlag, ...]:
        """Give the signs of an emergency in a text; takes at most some 50 ms, most often three.

        It loads nothing: the rules watch alone until `watch` has loaded the detector, or a first description has.
        """
        return self._flags.of(cleaned(text, _LONGEST_FOR_FLAGS))

    async def watch(self) -> None:
        """Load the detector of red flags now, unless it is there; where it cannot be, the log says so."""
        await asyncio.to_thread(self._flags.load)

    async def ready(self) -> None:
        """Load the classifier now, unless it is there.

        Raises:
            ModelError: it cannot be loaded.
        """
        await self._runtime.load()

    async def close(self) -> None:
        """Let go of the classifier; who still waits is told so."""
        if self._watching:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self._runtime.close()

    @property
    def is_loaded(self) -> bool:
        """Whether the classifier is there."""
        return self._runtime.is_loaded

    async def _judge(self, texts: Sequence[str], limit: int) -> list[Diagnosis]:
        """Judge some texts, at most a chunk of them, with two calls of the classifier for all."""
        await self._watched()
        seen: list[_Seen] = await asyncio.to_thread(lambda: [self._look(text) for text in texts])
        fit = [one for one in seen if not one.reason]
        try:
            judged = iter(await self._conditions([one.text for one in fit], limit) if fit else ())
        except ModelError:
            if not all(one.reason or one.flags for one in seen):
                raise
            return [self._abstained(one, one.reason or "unavailable") for one in seen]
        return [self._abstained(one, one.reason) if one.reason else self._told(one, next(judged)) for one in seen]

    async def _watched(self) -> None:
        """Wait a little for the detector: it may have to be trained, and the rules watch meanwhile."""
        self._watching = self._watching or asyncio.create_task(self.watch(), name="red flags")
        await asyncio.wait({self._watching}, timeout=_DETECTOR_SECONDS)

    async def _conditions(self, texts: Sequence[str], limit: int) -> list[tuple[PossibleCondition, ...]]:
        """Give the conditions of each text; none where the classifier abstains."""
        rows = await self._probabilities(tuple(texts))
        classifier = self._ready_classifier
        chosen = [_likely(row, classifier, limit) for row in rows]
        cut = [phrases(text) if columns else () for text, columns in zip(texts, chosen, strict=True)]
        shorter = tuple(without(text, part) for text, parts in zip(texts, cut, strict=True) for part in parts)
        occluded = iter(await self._probabilities(shorter) if shorter else ())
        return [
            _told(classifier.labels, row, columns, parts, list(islice(occluded, len(parts))))
            for row, columns, parts in zip(rows, chosen, cut, strict=True)
        ]

    async def _probabilities(self, texts: Texts) -> Probabilities:
        (rows,) = await self._runtime.run([(texts, sum(map(len, texts)))])
        return rows

    def _look(self, text: str, flags: tuple[RedFlag, ...] | None = None) -> "_Seen":
        short = cleaned(text, LONGEST)
        return _Seen(short, self.red_flags(text) if flags is None else flags, unfit(short, self._languages))

    def _told(self, seen: "_Seen", conditions: tuple[PossibleCondition, ...]) -> Diagnosis:
        if not conditions:
            return self._abstained(seen, "nothing likely")
        return Diagnosis(conditions, False, seen.flags, self.model_name)

    def _abstained(self, seen: "_Seen", reason: Reason) -> Diagnosis:
        return Diagnosis((), True, seen.flags, self.model_name, reason)

    @property
    def model_name(self) -> str:
        """The classifier's name, once it is loaded; before, what it is called meanwhile."""
        return self._classifier.name if self._classifier else self._name

    @property
    def _ready_classifier(self) -> SymptomClassifier:
        if self._classifier is None:
            raise RuntimeError("probabilities were given before the classifier was loaded")
        return self._classifier

    def _loaded(self, load: Callable[[], SymptomClassifier]) -> "_InBatches":
        self._classifier = load()
        return _InBatches(self._classifier)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of a text before a classifier sees it; `reason` is why none should, if so."""

    text: str
    flags: tuple[RedFlag, ...]
    reason: Reason


class _InBatches:
    """A classifier as the runtime runs it: the texts of all jobs together, some dozens at once."""

    parallel = 1

    def __init__(self, classifier: SymptomClassifier) -> None:
        self._classifier = classifier

    def compute(self, jobs: Sequence[Job[Texts, Probabilities]]) -> None:
        wanted = [job for job in jobs if job.wanted]
        texts = [text for job in wanted for text in job.item]
        rows = [
            self._classifier.probabilities(texts[start : start + _TEXTS_AT_ONCE])
            for start in range(0, len(texts), _TEXTS_AT_ONCE)
            if any(job.wanted for job in wanted)
        ]
        if sum(map(len, rows)) < len(texts):  # nobody waits any more
            return
        start = 0
        for job in wanted:
            job.give(np.concatenate(rows)[start : start + len(job.item)])
            start += len(job.item)

    def close(self) -> None:
        self._classifier.close()


def _is_sure(row: Probabilities, classifier: SymptomClassifier) -> bool:
    return bool(row.size) and bool(sureness(row[None], classifier.knows_no_match)[0] >= classifier.threshold)


def _likely(row: Probabilities, classifier: SymptomClassifier, limit: int) -> list[int]:
    """Give the columns of the conditions to tell of, likeliest first; none below the threshold."""
    if not _is_sure(row, classifier):
        return []
    order = np.argsort(-row, kind="stable")[:limit]
    return [int(column) for column in order if row[column] >= LEAST_PROBABILITY or column == order[0]]


def _told(
    labels: Sequence[str],
    row: Probabilities,
    columns: Sequence[int],
    parts: Sequence[Phrase],
    occluded: Sequence[Probabilities],
) -> tuple[PossibleCondition, ...]:
    """Give the conditions of these columns; `occluded` has the probabilities of the text without each of its parts."""
    return tuple(
        PossibleCondition(
            labels[column],
            float(row[column]),
            _because(parts, float(row[column]), [float(without_part[column]) for without_part in occluded]),
        )
        for column in columns
    )


def _because(parts: Sequence[Phrase], whole: float, missing: Sequence[float]) -> tuple[str, ...]:
    """Give the phrases without which a condition is clearly less likely, the weightiest first.

    Occlusion (Zeiler & Fergus, Visualizing and Understanding Convolutional Networks, 2014): a phrase's weight is by how
    much the log-odds of the condition drop when the phrase is left out.

    Args:
        parts: the phrases.
        whole: the condition's probability by the whole text.
        missing: its probability without each phrase.
    """
    drops = _log_odds(np.float64(whole)) - _log_odds(np.asarray(missing, np.float64))
    order = np.argsort(-drops, kind="stable")[:_MOST_REASONS]
    return tuple(parts[place].text for place in order if drops[place] >= LEAST_DROP)


def _log_odds(probability: Probabilities | np.float64) -> Probabilities:
    bounded = np.clip(probability, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(bounded / (1 - bounded)), np.float64)
