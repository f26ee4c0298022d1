"""Measures of retrieval against values reckoned by hand, and test collections that do not read."""

from math import log2
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from knowledge.errors import EvaluationDataError
from knowledge.evaluation import Evaluation, evaluate, ndcg, recall, reciprocal_rank

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
CORPUS = [
    '{"_id": "d1", "title": "Tides", "text": "The Moon pulls the sea."}',
    '{"_id": "d2", "text": "Bread rises by yeast."}',
    '{"_id": "d3", "title": "", "text": "The sea is salt."}',
]
QUERIES = ['{"_id": "q1", "text": "moon sea"}', '{"_id": "q2", "text": "salt"}', '{"_id": "q3", "text": "nothing"}']
QRELS = ["query-id\tcorpus-id\tscore", "q1\td1\t1", "q1\td2\t1", "q2\td3\t1", "q3\td1\t0"]


def collection(folder: Path, **changed: list[str]) -> tuple[Path, Path, Path]:
    files = {"corpus": CORPUS, "queries": QUERIES, "qrels": QRELS} | changed
    paths = folder / "corpus.jsonl", folder / "queries.jsonl", folder / "test.tsv"
    for path, lines in zip(paths, files.values(), strict=True):
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return paths


def test_ndcg_as_reckoned_by_hand() -> None:
    grades = {"a": 3, "b": 2, "c": 1, "unfound": 1}
    gained = 2 / log2(2) + 3 / log2(4) + 1 / log2(5)
    ideal = 3 / log2(2) + 2 / log2(3) + 1 / log2(4) + 1 / log2(5)
    assert ndcg(["b", "x", "a", "c"], grades, 10) == pytest.approx(gained / ideal)
    assert ndcg(["b", "x", "a", "c"], grades, 2) == pytest.approx(2 / (3 + 2 / log2(3)))
    assert ndcg(["x"], grades, 10) == 0
    assert ndcg(["x"], {"x": -1, "a": 1}, 10) == 0


@given(st.lists(st.integers(0, 4), min_size=2, max_size=15).filter(any), st.integers(1, 12), st.randoms())
def test_ndcg_agrees_with_scikit_learn(grades: list[int], depth: int, random: object) -> None:
    scores = list(range(len(grades)))
    random.shuffle(scores)  # type: ignore[attr-defined]
    ranking = [str(row) for row in np.argsort(scores)[::-1]]
    relevance = {str(row): grade for row, grade in enumerate(grades)}
    assert ndcg(ranking, relevance, depth) == pytest.approx(ndcg_score([grades], [scores], k=depth))


def test_recall_and_reciprocal_rank_as_reckoned_by_hand() -> None:
    grades = {"a": 1, "b": 1, "c": 0}
    assert recall(["c", "a", "x"], grades, 10) == 0.5
    assert recall(["c", "a"], grades, 1) == 0
    assert reciprocal_rank(["c", "a", "b"], grades, 10) == 0.5
    assert reciprocal_rank(["c", "a"], grades, 1) == 0


def test_a_small_collection_is_evaluated_as_reckoned_by_hand(tmp_path: Path) -> None:
    result = evaluate(*collection(tmp_path))
    assert (result.queries, result.documents) == (2, 3)  # q3 has no relevant document
    assert result.ndcg_at_10 == pytest.approx((1 / (1 + 1 / log2(3)) + 1) / 2)
    assert result.recall_at_10 == result.recall_at_100 == pytest.approx(0.75)
    assert result.mrr_at_10 == 1
    assert result.queries_per_second > 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"corpus": [CORPUS[0], "{"]}, r"corpus\.jsonl, line 2: it is not JSON"),
        ({"corpus": [CORPUS[0], "[]"]}, r"corpus\.jsonl, line 2: it is not an object"),
        ({"corpus": ['{"_id": "d1"}']}, r"corpus\.jsonl, line 1: the text 'text' is missing"),
        ({"queries": ['{"_id": 1, "text": "x"}']}, r"queries\.jsonl, line 1: the text '_id' is missing"),
        ({"qrels": QRELS[1:]}, r"test\.tsv, line 1: the header"),
        ({"qrels": [QRELS[0], "q1\td1"]}, r"test\.tsv, line 2: it has 2 columns"),
        ({"qrels": [QRELS[0], "q1\td1\tyes"]}, r"test\.tsv, line 2: the relevance 'yes'"),
        ({"qrels": [QRELS[0], "q9\td1\t1"]}, r"test\.tsv, line 2: there is no query 'q9'"),
        ({"qrels": [QRELS[0], "q1\td9\t1"]}, r"test\.tsv, line 2: there is no document 'd9'"),
        ({"qrels": [QRELS[0], "x" * 200_000]}, r"test\.tsv, line 2: it has 1 columns"),
        ({"qrels": [QRELS[0], "q1\td1\t1\rq1\td2\t1"]}, r"test\.tsv, line 2: it has 5 columns"),
        ({"qrels": QRELS[:1]}, r"test\.tsv names no relevant document"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, changed: dict[str, list[str]], message: str) -> None:
    with pytest.raises(EvaluationDataError, match=message):
        evaluate(*collection(tmp_path, **changed))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    corpus, queries, qrels = collection(tmp_path)
    queries.unlink()
    with pytest.raises(EvaluationDataError, match=r"queries\.jsonl cannot be read"):
        evaluate(corpus, queries, qrels)


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    corpus, queries, qrels = collection(tmp_path)
    corpus.write_bytes(b"\xff\xfe")
    with pytest.raises(EvaluationDataError, match=r"corpus\.jsonl cannot be read"):
        evaluate(corpus, queries, qrels)


@pytest.mark.parametrize(("name", "least"), [("cranfield", 0.53), ("xquad", 0.965)])
def test_a_real_collection_is_searched_well(name: str, least: float) -> None:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"the collection {name} is not beside the repository")
    result: Evaluation = evaluate(folder / "corpus.jsonl", folder / "queries.jsonl", folder / "qrels" / "test.tsv")
    assert result.ndcg_at_10 >= least
