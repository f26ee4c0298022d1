"""What the parts of diagnosis give each other: labelled texts in, calibrated probabilities and red flags out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from models.evaluation import classification

NO_MATCH = classification.NO_MATCH
"""The label of texts that describe none of the conditions."""

FLOOR = "floor"
"""The name of the classifier that needs no training of one's own."""

Reason = Literal["", "nothing likely", "too little", "language", "unavailable"]
"""Why a diagnosis abstained; empty where it did not.

nothing likely: no condition reaches the classifier's threshold. too little: fewer than two words of substance.
language: not one that the classifier was trained on. unavailable: the classifier cannot be loaded or is overloaded,
and there are red flags to tell nevertheless.
"""


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Texts with their labels, one each, in the same order; the label of what matches nothing is `NO_MATCH`."""

    texts: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def conditions(self) -> tuple[str, ...]:
        """The labels that occur, sorted, without `NO_MATCH`."""
        return tuple(sorted(set(self.labels) - {NO_MATCH}))

    def at(self, rows: Sequence[int] | NDArray[np.int64]) -> "LabelledTexts":
        """Give those with these numbers, from 0, in the order of the numbers."""
        return LabelledTexts(tuple(self.texts[row] for row in rows), tuple(self.labels[row] for row in rows))


@dataclass(frozen=True, slots=True)
class PossibleCondition:
    """What a description may point to.

    Attributes:
        label: the condition's name.
        probability: calibrated, from 0 to 1.
        because: the phrases of the description that spoke for it, the strongest first; may be empty.
    """

    label: str
    probability: float
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RedFlag:
    """A sign of an emergency in a description: what it is called, and what to do now.

    Attributes:
        name: what it may be, a few words.
        advice: some sentences; ``{emergency}`` stands where the number of the emergency services belongs.
    """

    name: str
    advice: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a description may point to.

    Attributes:
        conditions: the likeliest, likeliest first; empty where nothing is likely enough.
        abstained: whether nothing is likely enough, or the text describes no symptoms.
        red_flags: signs of an emergency, looked for whatever the classifier says.
        model: which classifier judged: ``floor``, or the name of a trained one.
        reason: why it abstained; empty where it did not.
    """

    conditions: tuple[PossibleCondition, ...]
    abstained: bool
    red_flags: tuple[RedFlag, ...]
    model: str
    reason: Reason = ""


class DiagnosisModel(Protocol):
    """Whoever tells what a description may point to."""

    async def predict(self, text: str, limit: int = 3) -> Diagnosis:
        """Judge a description.

        Args:
            text: in the words of whoever is ill; any length, any language, anything at all.
            limit: how many conditions at the most, from 1.

        Raises:
            ModelError: the classifier cannot be loaded, or too many wait for it.
        """


class SymptomClassifier(Protocol):
    """A classifier as the diagnosis uses it: loaded, blocking, for one thread at a time.

    Attributes:
        name: ``floor``, or the name it was trained under.
        labels: the conditions it knows, in the order of the columns it gives.
        knows_no_match: whether it was taught what matches nothing.
        threshold: the sureness (`models.evaluation.classification.calibration.sureness`) that a text must have, 0 to 1;
            of others the diagnosis abstains.
    """

    name: str
    labels: tuple[str, ...]
    knows_no_match: bool
    threshold: float

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Give calibrated probabilities, shaped [texts, labels]; what a row lacks to 1 is that nothing matches."""

    def close(self) -> None:
        """Let go of memory and threads."""
