"""What came of every question, as the platforms' servers saw it: one right answer, none, two, a wrong one, one late."""

import contextlib
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from .places import Conversation, Question, Said
from .things import names_in
from .world import World

_AROUND = 3
"""How many questions before and after one are told with its story."""


@dataclass(frozen=True, slots=True)
class Failing:
    """Something that is not as it should be: what, and the whole story of it."""

    what: str
    conversation: Conversation
    question: Question | None
    detail: str

    @property
    def line(self) -> str:
        """Say it in one line."""
        number = f", question {self.question.number}" if self.question else ""
        return f"{self.what}: {self.conversation.name}{number}: {self.detail}"


@dataclass(slots=True)
class Verdict:
    """The end of a trial.

    Attributes:
        asked: how many questions were asked.
        answered: how many of them have exactly one right answer.
        heard_late: how many the bot heard after a later one of the same conversation: platforms promise no order when
            they send again, and what is caught up with comes when it is found. Those are answered in that order.
        failings: everything else.
    """

    asked: int = 0
    answered: int = 0
    heard_late: int = 0
    failings: list[Failing] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether every question has its one answer, in order, and nothing else was said."""
        return self.answered == self.asked and not self.failings

    def counts(self) -> dict[str, int]:
        """Count what is not as it should be, by kind."""
        found: dict[str, int] = defaultdict(int)
        for failing in self.failings:
            found[failing.what] += 1
        return dict(found)


def judge(world: World) -> Verdict:
    """Look at every conversation on both platforms."""
    verdict = Verdict()
    heard, accounted_for = _heard(world.database), set[int]()
    for conversation in world.conversations:
        said = list(conversation.said())
        accounted_for.update(id(one.message) for one in said)
        asked = {question.thing.name: question for question in conversation.questions}
        answers: dict[str, list[Said]] = defaultdict(list)
        for one in said:
            named = [name for name in names_in(one.text) if name in asked]
            if len(named) == 1:
                answers[named[0]].append(one)
            elif not _is_somebody_elses(one, asked, conversation):
                verdict.failings.append(Failing("said besides", conversation, None, one.text))
        for question in conversation.questions:
            failings = list(_failings(conversation, question, answers[question.thing.name], heard))
            verdict.failings += failings
            verdict.asked += 1
            verdict.answered += not failings
        if conversation.is_ordered:
            verdict.heard_late += _heard_late(conversation, heard)
            verdict.failings += _swapped(conversation, answers, heard)
    elsewhere = world.messages_of_the_bot - len(accounted_for)
    if elsewhere:
        verdict.failings.append(Failing("said elsewhere", world.conversations[0], None, f"{elsewhere} messages"))
    return verdict


def _heard_late(conversation: Conversation, heard: dict[str, int]) -> int:
    numbers = [heard[key] for question in conversation.questions if (key := conversation.key(question)) in heard]
    return sum(later < earlier for earlier, later in pairwise(numbers))


def _is_somebody_elses(one: Said, asked: dict[str, Question], conversation: Conversation) -> bool:
    """Say whether a message belongs to another conversation in the same channel."""
    mine = {question.message for question in conversation.questions}
    return one.answers is not None and one.answers not in mine


def _failings(
    conversation: Conversation, question: Question, answers: list[Said], heard: dict[str, int]
) -> Iterator[Failing]:
    if not answers and not conversation.is_heard_later and conversation.key(question) not in heard:
        return
    if not answers:
        what = "lost" if conversation.key(question) in heard else "never heard"
        yield Failing(what, conversation, question, "no answer")
    elif len(answers) > 1:
        yield Failing("doubled", conversation, question, f"{len(answers)} answers")
    elif question.thing.answer not in answers[0].text:
        yield Failing("wrong", conversation, question, answers[0].text)


def _swapped(conversation: Conversation, answers: dict[str, list[Said]], heard: dict[str, int]) -> Iterator[Failing]:
    """Find answers that came before the answer to what the bot had heard earlier."""
    last_heard, last_at = -1, 0.0
    known = [(heard.get(conversation.key(one), -1), one) for one in conversation.questions]
    for number, question in sorted(known, key=lambda pair: pair[0]):
        found = answers[question.thing.name]
        if not found or number < 0:
            continue
        if found[0].at < last_at:
            detail = f"heard as {number} after {last_heard}, answered {last_at - found[0].at:.3f} s before it"
            yield Failing("out of order", conversation, question, detail)
        last_heard, last_at = number, max(last_at, found[0].at)


def _heard(database: Path) -> dict[str, int]:
    """Give the numbers in which the bot heard the questions, by the platform's name for them."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT key, id FROM inbox ORDER BY id DESC").fetchall()
    return {re.split("[/:]", name)[-1]: int(number) for name, number in rows}


def story(world: World, failing: Failing) -> str:
    """Tell all that is known of a failing: the questions around it, what was said in their place, the rows."""
    conversation, lines = failing.conversation, [failing.line]
    questions = conversation.questions
    at = questions.index(failing.question) if failing.question else len(questions)
    for question in questions[max(at - _AROUND, 0) : at + _AROUND + 1]:
        mark = "→" if question is failing.question else " "
        lines.append(f"  {mark} question {question.number}: {question.thing.name}, {conversation.key(question)}")
        lines += [f"      said {_at(one.at)}: {one.text!r}" for one in conversation.said() if _is_of(one, question)]
        lines += [f"      {row}" for row in _rows(world.database, conversation.key(question))]
    return "\n".join(lines)


def _is_of(one: Said, question: Question) -> bool:
    return question.thing.name in one.text or (one.answers is not None and one.answers is question.message)


def _at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S.%f")[:-3]


def _rows(database: Path, key: str) -> list[str]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        inbox = connection.execute("SELECT * FROM inbox WHERE message_id LIKE ? OR key LIKE ?", (f"%{key}", f"%{key}%"))
        found = [("inbox", row) for row in inbox.fetchall()]
        outbox = connection.execute("SELECT * FROM outbox WHERE inbox_key LIKE ?", (f"%{key}%",))
        found += [("outbox", row) for row in outbox.fetchall()]
    return [f"{table}: {dict(row)}" for table, row in found] or ["no row in the inbox"]
