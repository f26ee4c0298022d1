"""Measures classifiers, whatever they classify: calibration, figures, comparison, and the parts of their reports."""

NO_MATCH = ""
"""The label of examples that are of none of the classes."""
