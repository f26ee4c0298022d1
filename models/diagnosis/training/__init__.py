"""Trains a classifier of symptoms from a file to a model in use, and tells honestly how good it is."""
