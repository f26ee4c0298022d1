"""Test collections in BEIR's layout: a corpus, queries, and which documents are relevant to which query."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.errors import EvaluationDataError

_LAYOUT = "Lay it out as BEIR does: corpus.jsonl, queries.jsonl, qrels/test.tsv."


class CorpusDocument(NamedTuple):
    """A document of a corpus; `title` may be empty."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection, by the identifiers that its files use.

    Attributes:
        documents: by identifier, in the order of the corpus.
        queries: those that have at least one relevant document.
        relevance: for each of these queries, grades by document; grades above 0 are relevant.
    """

    documents: Mapping[str, CorpusDocument]
    queries: Mapping[str, str]
    relevance: Mapping[str, Mapping[str, int]]


def read_collection(corpus: Path, queries: Path, qrels: Path) -> Collection:
    """Read a collection.

    Raises:
        EvaluationDataError: a file cannot be read, a line is not what it should be, a judgement names a query or
            document that is not there, or nothing is left to judge by; names the file and the line.
    """
    documents = {
        _text(corpus, line, item, "_id"): CorpusDocument(
            str(item.get("title") or ""), _text(corpus, line, item, "text")
        )
        for line, item in _items(corpus)
    }
    asked = {_text(queries, line, item, "_id"): _text(queries, line, item, "text") for line, item in _items(queries)}
    relevance = _relevance(qrels, asked, documents)
    if not relevance:
        raise EvaluationDataError(f"{qrels} names no relevant document for any query.", _LAYOUT)
    return Collection(documents, {key: asked[key] for key in relevance}, relevance)


def _relevance(
    qrels: Path, queries: Mapping[str, str], documents: Mapping[str, CorpusDocument]
) -> dict[str, dict[str, int]]:
    grades: dict[str, dict[str, int]] = {}
    for line, query, document, grade in _judgements(qrels):
        if query not in queries:
            raise _wrong(qrels, line, f"there is no query {query!r}")
        if document not in documents:
            raise _wrong(qrels, line, f"there is no document {document!r}")
        grades.setdefault(query, {})[document] = grade
    return {query: judged for query, judged in grades.items() if max(judged.values()) > 0}


def _judgements(qrels: Path) -> Iterator[tuple[int, str, str, int]]:
    for line, text in enumerate(_lines(qrels), 1):
        row = text.rstrip("\r\n").split("\t")
        if line == 1 and row[-1].lstrip("-").isdigit():
            raise _wrong(qrels, 1, "the header (query-id, corpus-id, score) is missing")
        if line == 1 or not text.strip():
            continue
        if len(row) != 3:
            raise _wrong(qrels, line, f"it has {len(row)} columns instead of 3 (query, document, relevance)")
        try:
            yield line, row[0], row[1], int(row[2])
        except ValueError as error:
            raise _wrong(qrels, line, f"the relevance {row[2][:20]!r} is not a whole number") from error


def _items(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, text in enumerate(_lines(path), 1):
        if not text.strip():
            continue
        try:
            item = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _wrong(path, line, "it is not JSON") from error
        if not isinstance(item, dict):
            raise _wrong(path, line, "it is not an object")
        yield line, item


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            yield from file
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationDataError(f"{path} cannot be read ({error}).", _LAYOUT) from error


def _text(path: Path, line: int, item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        raise _wrong(path, line, f"the text {name!r} is missing")
    return value


def _wrong(path: Path, line: int, message: str) -> EvaluationDataError:
    return EvaluationDataError(f"{path}, line {line}: {message}.", _LAYOUT)
