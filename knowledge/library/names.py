"""Which names a file of the library may have: a plain file name that is one on every system."""

import re
import unicodedata

from knowledge.errors import LibraryRefusedError
from knowledge.library.answers import TAUGHT
from knowledge.loaders.escaping import shown
from knowledge.loaders.suffixes import SUFFIXES, suffix_of

LONGEST_NAME = 150
"""Characters of a name at most."""

_LONGEST_BYTES = 240
"""A file system keeps 255; our temporary names take some."""

_SIGNS = re.compile(r'[<>:"|?*]')
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\..*)?", re.IGNORECASE)


def checked_name(name: str) -> str:
    """Give a file's name as it is kept: composed (NFC).

    Raises:
        LibraryRefusedError: it is none that every system takes, is read by no loader, or is that of the taught answers.
    """
    name = unicodedata.normalize("NFC", name)
    fault = _fault(name)
    if fault:
        raise LibraryRefusedError(f"The file name “{shown(name)}” cannot be used: {fault[0]}.", fault[1])
    return name


def spelling_key(name: str) -> str:
    """Give what two names share that some systems cannot tell apart: those that differ by case or composition alone."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _fault(name: str) -> tuple[str, str] | None:
    """Say what is wrong with a name, and what to do about it."""
    other = "Give the file another name."
    if not name.strip():
        return "it is empty", "Give the file a name."
    if "/" in name or "\\" in name:
        return "it holds a slash", "Send the file's own name, without folders."
    if not name.isprintable():
        return "it holds signs that cannot be seen", other
    if name.startswith(".") or name.endswith((".", " ")) or name.startswith(" "):
        return "it begins with a dot or a blank, or ends with one", other
    if _SIGNS.search(name) or _DEVICES.fullmatch(name):
        return "some systems keep it for themselves", 'Leave out < > : " | ? * and names as CON, AUX, COM1.'
    if len(name) > LONGEST_NAME or len(name.encode()) > _LONGEST_BYTES:
        return f"it is longer than {LONGEST_NAME} characters, or than {_LONGEST_BYTES} bytes", "Shorten it."
    return _fault_of_kind(name)


def _fault_of_kind(name: str) -> tuple[str, str] | None:
    if suffix_of(name) not in SUFFIXES:
        return "files of this kind cannot be loaded", f"Use one of {', '.join(sorted(SUFFIXES))}."
    if spelling_key(name) == TAUGHT:
        return "the answers that were taught are kept under it", "Give the file another name; it is read all the same."
    return None
