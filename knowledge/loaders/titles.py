"""Titles for texts that bring none: from the file's name, or from a first line that looks like one."""

_LONGEST_TITLE = 100
_ENDS_OF_SENTENCES = (".", ",", ";", ":", "…", "。")


def title_of_file(name: str) -> str:
    """Return a title made of a file's name: no folders, no suffix, spaces for underscores and hyphens."""
    stem, _, _ = name.rpartition("/")[2].rpartition(".")
    return " ".join(stem.replace("_", " ").replace("-", " ").split()) or name


def looks_like_title(line: str, following: str) -> bool:
    """Tell whether a text's first line is its title: short, no sentence's end, set off by a blank line.

    Args:
        line: the first line that is not blank.
        following: the line after it.
    """
    line = line.strip()
    return len(line) <= _LONGEST_TITLE and not line.endswith(_ENDS_OF_SENTENCES) and not following.strip()
