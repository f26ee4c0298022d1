"""The library: files and answers that admins hand in, kept in versions beside the sources that the settings name."""

from knowledge.library.answers import TAUGHT, TaughtAnswer
from knowledge.library.library import Edit, Library, LibraryFile
from knowledge.library.names import checked_name
from knowledge.library.preview import Preview, PreviewedFile
from knowledge.library.versions import Version

__all__ = [
    "TAUGHT",
    "Edit",
    "Library",
    "LibraryFile",
    "Preview",
    "PreviewedFile",
    "TaughtAnswer",
    "Version",
    "checked_name",
]
