"""How much of one file is read at most, so that a hostile file costs a problem and not the memory."""

from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """Bounds for reading one file.

    Attributes:
        file_bytes: a larger file is refused unread. All but JSON Lines are held in memory while they are read:
            about twice their size, five times where a sign beyond U+FFFF (an emoji) is among them; what is
            read comes on top.
        line_bytes: a longer line of a JSON Lines file is skipped without being held in memory.
        markdown_bytes: a larger Markdown file is refused; its parser reads a few MB a second.
        documents: after so many the rest of the file is not read.
        problems: so many are named; the rest are counted.
    """

    file_bytes: int = 256 * _MIB
    line_bytes: int = 16 * _MIB
    markdown_bytes: int = 8 * _MIB
    documents: int = 1_000_000
    problems: int = 100
