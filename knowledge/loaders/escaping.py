"""Text from outside as it may be shown to a person: short, in one line, with nothing that acts."""

_ELLIPSIS = "…"


def shown(text: str, longest: int = 60) -> str:
    r"""Return `text` with everything unprintable escaped, and shortened.

    Line breaks, terminal escape codes, bidirectional controls and bytes of a file name that is not
    UTF-8 become ``\n``, ``\x1b``, ``\u202e`` and ``\udcff``.

    Args:
        text: any string, lone surrogates included.
        longest: the most characters of `text` that are shown.
    """
    short = text if len(text) <= longest else text[: longest - 1] + _ELLIPSIS
    if short.isprintable():
        return short
    return "".join(char if char.isprintable() else _escaped(char) for char in short)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
