"""JSON Lines: every line stands or falls alone."""

import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.loaders import Loaded, LoadLimits, SourceFile, load_file

Load = Callable[..., Loaded]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(content: str | bytes, **limits: int) -> Loaded:
        path = tmp_path / "items.jsonl"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_file(SourceFile(path, "items.jsonl"), LoadLimits(**limits))

    return load


def texts(loaded: Loaded) -> list[str]:
    return [document.text for document in loaded.documents]


def test_each_line_is_an_item_and_blank_lines_do_not_count(load: Load) -> None:
    loaded = load('{"context": "A"}\r\n\r\n  {"text": "B"}')
    assert [(d.text, d.location) for d in loaded.documents] == [("A", "line 1"), ("B", "line 3")]
    assert loaded.problems == []


def test_a_stretch_of_zeros_left_by_a_crash_costs_its_line_alone(load: Load) -> None:
    loaded = load(b'{"context": "A"}\n' + bytes(5000) + b'\n{"context": "Z"}\n')
    assert texts(loaded) == ["A", "Z"]
    assert len(loaded.problems) == 1


def test_a_byte_order_mark_is_accepted(load: Load) -> None:
    loaded = load('\ufeff{"context": "A"}\n')
    assert texts(loaded) == ["A"]
    assert loaded.problems == []


@pytest.mark.parametrize(
    ("line", "place", "words"),
    [
        (b'{"context": "B"},', ":2:17:", "comma at the end of the line"),
        (b'{"context": "B",}', ":2:16:", "comma before the closing bracket"),
        (b'{"context": "B"', ":2:16:", "ends in the middle"),
        (b'{"context": "B', ":2:13:", "never ends"),
        (b'{"context": "B"} {"context": "C"}', ":2:18:", "line of its own"),
        (b'[{"context": "B"}]', ":2:1:", "The line is a list"),
        (b'{"context": "\xc3\xa9t\xe9"}', ":2:16:", "The byte 0xE9 is not UTF-8"),
        (b"\0", ":2:1:", "not JSON"),
        (b"[" * 100_000, ":2:1:", "nested too deeply"),
        (b'"B"', ":2:1:", "The item is a text"),
        (b'  {"context": 5}', ":2:4 (context):", "is a number"),
    ],
)
def test_a_bad_line_is_named_and_the_others_load(load: Load, line: bytes, place: str, words: str) -> None:
    loaded = load(b'{"context": "A"}\n' + line + b'\n{"context": "Z"}\n')
    assert texts(loaded) == ["A", "Z"]
    (problem,) = loaded.problems
    assert str(problem).startswith(f"items.jsonl{place}")
    assert words in str(problem)


def test_a_line_that_is_too_long_is_skipped_and_named(load: Load) -> None:
    loaded = load('{"context": "A"}\n' + "x" * 1000 + '\n{"context": "Z"}\n' + "y" * 1000, line_bytes=100)
    assert texts(loaded) == ["A", "Z"]
    assert [str(problem).partition(" ")[0] for problem in loaded.problems] == ["items.jsonl:2:", "items.jsonl:4:"]


def test_a_line_just_as_long_as_may_be_loads(load: Load) -> None:
    line = '{"context": "A"}'
    assert texts(load(f"{line}\n{line}", line_bytes=len(line))) == ["A", "A"]


def test_a_line_of_200_mb_is_skipped_without_being_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    with path.open("wb") as stream:
        stream.write(b'{"context": "A"}\n{"context": "')
        for _ in range(200):
            stream.write(b"x" * 1024 * 1024)
        stream.write(b'"}\n{"context": "Z"}\n')
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    loaded = load_file(SourceFile(path, "long.jsonl"))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert texts(loaded) == ["A", "Z"]
    assert str(loaded.problems[0]).startswith("long.jsonl:2: The line is longer than 16,777,216 bytes")
    assert grown < 100 * 1024


def test_utf16_is_named_with_the_way_out(load: Load) -> None:
    loaded = load('{"context": "A"}\n'.encode("utf-16"))
    assert loaded.documents == []
    assert "UTF-16" in loaded.problems[0].message
    assert "Save the file as UTF-8" in loaded.problems[0].fix
