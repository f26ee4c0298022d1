"""The Discord adapter: translates what is heard there, renders what is said and brings it to its place."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import cast

from adapters.discord.attachments import bytes_of
from adapters.discord.client import Client
from adapters.discord.connection import Backoff, Connection
from adapters.discord.identifiers import PLATFORM, Route, SentId, address
from adapters.discord.rendering import MESSAGE_LENGTH, parts_of
from adapters.discord.synchronising import synchronise
from adapters.discord.typing_indicator import typing_in
from adapters.fetching import Fetching
from bot.adapter import Accept, Adapter, AdapterSetup, Health, Limits, Receipt, Records
from bot.errors import StoppingError
from bot.messages import Attachment, IncomingMessage, Place, Reply
from bot.settings import Settings
from bot.settings.delivery import CatchUpSettings
from bot.settings.tree import DiscordSettings


class DiscordAdapter(Adapter):
    """One bot account on Discord, in all its servers.

    Args:
        settings: the section ``discord``.
        records: what the core remembers.
        backoff: how long to wait between attempts to connect.
        diagnoses_in_threads: whether a written description of symptoms gets a thread of its own.
        catch_up: the section ``catch_up``.
        networks: private networks inside which files may lie.
    """

    name = PLATFORM

    def __init__(
        self,
        settings: DiscordSettings,
        records: Records,
        backoff: Backoff | None = None,
        *,
        diagnoses_in_threads: bool = False,
        catch_up: CatchUpSettings | None = None,
        networks: Sequence[str] = (),
    ) -> None:
        self.limits = Limits(
            message_length=MESSAGE_LENGTH, edits_per_second=settings.edits_per_second, streaming=True, buttons=True
        )
        self._settings = settings
        self._fetching = Fetching(networks, settings.base_url, settings.proxy)
        self._records = records
        self._diagnoses_in_threads = diagnoses_in_threads
        self._catch_up = catch_up or CatchUpSettings()
        self._accept: Accept = _nothing_yet
        self._connection = Connection(settings, self._client, self._see_to, backoff or Backoff())

    @classmethod
    def create(cls, setup: AdapterSetup) -> "DiscordAdapter":
        """Make the adapter from the settings."""
        settings = cast("Settings", setup.settings)
        in_threads = settings.diagnosis.reply == "thread"
        return cls(
            settings.discord,
            setup.records,
            diagnoses_in_threads=in_threads,
            catch_up=settings.catch_up,
            networks=settings.attachments.allowed_networks,
        )

    def _client(self) -> Client:
        in_threads = self._diagnoses_in_threads
        return Client(self._settings, self._accept, self._records, self._catch_up, diagnoses_in_threads=in_threads)

    async def _see_to(self, client: Client) -> None:
        """Do what is to be done beside hearing and answering: the commands first, then whatever was missed."""
        await synchronise(client.tree, client.application_id or 0, self._settings.development_servers, self._records)
        await client.catching_up.keep()

    @property
    def health(self) -> Health:
        """Whether the gateway is connected."""
        return self._connection.health

    @property
    def welcome(self) -> str:
        """Who the bot is, where it is, and what it can and cannot hear there."""
        try:
            client = self._connection.client
        except ConnectionError:
            return "Discord: not reached yet; I keep trying."
        servers = client.application.approximate_guild_count if client.application else 0
        where = f"in {servers:,} {'server' if servers == 1 else 'servers'}" if servers else "in no server yet"
        hears = "I hear mentions, replies to me, direct messages and commands"
        more = (
            ", and whatever is said in my threads."
            if self._settings.message_content
            else "; without the message-content intent I hear follow-ups in my threads only when I am mentioned."
        )
        return f"Discord: {client.user}, {where}. {hears}{more}"

    async def start(self, accept: Accept) -> None:
        """Log in and connect; where Discord is not reached that goes on in the background.

        Raises:
            AdapterError: Discord does not take the token, or what the settings ask for.
        """
        self._accept = accept
        await self._connection.open()

    async def closed(self) -> int:
        """Wait until Discord has no place for the bot any more."""
        await self._connection.ended()
        return 1

    async def stop(self) -> None:
        """Leave Discord."""
        await self._connection.close()

    def parts(self, reply: Reply) -> Sequence[Reply]:
        """Cut a reply into messages."""
        return parts_of(reply)

    async def send(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        """Send one part where it belongs: into the channel, as an interaction's answer, or privately."""
        client = await self._connection.reached()
        return str(await client.replies.send(place, reply, idempotency_key))

    async def edit(self, place: Place, sent_id: str, reply: Reply) -> None:
        """Put a part in the stead of a message."""
        client = await self._connection.reached()
        await client.replies.edit(place, SentId.of(sent_id, place), reply)

    async def delete(self, place: Place, sent_id: str) -> None:
        """Delete a message of the bot's."""
        client = await self._connection.reached()
        await client.replies.delete(SentId.of(sent_id, place))

    async def find(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        """Look for the message among those after the question."""
        client = await self._connection.reached()
        found = await client.replies.find(place, reply)
        return str(found or "")

    @contextlib.asynccontextmanager
    async def working(self, message: IncomingMessage) -> AsyncIterator[None]:
        """Type while the body runs; an interaction shows by itself that the bot thinks."""
        try:
            client = self._connection.client
        except ConnectionError:
            client = None
        if client is None or Route.of(message.route).token:
            yield
            return
        thread = int(message.place.thread or 0)
        # A question's own thread is not there before its answer.
        is_there = message.place.thread != message.message_id or client.get_channel(thread)
        async with typing_in(client, thread if thread and is_there else int(message.place.channel)):
            yield

    async def link(self, place: Place, message_id: str) -> str:
        """Give a message's address in Discord's clients."""
        return address(place, message_id)

    def download(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """Yield a file's bytes."""
        return bytes_of(attachment, self._fetching)


async def _nothing_yet(message: IncomingMessage) -> Receipt:
    raise StoppingError("Preceptor has not started.", "Ask again in a moment.")
