"""Calibrates the starter anew, after a change to its passages, questions or the search: python -m knowledge.starter"""

import sys
import tempfile
from pathlib import Path

from knowledge import KnowledgeBase, starter
from knowledge.calibration import measure
from knowledge.confidence import Calibration, Evidence
from knowledge.questions import read_questions

# Stands in for the file that is being made, which may be missing or rest on other figures.
_NEUTRAL = Calibration((0.0,) * len(Evidence._fields), 0.0, 0.5, 0.5, 1.0, 0.0, 0, 0, "", "")


def main() -> None:
    """Write ``calibration.json`` and say what it is worth."""
    unanswerable = [question.text for question in read_questions(starter.unanswerable())]
    with tempfile.TemporaryDirectory() as folder:
        _NEUTRAL.save(Path(folder) / "calibration.json")
        base = KnowledgeBase([starter.folder()], Path(folder))
        base.open()
        made = measure(base, read_questions(starter.answerable()), unanswerable).calibration
        base.close()
    made.save(starter.calibration())
    sys.stdout.write(
        f"AUROC {made.auroc:.3f}; from {made.threshold:.3f} on false answers {made.false_answers:.1%},"
        f" false declines {made.false_declines:.1%}\n"
    )


if __name__ == "__main__":
    main()
