"""How good the retrieval is on a test collection with known relevant documents."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from pathlib import Path

from knowledge.beir import Collection, read_collection
from knowledge.index.tfidf import Fields, TfidfIndex
from knowledge.index.weighting import TfidfOptions

_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Means over the queries that have a relevant document; all figures but the last three are 0 to 1.

    Attributes:
        ndcg_at_10: see `ndcg`.
        recall_at_10: see `recall`.
        recall_at_100: see `recall`.
        mrr_at_10: see `reciprocal_rank`.
        queries: how many there are with a relevant document.
        documents: how many the corpus holds.
        elapsed_s: how long all searches took, seconds.
    """

    ndcg_at_10: float
    recall_at_10: float
    recall_at_100: float
    mrr_at_10: float
    queries: int
    documents: int
    elapsed_s: float

    @property
    def queries_per_second(self) -> float:
        """How many were searched for in a second, one after the other, 100 hits each."""
        return self.queries / self.elapsed_s if self.elapsed_s else 0.0


def evaluate(corpus: Path, queries: Path, qrels: Path, options: TfidfOptions | None = None) -> Evaluation:
    """Index a collection in BEIR's layout (Thakur et al., NeurIPS 2021), search for its queries, and judge.

    The index stays in memory; a knowledge base is neither needed nor touched.

    Args:
        corpus: JSON Lines with ``_id``, ``title`` and ``text``.
        queries: JSON Lines with ``_id`` and ``text``.
        qrels: tab-separated with a header: query, document, relevance.
        options: how terms are weighted.

    Raises:
        EvaluationDataError: a file does not read; names it and the line.
    """
    collection = read_collection(corpus, queries, qrels)
    fields = (Fields(document.title, document.text) for document in collection.documents.values())
    index = TfidfIndex.fit(fields, options or TfidfOptions())
    ids = list(collection.documents)
    started = time.perf_counter()
    found = {key: index.search(text, _DEPTH) for key, text in collection.queries.items()}
    elapsed = time.perf_counter() - started
    runs = {key: [ids[match.document] for match in matches] for key, matches in found.items()}
    return _judged(runs, collection, elapsed)


def ndcg(ranking: Sequence[str], relevance: Mapping[str, int], depth: int) -> float:
    """Normalised discounted cumulative gain (Järvelin & Kekäläinen, TOIS 2002) as trec_eval's ``ndcg_cut``.

    Gains are the relevance grades themselves, negative ones counted as 0; the document at rank r is discounted by
    log2(r + 1); the ideal ranking holds every judged document.

    Args:
        ranking: documents, best first.
        relevance: grades of the judged documents.
        depth: how many of the ranking count.
    """
    gains = [max(relevance.get(document, 0), 0) for document in ranking[:depth]]
    ideal = sorted((max(grade, 0) for grade in relevance.values()), reverse=True)[:depth]
    best = _discounted(ideal)
    return _discounted(gains) / best if best else 0.0


def recall(ranking: Sequence[str], relevance: Mapping[str, int], depth: int) -> float:
    """Share of the relevant documents (grade above 0) among the first `depth`, as trec_eval's ``recall``."""
    relevant = {document for document, grade in relevance.items() if grade > 0}
    return len(relevant.intersection(ranking[:depth])) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranking: Sequence[str], relevance: Mapping[str, int], depth: int) -> float:
    """1 / rank of the first relevant document, 0 where none is among the first `depth` (Voorhees, TREC-8)."""
    ranks = (rank for rank, document in enumerate(ranking[:depth], 1) if relevance.get(document, 0) > 0)
    return 1 / first if (first := next(ranks, 0)) else 0.0


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1))


def _judged(runs: Mapping[str, Sequence[str]], collection: Collection, elapsed_s: float) -> Evaluation:
    judged = [(runs[key], relevance) for key, relevance in collection.relevance.items()]
    count = len(judged)
    return Evaluation(
        ndcg_at_10=sum(ndcg(ranking, relevance, 10) for ranking, relevance in judged) / count,
        recall_at_10=sum(recall(ranking, relevance, 10) for ranking, relevance in judged) / count,
        recall_at_100=sum(recall(ranking, relevance, 100) for ranking, relevance in judged) / count,
        mrr_at_10=sum(reciprocal_rank(ranking, relevance, 10) for ranking, relevance in judged) / count,
        queries=count,
        documents=len(collection.documents),
        elapsed_s=elapsed_s,
    )
