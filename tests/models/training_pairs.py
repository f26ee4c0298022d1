"""A new task for the tiny models: the same things, asked for in other words and answered in another form."""

import json
import random
from pathlib import Path

from models.evaluation.squad import Sample
from models.generation import GroundingPassage
from tests.models.tiny_models import MASSES, PLACES, THINGS


def new_pairs(count: int, seed: int = 5) -> list[dict[str, str]]:
    """Different pairs of question and answer, with their contexts."""
    chance = random.Random(seed)
    pairs = {}
    while len(pairs) < count:
        thing, place, mass = (chance.choice(words) for words in (THINGS, PLACES, MASSES))
        pairs[thing, place, mass] = {
            "question": f"Where would I find the {thing}?",
            "answer": f"In the {place}.",
            "context": f"The {thing} is kept in the {place}. The {thing} has a mass of {mass} grams.",
        }
    return list(pairs.values())


def new_samples(count: int, seed: int = 5) -> list[Sample]:
    """The same pairs, with their passages."""
    return [
        Sample(str(at), one["question"], (one["answer"],), one["context"], "", (GroundingPassage(1, one["context"]),))
        for at, one in enumerate(new_pairs(count, seed))
    ]


def written(folder: Path, lines: list[dict[str, str]]) -> Path:
    """Write pairs as JSON Lines."""
    file = folder / "pairs.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file
