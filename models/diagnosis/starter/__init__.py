"""The starter data: descriptions of 24 conditions, texts that describe none of them, and what is to be said of each."""

from pathlib import Path

FOLDER = Path(__file__).parent

SYMPTOMS = FOLDER / "symptoms.csv"
"""Descriptions: columns ``label`` and ``text``."""

NOT_A_MATCH = FOLDER / "no_match.csv"
"""Texts that describe none of the conditions: columns ``kind`` and ``text``."""

CONDITIONS = FOLDER / "conditions.json"
"""What is to be said of each condition."""
