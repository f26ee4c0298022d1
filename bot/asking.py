"""Has a question answered, or a description of symptoms judged, in the light of its conversation."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import replace

from bot.access import Access
from bot.answering import WAKING, Answering, Progress
from bot.conversations import Conversations
from bot.describing import Describing, is_wordless
from bot.diagnosing import Diagnosing, adds
from bot.errors import ConversationNotFoundError, InternalError, PreceptorError
from bot.kept_answers import number_in
from bot.messages import Button, IncomingMessage, Place, Reply
from bot.place_settings import PlaceSettings
from bot.question_text import require_question
from bot.settings import Settings
from bot.stages import Stages
from bot.usage import Account, UsageLedger
from models.generation import Turn
from models.generation.redacting import redacting

ASKED = ("", "ask", "describe", "diagnose", "diagnose_that")
"""The commands that are put to it; the last one is the button's under an answer, and names the answer."""

_KEPT = ("answered", "declined")
"""Outcomes of questions, which are kept with their answers."""

_OFFER = 'This sounds like symptoms. Write "diagnose:" before them, and I tell what they may point to.'


class Asking:
    """Puts what people ask to the capability that it is for."""

    def __init__(
        self,
        settings: Settings,
        conversations: Conversations,
        answering: Answering,
        diagnosing: Diagnosing,
        describing: Describing,
        usage: UsageLedger,
        places: PlaceSettings,
        access: Access,
        stages: Stages | None = None,
    ) -> None:
        self._settings = settings
        self._conversations = conversations
        self._answering = answering
        self._diagnosing = diagnosing
        self._describing = describing
        self._usage = usage
        self._places = places
        self._access = access
        self._stages = stages or Stages()

    async def reply(self, message: IncomingMessage, progress: Progress) -> Reply:
        """Answer a message whose command is one of `ASKED`; what is to be kept has an `answer_id`.

        Raises:
            PreceptorError: it cannot be answered; where there are signs of an emergency in it, the advice comes first.
            TimeoutError: not within the deadline.
        """
        if self._describing.waking and self._describing.pictures(message):
            await progress(WAKING)
            # Once for all who wait, and no part of the time that an answer may take.
            await self._describing.wake()
        try:
            with redacting(self._places.redacts(message.place)):
                async with asyncio.timeout(self._settings.answers.deadline_seconds):
                    return await self._put(message, progress)
        except (PreceptorError, TimeoutError) as error:
            alarms = await self._diagnosing.alarms(message.text)
            if not alarms:
                raise
            known = error if isinstance(error, PreceptorError) else InternalError("That took too long.", "Try again.")
            raise known.after(alarms) from error

    async def _put(self, message: IncomingMessage, progress: Progress) -> Reply:
        if message.command == "diagnose_that":
            # Whoever presses a button writes nothing under which an answer for all could stand.
            meant, asked_with = await self._meant(message)
            reply = await self._diagnosed(replace(meant, private=True), "", [])
            return replace(reply, told_with=asked_with)
        is_added = adds(message.text)
        if message.command == "diagnose":
            # A description opens a conversation of its own; what is added to it goes on with it.
            continues = message.conversation_id or is_added
            return await self._diagnosed(message, *(await self._continued(message) if continues else ("", [])))
        if message.command == "describe" or (message.attachments and is_wordless(message.text)):
            self._describing.require_wanted(message)
        if self._describing.is_asked(message):
            return await self._described(message)
        if not is_added:
            return await self._answered(message, await self._conversations.continued_by(message), progress)
        conversation_id, told = await self._continued(message)
        if told and not message.command:
            # It looked like a question before: what it goes on with may have been told elsewhere, or earlier.
            await self._access.require(message, "diagnose")
            return await self._diagnosed(message, conversation_id, told)
        return await self._answered(message, conversation_id, progress)

    async def _continued(self, message: IncomingMessage) -> tuple[str, list[str]]:
        """Give the conversation that a message continues, and the descriptions that it may add to."""
        conversation_id = await self._conversations.continued_by(message)
        told = await self._conversations.descriptions(conversation_id) if conversation_id else []
        if told:
            return conversation_id, told
        # An answer for the asker alone may have come as a direct message: there they go on.
        elsewhere = await self._conversations.led_to_direct_messages(message)
        told = await self._conversations.descriptions(elsewhere) if elsewhere else []
        return (elsewhere, told) if told else (conversation_id, [])

    async def _answered(self, message: IncomingMessage, conversation_id: str, progress: Progress) -> Reply:
        turns = self._settings.answers.history
        history = await self._conversations.history(conversation_id, turns) if conversation_id and turns else []
        follows = bool(conversation_id) and await self._conversations.tells_of_symptoms(conversation_id)
        heard = await self._diagnosing.listen(message.text, after_symptoms=follows)
        conversation_id = conversation_id or uuid.uuid4().hex
        showing = await _alarming(progress, heard.alarms) if heard.alarms else progress
        with self._usage.account(message, conversation_id if self.keeps(message.place) else "") as account:
            reply = await self._written(message, history, account, showing, in_house=heard.is_sensitive)
        reply = replace(_after(heard.alarms, reply), capability="symptoms" if heard.is_sensitive else reply.capability)
        reply = self._kept(message, reply, conversation_id)
        is_offered = heard.is_offered and await self._access.allows(message, ("diagnose",))
        return _offering(reply, message.place) if is_offered else reply

    async def _written(
        self, message: IncomingMessage, history: Sequence[Turn], account: Account, progress: Progress, *, in_house: bool
    ) -> Reply:
        """Have an answer written, in the light of the pictures that came with the question."""
        if not self._describing.pictures(message):
            reply = await self._answering.answer(message, history, account, progress, in_house=in_house)
            return replace(reply, note=f"{self._describing.passed_over(message)} {reply.note}".strip())
        require_question(message.text, self._settings.answers.question_length)
        with self._stages.at("describe", message):
            shown = await self._describing.show(message, account, in_house=in_house)

        async def _show(reply: Reply) -> None:
            await progress(_after(shown.gist, reply))

        reply = await self._answering.answer(message, history, account, _show, in_house=in_house, shown=shown)
        if reply.outcome == "declined":
            return self._describing.unanswered(message, shown)
        return replace(_after(shown.gist, reply), sights=shown.sights, data={"pictures": shown.documents})

    async def _described(self, message: IncomingMessage) -> Reply:
        conversation_id = await self._conversations.continued_by(message) or uuid.uuid4().hex
        # What is shown right after symptoms may well be of them.
        in_house = await self._conversations.tells_of_symptoms(conversation_id)
        paid = self._usage.account(message, conversation_id if self.keeps(message.place) else "")
        with paid as account, self._stages.at("describe", message):
            reply = await self._describing.describe(message, account, in_house=in_house)
        reply = replace(reply, capability="symptoms") if in_house else reply
        return self._kept(message, reply, conversation_id)

    async def _diagnosed(self, message: IncomingMessage, conversation_id: str, told: Sequence[str]) -> Reply:
        with self._stages.at("diagnose", message):
            reply = await self._diagnosing.diagnose(message, told, may_add=self.keeps(message.place))
        note = f"{self._describing.unseen(message)} {reply.note}".strip()
        reply = replace(reply, question=message.text, note=note)
        return self._kept(message, reply, conversation_id or uuid.uuid4().hex)

    async def _meant(self, message: IncomingMessage) -> tuple[IncomingMessage, str]:
        """Give the question under whose answer somebody pressed, as a description, and the key it was asked with."""
        kept = await self._conversations.kept_answer(number_in(message.text), message.person_id)
        if kept is None:
            raise ConversationNotFoundError("I no longer keep what you wrote.", "Write it once more.")
        return replace(message, command="diagnose", text=kept[0].text), kept[0].inbox_key

    def _kept(self, message: IncomingMessage, reply: Reply, conversation_id: str) -> Reply:
        """Give the reply the number under which it is to be kept, where anything is."""
        if reply.outcome not in _KEPT or not self.keeps(message.place):
            return replace(reply, sights=())
        return replace(reply, conversation_id=conversation_id, answer_id=self._conversations.next_answer_id())

    def keeps(self, place: Place) -> bool:
        """Say whether what is said in a place is kept."""
        return self._places.keeps(place)


async def _alarming(progress: Progress, alarms: str) -> Progress:
    """Show the advice for an emergency at once, and before all that is shown of the answer."""

    async def _show(reply: Reply) -> None:
        await progress(_after(alarms, reply))

    await _show(Reply("", complete=False))
    return _show


def _after(alarms: str, reply: Reply) -> Reply:
    return replace(reply, text=f"{alarms}\n\n{reply.text}".strip()) if alarms else reply


def _offering(reply: Reply, place: Place) -> Reply:
    """Offer to judge what was asked; the button needs the answer to be kept."""
    reply = replace(reply, offers_diagnosis=True)
    if place.platform == "http":
        # The document says so by itself, and a page has a better word for it than a route.
        return reply
    button = Button("What may it point to?", str(reply.answer_id), "diagnose_that")
    buttons = (button, *reply.buttons) if reply.answer_id else reply.buttons
    return replace(reply, text=f"{reply.text}\n\n{_OFFER}", buttons=buttons)
