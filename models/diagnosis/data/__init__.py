"""Reads labelled texts, finds the near-duplicates among them, and splits them so that the figures do not flatter."""
