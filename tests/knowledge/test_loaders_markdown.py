"""Markdown: sections with their headings, code and tables as they stand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.loaders import Loaded, LoadLimits, SourceFile, load_file

Load = Callable[..., Loaded]

GUIDE = """\
# Guide

Welcome.

## Setup

### The *Linux* [way](https://x.org)

Run this:

```sh
# not a heading
make run
```

| a | b |
|---|---|
| 1 | 2 |

Windows
-------

> # quoted, not a heading

Later.
"""


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(content: str, name: str = "the_guide.md", **limits: int) -> Loaded:
        path = tmp_path / name
        path.write_bytes(content.encode())
        return load_file(SourceFile(path, name), LoadLimits(**limits))

    return load


def test_every_section_is_a_document_that_knows_its_headings_and_its_line(load: Load) -> None:
    loaded = load(GUIDE)
    assert [(d.title, d.location) for d in loaded.documents] == [
        ("Guide", "Guide, line 1"),
        ("Guide › Setup › The Linux way", "Guide › Setup › The Linux way, line 7"),
        ("Guide › Windows", "Guide › Windows, line 20"),
    ]
    assert loaded.problems == []


def test_code_and_tables_stand_in_a_section_as_in_the_source(load: Load) -> None:
    text = load(GUIDE).documents[1].text
    assert text == "\n".join(GUIDE.split("\n")[8:18])


def test_a_text_starts_on_the_line_it_says(load: Load) -> None:
    lines = GUIDE.split("\n")
    for document in load(GUIDE).documents:
        assert document.first_line is not None
        assert lines[document.first_line - 1] == document.text.split("\n")[0]


def test_what_stands_before_the_first_heading_is_titled_by_the_file(load: Load) -> None:
    (first, second) = load("Before.\n\n# A\n\nAfter.", "some_short-notes.md").documents
    assert (first.title, first.location, first.text) == ("some short notes", "line 1", "Before.")
    assert (second.title, second.text) == ("A", "After.")


def test_front_matter_gives_title_url_and_tags_to_all_sections(load: Load) -> None:
    head = '---\ntitle: "Physics"\nauthor: x\nurl: https://x.org\ntags:\n  - one\n  - "two"\n---\n'
    (first, second) = load(f"{head}Hello.\n\n# Waves\n\nSound.\n").documents
    assert [(d.title, d.url, d.tags) for d in (first, second)] == [
        ("Physics", "https://x.org", ("one", "two")),
        ("Physics › Waves", "https://x.org", ("one", "two")),
    ]
    assert second.location == "Physics › Waves, line 11"
    assert second.first_line == 13


def test_tags_in_brackets_are_read(load: Load) -> None:
    assert load("---\ntags: [a, 'b c']\n---\nText.").documents[0].tags == ("a", "b c")


def test_a_bad_link_in_front_matter_is_named_with_its_line(load: Load) -> None:
    loaded = load("---\ntitle: T\nurl: javascript:x\n---\nText.")
    assert loaded.documents[0].url == ""
    assert str(loaded.problems[0]).startswith("the_guide.md:3 (url):")


def test_a_rule_at_the_start_is_no_front_matter(load: Load) -> None:
    assert load("---\n\nText.").documents[0].text.endswith("Text.")


def test_headings_without_any_text_are_named(load: Load) -> None:
    loaded = load("# One\n\n## Two\n")
    assert loaded.documents == []
    assert "no text" in str(loaded.problems[0])


def test_a_file_larger_than_the_parser_should_read_is_refused(load: Load) -> None:
    loaded = load("word " * 100, markdown_bytes=100)
    assert loaded.documents == []
    assert "100 bytes" in str(loaded.problems[0])


@pytest.mark.parametrize(
    "hostile",
    ["> " * 20_000, "- " * 20_000, "[" * 20_000, "#" * 20_000, "`" * 20_000, "|-" * 5_000, "# " + "*" * 20_000],
)
def test_deep_and_odd_markup_is_survived(load: Load, hostile: str) -> None:
    loaded = load(f"Good.\n\n{hostile}\n")
    assert loaded.documents[0].text.startswith("Good.")
