"""A Slack on this machine that real, unpatched slack_sdk and slack_bolt talk to.

A test opens it, fills it with people and channels, lets them act, and looks at what the bot did::

    async with LoopbackSlack() as slack:
        ada, general = slack.user("Ada"), slack.channel("general")
        app = AsyncApp(client=AsyncWebClient(token=slack.bot_token, base_url=slack.base_url), …)

        # Socket Mode is what it starts with; AsyncSocketModeHandler(app, slack.app_token).connect_async(), then
        await slack.connected()
        # or HTTP mode: every request signed with slack.signing_secret
        slack.deliver_to("http://127.0.0.1:8080/slack/events")

        question = await ada.says(general, "<@BOT> what is Ohm's law?")    # ``<@BOT>`` is the bot's mention
        answer = await general.next_message()                              # waits; no sleep
        await answer.becomes("V = I R")                                    # … until an edit or the stream shows it
        assert answer.thread_ts == question.ts
        await ada.presses(answer, "👍")                                    # label, action_id or value

**People act**, and each act returns when the bot has acknowledged it or Slack's three seconds are over: `says`,
`edits`, `deletes`, `reacts`, `takes_back`, `commands`, `presses`, `uses_shortcut`, `uses_global_shortcut`, `submits`,
`closes`, `opens_home`, `opens_assistant`, `views`, `invites_bot`. What went to the bot is in ``message.deliveries``,
or is what the act returns. A mention gives both twins, ``app_mention`` and ``message``; an edit of one gives
``message_changed`` and ``app_mention`` again; a deleted message with replies leaves a tombstone
(``message_changed``), as in Slack. The bot hears its own messages (``slack.dispatch.echoes = False`` for silence).
``channel.seed(…)`` writes without events.

**What happened**: ``channel.messages`` (every `Message` with its `states` and times, `blocks`, `shown`, `buttons`,
`pings`, `metadata`, `reactions`, `ephemeral_for`, `deleted`, `stream`), ``channel.from_bot``, `next_message`,
`message_that`, ``user.sees(channel)``, ``user.home``, ``user.modals``, ``slack.workspace.statuses``;
`AssistantThread.status`, `title`, `prompts`; ``slack.workspace.files`` with their bytes and downloads;
``slack.workspace.response_urls``; ``slack.calls``, ``slack.calls_of("chat.update")``; ``slack.deliveries``,
``slack.acks`` with `latency`. ``await slack.until(lambda: …)`` waits for anything.

**What goes wrong**: `rate_limit`, `limit`, `fail_next` (a status, or an error of Slack's), `slow`, `lose_answer`
(done, but the answer is lost), ``faults.down``, ``scopes.discard("chat:write")``,
``subscriptions.discard("app_mention")``, ``auth_error = "token_revoked"``, ``channel.archived``,
``channel.restriction = "restricted_action"``, ``channel.bot_is_member``, ``workspace.edit_window``, `clock_skew`,
`pass_time`; to the bot: `redeliver`, `forge`, `unfurls`, `send_event`, `drop_connections`, `say_goodbye`,
`uninstall`; ``dispatch.retry_pauses = (0, 0.1, 0.5)`` lets lost events come again by themselves. An event that no
connection acknowledged comes again on the next one. To let a stream expire, say ``message.stream.stopped = True``.

`loopback_slack.bolt_bot` has a small bolt app and both roads to it, to copy from.

In a process of its own: ``python -m tests.adapters.loopback_slack --port 8765`` prints what to configure; `Control`
says what ``/control`` does.

What it assumes where Slack's reference is silent: a reply to a message that is not there, is ephemeral or deleted is
``cannot_reply_to_message``; chat.update keeps the blocks and attachments that it is not given; an envelope that is
sent again has an envelope_id of its own and the same event_id; a response_url that is used up or too old answers 404
with ``used_url`` or ``expired_url``. A first envelope says ``retry_attempt`` 0, as Slack's do, which bolt turns into
the header ``x-slack-retry-num: 0``.
"""

from .channels import Channel
from .deliveries import Attempt, Delivery, Retry
from .files import File
from .messages import Message, State, Stream
from .people import AssistantThread, User, UserGroup
from .shown import ShownButton
from .slack import LoopbackSlack
from .socket_mode import Connection
from .views import View
from .wire import Call

__all__ = [
    "AssistantThread",
    "Attempt",
    "Call",
    "Channel",
    "Connection",
    "Delivery",
    "File",
    "LoopbackSlack",
    "Message",
    "Retry",
    "ShownButton",
    "State",
    "Stream",
    "User",
    "UserGroup",
    "View",
]
