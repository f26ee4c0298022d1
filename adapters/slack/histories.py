"""Reads what was said in a channel or a thread, page by page: Slack may give less at a time than it is asked for."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from slack_sdk.web.async_slack_response import AsyncSlackResponse

Message = Mapping[str, Any]
Ask = Callable[[Callable[[], Awaitable[AsyncSlackResponse]]], Awaitable[Mapping[str, Any]]]
"""Makes a call and gives Slack's answer; it may be made again."""

_PAGE = 200
"""As many as Slack recommends; to apps that are sold outside its Marketplace it gives 15."""


async def messages(
    ask: Ask, read: Callable[..., Awaitable[AsyncSlackResponse]], most: int, **what: object
) -> AsyncIterator[Message]:
    """Yield messages in Slack's order; raises what `ask` does.

    Of a thread that is its first message and then the oldest first. Of a channel it is, within a page, the latest
    first; where `what` names ``oldest`` and not ``latest``, the oldest page comes first.

    Args:
        ask: makes a call.
        read: the method: ``conversations_history`` or ``conversations_replies``.
        most: so many at the most.
        what: its arguments.
    """
    cursor = ""
    while most > 0:
        said = await ask(partial(read, **what, limit=min(most, _PAGE), cursor=cursor or None))
        found = said.get("messages") or ()
        for message in found:
            yield message
        most -= max(len(found), 1)
        cursor = str((said.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            return
