"""The knowledge base that Preceptor ships: school and first-years university physics, with its calibration."""

from pathlib import Path

_HERE = Path(__file__).parent


def folder() -> Path:
    """The starter's source: the one file ``physics.json``; what lies beside it is about it, not part of it."""
    return _HERE / "physics.json"


def answerable() -> Path:
    """Questions that the starter answers, each with the title of the passage that does."""
    return _HERE / "answerable.json"


def unanswerable() -> Path:
    """Questions that it cannot answer, near and far from physics."""
    return _HERE / "unanswerable.json"


def calibration() -> Path:
    """The calibration made from both, which serves every knowledge base that has none of its own."""
    return _HERE / "calibration.json"
