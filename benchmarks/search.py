"""How long a search takes, beside tantivy, bm25s and scikit-learn's product of matrices.

    python benchmarks/search.py
    python benchmarks/search.py --passages 100000 --json

The passages are synthetic: words drawn by a Zipf–Mandelbrot law from half a million, about eighty to a passage. A
question is drawn from one passage, as people ask about something that is there: one word in three (at least one) as
it comes, so that it is mostly a frequent one, the others by their information, so that they are mostly rare.

Each engine builds its index in a process of its own (seconds, peak memory); then all are opened here and asked the
same questions by turns, one thread, ten hits each, as row numbers. An engine that has used up its time for one
length of question is asked no more of it; how many it answered is told.
"""

import argparse
import json
import pickle
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Search = Callable[[str], list[int]]

_VOCABULARY = 500_000
_EXPONENT, _SHIFT = 1.07, 2.7
_MEAN_WORDS, _DEVIATION = 80, 20
_LENGTHS = (3, 8, 20)
_HITS = 10
_TURN, _WARM_UP = 250, 5
_CONSONANTS, _VOWELS, _LAST_VOWELS = "bdfgklmnprstvz", "aiou", "aou"


@dataclass(frozen=True)
class Build:
    """One index built: seconds until it can be searched, and the peak memory of the process in MiB."""

    engine: str
    passages: int
    seconds: float
    peak_mib: float


@dataclass(frozen=True)
class Timing:
    """One engine on questions of one length, in microseconds; the ratio is of the medians."""

    engine: str
    passages: int
    terms: int
    questions: int
    median: float
    p99: float
    ratio_to_tantivy: float


def _word(rank: int) -> str:
    """Return the pronounceable word of a rank, of a form that stemming leaves as it is."""
    rest, vowel = divmod(rank, len(_LAST_VOWELS))
    rest, consonant = divmod(rest, len(_CONSONANTS))
    word = _CONSONANTS[consonant] + _LAST_VOWELS[vowel]
    while rest or len(word) < 4:
        rest, vowel = divmod(rest, len(_VOWELS))
        rest, consonant = divmod(rest, len(_CONSONANTS))
        word = _CONSONANTS[consonant] + _VOWELS[vowel] + word
    return word


@cache
def _probabilities() -> NDArray[np.float64]:
    weights = np.power(np.arange(1, _VOCABULARY + 1) + _SHIFT, -_EXPONENT)
    return np.asarray(weights / weights.sum(), np.float64)


def _passages(count: int, random: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yield the ranks of each passage's words."""
    bounds = np.cumsum(_probabilities())
    for _ in range(0, count, 10_000):
        lengths = np.clip(random.normal(_MEAN_WORDS, _DEVIATION, 10_000), 20, 200).astype(np.int64)
        ranks = bounds.searchsorted(random.random(lengths.sum())).clip(max=_VOCABULARY - 1)
        yield from np.split(ranks, np.cumsum(lengths)[:-1])


def _question(passage: NDArray[np.int64], terms: int, random: np.random.Generator) -> NDArray[np.int64] | None:
    if len(np.unique(passage)) < terms:
        return None
    asked = list(dict.fromkeys(random.permutation(passage).tolist()))[: max(1, terms // 3)]
    others = np.setdiff1d(passage, asked)
    information = -np.log(_probabilities()[others])
    return np.concatenate(
        [asked, random.choice(others, terms - len(asked), replace=False, p=information / information.sum())]
    )


def _write(path: Path, count: int, questions: int, seed: int) -> dict[int, list[str]]:
    """Write the passages, one a line, and return questions by their number of terms."""
    random = np.random.default_rng(seed)
    words = np.array([_word(rank) for rank in range(_VOCABULARY)], object)
    asked_about = set(random.choice(count, min(count, 2 * questions), replace=False).tolist())
    asked: dict[int, list[str]] = {terms: [] for terms in _LENGTHS}
    with path.open("w", encoding="utf-8") as file:
        for row, passage in zip(range(count), _passages(count, random), strict=False):
            file.write(" ".join(words[passage]) + "\n")
            for terms in _LENGTHS if row in asked_about else ():
                question = _question(passage, terms, random)
                if question is not None and len(asked[terms]) < questions:
                    asked[terms].append(" ".join(words[question]))
    return asked


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        yield from file


def _build_preceptor(passages: Path, folder: Path) -> None:
    from knowledge.index.tfidf import Fields, TfidfIndex

    TfidfIndex.fit(Fields("", line) for line in _lines(passages)).save(folder)


def _open_preceptor(folder: Path) -> Search:
    from knowledge.index.tfidf import TfidfIndex

    index = TfidfIndex.open(folder)
    return lambda question: [match.document for match in index.search(question, _HITS)]


def _build_tantivy(passages: Path, folder: Path) -> None:
    import tantivy

    schema = tantivy.SchemaBuilder()
    schema.add_text_field("body")
    schema.add_integer_field("row", fast=True)
    writer = tantivy.Index(schema.build(), path=str(folder)).writer(heap_size=1_000_000_000, num_threads=1)
    for row, line in enumerate(_lines(passages)):
        writer.add_document(tantivy.Document(body=line, row=row))
    writer.commit()
    writer.wait_merging_threads()


def _open_tantivy(folder: Path) -> Search:
    """Its quickest way: hits are not counted, and their rows come from a column."""
    import tantivy

    index = tantivy.Index.open(str(folder))
    searcher = index.searcher()

    def _search(question: str) -> list[int]:
        hits = searcher.search(index.parse_query(question, ["body"]), _HITS, count=False).hits
        rows: list[int] = searcher.fast_field_values("row", [address for _, address in hits])  # type: ignore[assignment]
        return rows

    return _search


def _build_bm25s(passages: Path, folder: Path) -> None:
    import bm25s

    engine = bm25s.BM25()
    engine.index(bm25s.tokenize(list(_lines(passages)), stopwords=None, show_progress=False), show_progress=False)
    engine.save(folder)


def _open_bm25s(folder: Path) -> Search:
    import bm25s

    engine = bm25s.BM25.load(folder)

    def _search(question: str) -> list[int]:
        tokens = bm25s.tokenize([question], stopwords=None, show_progress=False)
        rows: list[int] = engine.retrieve(tokens, k=_HITS, show_progress=False)[0][0].tolist()
        return rows

    return _search


def _build_sklearn(passages: Path, folder: Path) -> None:
    from scipy.sparse import save_npz
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer()
    save_npz(folder / "matrix.npz", vectorizer.fit_transform(_lines(passages)), compressed=False)
    (folder / "vectorizer").write_bytes(pickle.dumps(vectorizer))


def _open_sklearn(folder: Path) -> Search:
    from scipy.sparse import load_npz

    matrix = load_npz(folder / "matrix.npz")
    vectorizer = pickle.loads((folder / "vectorizer").read_bytes())

    def _search(question: str) -> list[int]:
        scores = (matrix @ vectorizer.transform([question]).T).toarray().ravel()
        rows: list[int] = np.argsort(-scores)[:_HITS].tolist()
        return rows

    return _search


_ENGINES: dict[str, tuple[Callable[[Path, Path], None], Callable[[Path], Search]]] = {
    "preceptor": (_build_preceptor, _open_preceptor),
    "tantivy": (_build_tantivy, _open_tantivy),
    "bm25s": (_build_bm25s, _open_bm25s),
    "scikit-learn": (_build_sklearn, _open_sklearn),
}


def _build_here(engine: str, passages: Path, folder: Path) -> None:
    """What a child process does: build, and print how it went."""
    started = time.perf_counter()
    _ENGINES[engine][0](passages, folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    print(json.dumps([time.perf_counter() - started, peak]))


def _build(engine: str, count: int, passages: Path, folder: Path) -> Build:
    folder.mkdir()
    command = [sys.executable, __file__, "--build", engine, str(passages), str(folder)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Build(engine, count, *json.loads(output.splitlines()[-1]))


def _ask(engines: dict[str, Search], questions: list[str], budget_s: float) -> dict[str, list[float]]:
    """Return each engine's seconds per question; they take turns, half of the questions each."""
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for search in engines.values():
        for question in questions[:_WARM_UP]:
            search(question)
    for first in range(0, len(questions), _TURN):
        for name, search in engines.items():
            for question in questions[first : first + _TURN]:
                if sum(seconds[name]) < budget_s:
                    started = time.perf_counter()
                    search(question)
                    seconds[name].append(time.perf_counter() - started)
    return seconds


def _timings(engines: dict[str, Search], count: int, asked: dict[int, list[str]], budget_s: float) -> Iterator[Timing]:
    for terms, questions in asked.items():
        seconds = _ask(engines, questions, budget_s)
        reference = statistics.median(seconds["tantivy"])
        for name, taken in seconds.items():
            median, p99 = float(np.median(taken)), float(np.quantile(taken, 0.99))
            yield Timing(name, count, terms, len(taken), 1e6 * median, 1e6 * p99, median / reference)


def _measure(count: int, options: argparse.Namespace) -> tuple[list[Build], list[Timing]]:
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        passages = folder / "passages.txt"
        asked = _write(passages, count, options.questions, options.seed)
        builds = [_build(engine, count, passages, folder / engine) for engine in options.engines]
        engines = {engine: _ENGINES[engine][1](folder / engine) for engine in options.engines}
        return builds, list(_timings(engines, count, asked, options.budget))


def _print(builds: list[Build], timings: list[Timing]) -> None:
    print(f"{'passages':>9} {'engine':13} {'build s':>9} {'peak MiB':>9}")
    for build in builds:
        print(f"{build.passages:9} {build.engine:13} {build.seconds:9.1f} {build.peak_mib:9.0f}")
    print(f"\n{'passages':>9} {'terms':>5} {'engine':13} {'median µs':>10} {'p99 µs':>9} {'× tantivy':>9} {'asked':>6}")
    for one in timings:
        line = f"{one.passages:9} {one.terms:5} {one.engine:13} {one.median:10.0f} {one.p99:9.0f}"
        print(f"{line} {one.ratio_to_tantivy:9.2f} {one.questions:6}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, nargs="+", default=[100_000, 1_000_000], help="how many")
    parser.add_argument("--questions", type=int, default=500, help="of each length")
    parser.add_argument("--budget", type=float, default=20.0, help="seconds an engine may take for one length")
    parser.add_argument("--engines", nargs="+", choices=_ENGINES, default=list(_ENGINES))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="where the indexes are built, instead of the temporary folder")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--build", nargs=3, metavar=("ENGINE", "PASSAGES", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if "tantivy" not in options.engines:
        parser.error("tantivy is what the others are compared with: name it among the --engines")
    return options


def main() -> None:
    """Measure and print."""
    options = _options()
    if options.build:
        engine, passages, folder = options.build
        _build_here(engine, Path(passages), Path(folder))
        return
    builds: list[Build] = []
    timings: list[Timing] = []
    for count in options.passages:
        more_builds, more_timings = _measure(count, options)
        builds += more_builds
        timings += more_timings
    if options.json:
        print(json.dumps({"builds": list(map(asdict, builds)), "searches": list(map(asdict, timings))}, indent=1))
    else:
        _print(builds, timings)


if __name__ == "__main__":
    main()
