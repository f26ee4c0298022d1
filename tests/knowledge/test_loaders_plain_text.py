"""Plain text: one document, titled by its first line or its name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.loaders import Loaded, SourceFile, load_file
from knowledge.passages import Document

Load = Callable[[str], Loaded]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(content: str) -> Loaded:
        path = tmp_path / "office_hours-2024.txt"
        path.write_bytes(content.encode())
        return load_file(SourceFile(path, "rules/office_hours-2024.txt"))

    return load


def test_a_short_first_line_set_off_by_a_blank_line_is_the_title(load: Load) -> None:
    assert load("\r\nOffice  hours\r\n\r\nMonday.\r\nTuesday.\r\n").documents == [
        Document("Monday.\nTuesday.", "rules/office_hours-2024.txt", "line 4", "Office hours", first_line=4)
    ]


@pytest.mark.parametrize("text", ["It is open.\n\nAlways.", "It is\nopen.", "Alone", "x" * 101 + "\n\nText."])
def test_any_other_text_is_titled_by_its_file(load: Load, text: str) -> None:
    (document,) = load(text).documents
    assert (document.title, document.text, document.location) == ("office hours 2024", text, "line 1")


def test_indentation_stays(load: Load) -> None:
    assert load("\n  \n  a\n    b\n").documents[0].text == "  a\n    b"


def test_control_characters_are_named_with_line_and_column_and_left_out(load: Load) -> None:
    loaded = load("One.\nTwo\x1b[31m.\x07")
    assert loaded.documents[0].text == "One.\nTwo[31m."
    assert str(loaded.problems[0]).startswith("rules/office_hours-2024.txt:2:4: 2 control characters were left out")


def test_a_file_of_control_characters_alone_is_blank(load: Load) -> None:
    loaded = load("\x01 \x02")
    assert loaded.documents == []
    assert "nothing but blank space" in str(loaded.problems[-1])
