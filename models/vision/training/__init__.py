"""Trains a classifier of pictures on somebody's own: data, split, head, fine-tuning, report and model card."""
