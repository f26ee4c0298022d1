"""The HTTP API as an adapter: it listens, hands questions in and gives back what comes out."""

from collections.abc import AsyncIterator
from typing import cast

from adapters.http import listening
from adapters.http.application import build
from adapters.http.forms import library_files, pictures
from adapters.http.front import Front
from adapters.http.keys import Keys
from adapters.http.server import Server
from adapters.http.uploads import Uploads
from bot.adapter import Accept, AdapterSetup, Health, InMemoryAdapter, Limits, Receipt
from bot.errors import AdapterError, StoppingError
from bot.messages import Attachment, IncomingMessage, Reply
from bot.settings import Settings
from bot.staging import Staging

_STOPPING = Reply("Preceptor is stopping.", outcome="failed", error="stopping", data={"fix": "Ask again in a moment."})


class HttpAdapter(InMemoryAdapter):
    """Serves the API on the address that the settings name; `address` tells its URL once it is started.

    Raises:
        AdapterError: a key in the settings is malformed.
    """

    name = "http"

    def __init__(self, setup: AdapterSetup) -> None:
        super().__init__(Limits(streaming=True, reaches_later=False))
        settings = cast("Settings", setup.settings)
        self._settings = settings.http
        self._keys = Keys(settings.http, setup.records)
        text_bytes = settings.http.body_kilobytes << 10
        self._uploads = Uploads((settings.attachments.megabytes << 20) + text_bytes)
        self._front = Front(
            post=self.post,
            abandon=self.abandon,
            inquire=setup.inquire,
            ready=setup.ready,
            patience=settings.answers.deadline_seconds + settings.dispatch.shutdown_seconds,
            uploads=self._uploads,
            staging=Staging(settings.staging_directory),
            forms={
                "/v1/describe": pictures(self._uploads.body_bytes),
                "/v1/knowledge/files": library_files((settings.knowledge.upload_megabytes << 20) + text_bytes),
            },
            most_files=settings.images.most,
            text_bytes=text_bytes,
            figures=setup.figures,
        )
        self._webhooks = setup.webhooks
        self._server: Server | None = None
        self.address = ""

    @property
    def health(self) -> Health:
        """Whether requests are answered."""
        is_up = self._server is not None and self._server.is_serving
        return Health(is_up, "" if is_up else "Nothing listens; the log says why.")

    @property
    def welcome(self) -> str:
        """Say where to ask."""
        return f"Ask at {self.address}/docs"

    @classmethod
    def create(cls, setup: AdapterSetup) -> "HttpAdapter":
        """Make the adapter from the settings."""
        return cls(setup)

    async def start(self, accept: Accept) -> None:
        """Listen; returns once requests are answered.

        Raises:
            AddressInUseError: another program listens there.
            AdapterError: the address cannot be had, or others could reach it without a key.
        """
        where = await listening.resolve(self._settings.host, self._settings.port)
        if not where.is_loopback and not self._keys:
            raise AdapterError(
                f"On http.host {self._settings.host} others can reach the HTTP API, and no key is set.",
                "Make one with `preceptor settings new-key` and set it in http.admin_keys, or listen on 127.0.0.1.",
            )
        opened = listening.listen(where)
        self.address = listening.url_of(opened)
        await super().start(accept)
        self._server = Server(build(self._front, self._keys, self._settings, self._webhooks))
        await self._server.start(opened)

    def download(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """Yield the bytes of a file that came with a request.

        Raises:
            AttachmentError: whoever sent it waits no more.
        """
        return self._uploads.pieces(attachment)

    async def closed(self) -> int:
        """Wait until the server ends, which it never does by itself but for a defect."""
        if self._server is None:
            raise RuntimeError("the HTTP adapter is not started")
        await self._server.ended()
        return 1

    async def stop(self) -> None:
        """Tell those who still wait that nothing comes any more, let responses end and close everything."""
        self._accept = _refuse
        for exchange in self._exchanges.values():
            exchange.put(_STOPPING)
        await super().stop()
        if self._server is not None:
            await self._server.stop()


async def _refuse(message: IncomingMessage) -> Receipt:
    raise StoppingError(_STOPPING.text, str(_STOPPING.data["fix"]))
