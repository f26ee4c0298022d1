"""A month of talk that the pages' pictures show; everybody in it is invented, and so is what they ask."""

import functools
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import resources
from typing import NamedTuple

from kept_talk import Talk

from bot.messages import Place

_DAYS = 30
_SEED = 1687


class _Where(NamedTuple):
    place: Place
    share: int
    people: tuple[tuple[str, str], ...]


_CLASS = (("ada", "Ada"), ("emil", "Emil"), ("noor", "Noor"), ("bruno", "Bruno"), ("mei", "Mei"), ("tomas", "Tomás"))
_WHERES = (
    _Where(Place("discord", "845100", "physics"), 6, tuple((f"d-{id_}", name) for id_, name in _CLASS)),
    _Where(Place("discord", "845100", "homework"), 4, tuple((f"d-{id_}", name) for id_, name in _CLASS)),
    _Where(Place("slack", "T0LAB", "C0OPTICS"), 4, (("U01", "Ines"), ("U02", "Jakob"), ("U03", "Priya"))),
    _Where(Place("http"), 3, (("local", "local user"),)),
)
_TITLES = (
    *("Ohm's law", "Newton's third law", "Free fall", "Kinetic energy", "Conservation of momentum", "Friction"),
    *("Hooke's law", "Torque", "Work", "Centripetal force", "Inertia", "Angular momentum", "Impulse", "Stress"),
)
_DECLINED = (
    "When is the next physics test?",
    "How do I reset the password of the lab computer?",
    "Which textbook do we use this term?",
    "Can I still hand in sheet 7?",
    "What is the dark matter made of?",
    "Who has the key of room 204?",
)
_NOT_GOOD = (
    ("Why does a bicycle stay upright?", "Gyroscope and precession", "That is only half of the story."),
    ("Why is it easier to pull a suitcase than to push it?", "Friction", "I asked why, not what friction is."),
    ("Is weight the same on the Moon?", "Weight", ""),
)
_GENERATORS = (("extractive", 11), ("local", 5), ("gemini", 2))
_NOTHING = "I found nothing in the knowledge base that answers this."


def talks(now: datetime) -> Iterator[Talk]:
    """Give what was asked in the month before `now`, oldest first."""
    chance = random.Random(_SEED)  # noqa: S311 - a picture that is the same each time, no secret
    for day in range(_DAYS, 0, -1):
        morning = (now - timedelta(days=day)).replace(hour=7, minute=0, second=0, microsecond=0)
        quiet = 0.25 if morning.weekday() >= 5 else 1.0
        number = int((10 + (_DAYS - day) * 0.6 + chance.uniform(-4, 6)) * quiet)
        moments = sorted(morning + timedelta(minutes=chance.uniform(0, 840)) for _ in range(number))
        yield from (_talk(chance, at) for at in moments)


def answerable() -> str:
    """Give questions with their right answers and contexts, one a line, for an evaluation."""
    lines = []
    for title in _TITLES:
        text = _texts()[title]
        answer = text.partition(". ")[0] + "."
        lines.append(json.dumps({"question": f"What is {_inside(title)}?", "answer": answer, "context": text}))
    return "\n".join(lines)


def _talk(chance: random.Random, at: datetime) -> Talk:
    where = chance.choices(_WHERES, [one.share for one in _WHERES])[0]
    person, name = chance.choice(where.people)
    asked = Talk(at, where.place, person, name, "", "", elapsed_ms=chance.lognormvariate(2.9, 0.5))
    kind = chance.random()
    if kind < 0.13:
        return replace(
            asked,
            question=chance.choice(_DECLINED),
            answer=_NOTHING,
            outcome="declined",
            confidence=chance.random() / 4,
        )
    if kind < 0.16:
        question, title, comment = chance.choice(_NOT_GOOD)
        return replace(_answered(chance, asked, title, question), verdict=-1, comment=comment)
    if kind < 0.17:
        return replace(asked, question="What is a phonon?", answer="Something went wrong.", outcome="failed")
    title = chance.choice(_TITLES)
    return replace(_answered(chance, asked, title, f"What is {_inside(title)}?"), verdict=chance.choice((0, 0, 0, 1)))


def _answered(chance: random.Random, asked: Talk, title: str, question: str) -> Talk:
    text = _texts()[title]
    sentence = text.partition(". ")[0] + "."
    generator = chance.choices([name for name, _ in _GENERATORS], [share for _, share in _GENERATORS])[0]
    slower = {"extractive": 1, "local": 110, "gemini": 45}[generator]
    tokens = (0, 0, 0.0) if generator == "extractive" else (chance.randint(400, 900), chance.randint(40, 160), 0.0)
    if generator == "gemini":
        tokens = (*tokens[:2], round(tokens[0] * 3e-7 + tokens[1] * 2.5e-6, 6))
    return replace(
        asked,
        question=question,
        answer=f"{sentence} [1]",
        generator=generator,
        confidence=chance.betavariate(14, 2),
        elapsed_ms=asked.elapsed_ms * slower,
        cites=(title, text, "physics.json", f"item {list(_texts()).index(title) + 1}"),
        tokens=tokens,
    )


def _inside(title: str) -> str:
    return title if "'s" in title else title[0].lower() + title[1:]


@functools.cache
def _texts() -> dict[str, str]:
    starter = json.loads(resources.files("knowledge.starter").joinpath("physics.json").read_text(encoding="utf-8"))
    return {item["title"]: item["context"] for item in starter}
