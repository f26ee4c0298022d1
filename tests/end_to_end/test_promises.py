"""What docs/reliability.md promises has the tests that it names."""

import ast
import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_PROMISES = (_ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
_NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", _PROMISES)))


def _rows() -> list[str]:
    """Give the rows of the table of promises, without its head."""
    table = _PROMISES.partition("| promise |")[2].partition("\n\n")[0]
    return table.splitlines()[2:]


def test_there_are_promises() -> None:
    assert len(_rows()) >= 10


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.strip("| ").partition("|")[0].strip()[:60])
def test_every_promise_names_a_test(row: str) -> None:
    assert re.search(r"`tests/[\w/]+\.py::\w+`", row)


@pytest.mark.parametrize(("file", "name"), _NAMED)
def test_every_test_that_is_named_is_there(file: str, name: str) -> None:
    tree = ast.parse((_ROOT / file).read_text(encoding="utf-8"))
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in functions
