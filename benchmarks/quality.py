"""How good search, answers and "I don't know" are, beside scikit-learn's defaults and bm25s with stemming.

    python benchmarks/quality.py
    python benchmarks/quality.py --data ../shared/data --json

Retrieval: nDCG@10 on Cranfield and XQuAD (BEIR's layout), every engine on title and text. Answers: the share of
XQuAD's questions whose gold answer, normalised as SQuAD's own script does, lies inside the extractive answer from
the five best passages, and inside its first sentence; what the threshold would decline is answered all the same,
and its share is told. Calibration: the starter's questions, cross-validated.
"""

import argparse
import asyncio
import json
import re
import string
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from knowledge import KnowledgeBase, starter
from knowledge.beir import Collection, read_collection
from knowledge.calibration import measure
from knowledge.evaluation import ndcg
from knowledge.index.tfidf import Fields, TfidfIndex
from knowledge.questions import read_questions
from models.generation import GroundingPassage
from models.generation.extractive import ExtractiveGenerator

Search = Callable[[str], list[int]]

_COLLECTIONS = ("cranfield", "xquad")
_FILES = ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv")
_HITS = 10
_PASSAGES = 5
_CITATION = re.compile(r"\s*\[\d+\]")
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True)
class Retrieval:
    """nDCG@10 of one engine on one collection; the ratio is ours to this engine's."""

    collection: str
    engine: str
    ndcg_at_10: float
    ratio: float


@dataclass(frozen=True)
class Answers:
    """Shares of the questions: gold answer in the answer, in its first sentence; declined at the threshold."""

    questions: int
    in_answer: float
    in_first_sentence: float
    declined: float
    median_characters: float


@dataclass(frozen=True)
class Abstention:
    """The starter's calibration, cross-validated; `first` and `among_five` are shares of the right passages."""

    answerable: int
    unanswerable: int
    auroc: float
    threshold: float
    false_answers: float
    false_declines: float
    first: float
    among_five: float


def ours(collection: Collection) -> Search:
    """Preceptor's index with its defaults."""
    index = TfidfIndex.fit(Fields(document.title, document.text) for document in collection.documents.values())
    return lambda query: [match.document for match in index.search(query, _HITS)]


def scikit_learn(collection: Collection) -> Search:
    """`TfidfVectorizer()` as it comes, ranked by cosine."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer()
    matrix = vectorizer.fit_transform(_texts(collection))

    def search(query: str) -> list[int]:
        scores = (matrix @ vectorizer.transform([query]).T).toarray().ravel()
        best = np.argsort(-scores, kind="stable")[:_HITS]
        return [int(row) for row in best if scores[row] > 0]

    return search


def bm25s_stemmed(collection: Collection) -> Search:
    """bm25s as it comes, with its English stop words and PyStemmer's English stemmer."""
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")
    retriever = bm25s.BM25()
    texts = bm25s.tokenize(_texts(collection), stopwords="en", stemmer=stemmer, show_progress=False)
    retriever.index(texts, show_progress=False)

    def search(query: str) -> list[int]:
        tokens = bm25s.tokenize([query], stopwords="en", stemmer=stemmer, show_progress=False)
        rows, scores = retriever.retrieve(tokens, k=_HITS, show_progress=False)
        return [int(row) for row, score in zip(rows[0], scores[0], strict=True) if score > 0]

    return search


_ENGINES = {"preceptor": ours, "scikit-learn": scikit_learn, "bm25s": bm25s_stemmed}


def compare(name: str, collection: Collection) -> list[Retrieval]:
    """Every engine on one collection."""
    ids = list(collection.documents)
    figures = {engine: _mean_ndcg(make(collection), collection, ids) for engine, make in _ENGINES.items()}
    return [Retrieval(name, engine, figure, figures["preceptor"] / figure) for engine, figure in figures.items()]


def answers(folder: Path) -> Answers:
    """Answer XQuAD's questions as the bot does, from a knowledge base made of its corpus."""
    lines = (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines if line.strip()]
    with tempfile.TemporaryDirectory() as index:
        base = KnowledgeBase([folder / "corpus.jsonl"], Path(index))
        base.open()
        replies = [asyncio.run(_answer(base, question["text"])) for question in questions]
        base.close()
    golds = [[normalised(gold) for gold in question["answers"]] for question in questions]
    return Answers(
        questions=len(questions),
        in_answer=_share(golds, [reply.text for reply in replies]),
        in_first_sentence=_share(golds, [_CITATION.split(reply.text)[0] for reply in replies]),
        declined=sum(reply.declined for reply in replies) / len(replies),
        median_characters=float(np.median([len(reply.text) for reply in replies])),
    )


def abstention() -> Abstention:
    """Calibrate the starter anew and give the figures."""
    unanswerable = [question.text for question in read_questions(starter.unanswerable())]
    with tempfile.TemporaryDirectory() as index:
        base = KnowledgeBase([starter.folder()], Path(index))
        base.open()
        report = measure(base, read_questions(starter.answerable()), unanswerable)
        base.close()
    made = report.calibration
    return Abstention(
        answerable=made.answerable,
        unanswerable=made.unanswerable,
        auroc=made.auroc,
        threshold=made.threshold,
        false_answers=made.false_answers,
        false_declines=made.false_declines,
        first=report.first,
        among_five=report.among_five,
    )


def normalised(text: str) -> str:
    """Lower case, without punctuation, articles and superfluous white space, as SQuAD's evaluation script has it."""
    bare = text.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())


@dataclass(frozen=True)
class _Reply:
    text: str
    declined: bool


async def _answer(base: KnowledgeBase, question: str) -> _Reply:
    hits = base.search(question, _PASSAGES)
    if not hits:
        return _Reply("", True)
    passages = [
        GroundingPassage(number, hit.passage.text, hit.passage.title, hit.score, hit.passage.question)
        for number, hit in enumerate(hits, 1)
    ]
    text = "".join([piece async for piece in ExtractiveGenerator().stream(question, passages)])
    return _Reply(text, hits[0].confidence < base.threshold)


def _share(golds: Sequence[Sequence[str]], texts: Sequence[str]) -> float:
    inside = [
        any(gold in normalised(_CITATION.sub("", text)) for gold in accepted)
        for accepted, text in zip(golds, texts, strict=True)
    ]
    return sum(inside) / len(inside)


def _mean_ndcg(search: Search, collection: Collection, ids: Sequence[str]) -> float:
    figures = [
        ndcg([ids[row] for row in search(text)], collection.relevance[key], _HITS)
        for key, text in collection.queries.items()
    ]
    return sum(figures) / len(figures)


def _texts(collection: Collection) -> list[str]:
    return [f"{document.title} {document.text}".strip() for document in collection.documents.values()]


def _missing(data: Path) -> list[Path]:
    wanted = [data / name / file for name in _COLLECTIONS for file in _FILES]
    return [path for path in wanted if not path.is_file()]


def _print(retrieval: Sequence[Retrieval], answered: Answers, abstained: Abstention) -> None:
    print(f"{'collection':12}{'engine':14}{'nDCG@10':>9}{'preceptor : engine':>20}")
    for row in retrieval:
        print(f"{row.collection:12}{row.engine:14}{row.ndcg_at_10:9.4f}{row.ratio:20.3f}")
    print(f"\nXQuAD, {answered.questions} questions: gold answer in the answer {answered.in_answer:.1%},")
    print(
        f"  in its first sentence {answered.in_first_sentence:.1%}; median {answered.median_characters:.0f} characters;"
    )
    print(f"  the starter's threshold would decline {answered.declined:.1%}")
    print(f"\nCalibration, {abstained.answerable} answerable and {abstained.unanswerable} unanswerable questions:")
    print(f"  AUROC {abstained.auroc:.3f}; at {abstained.threshold:.3f}", end="")
    print(f" false answers {abstained.false_answers:.1%}, false declines {abstained.false_declines:.1%}")
    print(f"  right passage first {abstained.first:.1%}, among five {abstained.among_five:.1%}")


def main() -> int:
    """Measure and print; exit status 2 without the collections."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=default, help="folder with cranfield/ and xquad/")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if missing := _missing(options.data):
        print("Missing:", *missing, sep="\n  ", file=sys.stderr)
        return 2
    retrieval: list[Retrieval] = []
    for name in _COLLECTIONS:
        paths = [options.data / name / file for file in _FILES]
        retrieval += compare(name, read_collection(*paths))
    answered, abstained = answers(options.data / "xquad"), abstention()
    if options.json:
        figures = {"answers": asdict(answered), "calibration": asdict(abstained)}
        print(json.dumps({"retrieval": [asdict(row) for row in retrieval], **figures}, indent=1))
    else:
        _print(retrieval, answered, abstained)
    return 0


if __name__ == "__main__":
    sys.exit(main())
