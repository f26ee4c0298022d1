"""Plain text files: the whole text is one document, titled by its first line or its name."""

from collections.abc import Iterator

from knowledge.loaders.cleaning import folded
from knowledge.loaders.reading import OpenFile
from knowledge.loaders.titles import looks_like_title, title_of_file
from knowledge.passages import Document


def load_plain_text(file: OpenFile) -> Iterator[Document]:
    """Yield the file's text as one document; a first line that is its title is not repeated in it.

    Raises:
        FileRefusedError: the file is not UTF-8, or blank.
    """
    text = file.plain_text().rstrip()
    start = _first_line(text, 0)
    line, _, rest = text[start:].partition("\n")
    title = title_of_file(file.name)
    if rest and looks_like_title(line, rest.partition("\n")[0]):
        title = folded(line)
        start = _first_line(text, start + len(line))
    number = text.count("\n", 0, start) + 1
    yield Document(text[start:], file.name, f"line {number}", title, first_line=number)


def _first_line(text: str, start: int) -> int:
    """Return where the first line with something on it begins, at or after `start`."""
    blank = len(text) - len(text[start:].lstrip())
    return max(text.rfind("\n", 0, blank) + 1, start)
