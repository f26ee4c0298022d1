"""How many emergencies are caught, and how many harmless texts raise a flag: rules alone beside rules and detector.

    python benchmarks/red_flags.py
    python benchmarks/red_flags.py --urgent URGENT.csv --harmless HARMLESS.csv

Each quarter of the examples, near-duplicates on one side, is judged by a detector that was trained on the others. The
rules were written with some of the examples in sight, the detector was not. With two files of your own (columns
``text`` and ``label`` or ``kind``) these are judged instead, by the detector that is in use.
"""

import argparse
import csv
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.diagnosis import starter
from models.diagnosis.contract import NO_MATCH
from models.diagnosis.data.splits import group_folds
from models.diagnosis.red_flags import RedFlags
from models.diagnosis.red_flags.detector import FlagDetector
from models.diagnosis.red_flags.detector_training import train_detector
from models.diagnosis.red_flags.starter_detector import NOT_URGENT, detector_of, examples

_FOLDS = 4
_ROUNDS = 51
_SHORT = "My dad has gone grey and keeps rubbing his breastbone, he says it is only wind, but he can hardly stand"

Flags = NDArray[np.bool_]


def _held_out(folds: int) -> tuple[list[str], list[str], list[str]]:
    """Give the texts, their right flags, and what the detector says of each that it was not trained on."""
    texts = examples()
    said = [""] * len(texts.texts)
    started = time.perf_counter()
    for held_out in group_folds(texts, folds):
        detector = train_detector(texts.at(np.setdiff1d(np.arange(len(said)), held_out)))
        for row in held_out:
            said[row] = detector.of(texts.texts[row])
    print(f"{folds} trainings and judging: {time.perf_counter() - started:.0f} s")
    return list(texts.texts), list(texts.labels), said


def _kinds(texts: Sequence[str], labels: Sequence[str]) -> list[str]:
    known = {row["text"]: f"harmless: {row['kind']}" for row in _rows(NOT_URGENT)}
    known |= {row["text"]: "harmless: starter data, a condition" for row in _rows(starter.SYMPTOMS)}
    harmless = "harmless: starter data, no condition"
    return ["urgent" if label else known.get(text, harmless) for text, label in zip(texts, labels, strict=True)]


def _tell(kinds: Sequence[str], rules: Flags, detector: Flags) -> None:
    print(f"{'':40}{'texts':>7}{'rules':>9}{'detector':>10}{'both':>9}")
    groups = sorted(set(kinds), reverse=True)
    for group in [*groups, "harmless"]:
        rows = np.array([kind == group or (group == "harmless" and kind != "urgent") for kind in kinds])
        shares = [100 * flags[rows].mean() for flags in (rules, detector, rules | detector)]
        print(f"{group:40}{rows.sum():7}{shares[0]:8.1f}%{shares[1]:9.1f}%{shares[2]:8.1f}%")


def _speed(detector: FlagDetector) -> None:
    rules = RedFlags()
    long = " ".join(row["text"] for row in _rows(NOT_URGENT))[:20_000]
    for name, text in (("a description", _SHORT), ("20,000 characters", long)):
        both = [_milliseconds(judge, text) for judge in (rules.of, detector.of)]
        print(f"{name}: rules {both[0]:.2f} ms, detector {both[1]:.2f} ms more")


def _milliseconds(judge: Callable[[str], object], text: str) -> float:
    times = []
    for _ in range(_ROUNDS):
        started = time.process_time()
        judge(text)
        times.append(1_000 * (time.process_time() - started))
    return statistics.median(times)


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _detector_in_use() -> FlagDetector:
    with tempfile.TemporaryDirectory() as folder:
        return detector_of(Path(folder))


def main() -> None:
    """Judge the examples, or two files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--urgent", type=Path, help="emergencies: a CSV file with a column text")
    parser.add_argument("--harmless", type=Path, help="what is none: a CSV file with the columns kind and text")
    parser.add_argument("--folds", type=int, default=_FOLDS)
    arguments = parser.parse_args()
    rules = RedFlags()
    if arguments.urgent and arguments.harmless:
        detector = _detector_in_use()
        urgent, harmless = _rows(arguments.urgent), _rows(arguments.harmless)
        texts = [row["text"] for row in (*urgent, *harmless)]
        kinds = ["urgent"] * len(urgent) + [f"harmless: {row['kind']}" for row in harmless]
        said = [detector.of(text) for text in texts]
    else:
        texts, labels, said = _held_out(arguments.folds)
        kinds = _kinds(texts, labels)
        named = [one == label for one, label in zip(said, labels, strict=True) if one and label != NO_MATCH]
        print(f"the right one of the flags, where the detector raises one: {100 * statistics.mean(named):.0f} %")
        detector = _detector_in_use()
    _tell(kinds, np.array([bool(rules.of(text)) for text in texts]), np.array([bool(one) for one in said]))
    _speed(detector)


if __name__ == "__main__":
    main()
