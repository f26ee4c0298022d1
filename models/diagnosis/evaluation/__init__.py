"""Measures classifiers of symptoms: calibration, figures, comparison, and the report and model card that tell them."""
