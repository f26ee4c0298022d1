"""Makes a classifier's probabilities mean what they say, and finds the one below which it had better not answer."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import EvaluationError, ModelUnusableError

_COOLEST, _HOTTEST = 0.02, 50.0
"""Between these a temperature is looked for."""

_HIGHEST_DEFAULT = 0.5
_ANSWERED_BY_DEFAULT = 0.95


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns a classifier's logits into probabilities and probabilities into an answer or none.

    Attributes:
        temperature: what the logits are divided by, above 0.
        threshold: the `sureness` that an example must have, 0 to 1; below it nothing is said.
        no_match_bias: what is then added to the logit of "nothing matches"; 0 for classifiers without one.
    """

    temperature: float
    threshold: float
    no_match_bias: float = 0.0

    def probabilities(self, logits: NDArray[np.floating[Any]], classes: int) -> NDArray[np.float64]:
        """Give calibrated probabilities, shaped [examples, classes]; what a row lacks to 1 is that nothing matches.

        Args:
            logits: shaped [examples, classes] or, with a column for "nothing matches" at the end, one more.
            classes: how many there are, that one not counted.
        """
        return softmax(_biased(logits, self.temperature, self.no_match_bias, classes))[:, :classes]

    def as_json(self) -> dict[str, float]:
        """Give it as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Calibration":
        """Read what `as_json` gave; other keys are passed over.

        Raises:
            ModelUnusableError: a value is missing, no number, or out of its range.
        """
        temperature, threshold = (_number(document.get(key)) for key in ("temperature", "threshold"))
        bias = _number(document.get("no_match_bias", 0.0))
        if not (0 < temperature < math.inf and 0 <= threshold <= 1 and math.isfinite(bias)):
            raise ModelUnusableError(
                "The classifier's temperature and threshold are missing or make no sense.", "Train it again."
            )
        return cls(temperature, threshold, bias)


def _number(value: object) -> float:
    try:
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:  # JSON's whole numbers have no bound
        return math.inf


def _biased(logits: NDArray[np.floating[Any]], temperature: float, bias: float, classes: int) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = logits.astype(np.float64) / temperature
    scaled[:, classes:] += bias
    return scaled


def calibrate(logits: NDArray[np.floating[Any]], targets: NDArray[np.integer[Any]], classes: int) -> Calibration:
    """Find temperature, bias and threshold on examples that the classifier was not trained on.

    Args:
        logits: shaped [examples, classes] or, with a column for "nothing matches" at the end, [examples, classes + 1].
        targets: the right column of each example, shaped [examples]; `classes` itself where nothing matches.
        classes: how many there are, that one not counted.

    Raises:
        EvaluationError: none of the examples is of a class.
    """
    matches = targets < classes
    if logits.shape[1] > classes and matches.any() and not matches.all():
        temperature, bias = fit_temperature_and_bias(logits, targets)
    else:
        # A classifier without a column for "nothing matches" cannot be told how likely that is.
        temperature, bias = fit_temperature(logits[matches], targets[matches]), 0.0
    uncut = Calibration(temperature, 0.0, bias)
    scores = sureness(uncut.probabilities(logits, classes), logits.shape[1] > classes)
    return replace(uncut, threshold=abstention_threshold(scores[matches], scores[~matches]))


def sureness(probabilities: NDArray[np.float64], knows_no_match: bool) -> NDArray[np.float64]:
    """Give how likely it is that a class fits at all, shaped [examples]: what a classifier abstains by.

    It is the sum of a row where the classifier was taught what matches nothing, so that who is torn between two
    classes is told both. Elsewhere every row sums to 1, and it is the highest probability.

    Args:
        probabilities: of the classes, shaped [examples, classes].
        knows_no_match: whether it was taught that.
    """
    found: NDArray[np.float64] = probabilities.sum(axis=1) if knows_no_match else probabilities.max(axis=1, initial=0)
    return found


def softmax(logits: NDArray[np.floating[Any]], temperature: float = 1.0) -> NDArray[np.float64]:
    """Give probabilities, shaped like the logits [examples, classes]; each row sums to 1."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def fit_temperature(logits: NDArray[np.floating[Any]], targets: NDArray[np.integer[Any]]) -> float:
    """Find what to divide the logits by so that their probabilities fit (temperature scaling; Guo et al., ICML 2017).

    It is the temperature of the least negative log-likelihood, 0.02 to 50, of the examples and of one more that may be
    of any class with the same probability. Without that one, examples that are all told rightly, as a few dozen may be
    by chance, would make every probability 1 (Platt smooths his targets for the same reason; Advances in Large Margin
    Classifiers, 1999).

    Args:
        logits: shaped [examples, classes].
        targets: the right column of each example, shaped [examples].

    Raises:
        EvaluationError: there are no examples.
    """
    if not len(targets):
        raise EvaluationError(
            "There is no example to calibrate the classifier on.", "Give it more examples of each label."
        )
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    exact = logits.astype(np.float64)
    right = exact[np.arange(len(targets)), targets].sum() + exact.mean()
    weights = np.full(len(targets), 1 + 1 / len(targets))

    def _loss(log_temperature: float) -> float:
        scale = math.exp(-log_temperature)
        return float(weights @ logsumexp(exact * scale, axis=1) - right * scale)

    bounds = (math.log(_COOLEST), math.log(_HOTTEST))
    return math.exp(minimize_scalar(_loss, bounds=bounds, method="bounded", options={"xatol": 1e-5}).x)


def fit_temperature_and_bias(
    logits: NDArray[np.floating[Any]], targets: NDArray[np.integer[Any]]
) -> tuple[float, float]:
    """Find temperature and, for the last class, a bias as well (bias-corrected scaling; Alexandari et al., ICML 2020).

    The last class is that nothing matches: examples of all kinds, and as many as somebody happened to collect, so that
    classifiers are surer or less sure of it than of the others; no one temperature mends that. Likelihood and the
    example more as in `fit_temperature`; it is convex in 1 / temperature and bias.

    Args:
        logits: shaped [examples, classes].
        targets: the right column of each example, shaped [examples].
    """
    from scipy.optimize import minimize
    from scipy.special import logsumexp

    exact, count, classes = logits.astype(np.float64), len(targets), logits.shape[1]
    right = exact[np.arange(count), targets].sum() + exact.mean()
    right_last = (targets == classes - 1).sum() + 1 / classes

    def _loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scale, bias = values
        scaled = _biased(exact, 1 / scale, bias, classes - 1)
        chances, weight = softmax(scaled), 1 + 1 / count
        loss = weight * logsumexp(scaled, axis=1).sum() - right * scale - right_last * bias
        slope = (weight * (chances * exact).sum() - right, weight * chances[:, -1].sum() - right_last)
        return loss / count, np.array(slope) / count

    bounds = ((1 / _HOTTEST, 1 / _COOLEST), (None, None))
    scale, bias = minimize(_loss, (1.0, 0.0), jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(1 / scale), float(bias)


def expected_calibration_error(
    confidence: NDArray[np.floating[Any]], correct: NDArray[np.bool_], bins: int = 15
) -> float:
    """Give how far confidence and accuracy lie apart, 0 to 1, weighted over bins of the same width.

    Naeini et al., AAAI 2015, as Guo et al., ICML 2017, use it: a bin holds what lies above its lower edge, up to and
    with its upper one. 0 of no examples.

    Args:
        confidence: the probability of what was chosen, 0 to 1, shaped [examples].
        correct: whether that was right, shaped [examples].
        bins: how many.
    """
    if not len(confidence):
        return 0.0
    gaps = np.bincount(bin_numbers(confidence, bins), weights=confidence - correct, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


def bin_numbers(confidence: NDArray[np.floating[Any]], bins: int) -> NDArray[np.int64]:
    """Give the bin of each confidence, from 0; what is 0 lies in the first."""
    edges = np.linspace(0, 1, bins + 1)[1:-1]
    numbers: NDArray[np.int64] = np.searchsorted(edges, confidence, side="left").astype(np.int64)
    return numbers


def brier(probabilities: NDArray[np.floating[Any]], targets: NDArray[np.integer[Any]]) -> float:
    """Give the mean square of what the probabilities miss, summed over the classes, 0 to 2 (Brier, 1950).

    Args:
        probabilities: shaped [examples, classes].
        targets: the right column of each example, shaped [examples].
    """
    if not len(targets):
        return 0.0
    right = probabilities[np.arange(len(targets)), targets]
    # Sum of (p - y)² = sum of p² - 2 p_right + 1, without a second matrix of that size.
    return float((np.square(probabilities).sum(axis=1) - 2 * right + 1).mean())


def abstention_auroc(match_scores: NDArray[np.floating[Any]], no_match_scores: NDArray[np.floating[Any]]) -> float:
    """Give the probability that what is of a class scores higher than what matches nothing; half of it where equal.

    That is the area under the receiver operating characteristic (Mann and Whitney's U over its largest value; Hanley
    and McNeil, 1982).

    Raises:
        EvaluationError: there is no example of the one or the other kind.
    """
    if not len(match_scores) or not len(no_match_scores):
        raise EvaluationError(
            "How well the classifier abstains cannot be said without examples of both kinds.",
            "Give examples of the classes and some that are of none.",
        )
    others = np.sort(no_match_scores)
    below = np.searchsorted(others, match_scores, side="left") + np.searchsorted(others, match_scores, side="right")
    return float(below.mean() / (2 * len(others)))


def abstention_threshold(match_scores: NDArray[np.floating[Any]], no_match_scores: NDArray[np.floating[Any]]) -> float:
    """Choose the score from which on an example is answered.

    It is the threshold at which both shares, of what is of a class and refused and of the rest that is answered, are
    small: the sum of their squares is the least, which is the point of the receiver operating characteristic nearest to
    its perfect corner. Whoever gives what is of a class wants an answer just as much as whoever gives something else
    wants none, however many there happen to be of either kind; the plain sum (Youden's J) may give up the one kind for
    the other, and moves further with chance. Where several do equally well, as where the kinds lie apart, it is the
    middle of the widest gap among them, furthest from the examples on both sides.

    Without examples that match nothing it is what lets 95 % of the others through, but at the most .5, from where
    on the class is likelier than all else together.

    Args:
        match_scores: the sureness of each example of a class, 0 to 1.
        no_match_scores: the same of each example of none.

    Raises:
        EvaluationError: none of the examples is of a class.
    """
    if not len(match_scores):
        raise EvaluationError(
            "There is no example of a class to find the abstention threshold on.",
            "Give it more examples of each label.",
        )
    if not len(no_match_scores):
        return min(_HIGHEST_DEFAULT, float(np.quantile(match_scores, 1 - _ANSWERED_BY_DEFAULT)))
    matches, others = np.sort(match_scores), np.sort(no_match_scores)
    # Each stands for every threshold above the score before it, up to and with its own.
    candidates = np.unique(np.concatenate([matches, others, [1.0]]))
    refused = np.searchsorted(matches, candidates, side="left") / len(matches)
    answered = 1 - np.searchsorted(others, candidates, side="left") / len(others)
    lost = np.square(refused) + np.square(answered)
    widths = np.where(lost <= lost.min() + 1e-12, np.diff(candidates, prepend=0.0), -1.0)
    widest = int(widths.argmax())
    return float(candidates[widest] - widths[widest] / 2)
