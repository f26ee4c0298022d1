"""The capability that tells what a description of symptoms may point to."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.diagnosis_words import alarms, in_words, whole_document
from bot.errors import DiagnosisUnavailableError, NotSetUpError
from bot.messages import IncomingMessage, Reply
from bot.question_text import require_question
from bot.settings.tree import DiagnosisSettings
from models.diagnosis.conditions import conditions
from models.diagnosis.contract import RedFlag
from models.diagnosis.diagnosing import LONGEST, Diagnoser
from models.diagnosis.relevance import asks_for_knowledge, speaks_of_somebody
from models.errors import ModelError

_OFFER_SECONDS = 1.0
"""How long an answer may wait for whether its question sounds like symptoms."""

_ADDS = re.compile(
    r"\+|(and|also|plus|additionally|besides|furthermore|moreover|now|oh|forgot|i forgot|as well as|on top of that)\b"
    r"|.*\b(too|as well|in addition|by now|since then)[.!]*$",
    re.IGNORECASE | re.DOTALL,
)
_ASKS = re.compile(
    r"(and|also|now|oh|but|so)?[\s,]*(what|who|whom|whose|when|where|which|how|why|can|could|does|do|is|are)\b",
    re.IGNORECASE,
)


def adds(text: str) -> bool:
    """Say whether a text goes on with an earlier description ("and now a fever") and asks nothing of its own."""
    return bool(_ADDS.match(text.strip())) and not _ASKS.match(text.strip())


@dataclass(frozen=True, slots=True)
class Heard:
    """What an ordinary question tells of somebody's health.

    Attributes:
        alarms: the advice for signs of an emergency, as CommonMark; most often none.
        is_sensitive: whether it may tell of symptoms, so that it is for no generator on another machine.
        is_offered: whether judging it is to be offered.
    """

    alarms: str = ""
    is_sensitive: bool = False
    is_offered: bool = False


class Diagnosing:
    """The capability. Nothing it is told leaves this machine or is logged.

    Args:
        diagnoser: judges descriptions.
        settings: how it is done and told.
    """

    def __init__(self, diagnoser: Diagnoser, settings: DiagnosisSettings) -> None:
        self._diagnoser = diagnoser
        self._settings = settings

    async def diagnose(self, message: IncomingMessage, told: Sequence[str], *, may_add: bool) -> Reply:
        """Judge a description.

        Args:
            message: what is said now.
            told: what was said before of the same, oldest first.
            may_add: whether what is said next may go on with it.

        Raises:
            NotSetUpError: it is switched off.
            QuestionError: nothing is described, or too much.
            DiagnosisUnavailableError: the classifier cannot judge now, and there is no sign of an emergency.
        """
        if not self._settings.enabled:
            raise NotSetUpError("Judging symptoms is switched off here.", "diagnosis.enabled switches it on.")
        require_description(message.text, self._settings.text_length)
        text = _together(told, message.text, self._settings.text_length)
        try:
            diagnosis = await self._diagnoser.predict(text, self._settings.conditions)
        except ModelError as error:
            raise DiagnosisUnavailableError(error.message, error.fix) from error
        guide, emergency = conditions(), self._settings.emergency
        return Reply(
            in_words(diagnosis, guide, emergency, may_add=may_add),
            outcome="answered" if diagnosis.conditions or diagnosis.red_flags else "declined",
            note=f"Judged on this machine, by {diagnosis.model}.",
            ephemeral=bool(message.place.workspace) and not self._is_for_all(message),
            confidence=diagnosis.conditions[0].probability if diagnosis.conditions else 0.0,
            generator=f"diagnosis: {diagnosis.model}",
            capability="diagnosis",
            data=whole_document(diagnosis, guide, emergency),
        )

    async def alarms(self, text: str) -> str:
        """Give the advice for signs of an emergency in any text, as CommonMark; most often none."""
        if not self._settings.enabled:
            return ""
        return alarms(await self._red_flags(text), self._settings.emergency)

    async def _red_flags(self, text: str) -> tuple[RedFlag, ...]:
        return await asyncio.to_thread(self._diagnoser.red_flags, text)

    async def listen(self, text: str, *, after_symptoms: bool = False) -> Heard:
        """Tell what an ordinary question lets know of somebody's health; it is not waited long for that.

        Args:
            text: the question.
            after_symptoms: whether symptoms were told of just before; then whatever is said of somebody may go on with
                them.
        """
        # Most questions are of knowledge: those cost nothing so.
        if not self._settings.enabled or asks_for_knowledge(text):
            return Heard()
        flags = await self._red_flags(text)
        alarm = alarms(flags, self._settings.emergency)
        if not speaks_of_somebody(text):
            return Heard(alarm, is_sensitive=bool(alarm))
        sounds = await self._sounds_like_symptoms(text, flags)
        is_sensitive = bool(alarm) or after_symptoms or sounds is not False
        return Heard(alarm, is_sensitive, is_offered=self._settings.offer and bool(sounds))

    async def _sounds_like_symptoms(self, text: str, flags: tuple[RedFlag, ...]) -> bool | None:
        try:
            async with asyncio.timeout(_OFFER_SECONDS):
                return await self._diagnoser.looks_like_symptoms(text, flags)
        # A model that loads, that cannot be loaded, or that too many wait for: the question is answered all the same.
        except (TimeoutError, ModelError):
            return None

    def _is_for_all(self, message: IncomingMessage) -> bool:
        """Whether the answer stands in a thread, under what everybody there could read; else it is the asker's."""
        return self._settings.reply == "thread" and bool(message.place.thread) and not message.private


def _together(told: Sequence[str], added: str, longest: int) -> str:
    """Join what was said of the same; where that is more than is judged, what is added comes first."""
    text = "\n".join((*told, added))
    return text if len(text) <= min(longest, LONGEST) else "\n".join((added, *reversed(told)))[:longest]


def require_description(text: str, longest: int) -> None:
    """Let a description pass; raises what `require_question` does, in words that fit."""
    require_question(text, longest, what="description", example="itchy red patches with silvery scales on my elbows")
