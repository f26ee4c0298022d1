"""The library: what may be handed in, how it is kept in versions, and that it is never there half."""

import json
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import KnowledgeOptions
from knowledge.errors import LibraryBusyError, LibraryMissingError, LibraryRefusedError
from knowledge.library import TAUGHT, Library, checked_name
from knowledge.library.answers import answer_id, read_answers
from knowledge.library.library import Edit
from knowledge.library.preview import preview
from knowledge.library.versions import KEPT, Version
from knowledge.loaders import SUFFIXES, SourceFile, load_file

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library")


def handed_in(library: Library, folder: Path, **files: str) -> None:
    """Hand files in: ``parking_md="# Parking …"`` is ``parking.md``."""
    change(library, library.adding(list(written(folder, **files))))


def written(folder: Path, **files: str) -> Iterator[tuple[str, Path]]:
    folder.mkdir(exist_ok=True)
    for number, (name, text) in enumerate(files.items()):
        path = folder / str(number)
        path.write_text(text, encoding="utf-8")
        yield name.replace("_", "."), path


def change(library: Library, edit: Edit) -> None:
    with changing(library, edit):
        pass


def changing(library: Library, edit: Edit) -> AbstractContextManager[Version]:
    return library.changed(edit, "http:ada")


def contents(library: Library) -> dict[str, str]:
    return {file.name: file.path.read_text(encoding="utf-8") for file in library.files()}


def test_a_library_that_was_never_used_is_empty(library: Library) -> None:
    assert library.files() == []
    assert library.versions() == []
    assert library.answers() == []
    assert library.folder() is None
    assert not library.path.exists()


def test_a_file_handed_in_lies_in_the_library_as_it_came(library: Library, tmp_path: Path) -> None:
    handed_in(library, tmp_path / "in", parking_md="# Parking\n\nNorth side.\n")
    assert contents(library) == {"parking.md": "# Parking\n\nNorth side.\n"}
    assert [(one.id, one.by, one.action, one.files) for one in library.versions()] == [
        (1, "http:ada", "added parking.md", ("parking.md",))
    ]


def test_a_file_of_the_same_name_takes_the_others_place_and_undo_brings_it_back(
    library: Library, tmp_path: Path
) -> None:
    handed_in(library, tmp_path / "1", parking_md="North side.\n")
    handed_in(library, tmp_path / "2", parking_md="South side.\n", lunch_txt="At noon.\n")
    change(library, library.going_back())
    assert contents(library) == {"parking.md": "North side.\n"}
    change(library, library.going_back())
    assert contents(library) == {"parking.md": "South side.\n", "lunch.txt": "At noon.\n"}
    change(library, library.going_back(to=1))
    assert contents(library) == {"parking.md": "North side.\n"}


def test_an_undo_does_not_take_away_what_another_process_just_handed_in(library: Library, tmp_path: Path) -> None:
    handed_in(library, tmp_path / "1", parking_md="North side.\n")
    undo = library.going_back()
    handed_in(Library(library.path), tmp_path / "2", lunch_txt="At noon.\n")
    with pytest.raises(LibraryBusyError, match="just now"):
        change(library, undo)
    assert contents(library) == {"parking.md": "North side.\n", "lunch.txt": "At noon.\n"}


def test_the_first_change_can_be_taken_back_to_nothing(library: Library, tmp_path: Path) -> None:
    handed_in(library, tmp_path / "in", parking_md="North side.\n")
    change(library, library.going_back())
    assert library.files() == []
    assert library.folder() is None


def test_where_nothing_was_changed_nothing_can_be_taken_back(library: Library) -> None:
    with pytest.raises(LibraryMissingError, match="Nothing was changed"):
        library.going_back()


def test_versions_that_are_not_kept_or_are_in_use_cannot_be_brought_back(library: Library, tmp_path: Path) -> None:
    handed_in(library, tmp_path / "in", parking_md="North side.\n")
    with pytest.raises(LibraryMissingError, match="no version 7"):
        library.going_back(to=7)
    with pytest.raises(LibraryRefusedError, match="in use"):
        library.going_back(to=1)


def test_a_change_that_fails_is_taken_back_whole(library: Library, tmp_path: Path) -> None:
    handed_in(library, tmp_path / "1", parking_md="North side.\n")
    edit = library.adding(list(written(tmp_path / "2", parking_md="South side.\n")))
    with pytest.raises(ZeroDivisionError), changing(library, edit):
        assert contents(library) == {"parking.md": "South side.\n"} and 1 / 0  # noqa: PT018
    assert contents(library) == {"parking.md": "North side.\n"}
    assert [version.id for version in library.versions()] == [1]


def test_the_newest_twenty_versions_are_kept(library: Library) -> None:
    for number in range(KEPT + 5):
        change(library, library.teaching(f"What is number {number}?", f"It is {number}."))
    assert [version.id for version in library.versions()] == list(range(KEPT + 5, 5, -1))
    assert sorted(path.name for path in (library.path / "versions").iterdir()) == sorted(
        str(version.id) for version in library.versions()
    )


def test_a_file_without_anything_usable_is_refused_with_its_reason(library: Library, tmp_path: Path) -> None:
    files = list(written(tmp_path / "in", good_md="Good text.\n", bad_json='[{"context": }]'))
    with pytest.raises(LibraryRefusedError, match=r"bad\.json is refused: .*"):
        change(library, library.adding(files))
    assert library.files() == []


def test_taught_answers_are_lines_that_the_loaders_read(library: Library) -> None:
    change(library, library.teaching("When is lunch?", "At **noon**.\nIn the hall."))
    change(library, library.teaching("Where is the key?", "At the reception.", "Keys"))
    (file,) = library.files()
    assert file.name == TAUGHT
    documents = load_file(SourceFile(file.path, file.name)).documents
    assert [(one.question, one.text, one.title) for one in documents] == [
        ("When is lunch?", "At **noon**.\nIn the hall.", ""),
        ("Where is the key?", "At the reception.", "Keys"),
    ]


def test_the_same_question_taught_again_has_the_new_answer_alone(library: Library) -> None:
    change(library, library.teaching("When is lunch?", "At noon."))
    change(library, library.teaching("when is LUNCH", "At one."))
    assert [(one.question, one.answer) for one in library.answers()] == [("when is LUNCH", "At one.")]
    assert library.answers()[0].id == answer_id("When is lunch?")


def test_a_taught_answer_is_deleted_by_its_id_and_with_the_last_one_their_file_goes(library: Library) -> None:
    change(library, library.teaching("When is lunch?", "At noon."))
    change(library, library.untaught(answer_id("When is lunch?")))
    assert library.answers() == []
    assert library.files() == []
    with pytest.raises(LibraryMissingError, match="no such taught answer"):
        change(library, library.untaught("000000000000"))


@pytest.mark.parametrize(
    ("question", "answer", "message"),
    [
        ("  ", "At noon.", "The question is empty"),
        ("?!", "At noon.", "The question is empty"),
        ("When?", "\n", "The answer is empty"),
        ("x" * 501, "At noon.", "501 characters"),
        ("When?", "x" * 20_001, "20,001 characters"),
    ],
)
def test_what_cannot_be_taught_is_refused_in_words(library: Library, question: str, answer: str, message: str) -> None:
    with pytest.raises(LibraryRefusedError, match=message):
        library.teaching(question, answer)


@settings(max_examples=50, deadline=None)
@given(question=st.text(max_size=300), answer=st.text(max_size=300))
def test_whatever_is_taught_is_refused_or_read_back_without_a_problem(question: str, answer: str) -> None:
    with TemporaryDirectory() as folder:
        library = Library(Path(folder))
        try:
            change(library, library.teaching(question, answer))
        except LibraryRefusedError:
            return
        (file,) = library.files()
        loaded = load_file(SourceFile(file.path, file.name))
        assert loaded.problems == []
        assert [one.text for one in loaded.documents] == [library.answers()[0].answer]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "..",
        "../secret.md",
        "/etc/passwd.txt",
        "C:\\temp\\x.md",
        "a/b.md",
        ".hidden.md",
        "trailing.md ",
        "trailing.md.",
        "bell\x07.md",
        "turned\u202edm.exe.md",
        "zero\u200bwidth.md",
        "lone\udcff.md",
        "CON.md",
        "com1.txt",
        "what?.md",
        "stream.md:x.md",
        "x" * 160 + ".md",
        "ü" * 130 + ".md",
        "program.exe",
        "no-suffix",
        "answers.jsonl",
        "ANSWERS.JSONL",
    ],
)
def test_names_that_are_none_everywhere_are_refused_in_words(name: str) -> None:
    with pytest.raises(LibraryRefusedError) as refused:
        checked_name(name)
    assert refused.value.message.isprintable()
    assert refused.value.fix


@settings(max_examples=80, deadline=None)
@given(stem=st.text(max_size=200), suffix=st.sampled_from([*sorted(SUFFIXES), "", ".exe", "/x.md", "\\x.md"]))
def test_a_name_that_is_taken_is_a_file_in_the_library_and_nothing_else(stem: str, suffix: str) -> None:
    try:
        name = checked_name(stem + suffix)
    except LibraryRefusedError:
        return
    with TemporaryDirectory() as folder:
        library = Library(Path(folder, "library"))
        path = Path(folder, "in")
        path.write_text('{"context": "Some text, some words."}\nand more of it\n', encoding="utf-8")
        try:
            change(library, library.adding([(stem + suffix, path)]))
        except LibraryRefusedError as refused:
            assert "refused" in refused.message  # noqa: PT017 - what its suffix promises is not in it
            return
        assert [file.name for file in library.files()] == [name]
        assert unicodedata.is_normalized("NFC", name)
        assert sorted(path.name for path in Path(folder).iterdir()) == ["in", "library"]


def test_names_that_differ_by_case_or_composition_alone_do_not_lie_beside_each_other(
    library: Library, tmp_path: Path
) -> None:
    handed_in(library, tmp_path / "1", parking_md="North side.\n")
    (tmp_path / "other").write_text("South side.\n")
    with pytest.raises(LibraryRefusedError, match="differ by case alone"):
        change(library, library.adding([("Parking.md", tmp_path / "other")]))
    with pytest.raises(LibraryRefusedError, match="differ by case alone"):
        library.adding([("lunch.md", tmp_path / "other"), ("LUNCH.md", tmp_path / "other")])
    with pytest.raises(LibraryRefusedError, match=r"called café\.md"):
        library.adding([("café.md", tmp_path / "other"), ("cafe\u0301.md", tmp_path / "other")])


def test_a_preview_tells_what_would_come_and_go_and_changes_nothing(library: Library, tmp_path: Path) -> None:
    handed_in(library, tmp_path / "1", parking_md="# Parking\n\nNorth side.\n\n# Bikes\n\nIn the cellar.\n")
    lines = '{"title": "Lunch", "context": "At noon."}\n{"context": }\n'
    new = list(written(tmp_path / "2", parking_md="# Parking\n\nSouth side.\n", lunch_jsonl=lines))
    before = contents(library)
    seen = preview(new, {file.name: file.path for file in library.files()}, KnowledgeOptions())
    assert (seen.added, seen.removed) == (2, 2)
    parking, lunch = seen.files
    assert (parking.replaces, parking.passages, parking.titles) == (True, 1, ("Parking",))
    assert (lunch.replaces, lunch.passages, lunch.titles) == (False, 1, ("Lunch",))
    assert lunch.problems[0].line == 2
    assert contents(library) == before


def test_whoever_is_forgotten_is_in_no_version_any_more(library: Library, tmp_path: Path) -> None:
    handed_in(library, tmp_path / "1", parking_md="North side.\n")
    with library.changed(library.teaching("When is lunch?", "At noon."), "http:bob"):
        pass
    library.forget("http:ada")
    assert [(version.by, version.action) for version in library.versions()] == [
        ("http:bob", f"taught answer {answer_id('When is lunch?')}"),
        ("", "added parking.md"),
    ]
    assert "ada" not in "".join(path.read_text() for path in library.path.rglob("*.json"))


def test_a_folder_that_cannot_be_written_is_told_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "library").write_text("a file where the folder should be")
    library = Library(tmp_path / "library")
    with pytest.raises(LibraryBusyError, match="cannot be changed"):
        change(library, library.teaching("When is lunch?", "At noon."))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.sampled_from(["a.md", "b.md", "c.txt"]), st.sampled_from(["One.", "Two."])),
            st.tuples(st.just("delete"), st.sampled_from(["a.md", "b.md", "c.txt"]), st.just("")),
            st.tuples(st.just("teach"), st.sampled_from(["Who?", "When?"]), st.sampled_from(["Me.", "Now."])),
            st.tuples(st.just("untaught"), st.sampled_from(["Who?", "When?"]), st.just("")),
            st.tuples(st.just("undo"), st.just(""), st.just("")),
            st.tuples(st.just("fail"), st.sampled_from(["a.md"]), st.just("Three.")),
        ),
        max_size=12,
    )
)
def test_after_any_changes_and_undos_the_library_holds_what_a_model_of_it_holds(
    steps: list[tuple[str, str, str]],
) -> None:
    with TemporaryDirectory() as folder:
        _compared(Library(Path(folder, "library")), Path(folder, "in"), steps)


def _compared(library: Library, staged: Path, steps: list[tuple[str, str, str]]) -> None:
    states: list[tuple[dict[str, str], dict[str, str]]] = [({}, {})]
    for what, name, text in steps:
        files, answers = (dict(part) for part in states[-1])
        try:
            edit = _edit(library, staged, what, name, text)
            with changing(library, edit):
                assert 1 / (what != "fail")
        except (LibraryMissingError, ZeroDivisionError):
            assert (what, name) not in {("delete", known) for known in files}
            continue
        if what == "undo":
            states.append(states[-2])
        elif what == "add":
            states.append((files | {name: text}, answers))
        elif what == "delete":
            states.append(({kept: files[kept] for kept in files if kept != name}, answers))
        else:
            answers.pop(name, None)
            states.append((files, answers | ({name: text} if what == "teach" else {})))
        held = contents(library)
        held.pop(TAUGHT, None)
        assert (held, {one.question: one.answer for one in library.answers()}) == states[-1]
        assert library.version() == len(states) - 1


def _edit(library: Library, staged: Path, what: str, name: str, text: str) -> Edit:
    if what == "undo":
        return library.going_back()
    if what == "delete":
        return library.deleting(name)
    if what == "teach":
        return library.teaching(name, text)
    if what == "untaught":
        return library.untaught(answer_id(name))
    staged.write_text(text)
    return library.adding([(name, staged)])


_KILLED_EVERYWHERE = """
import json, os, shutil, signal, sys
from pathlib import Path
from knowledge.library import Library
from knowledge.library.preview import preview

folder = Path(sys.argv[1])
STEPS = {"open", "os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir"}

def contents(library):
    return {file.name: file.path.read_text() for file in library.files()}

def prepared(name):
    library = Library(folder / name / "library")
    for number, text in enumerate(("North side.", "South side.")):
        path = folder / name / f"in{number}"
        path.write_text(text)
        with library.changed(library.adding([("parking.md", path)]), "http:ada"):
            pass
    return library

def deed(library, path):
    edit = library.adding([("lunch.md", path)]) if sys.argv[2] == "add" else library.going_back()
    with library.changed(edit, "http:ada"):
        if sys.argv[2] == "failed":
            raise InterruptedError

def killed(library, path, after):
    seen = 0
    def hook(event, arguments):
        nonlocal seen
        if event in STEPS:
            seen += 1
            if seen == after:
                os.kill(os.getpid(), signal.SIGKILL)
    child = os.fork()
    if child == 0:
        sys.addaudithook(hook)
        try:
            deed(library, path)
        except InterruptedError:
            pass
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0

outcomes, after, alive = [], 0, False
while not alive:
    after += 1
    (folder / str(after)).mkdir()
    library = prepared(str(after))
    path = folder / str(after) / "new"
    path.write_text("At noon.")
    alive = not killed(library, path, after)
    outcomes.append(contents(library))
    # What is left behind keeps nobody from going on, and goes.
    with library.changed(library.teaching("Who?", "Me."), "http:ada"):
        pass
    assert contents(library).keys() - outcomes[-1].keys() == {"answers.jsonl"}
    assert all(path.name.isdigit() for path in (library.path / "versions").iterdir()), "leftovers"
print(json.dumps(outcomes))
"""


@pytest.mark.parametrize(
    ("deed", "new"),
    [
        ("add", {"parking.md": "South side.", "lunch.md": "At noon."}),
        ("undo", {"parking.md": "North side."}),
        ("failed", {"parking.md": "North side."}),
    ],
)
def test_killed_at_any_step_the_library_is_the_old_one_or_the_new_one(
    tmp_path: Path, deed: str, new: dict[str, str]
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _KILLED_EVERYWHERE, str(tmp_path), deed],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    outcomes = json.loads(run.stdout)
    old = {"parking.md": "South side."}
    assert len(outcomes) > 8
    assert all(outcome in (old, new) for outcome in outcomes)
    assert outcomes[0] == old
    assert outcomes[-1] == (old if deed == "failed" else new)


_TEACHES = """
import sys
from pathlib import Path
from knowledge.library import Library

library = Library(Path(sys.argv[1]))
for number in range(15):
    with library.changed(library.teaching(f"What is {sys.argv[2]} {number}?", "It is."), "http:ada"):
        pass
"""


def test_processes_and_threads_that_change_it_at_once_lose_nothing(library: Library) -> None:
    def _teach() -> None:
        for number in range(15):
            change(library, library.teaching(f"What is thread {number}?", "It is."))

    processes = [
        subprocess.Popen([sys.executable, "-c", _TEACHES, str(library.path), name], cwd=REPOSITORY)
        for name in ("left", "right")
    ]
    thread = threading.Thread(target=_teach)
    thread.start()
    thread.join(30)
    assert [process.wait(30) for process in processes] == [0, 0]
    assert len(library.answers()) == 45
    assert library.version() == 45


def test_lines_that_are_none_of_ours_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / TAUGHT
    path.write_text('{"id": "1", "question": "Who?", "answer": "Me."}\n\n[]\n{"id": 1}\nnot JSON\n')
    assert [(one.id, one.question) for one in read_answers(path)] == [("1", "Who?")]
