import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.diagnosis.contract import NO_MATCH, LabelledTexts
from models.diagnosis.data.near_duplicates import groups
from models.diagnosis.data.splits import Split, families, group_folds, honest_split, random_split

LABELS = ("psoriasis", "common cold", "migraine", NO_MATCH)


def different(count: int, seed: int = 0) -> list[str]:
    """Texts that have no word in common."""
    chance = random.Random(seed)
    return [" ".join("".join(chance.choices("abcdefghijklmnop", k=9)) for _ in range(6)) for _ in range(count)]


def labelled(rows: list[tuple[str, str]]) -> LabelledTexts:
    return LabelledTexts(tuple(text for text, _ in rows), tuple(label for _, label in rows))


def plain(each: int = 30) -> LabelledTexts:
    """As many texts of each label, none like another."""
    texts = different(each * len(LABELS))
    return labelled([(text, LABELS[row % len(LABELS)]) for row, text in enumerate(texts)])


def with_copies(originals: int = 40, copies: int = 4) -> LabelledTexts:
    """Texts that stand there several times, a word changed."""
    rows = [(text, LABELS[row % 3]) for row, text in enumerate(different(originals))]
    return labelled([(f"{text} again{copy}", label) for text, label in rows for copy in range(copies)])


def sides(split: Split) -> list[list[int]]:
    return [part.tolist() for part in (split.training, split.validation, split.test)]


def test_every_text_is_on_one_side_and_every_label_has_its_share_of_each() -> None:
    texts = plain(30)
    split = honest_split(texts, seed=1)
    assert sorted(row for side in sides(split) for row in side) == list(range(120))
    for side, share in zip(sides(split), (21, 3, 6), strict=True):
        assert Counter(texts.at(side).labels) == dict.fromkeys(LABELS, share)


def test_near_duplicates_are_on_one_side() -> None:
    texts = with_copies()
    split = honest_split(texts)
    group_of = groups(texts.texts)
    on = [set(group_of[side].tolist()) for side in sides(split)]
    assert not on[0] & on[1] | on[0] & on[2] | on[1] & on[2]
    assert sum(map(len, on)) == 40
    assert len(split.test) == pytest.approx(32, abs=8)


def test_a_split_by_chance_tears_near_duplicates_apart() -> None:
    texts = with_copies()
    split = random_split(texts)
    group_of = groups(texts.texts)
    assert set(group_of[split.training].tolist()) & set(group_of[split.test].tolist())
    assert [len(side) for side in sides(split)] == pytest.approx([112, 16, 32], abs=2)


def test_a_seed_gives_the_same_split_again_and_another_seed_another_one() -> None:
    texts = plain()
    assert sides(honest_split(texts, seed=5)) == sides(honest_split(texts, seed=5))
    assert sides(honest_split(texts, seed=5)) != sides(honest_split(texts, seed=6))


def test_a_label_of_three_texts_is_on_every_side() -> None:
    rows = [(text, "common cold") for text in different(60)]
    rare = different(3, seed=9)
    texts = labelled(rows[:30] + [(text, "migraine") for text in rare] + rows[30:])
    for seed in range(10):
        assert all("migraine" in texts.at(side).labels for side in sides(honest_split(texts, seed=seed)))


def test_a_label_whose_texts_are_all_alike_is_taken_apart_and_said() -> None:
    alike = [f"the very same long winded description of a rash {ending}" for ending in ("x1", "x2", "x3", "x4", "x5")]
    texts = labelled([(text, "common cold") for text in different(30)] + [(text, "impetigo") for text in alike])
    found = families(texts)
    assert found.loosened == 5
    assert all("impetigo" in texts.at(side).labels for side in sides(honest_split(texts)))


def test_texts_of_one_pattern_that_chain_all_together_can_still_be_split() -> None:
    chance = random.Random(0)
    signs = [f"sign{number}" for number in range(25)]
    rows = [(" ".join(chance.sample(signs, 6)), LABELS[number % 3]) for number in range(300)]
    texts = labelled(rows)
    assert len(set(groups(texts.texts).tolist())) < 5
    split = honest_split(texts)
    assert [len(side) for side in sides(split)] == pytest.approx([210, 30, 60], abs=15)
    assert families(texts).loosened > 200


def test_where_nothing_chains_nothing_is_loosened() -> None:
    found = families(with_copies())
    assert (found.near_duplicates, found.loosened) == (40, 0)


def test_folds_hold_each_text_once_near_duplicates_together_and_every_label() -> None:
    texts = with_copies(60, 3)
    folds = group_folds(texts, 5, seed=2)
    assert sorted(row for fold in folds for row in fold.tolist()) == list(range(180))
    group_of = groups(texts.texts)
    assert sum(len(set(group_of[fold].tolist())) for fold in folds) == 60
    assert all(set(texts.at(fold).labels) == set(LABELS[:3]) for fold in folds)
    assert max(map(len, folds)) - min(map(len, folds)) <= 9


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a b", "a b c", "d e", "f", "", "g h i"]), st.sampled_from(LABELS))))
def test_any_labelled_texts_can_be_split(rows: list[tuple[str, str]]) -> None:
    texts = labelled(rows)
    assert sorted(row for side in sides(honest_split(texts)) for row in side) == list(range(len(rows)))
    assert sorted(row for fold in group_folds(texts, 3) for row in fold.tolist()) == list(range(len(rows)))
