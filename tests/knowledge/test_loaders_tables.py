"""CSV and TSV: the header names the fields, and a broken row is named with its line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.loaders import Loaded, SourceFile, load_file

Load = Callable[..., Loaded]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(content: str, name: str = "table.csv") -> Loaded:
        path = tmp_path / name
        path.write_bytes(content.encode())
        return load_file(SourceFile(path, name))

    return load


def texts(loaded: Loaded) -> list[str]:
    return [document.text for document in loaded.documents]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(load: Load, delimiter: str) -> None:
    loaded = load(delimiter.join(["title", "context"]) + "\n" + delimiter.join(["T", '"a, b; c"']) + "\n")
    assert [(d.title, d.text, d.location) for d in loaded.documents] == [("T", "a, b; c", "line 2")]
    assert loaded.problems == []


def test_a_file_as_excel_saves_it_loads(load: Load) -> None:
    loaded = load('\ufeffContext;Tags\r\n"Line one\r\nline ""two""";"a, b"\r\nNext;\r\n')
    assert [(d.text, d.tags, d.location) for d in loaded.documents] == [
        ('Line one\nline "two"', ("a", "b"), "line 2"),
        ("Next", (), "line 4"),
    ]
    assert loaded.problems == []


def test_a_tsv_file_may_hold_commas(load: Load) -> None:
    assert texts(load("context\na, b\n", "table.tsv")) == ["a, b"]


def test_rows_may_be_ready_answers_or_passages(load: Load) -> None:
    loaded = load("context,question,answer\nC,,\n,Q?,A.\n")
    assert [(d.question, d.text) for d in loaded.documents] == [("", "C"), ("Q?", "A.")]
    assert loaded.problems == []


def test_blank_rows_and_empty_cells_beyond_the_header_do_not_count(load: Load) -> None:
    loaded = load("\ncontext,title\n\nA,T,,\n,\nB,\n")
    assert texts(loaded) == ["A", "B"]
    assert loaded.problems == []


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("B", "The row has 1 cells, fewer than the header's 2"),
        ("B,T,more", "The row has 3 cells, more than the header's 2"),
        ('"B"x,T', "The row cannot be read"),
        (",T", "The item has no text"),
    ],
)
def test_a_bad_row_is_named_and_the_others_load(load: Load, row: str, words: str) -> None:
    loaded = load(f'context,title\n"A\nA",T\n{row}\nZ,T\n')
    assert texts(loaded) == ["A\nA", "Z"]
    (problem,) = loaded.problems
    assert str(problem).startswith("table.csv:4: ")
    assert words in str(problem)


def test_a_table_without_the_needed_columns_says_what_it_has_and_what_is_wanted(load: Load) -> None:
    loaded = load("name,answer\nx,y\n")
    assert loaded.documents == []
    assert "it holds “name”, “answer”" in str(loaded.problems[0])
    assert "“context”, or “question” and “answer”" in str(loaded.problems[0])


def test_a_misspelt_column_is_named_once_with_a_suggestion(load: Load) -> None:
    loaded = load("context,titel\nA,T\nB,T\n")
    assert texts(loaded) == ["A", "B"]
    assert [str(problem) for problem in loaded.problems] == [
        "table.csv:1 (titel): The column “titel” is not known. Did you mean “title”? Rename it."
    ]


def test_of_two_columns_with_one_name_the_first_counts(load: Load) -> None:
    loaded = load("context,context\nA,B\n")
    assert texts(loaded) == ["A"]
    assert "Two columns have this name" in str(loaded.problems[0])


def test_a_quote_that_is_never_closed_is_named_with_the_row_that_opens_it(load: Load) -> None:
    loaded = load('context\nA\n"B\nC\nD\n')
    assert texts(loaded) == ["A"]
    assert str(loaded.problems[0]).startswith("table.csv:3: A quoted cell in this row never ends")


def test_a_cell_longer_than_can_be_read_ends_the_reading(load: Load) -> None:
    loaded = load(f"context\nA\n{'x' * 140_000}\nC\n")
    assert texts(loaded) == ["A"]
    assert str(loaded.problems[0]).startswith("table.csv:3: A cell of this row is longer than 131,072 characters")


def test_control_characters_are_named_with_line_and_column(load: Load) -> None:
    loaded = load("context\r\nab\0c\r\n")
    assert texts(loaded) == ["abc"]
    assert str(loaded.problems[0]).startswith("table.csv:2:3: 1 control character was left out")


def test_a_header_alone_is_named(load: Load) -> None:
    assert "no text in the file" in str(load("context,title\n").problems[0])
