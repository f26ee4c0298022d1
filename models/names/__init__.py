"""Finds the names of people in texts, with a model for token classification."""
