"""Building, opening, reloading and searching a knowledge base, as its owner sees it."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from knowledge import KnowledgeBase, KnowledgeOptions, starter
from knowledge.errors import NothingToLoadError, NotOpenError, OptionsError, SourceMissingError
from knowledge.index.tfidf import TfidfOptions

TIDES = {"title": "Tides", "context": "The tides rise because the Moon pulls harder on the near side of the sea."}
BREAD = {"title": "Sourdough", "context": "Sourdough bread rises by wild yeast and needs a long night in the cold."}
READY = {"question": "When is the canteen open?", "answer": "From noon until two."}


def write(folder: Path, *items: object, name: str = "a.json") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(items), encoding="utf-8")
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "source", TIDES, BREAD, READY)


@pytest.fixture
def base(source: Path, tmp_path: Path) -> KnowledgeBase:
    return KnowledgeBase([source], tmp_path / "index")


def titles(base: KnowledgeBase, question: str) -> list[str]:
    return [hit.passage.title for hit in base.search(question)]


def test_the_first_open_builds_and_the_second_finds_it_built(base: KnowledgeBase, source: Path, tmp_path: Path) -> None:
    first = base.open()
    assert (first.rebuilt_because, first.passages, first.added, first.changed) == ("first build", 3, 3, True)
    second = KnowledgeBase([source], tmp_path / "index").open()
    assert (second.rebuilt_because, second.added, second.removed, second.changed) == ("", 0, 0, False)
    assert second.version == first.version


def test_a_hit_tells_what_matched_and_where_it_stands(base: KnowledgeBase) -> None:
    base.open()
    best = base.search("why do tides rise")[0]
    assert best.passage.title == "Tides"
    assert best.passage.source == "a.json"
    assert {"tides", "rise"} <= {term.query_word for term in best.terms}
    assert best.coverage == pytest.approx(1.0)
    assert 0 <= best.confidence <= 1
    assert best.score > 0


def test_a_ready_answer_is_found_by_its_question(base: KnowledgeBase) -> None:
    base.open()
    best = base.search("when is the canteen open?")[0].passage
    assert (best.question, best.text) == ("When is the canteen open?", "From noon until two.")


@pytest.mark.parametrize("question", ["", "   ", "?!…", "🦉🦉", "zyxwv", "\x00\x1b[0m", "\ud800", "עברית"])
def test_a_question_without_a_known_word_finds_nothing(base: KnowledgeBase, question: str) -> None:
    base.open()
    assert base.search(question) == []


def test_a_question_of_a_hundred_thousand_characters_is_searched(base: KnowledgeBase) -> None:
    base.open()
    assert titles(base, "tides " + "x" * 100_000)[0] == "Tides"


def test_a_follow_up_is_understood_from_the_turn_before(tmp_path: Path) -> None:
    base = KnowledgeBase([starter.folder()], tmp_path / "index")
    base.open()
    best = base.search("and the third one?", 1, ["what is Newton's first law?"])[0]
    assert best.passage.title == "Newton's third law"
    assert best.confidence >= base.threshold


def test_a_changed_source_is_built_anew_and_the_report_counts_what_changed(base: KnowledgeBase, source: Path) -> None:
    base.open()
    write(source, TIDES, {"title": "Owls", "context": "Owls fly without a sound."})
    report = base.reload()
    assert (report.rebuilt_because, report.changed) == ("sources changed", True)
    assert (report.passages, report.added, report.removed) == (2, 1, 2)
    assert titles(base, "owls") == ["Owls"]
    assert titles(base, "sourdough") == []


def test_a_source_that_changed_while_we_were_away_is_seen_at_the_next_open(
    base: KnowledgeBase, source: Path, tmp_path: Path
) -> None:
    base.open()
    write(source, TIDES)
    report = KnowledgeBase([source], tmp_path / "index").open()
    assert (report.rebuilt_because, report.added, report.removed) == ("sources changed", 0, 2)


def test_a_file_that_was_only_touched_builds_nothing(base: KnowledgeBase, source: Path) -> None:
    base.open()
    (source / "a.json").touch()
    assert base.reload().rebuilt_because == ""


def test_a_change_that_keeps_size_and_time_is_seen_when_it_follows_at_once(base: KnowledgeBase, source: Path) -> None:
    file = source / "a.json"
    base.open()
    status = file.stat()
    file.write_text(file.read_text().replace("Moon", "Mars"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert base.reload().changed


def test_other_options_build_another_index(base: KnowledgeBase, source: Path, tmp_path: Path) -> None:
    base.open()
    options = KnowledgeOptions(tfidf=TfidfOptions(title_weight=1))
    assert KnowledgeBase([source], tmp_path / "index", options).open().rebuilt_because == "options changed"


@pytest.mark.parametrize(("longest", "overlap"), [(200, 101), (200, -1), (39, 0)])
def test_passages_that_would_share_more_than_half_are_refused(longest: int, overlap: int) -> None:
    with pytest.raises(OptionsError, match="at most half of their length"):
        KnowledgeOptions(longest=longest, overlap=overlap)


def test_going_back_to_what_was_there_before_builds_nothing(base: KnowledgeBase, source: Path) -> None:
    first = base.open()
    write(source, TIDES)
    base.reload()
    write(source, TIDES, BREAD, READY)
    report = base.reload()
    assert (report.version, report.rebuilt_because, report.changed, report.added) == (first.version, "", True, 2)


def test_only_the_version_in_use_and_the_one_before_are_kept(base: KnowledgeBase, source: Path, tmp_path: Path) -> None:
    versions = [base.open().version]
    for count in range(3):
        write(source, *[TIDES, BREAD, READY][: count + 1], {"context": f"Note {count}."})
        versions.append(base.reload().version)
    kept = {path.name for path in (tmp_path / "index").iterdir() if path.is_dir()}
    assert kept == set(versions[-2:])


def test_broken_files_are_named_and_the_good_ones_load(base: KnowledgeBase, source: Path, tmp_path: Path) -> None:
    (source / "broken.json").write_text('[{"context": "half')
    report = base.open()
    assert report.passages == 3
    assert [problem.source for problem in report.problems] == ["broken.json"]
    again = KnowledgeBase([source], tmp_path / "index").open()
    assert again.problems == report.problems
    assert again.rebuilt_because == ""


def test_a_load_that_would_leave_nothing_keeps_the_old_knowledge(base: KnowledgeBase, source: Path) -> None:
    base.open()
    (source / "a.json").write_text("[]")
    with pytest.raises(NothingToLoadError) as caught:
        base.reload()
    assert caught.value.problems
    assert titles(base, "tides")[0] == "Tides"


def test_nothing_to_load_at_the_first_open_is_an_error_with_the_problems(tmp_path: Path) -> None:
    write(tmp_path / "source")
    with pytest.raises(NothingToLoadError) as caught:
        KnowledgeBase([tmp_path / "source"], tmp_path / "index").open()
    assert caught.value.problems[0].source == "a.json"
    assert not list((tmp_path / "index").glob("building-*"))


def test_a_source_that_vanishes_takes_no_knowledge_with_it(tmp_path: Path) -> None:
    sources = [write(tmp_path / "one", TIDES), write(tmp_path / "two", BREAD)]
    base = KnowledgeBase(sources, tmp_path / "index")
    base.open()
    (tmp_path / "two" / "a.json").unlink()
    with pytest.raises(SourceMissingError, match="is empty; it gave 1 files before"):
        base.reload()
    (tmp_path / "two").rmdir()
    with pytest.raises(SourceMissingError, match="two is not there"):
        base.reload()
    assert titles(base, "sourdough") == ["Sourdough"]


def test_a_start_without_its_source_answers_from_the_last_index_and_says_so(
    base: KnowledgeBase, source: Path, tmp_path: Path
) -> None:
    base.open()
    source.rename(tmp_path / "elsewhere")
    later = KnowledgeBase([source], tmp_path / "index")
    report = later.open()
    assert report.rebuilt_because == ""
    assert "is not there" in report.problems[0].message
    assert "goes on answering" in report.problems[0].message
    assert titles(later, "tides")[0] == "Tides"


def test_a_source_that_was_never_there_is_an_error(base: KnowledgeBase, tmp_path: Path) -> None:
    base.open()
    with pytest.raises(SourceMissingError):
        KnowledgeBase([tmp_path / "misspelt"], tmp_path / "index").open()


def test_a_source_whose_links_go_round_in_a_circle_is_named(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(SourceMissingError, match="loop cannot be opened"):
        KnowledgeBase([tmp_path / "loop"], tmp_path / "index").open()


def test_duplicates_are_kept_once_and_counted(tmp_path: Path) -> None:
    text = "The speed of light in vacuum is 299,792,458 metres per second, the same for everybody who measures it."
    same = [text, text, text.upper(), text.replace(" ", "\n"), f"“{text}”"]
    write(tmp_path / "source", *({"context": each} for each in same))
    report = KnowledgeBase([tmp_path / "source"], tmp_path / "index").open()
    assert (report.passages, report.duplicates) == (1, 4)


def test_titles_are_offered_for_what_was_typed(base: KnowledgeBase) -> None:
    base.open()
    assert base.titles() == ["Sourdough", "Tides", "When is the canteen open?"]
    assert base.titles("tI") == ["Tides"]
    assert base.titles("canteen") == ["When is the canteen open?"]
    assert base.titles("", 1) == ["Sourdough"]
    assert base.titles("zzz") == []


def test_statistics_tell_what_is_in_it(base: KnowledgeBase, source: Path) -> None:
    version = base.open().version
    statistics = base.statistics()
    assert (statistics.version, statistics.files, statistics.passages, statistics.titles) == (version, 1, 3, 3)
    assert statistics.terms > 10
    assert statistics.postings >= statistics.terms
    assert statistics.bytes_on_disk > 1000
    assert statistics.sources == (str(source),)
    assert statistics.calibration.own is False


def test_a_knowledge_base_that_is_not_open_says_so(base: KnowledgeBase) -> None:
    for use in (base.reload, base.statistics, base.titles, lambda: base.search("tides"), lambda: base.threshold):
        with pytest.raises(NotOpenError):
            use()
    base.open()
    base.close()
    with pytest.raises(NotOpenError):
        base.search("tides")


def test_a_search_during_reloads_sees_one_version_whole(tmp_path: Path) -> None:
    source = tmp_path / "source"
    groups = [[{"title": f"{letter}{row}", "context": f"common {letter}"} for row in range(4)] for letter in "AB"]
    for group in groups:
        for row, item in enumerate(group):
            item["context"] += f" item {row}"
    write(source, *groups[0])
    base = KnowledgeBase([source], tmp_path / "index")
    base.open()
    over, mixed, errors = threading.Event(), [], []

    def search() -> None:
        while not over.is_set():
            found = {hit.passage.title[0] for hit in base.search("common", 10)}
            if len(found) != 1:
                mixed.append(found)

    def guarded() -> None:
        try:
            search()
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)

    readers = [threading.Thread(target=guarded) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(6):
        write(source, *groups[(turn + 1) % 2], {"title": f"{'BA'[turn % 2]}x", "context": f"common {turn}"})
        base.reload()
    over.set()
    for reader in readers:
        reader.join()
    assert (mixed, errors) == ([], [])


def test_opening_a_saved_index_imports_no_scientific_library(base: KnowledgeBase, source: Path, tmp_path: Path) -> None:
    base.open()
    program = f"""
import sys
from pathlib import Path
from knowledge import KnowledgeBase
base = KnowledgeBase([Path({str(source)!r})], Path({str(tmp_path / "index")!r}))
assert base.open().rebuilt_because == ""
assert base.search("tides")[0].passage.title == "Tides"
assert base.reload().rebuilt_because == ""
print([name for name in ("sklearn", "scipy", "matplotlib", "markdown_it", "torch") if name in sys.modules])
"""
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_the_error_tree_is_imported_without_numpy() -> None:
    program = "import sys; from knowledge import KnowledgeError; print('numpy' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"
