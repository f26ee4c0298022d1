"""The file name endings that can be loaded."""

JSON_LIST = frozenset({".json"})
JSON_LINES = frozenset({".jsonl", ".ndjson"})
TABLES = frozenset({".csv", ".tsv"})
MARKDOWN = frozenset({".md", ".markdown"})
PLAIN_TEXT = frozenset({".txt"})

SUFFIXES: frozenset[str] = JSON_LIST | JSON_LINES | TABLES | MARKDOWN | PLAIN_TEXT
"""Lower-case suffixes, with their dot, of the files that a source may hold."""


def suffix_of(name: str) -> str:
    """Return the lower-case suffix of a file's name, with its dot, or an empty string."""
    _, dot, ending = name.rpartition(".")
    return f".{ending.lower()}" if dot else ""
