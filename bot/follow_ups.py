"""Reads a question in the light of what it is about: the one before it ("and its unit?", "why?"), or a picture."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.index.analysis import FUNCTION_WORDS
from models.generation import Turn

_WORD = re.compile(r"[^\W_]+")
_PRONOUN = re.compile(r"\b(it|its|that|this|these|those|they|them|their|he|him|his|she|her)\b(?!')", re.IGNORECASE)
_ELLIPSIS = re.compile(
    r"^(and|or|but|so|then|also|what about|how about)\b"
    r"|\b(one|ones|same|former|latter|other|another|previous|next|else|instead|more|again|example|examples)\b",
    re.IGNORECASE,
)
_ASKS_ON = re.compile(r"\b(why|how|when|where|what|which|who|more|examples?|explain|describe|define)\b", re.IGNORECASE)
_TO_THE_BOT = re.compile(r"\b(thanks?|hello|hi|your|who are you|(what|how) (can|are|do) you)\b", re.IGNORECASE)
_FEW_WORDS = 2
_CONNECTIVES = frozenset(("and", "or", "but", "so", "then", "also", "about", "example", "examples", "give", "more"))


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand a question: what to look for, and the turns whose words count along, oldest first."""

    question: str
    turns: tuple[Turn, ...] = ()

    @property
    def context(self) -> list[str]:
        """The turns as texts: what was asked, and what it turned out to be about."""
        return [f"{turn.question} {turn.topic}" for turn in self.turns]


def readings(question: str, history: Sequence[Turn]) -> list[Reading]:
    """Give the ways to understand a question, the likeliest first; the first one that finds an answer holds.

    A question that names nothing of its own is about what the last one was about. A pronoun in a question of few words
    stands for that. Words such as "the third one" lean on it. Everything else is first taken by itself.
    """
    alone = Reading(question)
    if not history or _TO_THE_BOT.search(question):
        return [alone]
    last = history[-1]
    topic = last.topic or last.question
    named = [word for word in _WORD.findall(question.lower()) if word not in FUNCTION_WORDS | _CONNECTIVES]
    if not named and _ASKS_ON.search(question):
        return [Reading(f"{question} {topic}", (last,)), alone]
    if named and len(named) <= _FEW_WORDS and _PRONOUN.search(question):
        return [Reading(_PRONOUN.sub(lambda _: topic, question, count=1), (last,)), alone]
    leaning = Reading(question, (last,))
    if re.search(r"\bones?\b", question, re.IGNORECASE):
        return [leaning, alone]
    if named and (len(named) <= _FEW_WORDS or _ELLIPSIS.search(question)):
        return [alone, leaning]
    return [alone]


def picture_readings(question: str, topic: str) -> list[Reading]:
    """Give the ways to understand a question that came with pictures, the likeliest first.

    Args:
        question: what was asked.
        topic: what the pictures show, in words; may be empty.
    """
    alone = Reading(question)
    if not topic:
        return [alone]
    named, replaced = _PRONOUN.subn(lambda _: topic, question, count=1)
    return [Reading(named if replaced else f"{question} {topic}"), alone]
