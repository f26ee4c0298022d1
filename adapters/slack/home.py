"""App Home: what the bot knows, how to ask it, and what it keeps of whoever looks."""

import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from adapters.slack import mrkdwn
from adapters.slack.blocks import SECTION_LENGTH, Block, buttons
from adapters.slack.errands import Errands
from adapters.slack.questions import PLATFORM
from adapters.slack.web import Web
from bot.adapter import AdapterSetup
from bot.messages import Author, Button, IncomingMessage, Place

_TITLES = 5
_HOW = """\
- Mention me in a channel I am in: I answer in the thread, and there I need no further mention.
- Write to me here, under *Messages*.
- `/ask` answers for your eyes only; `/preceptor help` lists what else there is.
- **Answer this** in a message's menu answers that message, for you alone.
"""
_MINE = "I keep what you asked and what I answered, so that you can ask on. Both are yours."
_MY_DATA = (Button("Send me my data", "", "export"), Button("Forget me …", "", "forget"))


class Home:
    """Publishes the Home tab whenever somebody opens it."""

    def __init__(self, web: Web, setup: AdapterSetup, errands: Errands) -> None:
        self._web = web
        self._setup = setup
        self._errands = errands

    def opened(self, event: Mapping[str, Any]) -> None:
        """Publish what whoever opened it sees."""
        self._errands.do("home", partial(self._publish, str(event.get("user", "")), str(event.get("channel", ""))))

    async def _publish(self, user: str, channel: str) -> None:
        place = Place(PLATFORM, self._web.identity.team, channel or user)
        asker = IncomingMessage(f"home:{uuid.uuid4().hex}", place, Author(user), "", command="knowledge")
        titles = await self._setup.records.titles(asker, _TITLES)
        view = {
            "type": "home",
            "private_metadata": channel,
            "blocks": [
                *_chapter("What I know", await self._known(asker)),
                *_titles(titles),
                *_chapter("How to ask", _HOW),
                *_chapter("My data", _MINE),
                *buttons(_MY_DATA),
            ],
        }
        await self._web.call(self._web.client.views_publish(user_id=user, view=view))

    async def _known(self, asker: IncomingMessage) -> str:
        waiting_for = self._setup.ready()
        if waiting_for:
            return f"I am still starting: I wait for {waiting_for}."
        return (await self._setup.inquire(asker)).text


def _chapter(title: str, text: str) -> list[Block]:
    header = {"type": "header", "text": {"type": "plain_text", "text": title}}
    said = mrkdwn.render(text)[:SECTION_LENGTH] or " "
    return [header, {"type": "section", "text": {"type": "mrkdwn", "text": said, "verbatim": True}}]


def _titles(titles: Sequence[str]) -> list[Block]:
    if not titles:
        return []
    text = "For example: " + " · ".join(mrkdwn.escape(title[:150]) for title in titles)
    return [{"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}]
