"""Looks through a thread for what an earlier try to send may have left there."""

from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any

import structlog

from adapters.slack.histories import messages
from adapters.slack.identifiers import message_name, message_place
from adapters.slack.refusals import is_permission
from adapters.slack.web import SlackRefusal, Web
from bot.messages import Place, Reply

log = structlog.get_logger(__name__)

_LOOKED_THROUGH = 200

_NOWHERE = frozenset({"invalid_arguments", "invalid_ts_latest", "invalid_ts_oldest", "thread_not_found"})
"""Refusals that mean that there is no such place, and so nothing in it."""

Found = Mapping[str, Any]


def metadata(key: str) -> dict[str, object]:
    """Give the metadata by which a message is found under its idempotency key."""
    return {"event_type": "preceptor_reply", "event_payload": {"key": key}}


async def find(web: Web, place: Place, reply: Reply, key: str) -> str:
    """Look for what was posted under a key, or for a stream that nobody finished; give its name, or nothing.

    What one person saw among others is in no history. Where the bot may not read, nothing is found: an answer that may
    stand twice is better than none. Raises what `Web.call` does.
    """
    if not place.channel.startswith("D" if reply.ephemeral else ("C", "G", "D")):
        return ""
    try:
        return await _found(web, place, reply, key)
    except SlackRefusal as refusal:
        if is_permission(refusal):
            log.warning("may not look", channel=place.channel, missing=refusal.needed or refusal.code)
        elif refusal.code not in _NOWHERE:
            raise
        return ""


async def _found(web: Web, place: Place, reply: Reply, key: str) -> str:
    beginning = ""
    async for message in _ours_since(web, place, reply):
        name = message_name(place.channel, str(message["ts"]))
        found = _key(message)
        if found == key:
            return name
        if not found and _begins(message, reply):
            beginning = name
    return beginning


async def _ours_since(web: Web, place: Place, reply: Reply) -> AsyncIterator[Found]:
    client, asked = web.client, message_place(reply.in_reply_to)[1]
    seen: dict[str, Any] = {"channel": place.channel, "include_all_metadata": True}
    if asked:
        seen["oldest"] = asked
    read = partial(client.conversations_replies, ts=place.thread) if place.thread else client.conversations_history
    async for message in messages(lambda call: web.call(call()), read, _LOOKED_THROUGH, **seen):
        if message.get("user") == web.identity.user:
            yield message


def _key(message: Found) -> str:
    payload: Found = (message.get("metadata") or {}).get("event_payload") or {}
    return str(payload.get("key", ""))


def _begins(message: Found, reply: Reply) -> bool:
    """Say whether a message is a stream that shows the beginning of a reply, whatever the markup."""
    if message.get("subtype") or message.get("files"):
        return False
    shown, whole = (_letters(text) for text in (str(message.get("text", "")), reply.text))
    return whole.startswith(shown)


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())
