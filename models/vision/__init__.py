"""Looks at pictures: decoding in a process of its own, labels, captions, embeddings, clusters and training."""

from models.vision.contract import Colour, ImageDescription, ImageModel, Label, PictureFacts

__all__ = ["Colour", "ImageDescription", "ImageModel", "Label", "PictureFacts"]
