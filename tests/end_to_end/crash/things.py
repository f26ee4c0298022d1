"""What people ask about: things that do not exist, each with a name and a weight of its own, and so an answer."""

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"\b[A-Z][a-z]{5,}k\b")
_CONSONANTS, _VOWELS = "bdfgklmnprtvz", "aeiou"


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing: nobody else has its name, and the knowledge base has one sentence about it."""

    name: str
    grams: int

    @property
    def question(self) -> str:
        """What is asked."""
        return f"How heavy is the {self.name}?"

    @property
    def answer(self) -> str:
        """The sentence that answers it."""
        return f"The {self.name} weighs {self.grams} grams."


def make_things(number: int, chance: random.Random) -> list[Thing]:
    """Make so many different things. A name's last letter keeps a stemmer from taking two for one."""
    names: dict[str, None] = {}
    while len(names) < number:
        syllables = (chance.choice(_CONSONANTS) + chance.choice(_VOWELS) for _ in range(4))
        names["".join(syllables).capitalize() + "k"] = None
    return [Thing(name, 1_000 + index) for index, name in enumerate(names)]


def write_knowledge(folder: Path, things: list[Thing]) -> None:
    """Write the knowledge base."""
    folder.mkdir()
    entries = [{"question": thing.question, "answer": thing.answer} for thing in things]
    (folder / "things.json").write_text(json.dumps(entries), encoding="utf-8")


def names_in(text: str) -> list[str]:
    """Give the names of things in a text, each once."""
    return list(dict.fromkeys(_NAME.findall(text)))
