"""Finding and opening files: nothing hostile in a folder leads astray, and each file is named for people."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.loaders import SUFFIXES, LoadLimits, SourceFile, find_files, load_file


def write(path: Path, text: str = "Text.") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names(files: list[SourceFile]) -> list[str]:
    return [file.name for file in files]


def test_a_folder_is_walked_in_order_without_hidden_and_unknown_files(tmp_path: Path) -> None:
    for name in ["b.md", "a/z.TXT", "a/c.json", ".hidden.md", ".git/x.md", "picture.png", "README"]:
        write(tmp_path / name)
    files, problems = find_files([tmp_path])
    assert names(files) == ["a/c.json", "a/z.TXT", "b.md"]
    assert all(file.path.is_absolute() for file in files)
    assert problems == []


def test_several_sources_are_told_apart_by_their_names(tmp_path: Path) -> None:
    sources = [write(tmp_path / "one" / "docs" / "a.md").parent, write(tmp_path / "two" / "b.md").parent]
    assert names(find_files(sources)[0]) == ["docs/a.md", "two/b.md"]


def test_sources_with_the_same_name_are_told_apart_by_their_parents(tmp_path: Path) -> None:
    sources = [write(tmp_path / "one" / "docs" / "a.md").parent, write(tmp_path / "two" / "docs" / "a.md").parent]
    assert names(find_files(sources)[0]) == ["one/docs/a.md", "two/docs/a.md"]


def test_the_same_file_reached_twice_loads_once(tmp_path: Path) -> None:
    file = write(tmp_path / "docs" / "a.md")
    (tmp_path / "docs" / "0-link.md").symlink_to("a.md")
    files, problems = find_files([tmp_path / "docs", file, tmp_path / "docs" / "."])
    assert names(files) == ["docs/a.md"]
    assert len(problems) == 1
    assert "already found" in problems[0].message


def test_a_source_that_does_not_exist_is_named_and_the_others_load(tmp_path: Path) -> None:
    files, (problem,) = find_files([tmp_path / "gone", write(tmp_path / "a.md")])
    assert names(files) == ["a.md"]
    assert problem.source == str(tmp_path / "gone")
    assert "no such file" in problem.message


def test_a_file_of_an_unknown_kind_is_named_when_it_is_a_source_itself(tmp_path: Path) -> None:
    files, (problem,) = find_files([write(tmp_path / "a.docx")])
    assert files == []
    assert problem.source == "a.docx"
    assert ".md" in problem.fix


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    assert "no file that can be loaded" in find_files([tmp_path])[1][0].message


def test_a_link_out_of_the_folder_is_refused_and_named(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.txt", "secret")
    docs = write(tmp_path / "docs" / "a.md").parent
    (docs / "out.txt").symlink_to(secret)
    (docs / "up").symlink_to("..")
    files, problems = find_files([docs])
    assert names(files) == ["a.md"]
    assert [problem.source for problem in problems] == ["out.txt", "up"]
    assert all("leads out of its source folder" in problem.message for problem in problems)


def test_links_within_the_folder_are_followed_and_loops_end(tmp_path: Path) -> None:
    write(tmp_path / "real" / "a.md")
    (tmp_path / "0-alias").symlink_to("real")
    (tmp_path / "real" / "round").symlink_to("..")
    (tmp_path / "self.md").symlink_to("self.md")
    (tmp_path / "broken.md").symlink_to("nowhere.md")
    (tmp_path / "other.md").symlink_to(".store")
    write(tmp_path / ".store")
    files, problems = find_files([tmp_path])
    assert names(files) == ["other.md", "real/a.md"]
    assert load_file(files[0]).documents[0].source == "other.md"
    assert sorted(problem.source for problem in problems) == ["broken.md", "self.md"]


def test_a_source_that_is_a_link_itself_is_followed(tmp_path: Path) -> None:
    write(tmp_path / "real" / "a.md")
    (tmp_path / "docs").symlink_to("real")
    assert names(find_files([tmp_path / "docs"])[0]) == ["a.md"]


def test_pipes_sockets_and_devices_are_named_and_never_opened(tmp_path: Path) -> None:
    write(tmp_path / "a.md")
    os.mkfifo(tmp_path / "pipe.md")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.md"))
        files, problems = find_files([tmp_path])
    assert names(files) == ["a.md"]
    assert [(problem.source, problem.message.split(";")[0]) for problem in problems] == [
        ("pipe.md", "This is a pipe (FIFO)"),
        ("socket.md", "This is a socket"),
    ]
    assert "a device" in find_files([Path("/dev/null")])[1][0].message


def test_a_pipe_that_takes_a_files_place_after_it_was_found_is_not_waited_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.md")
    ((file,), _) = find_files([tmp_path])
    path.unlink()
    os.mkfifo(path)
    assert "not a regular file" in load_file(file).problems[0].message


def test_a_link_that_takes_a_files_place_after_it_was_found_is_not_followed(tmp_path: Path) -> None:
    path = write(tmp_path / "docs" / "a.md")
    ((file,), _) = find_files([tmp_path / "docs"])
    path.unlink()
    path.symlink_to(write(tmp_path / "secret.txt"))
    loaded = load_file(file)
    assert loaded.documents == []
    assert "cannot be read" in loaded.problems[0].message


def test_a_file_that_has_gone_since_it_was_found_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.md")
    ((file,), _) = find_files([tmp_path])
    path.unlink()
    assert "has gone" in load_file(file).problems[0].message


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account can reach."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root reads every file, whatever its mode: for a while we are nobody."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_file_that_may_not_be_read_is_named(open_folder: Path) -> None:
    write(open_folder / "a.md").chmod(0)
    with without_privileges():
        ((file,), _) = find_files([open_folder])
        assert "may not be read" in load_file(file).problems[0].message


def test_a_folder_that_may_be_listed_but_not_entered_is_named_and_the_rest_loads(open_folder: Path) -> None:
    write(open_folder / "good.md")
    shut = write(open_folder / "shut" / "a.md").parent
    shut.chmod(0o444)
    with without_privileges():
        files, problems = find_files([open_folder])
    shut.chmod(0o755)
    assert names(files) == ["good.md"]
    assert [(problem.source, problem.message) for problem in problems] == [
        ("shut", "It cannot be opened: permission denied.")
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb.md", "a\\nb.md"),
        ("\x1b[31mred.md", "\\x1b[31mred.md"),
        ("dm.\u202egnp.md", "dm.\\u202egnp.md"),
        (os.fsdecode(b"\xff.md"), "\\udcff.md"),
        ("größe 😀.md", "größe 😀.md"),
    ],
)
def test_names_that_could_act_on_a_terminal_are_escaped(tmp_path: Path, name: str, shown: str) -> None:
    write(tmp_path / name)
    ((file,), _) = find_files([tmp_path])
    assert file.name == shown
    assert load_file(file).documents[0].source == shown


def test_a_tree_deeper_than_python_recurses_is_walked(tmp_path: Path) -> None:
    folders = [tmp_path]
    for _ in range(1500):
        folders.append(folders[-1] / "d")
        folders[-1].mkdir()
    file = write(folders[-1] / "a.md")
    assert len(find_files([tmp_path])[0]) == 1
    file.unlink()
    for folder in reversed(folders):  # what clears temporary folders away does recurse
        folder.rmdir()


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "x" * 101)
    loaded = load_file(SourceFile(path, "a.txt"), LoadLimits(file_bytes=100))
    assert loaded.documents == []
    assert str(loaded.problems[0]).startswith("a.txt: The file has 101 bytes, more than the 100 that are read.")


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n ", "blank|no text"),
        ("Grüße an alle, die dies lesen".encode("utf-16"), "UTF-16"),
        ("Greetings to all who read this".encode("utf-16-le"), "UTF-16"),
        (b"context\nHello\nsecond \xc3\xa9\xe9 line", ":3:9: The byte 0xE9|not JSON"),
    ],
)
def test_no_kind_of_file_loads_what_is_not_utf8_text(tmp_path: Path, suffix: str, content: bytes, words: str) -> None:
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(content)
    loaded = load_file(SourceFile(path, path.name))
    assert loaded.documents == []
    assert any(word in str(loaded.problems[0]) for word in words.split("|"))
    assert loaded.problems[0].fix


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
@settings(deadline=None)
@given(
    content=st.binary(max_size=300)
    | st.text(st.sampled_from('{}[]",:\\\n\r\t\0 aé#|-`~>*=.\ufeff\u2028😀'), max_size=200).map(str.encode)
    | st.lists(st.sampled_from(['{"context":', '"a"', "}", "[", "]", ",", "\n", "context", '"', "```", "NaN"])).map(
        lambda parts: "".join(parts).encode()
    )
)
def test_whatever_a_file_holds_it_gives_documents_or_problems(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / f"fuzzed{suffix}"
    path.write_bytes(content)
    loaded = load_file(SourceFile(path, path.name))
    assert loaded.documents or loaded.problems
    assert all(document.text.strip() for document in loaded.documents)
    assert all(problem.message and problem.fix for problem in loaded.problems)
