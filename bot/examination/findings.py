"""What an examination is told and what it finds."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.messages import Place

Verdict = Literal["ok", "warning", "failed", "unknown"]
"""ok: as it should be. warning: it works, but look at it. failed: mend it. unknown: it could not be checked."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check. No field ever holds a secret.

    Attributes:
        name: what was checked; begins with the front door's name where it is about one.
        meaning: what it means for the operator, in whole sentences.
        fix: what to do about it, exactly; empty where there is nothing to do.
    """

    name: str
    verdict: Verdict
    meaning: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """What is examined.

    Attributes:
        settings: the whole tree (`bot.settings.Settings`); what could not be read has its default.
        channels: the channels for which the database has who is called when a person is wanted, with those, as
            ``user:ID``, ``role:ID`` or ``group:ID``.
    """

    settings: Any
    channels: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)


Examination = Callable[[Examined], AsyncIterator[Finding] | Iterator[Finding]]
"""A group of checks, found by name in the entry-point group ``preceptor.examinations``.

A plain iterator is walked in a thread, since it may block; an asynchronous one on the event loop. What was found
before the deadline, or before an error, counts.
"""
