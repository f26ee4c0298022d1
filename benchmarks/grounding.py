"""How well the review of written answers tells what the passages bear out from what they don't.

    python benchmarks/grounding.py
    python benchmarks/grounding.py --data ../shared/data --json --misses

Each statement is reviewed with the five passages that the search finds for its question in the starter knowledge
base. Faithful ones are paraphrases written by hand. Corrupted ones are written by hand, or made from the faithful
ones by rule: another number, another unit, another name, a "not" put in, and statements about another question. A near
miss says something else in the passage's own words: who meets what is exchanged, or one plain word is another one.
XQuAD: the sentence of the context that holds the gold answer, with that context.
"""

import argparse
import json
import random
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from knowledge import KnowledgeBase, starter
from models.generation import GroundingPassage
from models.generation.grounding.review import Review

_PASSAGES = 5
_VERBATIM = "XQuAD, verbatim"
_SENTENCE = re.compile(r".+?(?:(?<=[.!?])(?<![A-Z.]\.)\s+(?=[A-Z])|\Z)", re.DOTALL)
_STATEMENTS = Path(__file__).with_name("grounding_statements.json")
_NUMBER = re.compile(r"(?<![\w.^₀-₉/-])(\d+(?:\.\d+)?)(?![\w.]*[-⁻^\d]|n)")
_UNITS = {
    "km/h": "m/s", "m/s": "km/h", "kJ": "J", "J": "kJ", "nm": "mm", "mm": "cm", "m": "km", "kg": "g", "K": "°C",
    "N": "W", "eV": "keV", "MeV": "GeV", "µF": "nF", "pm": "nm", "bar": "Pa", "kV": "V", "Hz": "kHz", "pF": "µF",
}  # fmt: skip
_UNIT = re.compile(rf"(?<=\d )({'|'.join(map(re.escape, sorted(_UNITS, key=len, reverse=True)))})(?![\w/])")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{3,}(?:'s)?\b")
_NAMES = ("Feynman", "Marconi", "Venus", "Boltzmann", "Tesla", "Saturn")
_VERB = re.compile(r"\b(is|are|was|can|will|must|does|has to)\b(?! (?:not|no|only|at most)\b)(?!n?'t)")


@dataclass(frozen=True)
class Case:
    """A statement with what it answers; `kind` is "faithful", or how it was corrupted.

    The rules and thresholds were set with those that are not held out in view.
    """

    kind: str
    question: str
    passages: tuple[GroundingPassage, ...]
    statement: str
    is_held_out: bool = False


@dataclass(frozen=True)
class Share:
    """How many statements of a kind there are, and which share of them was judged right."""

    kind: str
    statements: int
    right: float


def cases() -> list[Case]:
    """The starter's cases, hand-written and made by rule; the same every time."""
    chance = random.Random(7)
    written = json.loads(_STATEMENTS.read_text("utf-8"))
    found: list[Case] = []
    with tempfile.TemporaryDirectory() as index:
        base = KnowledgeBase([starter.folder()], Path(index))
        base.open()
        for at, entry in enumerate(written):
            passages = _passages(base, entry["question"], entry["title"])
            made = [("faithful", statement) for statement in entry["faithful"]]
            made += [(f"{one['kind']}, by hand", one["text"]) for one in entry["corrupted"]]
            for statement in entry["faithful"]:
                made += _corrupted(statement, chance)
            titles = {passage.title for passage in passages}
            other = next(one for one in written[at + 7 :] + written if one["title"] not in titles)
            made.append(("elsewhere, by rule", other["faithful"][0]))
            is_held_out = bool(entry.get("held_out"))
            found += [Case(kind, entry["question"], passages, statement, is_held_out) for kind, statement in made]
        base.close()
    return found


def xquad(file: Path) -> list[Case]:
    """The sentences of XQuAD (SQuAD's layout) that hold the gold answers."""
    found: list[Case] = []
    for article in json.loads(file.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            passage = GroundingPassage(1, paragraph["context"])
            sentences = [(one.start(), one.end()) for one in _SENTENCE.finditer(paragraph["context"])]
            for asked in paragraph["qas"]:
                at = asked["answers"][0]["answer_start"]
                start, end = next(span for span in sentences if span[0] <= at < span[1])
                sentence = paragraph["context"][start:end].strip()
                found.append(Case(_VERBATIM, asked["question"], (passage,), sentence))
    return found


def judge(case: Case) -> str:
    """Why a statement is dropped; empty where it is let through."""
    review = Review(case.question, case.passages)
    review.read(case.statement)
    review.finish()
    reasons = [one.reason for one in review.judgements if one.reason]
    return reasons[0] if reasons else ""


def shares(judged: Sequence[tuple[Case, str]]) -> list[Share]:
    """The share judged right, a kind each."""
    by_kind: dict[str, list[bool]] = defaultdict(list)
    for case, reason in judged:
        is_true = case.kind in ("faithful", _VERBATIM)
        kinds = [case.kind] if is_true else [case.kind, "corrupted, all"]
        for kind in [f"{kind} (held out)" if case.is_held_out else kind for kind in kinds]:
            by_kind[kind].append(is_true is not bool(reason))
    return [Share(kind, len(right), sum(right) / len(right)) for kind, right in sorted(by_kind.items())]


def _passages(base: KnowledgeBase, question: str, title: str) -> tuple[GroundingPassage, ...]:
    """The five best hits; where the one that answers is not among them, it stands in the last one's place."""
    hits = base.search(question, _PASSAGES)
    if title not in {hit.passage.title for hit in hits}:
        hits = hits[: _PASSAGES - 1] + [hit for hit in base.search(title, 3) if hit.passage.title == title][:1]
    return tuple(
        GroundingPassage(number, hit.passage.text, hit.passage.title, hit.score)
        for number, hit in enumerate(hits, start=1)
    )


def _corrupted(statement: str, chance: random.Random) -> Iterator[tuple[str, str]]:
    number = _NUMBER.search(statement)
    if number:
        other = f"{float(number[1]) * chance.choice((0.5, 1.1, 2, 3, 10)):.4g}"
        yield "number, by rule", f"{statement[: number.start()]}{other}{statement[number.end() :]}"
    unit = _UNIT.search(statement)
    if unit:
        yield "unit, by rule", f"{statement[: unit.start()]}{_UNITS[unit[0]]}{statement[unit.end() :]}"
    name = _NAME.search(statement)
    if name:
        yield "name, by rule", f"{statement[: name.start()]}{chance.choice(_NAMES)}{statement[name.end() :]}"
    verb = _VERB.search(statement)
    if verb:
        yield "negation, by rule", f"{statement[: verb.end()]} not{statement[verb.end() :]}"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=default, help="folder with xquad/; left out where it is absent")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--misses", action="store_true", help="print what was judged wrong")
    options = parser.parse_args()
    file = options.data / "xquad" / "xquad.en.json"
    found = cases() + (xquad(file) if file.is_file() else [])
    judged = [(case, judge(case)) for case in found]
    rows = shares(judged)
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
    else:
        for row in rows:
            print(f"{row.kind:32}{row.statements:6}{row.right:9.1%}")
    if options.misses:
        for case, reason in judged:
            if (case.kind in ("faithful", _VERBATIM)) is bool(reason):
                print(f"{case.kind:20} {reason or 'kept':9} {case.statement}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
