"""What a page has to know before anybody asks: who is asking, what they may choose, and what they could ask."""

import asyncio
from concurrent.futures import Executor
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, NamedTuple

from bot.access import Access
from bot.choices import Choices
from bot.describing import looking_in
from bot.messages import IncomingMessage, Reply
from bot.place_settings import PlaceSettings
from bot.settings import Settings
from knowledge import KnowledgeBase, KnowledgeError
from knowledge.example_questions import example_questions


class _Shown(NamedTuple):
    """What is shown of the knowledge base, and the day and version that it is of."""

    seed: str
    sources: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


class About:
    """Tells people of themselves and of the bot.

    Args:
        settings: what is switched on.
        access: who may do what.
        places: what holds in which place.
        choices: who can answer, and from what.
        knowledge: what is answered from.
        threads: where it is asked, off the event loop.
    """

    def __init__(
        self,
        settings: Settings,
        access: Access,
        places: PlaceSettings,
        choices: Choices,
        knowledge: KnowledgeBase,
        threads: Executor,
    ) -> None:
        self._settings = settings
        self._access = access
        self._places = places
        self._choices = choices
        self._knowledge = knowledge
        self._threads = threads
        self._kept = _Shown("")
        self._version = version("preceptor")

    async def tell(self, message: IncomingMessage) -> Reply:
        """Tell the author; to whom may not ask, nothing of what is known."""
        may_ask = await self._access.allows(message, ("ask",))
        shown = await self._shown() if may_ask else _Shown("")
        settings = self._settings
        document = {
            "person": {"id": message.person_id, "name": message.author.name},
            "is_admin": self._access.is_admin(message),
            "generators": list(self._choices.generators(message.place)) if may_ask else [],
            "sources": list(shown.sources),
            "examples": list(shown.examples),
            "diagnosis": settings.diagnosis.enabled and await self._access.allows(message, ("diagnose",)),
            "pictures": await self._pictures(message),
            "keeps": self._places.keeps(message.place),
            "question_length": settings.answers.question_length,
            "version": self._version,
        }
        return Reply(f"This is Preceptor {self._version}.", ephemeral=True, data=document)

    async def _pictures(self, message: IncomingMessage) -> dict[str, Any]:
        may = await self._access.allows(message, ("describe",))
        return {
            "looking": looking_in(message.place, self._settings.images) if may else "off",
            "most": self._settings.images.most,
            "megabytes": self._settings.attachments.megabytes,
        }

    async def _shown(self) -> _Shown:
        """Give what is shown of the knowledge base: the same to everybody all day (UTC), until it changes."""
        try:
            # Every page asks for it again and again: that must not wait behind models, which use these threads, too.
            seed = f"{datetime.now(UTC):%Y-%m-%d}/{self._knowledge.statistics().version}"
            if self._kept.seed != seed:
                self._kept = await asyncio.get_running_loop().run_in_executor(self._threads, self._looked_up, seed)
        except KnowledgeError:
            # Who asks will hear why; the page is there all the same.
            return _Shown("")
        return self._kept

    def _looked_up(self, seed: str) -> _Shown:
        return _Shown(seed, self._knowledge.sources, tuple(example_questions(self._knowledge, seed)))
