"""The capability that tells what a description of symptoms may point to."""

import asyncio
import re
from collections.abc import Sequence

from bot.diagnosis_words import alarms, in_words, whole_document
from bot.errors import DiagnosisUnavailableError, NotSetUpError
from bot.messages import IncomingMessage, Reply
from bot.question_text import require_question
from bot.settings.tree import DiagnosisSettings
from models.diagnosis.conditions import conditions
from models.diagnosis.diagnosing import Diagnoser
from models.diagnosis.relevance import speaks_of_somebody
from models.errors import ModelError

_OFFER_SECONDS = 1.0
"""How long an answer may wait for whether its question sounds like symptoms."""

_ADDS = re.compile(
    r"(and|also|plus|\+|additionally|besides|furthermore|moreover|now|oh|forgot|i forgot|as well as|on top of that)\b"
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


class Diagnosing:
    """The capability. Nothing it is told leaves this machine or is logged.

    Args:
        diagnoser: judges descriptions.
        settings: how it is done and told.
    """

    def __init__(self, diagnoser: Diagnoser, settings: DiagnosisSettings) -> None:
        self._diagnoser = diagnoser
        self._settings = settings

    async def diagnose(self, message: IncomingMessage, told: Sequence[str]) -> Reply:
        """Judge a description.

        Args:
            message: what is said now.
            told: what was said before of the same, oldest first.

        Raises:
            NotSetUpError: it is switched off.
            QuestionError: nothing is described, or too much.
            DiagnosisUnavailableError: the classifier cannot judge now, and there is no sign of an emergency.
        """
        if not self._settings.enabled:
            raise NotSetUpError("Judging symptoms is switched off here.", "diagnosis.enabled switches it on.")
        require_description(message.text, self._settings.text_length)
        text = "\n".join((*told, message.text))[-self._settings.text_length :]
        try:
            diagnosis = await self._diagnoser.predict(text, self._settings.conditions)
        except ModelError as error:
            raise DiagnosisUnavailableError(error.message, error.fix) from error
        guide, emergency = conditions(), self._settings.emergency
        return Reply(
            in_words(diagnosis, guide, emergency),
            outcome="answered" if diagnosis.conditions or diagnosis.red_flags else "declined",
            note=f"Judged on this machine, by {diagnosis.model}.",
            ephemeral=self._settings.reply == "private" and bool(message.place.workspace),
            confidence=diagnosis.conditions[0].probability if diagnosis.conditions else 0.0,
            generator=f"diagnosis: {diagnosis.model}",
            capability="diagnosis",
            data=whole_document(diagnosis, guide, emergency),
        )

    def alarms(self, text: str) -> str:
        """Give the advice for signs of an emergency in an ordinary question, as CommonMark; most often none."""
        flags = self._diagnoser.red_flags(text) if self._settings.enabled else ()
        return alarms(flags, self._settings.emergency)

    async def is_offered(self, text: str) -> bool:
        """Say whether an ordinary question sounds like somebody's symptoms; it is not waited long for that."""
        if not (self._settings.enabled and self._settings.offer and speaks_of_somebody(text)):
            return False
        try:
            async with asyncio.timeout(_OFFER_SECONDS):
                return await self._diagnoser.looks_like_symptoms(text)
        # A model that loads, that cannot be loaded, or that too many wait for: the question is answered all the same.
        except (TimeoutError, ModelError):
            return False


def require_description(text: str, longest: int) -> None:
    """Let a description pass; raises what `require_question` does, in words that fit."""
    require_question(text, longest, what="description", example="itchy red patches with silvery scales on my elbows")
