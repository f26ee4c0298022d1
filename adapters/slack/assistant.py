"""Direct messages with an agent: what to ask, a status while an answer is being written, the thread's title."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any

from adapters.slack.errands import Errands
from adapters.slack.identifiers import is_direct
from adapters.slack.questions import PLATFORM
from adapters.slack.recent import Recent
from adapters.slack.web import Web
from bot.adapter import Records
from bot.messages import Author, IncomingMessage, Place

_PROMPTS = 4
_PROMPT_LENGTH = 75
_TITLE_LENGTH = 60
_REMEMBERED = 500
_STATUS = "is looking it up …"
_STATUS_SECONDS = 0.3
_LONGEST_WORK = 660.0
"""Seconds after which nobody believes in an answer any more; the longest deadline that can be set is ten minutes."""

_GREETING = "Hello! Ask me anything: I answer from my knowledge base and say where it stands."


class Assistant:
    """Makes conversations feel inhabited; nothing that fails here keeps anybody from an answer."""

    def __init__(self, web: Web, records: Records, errands: Errands) -> None:
        self._web = web
        self._records = records
        self._errands = errands
        self._greeted: Recent[str, bool] = Recent(_REMEMBERED)

    def opened(self, event: Mapping[str, Any]) -> None:
        """Greet whoever opened a thread in the container that apps of the older kind (``assistant_view``) have."""
        thread: Mapping[str, Any] = event.get("assistant_thread") or {}
        channel, ts = str(thread.get("channel_id", "")), str(thread.get("thread_ts", ""))
        if channel and ts and not self._greeted.get(ts):
            self._greeted[ts] = True
            self._errands.do("greeting", partial(self._greet, channel, ts))
            self._errands.do("prompts", partial(self._suggest, channel, ts, str(thread.get("user_id", ""))))

    def conversation_opened(self, event: Mapping[str, Any]) -> None:
        """Suggest what to ask in the Messages tab, where an agent (``agent_view``) is talked to."""
        channel, user = str(event.get("channel", "")), str(event.get("user", ""))
        self._errands.do("prompts", partial(self._suggest, channel, "", user))

    async def _greet(self, channel: str, thread: str) -> None:
        await self._web.call(self._web.client.chat_postMessage(channel=channel, thread_ts=thread, text=_GREETING))

    async def _suggest(self, channel: str, thread: str, user: str) -> None:
        place = Place(PLATFORM, self._web.identity.team, channel, thread)
        asker = IncomingMessage(f"prompts:{uuid.uuid4().hex}", place, Author(user), "")
        titles = [title for title in await self._records.titles(asker, _PROMPTS * 2) if title.strip()][:_PROMPTS]
        if titles:
            prompts = [{"title": title[:_PROMPT_LENGTH], "message": title} for title in titles]
            client = self._web.client
            await self._web.call(
                client.assistant_threads_setSuggestedPrompts(
                    channel_id=channel, thread_ts=thread or None, title="For example:", prompts=prompts
                )
            )

    async def is_first(self, message: IncomingMessage) -> bool:
        """Say whether a message opens the talk in a thread of direct messages; ask before it is accepted."""
        if message.command or message.revises or not (message.place.thread and is_direct(message.place.channel)):
            return False
        return not await self._records.takes_part(message.place)

    def entitle(self, message: IncomingMessage) -> None:
        """Give a thread its first question as its title."""
        title = " ".join(message.text.split())
        if title:
            short = title if len(title) <= _TITLE_LENGTH else f"{title[: _TITLE_LENGTH - 1]}…"
            self._errands.do("title", partial(self._set_title, message.place, short))

    async def _set_title(self, place: Place, title: str) -> None:
        client = self._web.client
        await self._web.call(
            client.assistant_threads_setTitle(channel_id=place.channel, thread_ts=place.thread, title=title)
        )

    @contextlib.asynccontextmanager
    async def working(self, message: IncomingMessage) -> AsyncIterator[None]:
        """Show in the thread, for the while of the body, that an answer is coming."""
        status = _Status(self._web, message.place)
        if message.place.thread and not message.private:
            self._errands.do("status", status.show, _LONGEST_WORK)
        try:
            yield
        finally:
            status.over.set()


class _Status:
    """The status in one thread, shown until `over` is set.

    An answer takes it away by itself, but one that only the asker sees does not.
    """

    def __init__(self, web: Web, place: Place) -> None:
        self._web = web
        self._place = place
        self.over = asyncio.Event()

    async def show(self) -> None:
        with contextlib.suppress(TimeoutError):
            # An answer that comes at once would be overtaken by its own announcement.
            async with asyncio.timeout(_STATUS_SECONDS):
                await self.over.wait()
                return
        await self._set(_STATUS)
        await self.over.wait()
        await self._set("")

    async def _set(self, text: str) -> None:
        client, place = self._web.client, self._place
        await self._web.call(
            client.assistant_threads_setStatus(channel_id=place.channel, thread_ts=place.thread, status=text)
        )
