"""Slack's native streams: a message that grows before the reader's eyes, by what is new each time."""

import re
from dataclasses import dataclass

import structlog

from adapters.slack.blocks import additions
from adapters.slack.finding import metadata
from adapters.slack.identifiers import Route, is_direct, message_name
from adapters.slack.recent import Recent
from adapters.slack.web import SlackRefusal, Web
from bot.errors import RateLimitedError
from bot.messages import Place, Reply

log = structlog.get_logger(__name__)

_OPEN = 1_000
_ENDED = "message_not_in_streaming_state"

# Slack reads <@U1>, <!here> and <#C1> in Markdown, too. A zero-width space keeps what an answer quotes from it, and
# depends on the next character alone, so that what is shown already stays the beginning of what is shown next.
_CALLING = re.compile(r"(<|&lt;|&#0*60;|&#x0*3c;)(?=[@!#&\\])|((?<![\w.+-])@)(?=[a-z])", re.IGNORECASE)


def markdown(text: str) -> str:
    """Give CommonMark as Slack's `markdown_text` takes it: nothing of it calls anybody."""
    return _CALLING.sub(lambda calling: f"{calling[0]}\u200b", text)


@dataclass(slots=True)
class _Stream:
    channel: str
    ts: str
    key: str
    shown: str


class Streams:
    """The streams that are open. Those of an earlier run are not known here; `end` closes them, too."""

    def __init__(self, web: Web, enabled: bool) -> None:
        self._web = web
        self._enabled = enabled
        self._open: Recent[str, _Stream] = Recent(_OPEN)

    def takes(self, place: Place, reply: Reply) -> bool:
        """Say whether an answer can be streamed: in a thread, and in a channel only to somebody."""
        somebody = is_direct(place.channel) or bool(Route.parse(reply.route).user)
        return self._enabled and not reply.complete and bool(place.thread) and somebody and not reply.mentions

    async def start(self, place: Place, reply: Reply, key: str) -> str:
        """Open a stream and give its message's name. Raises what `Web.call` does."""
        text = "" if reply.is_placeholder else markdown(reply.text)
        said = await self._web.call(
            self._web.client.chat_startStream(
                channel=place.channel,
                thread_ts=place.thread,
                recipient_team_id=place.workspace,
                recipient_user_id=Route.parse(reply.route).user or None,
                markdown_text=text or None,
            )
        )
        stream = _Stream(str(said.get("channel", place.channel)), str(said["ts"]), key, text)
        name = message_name(stream.channel, stream.ts)
        self._open[name] = stream
        return name

    async def grow(self, name: str, reply: Reply) -> bool:
        """Add what is new, and end the stream with a complete reply; False where that must be done by an edit."""
        # Whatever happens now, it is unclear afterwards what is shown; only where Slack says so it goes on.
        stream = self._open.pop(name, None)
        if stream is None:
            return False
        text = stream.shown if reply.is_placeholder else markdown(reply.text)
        if not text.startswith(stream.shown) or (reply.complete and reply.mentions):
            await self.end(stream.channel, stream.ts)
            return False
        try:
            await self._add(stream, text, reply)
        except RateLimitedError:
            self._open[name] = stream
            raise
        except SlackRefusal as refusal:
            log.info("stream ended early", reason=refusal.code)
            return False
        if not reply.complete:
            stream.shown = text
            self._open[name] = stream
        return True

    async def _add(self, stream: _Stream, text: str, reply: Reply) -> None:
        new, client = text[len(stream.shown) :], self._web.client
        if reply.complete:
            await self._web.call(
                client.chat_stopStream(
                    channel=stream.channel,
                    ts=stream.ts,
                    markdown_text=new or None,
                    blocks=additions(reply) or None,
                    metadata=metadata(stream.key),
                )
            )
        elif new:
            await self._web.call(client.chat_appendStream(channel=stream.channel, ts=stream.ts, markdown_text=new))

    async def end(self, channel: str, ts: str) -> None:
        """End a stream, of this run or an earlier one, as it is; one that has ended is no error."""
        try:
            await self._web.call(self._web.client.chat_stopStream(channel=channel, ts=ts))
        except SlackRefusal as refusal:
            if refusal.code != _ENDED:
                log.info("stream not ended", reason=refusal.code)
