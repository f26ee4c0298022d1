"""The knowledge base with a library beside its sources, watched reloads, and several processes on one index."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from knowledge import KnowledgeBase, Library, Progress, starter
from knowledge.errors import NothingToLoadError
from knowledge.library.library import Edit
from knowledge.storage.index_folder import IndexFolder
from knowledge.storage.manifest import Manifest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "parking.md").write_text("# Parking\n\nVisitors park on the north side.\n")
    return folder


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "data" / "library")


@pytest.fixture
def base(tmp_path: Path, source: Path, library: Library) -> KnowledgeBase:
    base = KnowledgeBase([source], tmp_path / "data" / "index", library=library)
    base.open()
    return base


def change(base: KnowledgeBase, library: Library, edit: Edit) -> None:
    with library.changed(edit, "http:ada"):
        base.reload()


def lunch(tmp_path: Path, text: str = "# Lunch\n\nLunch is served at noon.\n") -> list[tuple[str, Path]]:
    path = tmp_path / "handed-in"
    path.write_text(text)
    return [("lunch.md", path)]


def test_what_is_handed_in_is_found_and_the_sources_files_keep_their_names(
    base: KnowledgeBase, library: Library, tmp_path: Path
) -> None:
    change(base, library, library.adding(lunch(tmp_path)))
    assert base.search("When is lunch?")[0].passage.source == "library/lunch.md"
    assert base.search("Where do visitors park?")[0].passage.source == "parking.md"
    assert base.sources == ("handbook", "library")
    assert [hit.passage.source for hit in base.search("lunch park", source="library")] == ["library/lunch.md"]


def test_the_last_file_of_the_library_may_be_deleted(base: KnowledgeBase, library: Library, tmp_path: Path) -> None:
    change(base, library, library.adding(lunch(tmp_path)))
    change(base, library, library.deleting("lunch.md"))
    assert base.search("When is lunch?") == []
    assert base.sources == ("handbook",)
    assert base.statistics().sources == (str(tmp_path / "handbook"),)


def test_a_file_of_the_library_that_is_gone_from_the_disk_is_named(
    base: KnowledgeBase, library: Library, tmp_path: Path
) -> None:
    change(base, library, library.adding(lunch(tmp_path)))
    (library.folder() or tmp_path).joinpath("lunch.md").unlink()
    for report in (base.reload(), base.reload()):
        assert [problem.source for problem in report.problems] == ["library/lunch.md"]
        assert "preceptor knowledge undo" in report.problems[0].fix
    change(base, library, library.adding(lunch(tmp_path)))
    assert not base.problems()


def test_where_nothing_would_be_left_the_change_is_taken_back(
    base: KnowledgeBase, library: Library, source: Path, tmp_path: Path
) -> None:
    change(base, library, library.adding(lunch(tmp_path)))
    base = KnowledgeBase([tmp_path / "empty"], tmp_path / "index-of-empty", library=library)
    (tmp_path / "empty").mkdir()
    base.open()
    with pytest.raises(NothingToLoadError):
        change(base, library, library.deleting("lunch.md"))
    assert [file.name for file in library.files()] == ["lunch.md"]
    assert base.search("When is lunch?")


def test_every_file_is_told_with_what_came_of_it(
    base: KnowledgeBase, library: Library, source: Path, tmp_path: Path
) -> None:
    bikes = "Bikes stand in the cellar, behind the second door on the left, where a lamp burns all night long."
    (source / "faq.jsonl").write_text(f'{{"context": "{bikes}"}}\n{{"context": }}\n')
    (source / "again.txt").write_text(f"{bikes}\n")
    change(base, library, library.adding(lunch(tmp_path)))
    files = {file.name: file for file in base.files()}
    assert {name: (file.source, file.passages, file.is_managed) for name, file in files.items()} == {
        "again.txt": ("handbook", 1, False),
        "faq.jsonl": ("handbook", 0, False),
        "parking.md": ("handbook", 1, False),
        "lunch.md": ("library", 1, True),
    }
    assert files["faq.jsonl"].problems[0].line == 2
    assert files["lunch.md"].bytes == len("# Lunch\n\nLunch is served at noon.\n")


def test_a_source_that_is_called_library_is_told_from_it(tmp_path: Path, library: Library) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "lunch.md").write_text("# Lunch\n\nLunch is served at one.\n")
    base = KnowledgeBase([tmp_path / "library"], tmp_path / "index", library=library)
    base.open()
    change(base, library, library.adding(lunch(tmp_path)))
    assert base.sources == ("library", "library (2)")
    assert [(file.name, file.source, file.is_managed) for file in base.files()] == [
        ("lunch.md", "library", False),
        ("lunch.md", "library (2)", True),
    ]


def test_a_reload_tells_how_far_it_is(base: KnowledgeBase, source: Path) -> None:
    (source / "lunch.md").write_text("# Lunch\n\nLunch is served at noon.\n")
    steps: list[Progress] = []
    base.reload(steps.append)
    assert steps == [
        Progress("looking"),
        Progress("reading", 0, 2),
        Progress("reading", 1, 2),
        Progress("indexing"),
        Progress("saving"),
    ]
    steps.clear()
    base.reload(steps.append)
    assert steps == [Progress("looking")]


def test_what_another_process_builds_is_taken_up(
    base: KnowledgeBase, source: Path, tmp_path: Path, library: Library
) -> None:
    assert base.follow() is None
    (source / "lunch.md").write_text("# Lunch\n\nLunch is served at noon.\n")
    code = (
        "from pathlib import Path; from knowledge import KnowledgeBase, Library;"
        f"KnowledgeBase([Path({str(source)!r})], Path({str(tmp_path / 'data' / 'index')!r}),"
        f" library=Library(Path({str(library.path)!r}))).open()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True, timeout=50)
    assert not base.search("When is lunch?")
    report = base.follow()
    assert report
    assert (report.added, report.changed) == (1, True)
    assert base.search("When is lunch?")
    assert base.follow() is None


def test_what_another_process_builds_from_other_sources_is_left_alone(base: KnowledgeBase, tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Lunch\n\nLunch is served at noon.\n")
    KnowledgeBase([tmp_path / "other.md"], tmp_path / "data" / "index").open()
    assert base.follow() is None
    assert base.search("Where do visitors park?")


def test_an_index_that_vanishes_before_it_is_taken_up_changes_nothing(base: KnowledgeBase, tmp_path: Path) -> None:
    folder = IndexFolder(tmp_path / "data" / "index")
    (folder.path / "current").write_text("0123456789ab\n")
    with pytest.raises(Exception, match="damaged"):
        base.follow()
    assert base.search("Where do visitors park?")


def test_a_calibration_that_another_process_makes_is_taken_up(base: KnowledgeBase, tmp_path: Path) -> None:
    base.follow()
    other = KnowledgeBase([tmp_path / "handbook"], tmp_path / "data" / "index")
    other.open()
    calibration = tmp_path / "data" / "index" / "calibration.json"
    calibration.write_text(starter.calibration().read_text().replace('"threshold": 0.', '"threshold": 0.9'))
    assert base.follow() is None
    assert base.threshold > 0.9


HOURS = "# When is the office open?\n\nThe office is open from nine to five. When the office is open, ring the bell.\n"


def test_a_taught_answer_comes_first_for_just_its_question_whatever_else_resembles_it(
    base: KnowledgeBase, library: Library, source: Path
) -> None:
    (source / "hours.md").write_text(HOURS)
    (source / "faq.jsonl").write_text('{"question": "When is the office open?", "answer": "Ask the porter."}\n')
    answer = "From eight until six, and on the first Saturday of each month until noon; " * 20
    change(base, library, library.teaching("When is the office open?", answer))
    for asked in ("When is the office open?", "when is the OFFICE open", " When is “the office” open ?! "):
        first, *others = base.search(asked)
        assert (first.passage.source, first.confidence) == ("library/answers.jsonl", 1.0)
        assert others
        assert all(first.score >= hit.score for hit in others)
        assert len({hit.passage for hit in (first, *others)}) == 1 + len(others)
    assert len(base.search("When is the office open?", limit=1)) == 1
    assert base.search("When is the office open?", source="handbook")[0].confidence < 1
    assert base.search("Is the office open when it rains?")[0].confidence < 1
    change(base, library, library.untaught(library.answers()[0].id))
    assert base.search("When is the office open?")[0].passage.text == "Ask the porter."


def test_an_index_without_the_table_of_ready_answers_is_built_anew(base: KnowledgeBase, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "index"
    page = next(folder.rglob("manifest.json"))
    manifest = Manifest.read(page.parent)
    (page.parent / "ready_answers.npy").unlink()
    replace(manifest, parts=tuple(part for part in manifest.parts if part.name != "ready_answers.npy")).save(
        page.parent
    )
    again = KnowledgeBase([tmp_path / "handbook"], folder)
    assert again.open().rebuilt_because == "written by another version"
    assert again.search("Where do visitors park?")
