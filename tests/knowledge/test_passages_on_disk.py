"""Passages and titles come back from disk as they went in."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import DamagedIndexError
from knowledge.passages import Passage
from knowledge.storage.passage_store import PassageStore, passage_writer
from knowledge.storage.title_list import TitleList, write_titles

anything = st.text(st.characters(codec=None))
passages = st.builds(
    Passage,
    text=anything,
    source=anything,
    location=anything,
    title=anything,
    url=anything,
    tags=st.lists(anything, max_size=3).map(tuple),
    question=anything,
)


def stored(folder: Path, items: list[Passage]) -> PassageStore:
    with passage_writer(folder) as store:
        for item in items:
            store(item)
    return PassageStore.open(folder)


@given(st.lists(passages, min_size=1, max_size=5))
@settings(deadline=None)
def test_every_passage_comes_back_as_it_was(items: list[Passage]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = stored(Path(folder), items)
        assert [store[row] for row in range(len(store))] == items


def test_offsets_that_do_not_fit_the_texts_are_damage(tmp_path: Path) -> None:
    stored(tmp_path, [Passage("a", "b", "c")])
    with (tmp_path / "passages.jsonl").open("ab") as file:
        file.write(b"{}\n")
    with pytest.raises(DamagedIndexError, match=r"passage_offsets\.npy does not fit"):
        PassageStore.open(tmp_path)


def listed(folder: Path, *titles: str) -> TitleList:
    write_titles(folder, titles)
    return TitleList.open(folder)


def test_titles_are_found_by_beginning_whatever_the_case(tmp_path: Path) -> None:
    titles = listed(tmp_path, "Wave", "waveguide", "Heat", "Standing wave", "WAVE", "Microwaves")
    assert titles.beginning_with("wav", 9) == ["WAVE", "Wave", "waveguide", "Standing wave"]
    assert titles.beginning_with("wav", 2) == ["WAVE", "Wave"]
    assert titles.beginning_with("wav", 0) == []


def test_a_curly_apostrophe_finds_a_straight_one(tmp_path: Path) -> None:
    assert listed(tmp_path, "Ohm's law").beginning_with("ohm’s", 9) == ["Ohm's law"]


def test_a_knowledge_base_without_titles_has_none_to_offer(tmp_path: Path) -> None:
    assert listed(tmp_path).beginning_with("", 9) == []


@given(st.lists(st.text(), max_size=20), st.text(max_size=3))
@settings(deadline=None)
def test_every_title_with_the_prefix_is_offered(titles: list[str], prefix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        offered = listed(Path(folder), *titles).beginning_with("", 99)
        assert sorted(offered) == sorted(set(titles))
        wanted = [title for title in titles if prefix and title.startswith(prefix) and prefix.isalpha()]
        assert set(wanted) <= set(listed(Path(folder), *titles).beginning_with(prefix, 99))
