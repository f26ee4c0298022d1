"""Cutting: documents that are too long to be found and quoted as a whole become passages."""

from knowledge.cutting.documents import LONGEST, OVERLAP, cut, sizes_fit

__all__ = ["LONGEST", "OVERLAP", "cut", "sizes_fit"]
