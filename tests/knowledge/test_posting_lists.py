"""The search over posting lists finds what a full computation finds."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.index.posting_lists import PostingLists, Ranking


def synthetic(seed: int, rows: int, terms: int, levels: int = 0) -> PostingLists:
    """Lists from one document to nearly all; `levels` above 0 allows that many impacts only, so that scores tie."""
    random = np.random.default_rng(seed)
    sizes = np.unique((rows * random.random(terms) ** 4).astype(np.int64).clip(1, rows))
    sizes = random.permutation(np.resize(sizes, terms))
    documents = [np.sort(random.choice(rows, size, replace=False)) for size in sizes]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    rarity = np.repeat(np.log1p(rows / sizes), sizes)
    shares = random.random(starts[-1])
    if levels:
        shares, rarity = random.integers(1, levels + 1, starts[-1]) / 4, np.ones(starts[-1])
    impacts = (rarity * (0.1 + shares)).astype(np.float32)
    peaks = np.maximum.reduceat(impacts, starts[:-1])
    return PostingLists(rows, starts, np.concatenate(documents).astype(np.int32), impacts, peaks)


def exhaustive(lists: PostingLists, terms: list[int], weights: list[float], limit: int) -> Ranking:
    table = np.zeros((len(terms), lists.rows))
    for row, (term, weight) in enumerate(zip(terms, weights, strict=True)):
        span = slice(lists.starts[term], lists.starts[term + 1])
        table[row, lists.documents[span]] = lists.impacts[span] * np.float64(weight)
    scores = table.sum(axis=0)
    order = np.argsort(-scores, kind="stable")[:limit]
    order = order[scores[order] > 0]
    return Ranking(order, scores[order], table[:, order].T)


def assert_same(found: Ranking, expected: Ranking) -> None:
    assert found.documents.tolist() == expected.documents.tolist()
    # To the last bit or two: a sum may be taken in another order.
    assert found.scores == pytest.approx(expected.scores, rel=1e-14)
    assert found.contributions.tolist() == expected.contributions.tolist()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from([1, 3, 450, 20_000]),
    st.integers(1, 20),
    st.sampled_from([1, 10, 100]),
    st.sampled_from([0, 1, 3]),
)
def test_the_search_is_exact(seed: int, rows: int, asked: int, limit: int, levels: int) -> None:
    lists = synthetic(seed, rows, 40, levels)
    random = np.random.default_rng(seed)
    terms = random.choice(40, asked, replace=False).tolist()
    weights = random.choice([0.3, 0.4, 1.0, 1.7], asked).tolist()
    assert_same(lists.best(terms, weights, limit), exhaustive(lists, terms, weights, limit))


def test_one_search_leaves_nothing_behind_for_the_next() -> None:
    lists = synthetic(1, 5_000, 40)
    first = lists.best([3, 7, 11], [1.0, 1.0, 0.3], 10)
    lists.best(list(range(40)), [1.0] * 40, 10)
    assert_same(lists.best([3, 7, 11], [1.0, 1.0, 0.3], 10), first)


def test_documents_with_equal_scores_stand_in_the_order_of_their_rows() -> None:
    documents = np.arange(5_000, dtype=np.int32)
    impacts = np.ones(5_000, np.float32)
    lists = PostingLists(5_000, np.array([0, 5_000]), documents, impacts, np.ones(1, np.float32))
    assert lists.best([0], [1.0], 7).documents.tolist() == list(range(7))


def test_threads_do_not_disturb_each_other() -> None:
    lists = synthetic(4, 20_000, 40)
    queries = [np.random.default_rng(seed).choice(40, 6, replace=False).tolist() for seed in range(64)]
    expected = [lists.best(query, [1.0] * 6, 10) for query in queries]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda query: lists.best(query, [1.0] * 6, 10), queries * 4))
    for one, other in zip(found, expected * 4, strict=True):
        assert_same(one, other)
