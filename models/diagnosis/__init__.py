"""Tells what a description of symptoms may point to: contract, classifiers, red flags, training and starter data."""

from models.diagnosis.contract import (
    NO_MATCH,
    Diagnosis,
    DiagnosisModel,
    LabelledTexts,
    PossibleCondition,
    RedFlag,
    SymptomClassifier,
)

__all__ = [
    "NO_MATCH",
    "Diagnosis",
    "DiagnosisModel",
    "LabelledTexts",
    "PossibleCondition",
    "RedFlag",
    "SymptomClassifier",
]
