"""Reads the Events API: which events are messages to the bot, edits and deletions of such, or a ✅ on its answers."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.slack.identifiers import Identity, Route, identifier, message_name
from adapters.slack.questions import PLATFORM, Questions, Written, mentions_bot, others
from bot.adapter import Records
from bot.messages import IncomingMessage, Place

Event = Mapping[str, Any]

_WRITTEN_BY_PEOPLE = frozenset({"", "file_share", "thread_broadcast"})
"""Subtypes of messages that people write; all others are Slack's own or an app's."""

_DONE = frozenset({"white_check_mark", "heavy_check_mark"})
_SLACKBOT = "USLACKBOT"


class Events:
    """Translates events; `records` tells what was accepted before."""

    def __init__(self, questions: Questions, records: Records) -> None:
        self._questions = questions
        self._records = records

    async def read(self, body: Event, bot: Identity) -> IncomingMessage | None:
        """Give the message that an event is to the bot; None for most."""
        event: Event = body.get("event") or {}
        match event.get("type"):
            case "app_mention" if _is_human(event, bot):
                return self._questions.of(Written.read(event, event), bot)
            case "message":
                return await self._message(event, bot)
            case "reaction_added":
                return self._solved(identifier(body.get("event_id")), event, bot)
        return None

    async def _message(self, event: Event, bot: Identity) -> IncomingMessage | None:
        match event.get("subtype", ""):
            case "message_changed":
                return await self._changed(event, bot)
            case "message_deleted":
                return await self._taken_back(event, event.get("previous_message") or {}, bot)
        if not _is_human(event, bot):
            return None
        written = Written.read(event, event)
        return self._questions.of(written, bot) if await self._is_for(written, bot) else None

    async def _is_for(self, written: Written, bot: Identity) -> bool:
        """Say whether a message is to the bot: by its place, by name, or as part of what it is talking about."""
        if written.is_direct or mentions_bot(written.text, bot):
            return True
        if not written.is_reply or others(written.text, bot):
            return False
        return await self._records.takes_part(written.place(bot.team))

    async def _changed(self, event: Event, bot: Identity) -> IncomingMessage | None:
        message: Event = event.get("message") or {}
        previous: Event = event.get("previous_message") or {}
        if message.get("subtype") == "tombstone":
            # A deleted message with a thread below it is changed, not deleted.
            return await self._taken_back(event, previous, bot)
        # Unfurled links and the bot's own edits change messages too.
        if not message.get("edited") or not _is_human(message, bot) or message.get("text") == previous.get("text"):
            return None
        written = Written.read(message, event)
        question = self._questions.of(written, bot)
        if await self._records.has_accepted(written.name):
            # The event's own timestamp: the edit's has only whole seconds.
            return replace(question, key=f"{written.name}/edited/{event.get('ts')}", revises=written.name)
        return question if written.is_direct or mentions_bot(written.text, bot) else None

    async def _taken_back(self, event: Event, previous: Event, bot: Identity) -> IncomingMessage | None:
        written = Written.read(previous, event)
        if not written.ts or not await self._records.has_accepted(written.name):
            return None
        return IncomingMessage(
            key=f"{written.name}/deleted",
            place=written.place(bot.team),
            author=self._questions.author(written.user),
            text="",
            command="withdraw",
            message_id=written.name,
            revises=written.name,
            route=str(Route(written.user)),
        )

    def _solved(self, event_id: str, event: Event, bot: Identity) -> IncomingMessage | None:
        item: Event = event.get("item") or {}
        user = identifier(event.get("user"))
        on_ours = item.get("type") == "message" and event.get("item_user") == bot.user
        if not on_ours or user == bot.user or event.get("reaction") not in _DONE:
            return None
        channel, ts = identifier(item.get("channel")), identifier(item.get("ts"))
        return IncomingMessage(
            key=event_id,
            place=Place(PLATFORM, bot.team, channel),
            author=self._questions.author(user),
            text="",
            command="solved",
            about=message_name(channel, ts),
            route=str(Route(user)),
        )


def _is_human(message: Event, bot: Identity) -> bool:
    """Say whether a person wrote it."""
    user = message.get("user", "")
    by_person = bool(user) and user not in (bot.user, _SLACKBOT) and not message.get("bot_id")
    return by_person and message.get("subtype", "") in _WRITTEN_BY_PEOPLE
