"""What the knowledge base is made of: documents as they were read, passages as they are found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """One unit of a source, as its loader read it: a JSON item, a CSV row, a Markdown section, a text file.

    Attributes:
        text: the body, or the ready answer when `question` is given.
        source: the file it came from, relative to its source folder, with forward slashes.
        location: the place in the file, for a person: ``line 12``, ``Setup › Linux, line 40``.
        title: what it is about; may be empty.
        url: where a reader finds more; may be empty.
        tags: words that describe it.
        question: when not empty, `text` is the ready answer to it and is given as it stands.
        first_line: the file's 1-based line at which `text` starts where its lines are the file's own lines
            (Markdown, plain text); None elsewhere, and in every passage.
    """

    text: str
    source: str
    location: str
    title: str = ""
    url: str = ""
    tags: tuple[str, ...] = ()
    question: str = ""
    first_line: int | None = None


@dataclass(frozen=True, slots=True)
class Passage(Document):
    """A document, or one stretch of a document that was too long to be found and quoted as a whole."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a source that could not be used, in words that let its owner mend it.

    Attributes:
        source: the file, as the owner would find it.
        message: what is wrong, one sentence.
        fix: what to do about it, one sentence.
        line: 1-based line, or None where no line applies.
        column: 1-based column in characters, or None.
        field: the name of the field at fault; may be empty.
    """

    source: str
    message: str
    fix: str
    line: int | None = None
    column: int | None = None
    field: str = ""

    def __str__(self) -> str:
        place = self.source
        if self.line is not None:
            place += f":{self.line}"
            if self.column is not None:
                place += f":{self.column}"
        field = f" ({self.field})" if self.field else ""
        return f"{place}{field}: {self.message} {self.fix}"
