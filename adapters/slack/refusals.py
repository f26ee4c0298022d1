"""What to do where the bot may not write: the asker is told by direct message, the log names what is missing."""

import time

import structlog

from adapters.slack.errands import FAILURES
from adapters.slack.identifiers import Route, message_name
from adapters.slack.recent import Recent
from adapters.slack.web import SlackRefusal, Web
from bot.errors import DeliveryRefusedError, RateLimitedError
from bot.messages import Place, Reply

log = structlog.get_logger(__name__)

_AGAIN_SECONDS = 3_600.0
_REMEMBERED = 1_000

_REASONS = {
    "not_in_channel": "I am not a member of it; `/invite` me there",
    "channel_not_found": "I do not see it; `/invite` me there",
    "is_archived": "it is archived",
    "missing_scope": "the Slack app lacks a permission; please tell whoever runs me",
}
_RESTRICTED = "posting is restricted there; ask whoever manages the channel to let me write"

USELESS = frozenset(
    {
        "cannot_reply_to_message",
        "cant_delete_message",
        "cant_update_message",
        "edit_window_closed",
        "invalid_arguments",
        "invalid_channel",
        "invalid_metadata_format",
        "invalid_thread_ts",
        "invalid_ts",
        "message_not_found",
        "metadata_too_large",
        "method_not_supported_for_channel_type",
        "msg_too_long",
        "messages_tab_disabled",
        "no_permission",
        "no_text",
        "thread_not_found",
        "user_not_found",
        "user_not_in_channel",
    }
)
"""Refusals after which another try would be refused, too."""


def is_permission(refusal: SlackRefusal) -> bool:
    """Say whether the bot may not write in a place at all."""
    return refusal.code in _REASONS or refusal.code.startswith("restricted_action")


class Refusals:
    """Tells askers, once an hour and channel, that and why their answer is not where they asked."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._told: Recent[tuple[str, str], float] = Recent(_REMEMBERED)

    async def tell(self, place: Place, reply: Reply, refusal: SlackRefusal) -> str:
        """Tell the asker by direct message, and give that message's name.

        Raises:
            RateLimitedError: Slack wants to be left alone.
            DeliveryRefusedError: they cannot be told, were told not long ago, or the reply still grows.
        """
        missing = refusal.needed or refusal.code
        log.warning("may not write", channel=place.channel, missing=missing)
        user = Route.parse(reply.route).user
        refused = DeliveryRefusedError(f"Slack does not let me write there ({missing}).")
        if not reply.complete or not user or self._was_told(place.channel, user):
            raise refused
        try:
            said = await self._web.call(self._web.client.chat_postMessage(channel=user, text=_sentence(place, refusal)))
        except RateLimitedError:
            raise
        except FAILURES as error:
            raise refused from error
        self._told[place.channel, user] = time.monotonic()
        return message_name(str(said["channel"]), str(said["ts"]))

    def _was_told(self, channel: str, user: str) -> bool:
        told = self._told.get((channel, user))
        return told is not None and time.monotonic() - told < _AGAIN_SECONDS


def _sentence(place: Place, refusal: SlackRefusal) -> str:
    why = _REASONS.get(refusal.code, _RESTRICTED)
    return f"You asked me something in <#{place.channel}>, and I may not answer there: {why}. Or ask me here."
