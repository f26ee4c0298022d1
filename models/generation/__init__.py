"""Generators write the answer to a question from the passages that were found for it."""

from models.generation.contract import Generator, GroundingPassage, Spent, Turn, Usage

__all__ = ["Generator", "GroundingPassage", "Spent", "Turn", "Usage"]
