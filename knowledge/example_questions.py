"""Questions that show what a knowledge base can answer: drawn from it by lot, and tried before they are shown."""

import re
from collections.abc import Iterator
from itertools import chain, islice

from knowledge.knowledge_base import KnowledgeBase
from knowledge.passages import Passage

_DRAWN = 120
"""Titles that are looked at: each costs a search, which takes about a millisecond."""

_LONGEST = 90
_SHORTEST = 10
_SEPARATOR = " › "
_NAMED_AFTER = re.compile(r"[A-Z][\w-]*(['’]s\b|s['’])")
_A_TITLE = re.compile(r"[^\W\d_][\w'’ -]*")
_MOST_WORDS = 5
_OF_MANY = ("are",)
_DEFINES = "|".join((*_OF_MANY, "is", "states", "says", "means", "describes", "tells", "gives", "relates"))


def example_questions(knowledge: KnowledgeBase, seed: str, limit: int = 6) -> list[str]:
    """Draw questions that the knowledge base answers; fewer, or none, where it holds nothing that reads as one.

    Ready questions come first, as they stand. A title is made one ("What is Ohm's law?") only where its passage says
    itself what that is ("Ohm's law states …"), so that the question reads right. Each is the title of the first
    passage that is found with it, with a confidence that suffices.

    Args:
        knowledge: what is to answer.
        seed: the same one gives the same questions.
        limit: how many at the most.

    Raises:
        NotOpenError: it is not open.
        DamagedIndexError: the index was damaged while in use.
    """
    titles = knowledge.drawn_titles(seed, _DRAWN)
    ready = (_ready(knowledge, title) for title in titles if title.endswith("?"))
    made = (_made(knowledge, title) for title in titles if not title.endswith("?"))
    questions = (question for question in chain(ready, made) if question)
    return list(islice(_distinct(questions), limit))


def _ready(knowledge: KnowledgeBase, title: str) -> str:
    """Give the question that a title is, or ends with; empty where it is none to be shown."""
    question = title.rpartition(_SEPARATOR)[2]
    fits = _SHORTEST <= len(question) <= _LONGEST and question[:1].isupper()
    return question if fits and _answers(knowledge, question, title) else ""


def _made(knowledge: KnowledgeBase, title: str) -> str:
    """Make a question of a title; empty where it would not read right, or not be answered."""
    if not _A_TITLE.fullmatch(title) or len(title.split()) > _MOST_WORDS:
        return ""
    hits = knowledge.search(title, 1)
    if not hits or hits[0].passage.title != title:
        return ""
    question = _question(title, hits[0].passage.text)
    return question if question and _answers(knowledge, question, title) else ""


def _question(title: str, text: str) -> str:
    """Ask for what a text begins to define; empty where it defines nothing under this title."""
    defined = re.match(rf"(?:(a|an|the)\s+)?({re.escape(title)})\s+({_DEFINES})\b", text, re.IGNORECASE)
    if defined is None:
        return ""
    article, named, verb = (defined[1] or "").lower(), defined[2], defined[3].lower()
    if not article and not _NAMED_AFTER.match(named):
        # At the beginning of a sentence it is not seen whether the name of something has a capital.
        named = named[:1].lower() + named[1:]
        if not re.search(rf"(?<=[\w,;] ){re.escape(named)}", text):
            return ""
    return " ".join(filter(None, ("What", "are" if verb in _OF_MANY else "is", article, named))) + "?"


def _answers(knowledge: KnowledgeBase, question: str, title: str) -> bool:
    hits = knowledge.search(question, 1)
    return bool(hits) and hits[0].confidence >= knowledge.threshold and title in _headings(hits[0].passage)


def _headings(passage: Passage) -> tuple[str, str]:
    return passage.question, passage.title


def _distinct(questions: Iterator[str]) -> Iterator[str]:
    seen: set[str] = set()
    for question in questions:
        if question not in seen:
            seen.add(question)
            yield question
