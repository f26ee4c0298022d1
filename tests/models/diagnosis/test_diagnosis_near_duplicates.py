import random
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import TfidfVectorizer

from models.diagnosis.data.near_duplicates import Likeness, groups, nearest_cosine

WORDS = re.findall(
    r"\w+", "itchy red patch elbow knee fever chills cough phlegm nose sneeze sour burn chest throb ache eye light"
)


def by_brute_force(texts: list[str], threshold: float) -> list[int]:
    """Connected components of the whole matrix of cosines, as scikit-learn gives them."""
    vectors = TfidfVectorizer().fit_transform(texts)
    near = (vectors @ vectors.T).toarray() >= threshold - 1e-6
    return list(connected_components(csr_array(near), directed=False)[1])


def same_groups(one: list[int], other: list[int]) -> bool:
    return len(set(zip(one, other, strict=True))) == len(set(one)) == len(set(other))


def some_texts(count: int, seed: int = 0) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=chance.randint(2, 9))) for _ in range(count)]


def test_a_text_with_a_few_words_changed_is_with_its_original_and_another_is_not() -> None:
    texts = [
        "I have itchy red patches with silvery scales on both of my elbows",
        "My nose runs and I sneeze all day long",
        "I have got itchy red patches with silvery scales on both my knees",
    ]
    assert groups(texts).tolist() == [0, 1, 0]


def test_near_duplicates_of_a_near_duplicate_are_in_its_group() -> None:
    texts = ["alpha beta gamma delta", "gamma delta epsilon zeta", "epsilon zeta eta theta"]
    assert groups(texts, threshold=0.3).tolist() == [0, 0, 0]
    assert groups(texts, threshold=0.9).tolist() == [0, 1, 2]


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 120), st.integers(0, 10_000), st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9, 1.0]))
def test_no_pair_is_missed_and_none_is_invented(count: int, seed: int, threshold: float) -> None:
    texts = some_texts(count, seed)
    assert same_groups(groups(texts, threshold).tolist(), by_brute_force(texts, threshold))


def test_many_blocks_give_what_one_block_gives() -> None:
    texts, rows = some_texts(400), np.arange(400)
    likeness = Likeness(texts)
    assert likeness.groups(rows, pairs_at_once=400 * 7).tolist() == likeness.groups(rows).tolist()


@given(st.lists(st.text(max_size=20), max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_texts_at_all_have_groups_numbered_in_their_order(texts: list[str]) -> None:
    found = groups(texts).tolist()
    assert len(found) == len(texts)
    assert list(dict.fromkeys(found)) == list(range(len(set(found))))


def test_texts_without_blanks_between_words_are_compared_too() -> None:
    assert groups(
        ["肘に赤くてかゆい発疹がある", "膝に赤くてかゆい発疹がある", "鼻水とくしゃみが止まらない"]
    ).tolist() == [0, 0, 1]


def test_it_tells_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []
    groups(some_texts(50), told=lambda done, total: told.append((done, total)))
    assert told[-1] == (50, 50)


def test_the_nearest_of_others_is_found_by_its_cosine() -> None:
    found = nearest_cosine(["red itchy patches", "the bus was late"], ["red itchy patches", "a runny nose"])
    assert found == pytest.approx([1, 0], abs=1e-6)
    assert nearest_cosine(["red"], []).tolist() == [0]
    assert nearest_cosine([], ["red"]).tolist() == []


def test_three_thousand_texts_take_about_a_second_at_the_most() -> None:
    from time import process_time

    texts = [" ".join(np.random.default_rng(row).choice(2_000, 25).astype(str)) for row in range(3_000)]
    groups(texts[:10])
    begun = process_time()
    groups(texts)
    assert process_time() - begun < 3
