"""A search in one of several sources."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import KnowledgeBase
from knowledge.index.tfidf import Fields, TfidfIndex


def _folder(path: Path, **files: str) -> Path:
    path.mkdir(parents=True)
    for name, text in files.items():
        (path / f"{name}.md").write_text(text)
    return path


def opened(tmp_path: Path, *sources: Path) -> KnowledgeBase:
    base = KnowledgeBase(sources, tmp_path / "index")
    base.open()
    return base


@pytest.fixture
def base(tmp_path: Path) -> KnowledgeBase:
    physics = _folder(tmp_path / "physics", light="# Light\n\nLight is fast.\n", mass="# Mass\n\nMass is inert.\n")
    office = _folder(tmp_path / "office", light="# Switches\n\nThe light switch is on the left of the door.\n")
    single = tmp_path / "extra.md"
    single.write_text("# Doors\n\nThe door opens with a key.\n")
    return opened(tmp_path, physics, office, single)


def test_sources_are_named_by_the_end_of_their_paths(base: KnowledgeBase) -> None:
    assert base.sources == ("physics", "office", "extra.md")


@pytest.mark.parametrize(
    ("source", "titles"),
    [
        ("physics", ["Light"]),
        ("office", ["Switches"]),
        ("extra.md", []),
        ("", ["Light", "Switches"]),
        ("elsewhere", []),
    ],
)
def test_only_what_came_from_a_source_is_found_in_it(base: KnowledgeBase, source: str, titles: list[str]) -> None:
    assert [hit.passage.title for hit in base.search("light", source=source)] == titles


def test_scores_and_terms_are_those_of_the_whole(base: KnowledgeBase) -> None:
    everywhere = {hit.passage.location + hit.passage.title: hit for hit in base.search("light door mass")}
    for hit in base.search("light door mass", source="office"):
        whole = everywhere[hit.passage.location + hit.passage.title]
        assert (hit.score, hit.coverage, hit.terms) == (whole.score, whole.coverage, whole.terms)


def test_sources_that_end_alike_are_told_apart(tmp_path: Path) -> None:
    one, two = (_folder(tmp_path / name / "docs", a=f"# {name}\n\nAll of {name}.\n") for name in ("one", "two"))
    base = opened(tmp_path, one, two)
    assert base.sources == ("one/docs", "two/docs")
    assert [hit.passage.title for hit in base.search("all", source="two/docs")] == ["two"]


def test_a_single_source_is_one(tmp_path: Path) -> None:
    base = opened(tmp_path, _folder(tmp_path / "physics", light="# Light\n\nLight is fast.\n"))
    assert base.sources == ("physics",)
    assert [hit.passage.title for hit in base.search("light", source="physics")] == ["Light"]


def test_a_source_that_gave_nothing_of_its_own_is_not_offered(tmp_path: Path) -> None:
    texts = {"light": "# Light\n\nLight is fast.\n"}
    base = opened(tmp_path, _folder(tmp_path / "physics", **texts), _folder(tmp_path / "copy", **texts))
    assert base.sources == ("physics",)


def test_after_a_reload_the_new_rows_count(tmp_path: Path, base: KnowledgeBase) -> None:
    (tmp_path / "physics" / "lamp.md").write_text("# Lamps\n\nA lamp gives light.\n")
    base.reload()
    assert {hit.passage.title for hit in base.search("light", source="physics")} == {"Light", "Lamps"}
    assert [hit.passage.title for hit in base.search("light", source="office")] == ["Switches"]


_WORDS = st.lists(st.sampled_from(["light", "mass", "door", "key", "left", "fast"]), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(st.lists(_WORDS, min_size=2, max_size=30), _WORDS, st.integers(0, 30), st.integers(0, 30), st.integers(1, 5))
def test_what_is_found_among_rows_is_what_is_found_at_all_without_the_others(
    texts: list[list[str]], asked: list[str], start: int, length: int, limit: int
) -> None:
    index = TfidfIndex.fit([Fields("", " ".join(text), ()) for text in texts])
    among = range(min(start, len(texts)), min(start + length, len(texts)))
    every = index.search(" ".join(asked), len(texts))
    expected = [(match.document, match.score, match.terms) for match in every if match.document in among][:limit]
    found = index.search(" ".join(asked), limit, among=among)
    assert [(match.document, match.score, match.terms) for match in found] == expected
