"""What is hidden from servers: how much of what is personal, how much that is not, and how fast; beside Presidio.

    python benchmarks/redaction.py

Beside Microsoft Presidio where it is installed (`pip install presidio-analyzer`), with its pattern recognisers and a
blank tokenizer: its own set-up downloads a model, and where it cannot it does not start. ``known`` are texts that the
patterns here were written with; ``held_out`` are others, written when the patterns were done. When they were first
looked at, 46 of 51 parts were found here, and nothing else; four of the five that were missed have been seen to since.
"""

import json
import logging
import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from models.generation.served.redaction import PatternRedactor

_TEXTS = Path(__file__).with_name("redaction_texts.json")
_ROUNDS = 5
_PLACEHOLDER = re.compile(r"<[a-z]+-\d+>")
_THEIR_KINDS = [
    "EMAIL_ADDRESS",
    "PHONE_NUMBER",
    "CREDIT_CARD",
    "IBAN_CODE",
    "IP_ADDRESS",
    "US_SSN",
    "US_BANK_NUMBER",
    "US_ITIN",
    "UK_NHS",
    "CRYPTO",
]
_THRESHOLDS = (0.0, 0.4, 0.6)

Spans = Sequence[tuple[int, int]]
Find = Callable[[str], Spans]


def ours(text: str) -> Spans:
    """Give where something is hidden."""
    (hidden,), restoration = PatternRedactor().hide([text])
    spans, longer = [], 0
    for match in _PLACEHOLDER.finditer(hidden):
        original = restoration.originals.get(match[0])
        if original is not None:
            start = match.start() + longer
            spans.append((start, start + len(original)))
            longer += len(original) - len(match[0])
    return spans


def presidio() -> Iterator[tuple[str, Find]]:
    """Give what Presidio finds, at some thresholds, with a tokenizer in the place of its model."""
    logging.disable(logging.WARNING)
    # Neither is a dependency.
    spacy: Any = import_module("spacy")
    analyzer: Any = import_module("presidio_analyzer")
    nlp: Any = import_module("presidio_analyzer.nlp_engine")

    class Blank(nlp.NlpEngine):  # type: ignore[misc]
        """Takes texts apart, and knows nothing of them."""

        def __init__(self) -> None:
            self.nlp: Mapping[str, Any] = {"en": spacy.blank("en")}

        def load(self) -> None: ...

        def is_loaded(self) -> bool:
            return True

        def process_text(self, text: str, language: str) -> Any:  # noqa: ANN401 - theirs
            tokens = self.nlp[language](text)
            return nlp.NlpArtifacts(
                [], tokens, [one.idx for one in tokens], [one.lower_ for one in tokens], self, language
            )

        def process_batch(self, texts: Any, language: str, **_: Any) -> Any:  # noqa: ANN401 - theirs
            return ((text, self.process_text(text, language)) for text in texts)

        def is_stopword(self, word: str, language: str) -> bool:
            return bool(self.nlp[language].vocab[word].is_stop)

        def is_punct(self, word: str, language: str) -> bool:
            return bool(self.nlp[language].vocab[word].is_punct)

        def get_supported_entities(self) -> list[str]:
            return []

        def get_supported_languages(self) -> list[str]:
            return ["en"]

    registry = analyzer.RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    engine = analyzer.AnalyzerEngine(nlp_engine=Blank(), registry=registry, supported_languages=["en"])
    for threshold in _THRESHOLDS:

        def find(text: str, threshold: float = threshold) -> Spans:
            found = engine.analyze(text, language="en", entities=_THEIR_KINDS, score_threshold=threshold)
            return [(one.start, one.end) for one in found]

        yield f"presidio, score from {threshold}", find


def judged(find: Find, texts: Sequence[Mapping[str, Any]]) -> str:
    """Say in a line how much of what is personal is covered, how much that is not, and how long a text takes."""
    found = missed = false = 0
    for text, personal in ((one["text"], one["personal"]) for one in texts):
        spans = find(text)
        covered = {place for start, end in spans for place in range(start, end)}
        wanted: set[int] = set()
        for secret in personal:
            start = text.index(secret)
            places = {place for place in range(start, start + len(secret)) if text[place].isalnum()}
            found, missed = (found + 1, missed) if places <= covered else (found, missed + 1)
            wanted |= set(range(start, start + len(secret)))
        false += sum(wanted.isdisjoint(range(start, end)) for start, end in spans)
    seconds = statistics.median(_timed(find, texts) for _ in range(_ROUNDS))
    recall, precision = found / (found + missed), found / max(1, found + false)
    return f"recall {recall:.3f}  precision {precision:.3f}  {seconds / len(texts) * 1e6:7.0f} µs a text"


def _timed(find: Find, texts: Sequence[Mapping[str, Any]]) -> float:
    start = time.perf_counter()
    for one in texts:
        find(one["text"])
    return time.perf_counter() - start


def main() -> None:
    """Print a table."""
    sets: Mapping[str, Sequence[Mapping[str, Any]]] = json.loads(_TEXTS.read_text(encoding="utf-8"))
    finders: list[tuple[str, Find]] = [("ours", ours)]
    if find_spec("presidio_analyzer"):
        finders += presidio()
    for name, texts in sets.items():
        personal = sum(len(one["personal"]) for one in texts)
        print(f"{name}: {len(texts)} texts, {personal} personal parts")
        for finder, find in finders:
            print(f"  {finder:24}  {judged(find, texts)}")


if __name__ == "__main__":
    main()
