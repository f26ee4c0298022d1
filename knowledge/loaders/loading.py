"""Loading one file: its suffix names the loader, and whatever is wrong with it becomes a problem."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from knowledge.loaders.json_lines import load_json_lines
from knowledge.loaders.json_lists import load_json_list
from knowledge.loaders.limits import LoadLimits
from knowledge.loaders.markdown import load_markdown
from knowledge.loaders.plain_text import load_plain_text
from knowledge.loaders.problem_log import ProblemLog
from knowledge.loaders.reading import FileRefusedError, OpenFile, open_regular
from knowledge.loaders.source_files import SourceFile
from knowledge.loaders.suffixes import JSON_LINES, JSON_LIST, MARKDOWN, PLAIN_TEXT, TABLES, suffix_of
from knowledge.loaders.tables import load_table
from knowledge.passages import Document, Problem

_Loader = Callable[[OpenFile], Iterator[Document]]

_LOADERS: dict[frozenset[str], _Loader] = {
    JSON_LIST: load_json_list,
    JSON_LINES: load_json_lines,
    TABLES: load_table,
    MARKDOWN: load_markdown,
    PLAIN_TEXT: load_plain_text,
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one file gave.

    Attributes:
        documents: in the order of the file.
        problems: what could not be used, in the order found.
    """

    documents: list[Document] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def load_file(file: SourceFile, limits: LoadLimits | None = None) -> Loaded:
    """Read one file, whatever is in it.

    What is wrong in one place keeps back no more than it must: one line of JSON Lines, one row of a table,
    one item of a JSON list; after a syntax error in a JSON list, the rest of the list.

    Args:
        file: as `find_files` found it. The suffix of its name decides how it is read.
        limits: bounds for size and number; the defaults of `LoadLimits` where None.

    Returns:
        The documents and the problems. Nothing that a file holds raises, nor does a file that has gone.
    """
    limits = limits or LoadLimits()
    log = ProblemLog(file.name, limits.problems)
    documents: list[Document] = []
    try:
        with open_regular(file.path) as stream:
            _collect(OpenFile(file.name, stream, limits, log), documents)
    except FileRefusedError as refusal:
        log.add(refusal.message, refusal.fix, refusal.position)
    except OSError as error:
        log.add(*_unreadable(error))
    if not documents and not log.problems():
        log.add("There is no text in the file that could be loaded.", "Write something into it, or remove it.")
    return Loaded(documents, log.problems())


def _collect(file: OpenFile, documents: list[Document]) -> None:
    """Add the file's documents to the list one by one, so that those before a refusal stay."""
    _check_size(file)
    for document in _loader(file.name)(file):
        if len(documents) == file.limits.documents:
            message = f"The file holds more than {file.limits.documents:,} items; the rest was not read."
            raise FileRefusedError(message, "Split the file, or raise the limit.")
        documents.append(document)


def _loader(name: str) -> _Loader:
    suffix = suffix_of(name)
    for suffixes, loader in _LOADERS.items():
        if suffix in suffixes:
            return loader
    raise FileRefusedError("Files of this kind cannot be loaded.", "Give the file a suffix that is known.")


def _check_size(file: OpenFile) -> None:
    size = file.size()
    if size == 0:
        raise FileRefusedError("The file is empty.", "Write something into it, or remove it.")
    if size > file.limits.file_bytes:
        message = f"The file has {size:,} bytes, more than the {file.limits.file_bytes:,} that are read."
        raise FileRefusedError(message, "Split the file, or raise the limit.")


def _unreadable(error: OSError) -> tuple[str, str]:
    if isinstance(error, FileNotFoundError):
        return "The file has gone since it was found.", "Put it back, or load again."
    if isinstance(error, PermissionError):
        return "The file may not be read.", "Let the account that runs Preceptor read it."
    reason = os.strerror(error.errno).lower() if error.errno else "the system gives no reason"
    return f"The file cannot be read: {reason}.", "Check that it is there and can be read."
