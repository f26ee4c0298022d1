"""A Discord on the loopback interface: the REST API and the gateway that real, unpatched discord.py connects to.

A test builds a small world, lets a bot connect, lets people act and looks at what came of it::

    async with LoopbackDiscord() as discord:
        lab = discord.guild("Lab")
        general = lab.channel("general")
        ada = lab.member("Ada", permissions=Permission.MANAGE_GUILD)

        with pointed_at(discord):    # sets Route.BASE and DiscordWebSocket.DEFAULT_GATEWAY, and restores them
            ...                      # start the bot with `discord.token`
            await discord.connected()
            question = await ada.says(general, "How heavy is the Moon?", mentions_bot=True)
            answer = await general.next_message()
            assert answer.reference is question
            assert answer.pings.nobody

**A bot that sets its own address** needs `discord.rest_url` (``http://127.0.0.1:PORT/api/v10``) and
`discord.gateway_url`. discord.py asks GET /gateway/bot for the gateway only in an `AutoShardedClient` without a shard
count; in every other case, and after every invalidated session, it goes to
`discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY`. Whoever replaces the REST base has to replace that too, or the
second IDENTIFY leaves for discord.gg.

People act (`Member`, `User`):
    ``says``, ``edits``, ``deletes``, ``reacts``, ``unreacts``, ``invokes`` (slash command), ``invokes_on`` (context
    menu), ``types`` (autocomplete), ``presses``, ``chooses``, ``submits`` (modal), ``starts_thread``; ``ada.dm`` is the
    direct message channel with the bot. `Upload` is a file that comes along.

What came of it:
    ``channel.messages``, ``await channel.next_message()``, ``await channel.next_answer()`` (no longer edited),
    ``channel.ephemeral_messages``, ``.deleted_messages``, ``.threads``, ``.typing``;
    ``message.text`` (all there is to read), ``.content``, ``.embeds``, ``.components``, ``.buttons``,
    ``.attachments[0].data``, ``.reference``, ``.flags``, ``.nonce``, ``.allowed_mentions``, ``.pings``, ``.history``,
    ``.reactions``, ``.thread``, ``.ephemeral``, ``.deleted``;
    ``await interaction.response()``, ``await interaction.answer()``, ``.responses``, ``.message``, ``.followups``,
    ``.choices``, ``.modal``, ``.refused``;
    ``discord.commands()``, ``.requests``, ``.requests_to(route)``, ``.unknown_requests``, ``.sessions``,
    ``.open_connections``;
    ``await discord.until(predicate)`` and ``await discord.calm()`` (the bot has asked for nothing for a while).

What goes wrong (all of it on `LoopbackDiscord`):
    gateway: ``drop_connection``, ``outage``, ``request_reconnect``, ``invalidate_session``, ``go_silent``,
    ``withhold_acks``, ``redeliver``, ``unfurl`` (an update that is no edit), ``sends`` (any event);
    REST: ``rate_limit``, ``limit``, ``realistic_limits``, ``fail_next``, ``hold``, ``slow``,
    ``lose_answer`` (the bot meets an `aiohttp.ClientError`);
    time: ``advance``, ``expire``.

As a process of its own: ``python -m tests.adapters.loopback_discord --port 0`` prints its URL;
`control` says how to talk to it.
"""

from .clock import Clock
from .faults import RequestRecord
from .interactions import Interaction, InteractionResponse
from .messages import Message, Upload, Version
from .people import Member, User
from .permissions import Permission
from .places import Channel, Guild, Role
from .pointing import pointed_at
from .refusals import Refusal
from .server import LoopbackDiscord
from .sessions import Intent

__all__ = [
    "Channel",
    "Clock",
    "Guild",
    "Intent",
    "Interaction",
    "InteractionResponse",
    "LoopbackDiscord",
    "Member",
    "Message",
    "Permission",
    "Refusal",
    "RequestRecord",
    "Role",
    "Upload",
    "User",
    "Version",
    "pointed_at",
]
