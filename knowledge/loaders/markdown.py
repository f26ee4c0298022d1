"""Markdown files: every section under a heading is a document that knows the headings above it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from knowledge.cutting.markdown_blocks import Block, blocks
from knowledge.loaders.front_matter import FrontMatter, front_matter
from knowledge.loaders.items import Item, document_of
from knowledge.loaders.problem_log import Position
from knowledge.loaders.reading import FileRefusedError, OpenFile
from knowledge.loaders.titles import title_of_file
from knowledge.passages import Document

_BETWEEN_HEADINGS = " › "


@dataclass(frozen=True, slots=True)
class _Section:
    """A stretch of lines under one heading; lines are 0-based in the whole file."""

    path: tuple[str, ...]
    heading: int
    first: int
    end: int


def load_markdown(file: OpenFile) -> Iterator[Document]:
    """Yield the sections of a Markdown file, as they stand in the source.

    A section's title is its heading with the headings above it; the text before the first heading is
    titled by the front matter or the file's name. Sections without a text are left out.

    Raises:
        FileRefusedError: the file is not UTF-8, or larger than a Markdown file may be.
    """
    if file.size() > file.limits.markdown_bytes:
        message = f"The file has more than the {file.limits.markdown_bytes:,} bytes that are read as Markdown."
        raise FileRefusedError(message, "Split the file.")
    lines = file.plain_text().split("\n")
    front = front_matter(lines)
    shared = document_of(_front_item(front), file.name, file.log)
    title = shared.title if shared else ""
    for section in _sections(lines, front.end, title):
        document = _document(lines, section, title or title_of_file(file.name))
        if document:
            yield replace(
                document,
                source=file.name,
                url=shared.url if shared else "",
                tags=shared.tags if shared else (),
            )


def _front_item(front: FrontMatter) -> Item:
    """Return the front matter as an item, so that its fields are checked like those of any other."""
    return Item({**front.values, "context": "-"}, "", lambda field: Position(front.lines.get(field)))


def _sections(lines: Sequence[str], start: int, title: str) -> Iterator[_Section]:
    found = blocks("\n".join(lines[start:]))
    headings = [block for block in found if block.kind == "heading"]
    ends = [start + block.first for block in headings] + [len(lines)]
    yield _Section((), start, start, ends[0])
    path: list[Block] = []
    for heading, end in zip(headings, ends[1:], strict=True):
        path = [above for above in path if above.level < heading.level] + [heading]
        names = [block.title for block in path if block.title]
        if title and names[:1] != [title]:
            names.insert(0, title)
        yield _Section(tuple(names), start + heading.first, start + heading.end, end)


def _document(lines: Sequence[str], section: _Section, title: str) -> Document | None:
    first, end = section.first, section.end
    while first < end and not lines[first].strip():
        first += 1
    if first == end:
        return None
    text = "\n".join(lines[first:end]).rstrip()
    path = _BETWEEN_HEADINGS.join(section.path)
    line = (section.heading if section.path else first) + 1
    location = f"{path}, line {line}" if path else f"line {line}"
    return Document(text, "", location, path or title, first_line=first + 1)
