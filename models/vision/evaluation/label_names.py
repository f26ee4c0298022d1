"""Finds the label that is meant among those of a model: by its name, one of its synonyms, or its number."""

import difflib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from models.errors import EvaluationError
from models.vision.evaluation.labelled_pictures import LabelledFile

_NEAR, _LEAST_LIKENESS = 3, 0.6
_BY_NUMBER = "by its number"


class LabelNames:
    """The labels of a model, to look names up in.

    Args:
        model: what it is called.
        labels: its labels, by number; synonyms are separated by commas, as in ImageNet's ``junco, snowbird``.
    """

    def __init__(self, model: str, labels: Sequence[str]) -> None:
        self._model = model
        self._labels = labels
        self._exact = _numbers((label, number) for number, label in enumerate(labels))
        self._whole = _numbers((_plain(label), number) for number, label in enumerate(labels))
        self._synonyms = _numbers(
            (_plain(synonym), number) for number, label in enumerate(labels) for synonym in label.split(",")
        )

    def find(self, name: str) -> list[int]:
        """Give the numbers of the labels that are meant: one, as a rule; none for an unknown name.

        The label itself comes first, then the label whatever its case and with underscores for blanks, then its number,
        then one of its synonyms.
        """
        plain = _plain(name)
        found = self._exact.get(name) or self._whole.get(plain)
        if not found and plain.isdecimal() and int(plain) < len(self._labels):
            return [int(plain)]
        return list(found or self._synonyms.get(plain, ()))

    def truth(self, files: Sequence[LabelledFile]) -> list[int]:
        """Give the number of each file's class.

        Raises:
            EvaluationError: a class is unknown to the model, or could be several; names the place and near labels.
        """
        first: dict[str, LabelledFile] = {}
        for file in files:
            first.setdefault(file.label, file)
        found = {label: self.find(label) for label in first}
        unknown = [label for label in found if not found[label]]
        if unknown:
            raise self._unknown(first[unknown[0]], len(unknown) - 1)
        for label, numbers in found.items():
            if len(numbers) > 1:
                raise self._ambiguous(first[label], numbers)
        return [found[file.label][0] for file in files]

    def _unknown(self, file: LabelledFile, others: int) -> EvaluationError:
        more = f" {others:,} more classes are unknown to it." if others else ""
        keys = [*self._whole, *self._synonyms]
        near = difflib.get_close_matches(_plain(file.label), keys, 3 * _NEAR, _LEAST_LIKENESS)
        numbers = dict.fromkeys(number for key in near for number in (self._whole.get(key) or self._synonyms[key]))
        told = [self._told(number) for number in list(numbers)[:_NEAR]]
        hint = f"Its nearest labels are {', '.join(told)}. " if told else ""
        return EvaluationError(
            f"{file.where} is of the class {file.label!r}, which {self._model} does not know.{more}",
            f"{hint}Name each class as one of the model's {len(self._labels):,} labels, or {_BY_NUMBER}.",
        )

    def _ambiguous(self, file: LabelledFile, numbers: Sequence[int]) -> EvaluationError:
        told = " and ".join(self._told(number) for number in numbers)
        return EvaluationError(
            f"{file.where} is of the class {file.label!r}, which may be several of {self._model}'s labels: {told}.",
            f"Name the class {_BY_NUMBER}.",
        )

    def _told(self, number: int) -> str:
        return f'"{self._labels[number]}" ({number})'


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().replace("_", " ").split())


def _numbers(named: Iterable[tuple[str, int]]) -> Mapping[str, Sequence[int]]:
    numbers: dict[str, list[int]] = defaultdict(list)
    for name, number in named:
        if name and number not in numbers[name]:
            numbers[name].append(number)
    return dict(numbers)
