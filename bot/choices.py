"""What askers may choose: who writes the answer, and from which source of the knowledge base it comes."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from bot.errors import ChoiceUnknownError, KnowledgeUnavailableError
from bot.messages import IncomingMessage, Place
from knowledge import KnowledgeBase, KnowledgeError
from models.generation.chain import FLOOR


class Choices:
    """What there is to choose from.

    Args:
        knowledge: what answers come from.
        order: gives the generators' names for a place, the one to ask first first.
        threads: where the knowledge base is asked, off the event loop.
    """

    def __init__(self, knowledge: KnowledgeBase, order: Callable[[Place], Sequence[str]], threads: Executor) -> None:
        self._knowledge = knowledge
        self._order = order
        self._threads = threads

    def generators(self, place: Place) -> tuple[str, ...]:
        """Give the generators of a place, by name, the one to ask first first; the last one can always answer."""
        return tuple(dict.fromkeys((*(name for name in self._order(place) if name != FLOOR), FLOOR)))

    async def sources(self) -> tuple[str, ...]:
        """Give the names of the sources that hold anything.

        Raises:
            KnowledgeUnavailableError: the knowledge base is not open.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: self._knowledge.sources)
        except KnowledgeError as error:
            raise KnowledgeUnavailableError(error.message, error.fix) from error

    async def order(self, message: IncomingMessage) -> list[str]:
        """Give the generators to be asked, the one that a message names first; check the source that it names, too.

        Raises:
            ChoiceUnknownError: it names what is not there.
            KnowledgeUnavailableError: the knowledge base is not open.
        """
        there = self.generators(message.place)
        if message.generator and message.generator not in there:
            raise ChoiceUnknownError("There is no such generator here.", f"There are: {', '.join(there)}.")
        if message.source and message.source not in (sources := await self.sources()):
            raise ChoiceUnknownError("The knowledge base has no such source.", f"It has: {', '.join(sources)}.")
        # Behind the floor, which can always answer, nobody has a turn.
        return [FLOOR] if message.generator == FLOOR else sorted(there, key=lambda name: name != message.generator)
