"""Classifiers of symptoms made of pre-trained text encoders: fine-tuned, from a hub, or without a single example."""
