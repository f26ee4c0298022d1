"""Reading an owner's files: each becomes documents, and a list of what could not be used and why."""

from knowledge.loaders.limits import LoadLimits
from knowledge.loaders.loading import Loaded, load_file
from knowledge.loaders.source_files import SourceFile, find_files
from knowledge.loaders.suffixes import SUFFIXES

__all__ = ["SUFFIXES", "LoadLimits", "Loaded", "SourceFile", "find_files", "load_file"]
