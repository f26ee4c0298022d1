"""Fetches files that people shared; the bot's token goes to Slack's own hosts and nowhere else."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import aiohttp

from adapters.slack.errands import FAILURES, reason
from adapters.slack.hosts import is_slacks
from adapters.slack.questions import FILE_BY_ID, HIDDEN_FILE
from adapters.slack.web import SlackRefusal, Web
from bot.errors import AttachmentError
from bot.messages import Attachment

if TYPE_CHECKING:
    from aiohttp.client import _RequestContextManager

_HOPS = 4
_PIECE = 64 << 10
_PATIENCE = aiohttp.ClientTimeout(total=None, connect=10, sock_read=20)


class Downloads:
    """Fetches what `Attachment.url` names."""

    def __init__(self, web: Web, base_url: str) -> None:
        self._web = web
        self._base_url = base_url

    async def pieces(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """Yield a file's bytes as they arrive.

        Raises:
            AttachmentError: Slack does not give it.
        """
        try:
            url = await self._address(attachment.url)
            for _ in range(_HOPS):
                async with self._request(url) as response:
                    if response.status in (301, 302, 303, 307, 308):
                        url = urljoin(url, response.headers.get("Location", ""))
                        continue
                    self._check(response, attachment)
                    async for piece in response.content.iter_chunked(_PIECE):
                        yield piece
                    return
        except AttachmentError:
            raise
        except FAILURES as error:
            if isinstance(error, SlackRefusal) and error.code == "missing_scope":
                raise _no_scope() from error
            raise AttachmentError(f"It could not be fetched ({reason(error)}).", "Try again.") from error
        raise AttachmentError("It could not be fetched: Slack sends me from place to place.")

    async def _address(self, url: str) -> str:
        if url == HIDDEN_FILE:
            raise AttachmentError(
                "Slack keeps it back: it is older than what the workspace's plan shows.", "Upload it again."
            )
        if not url.startswith(FILE_BY_ID):
            return url
        said = await self._web.call(self._web.client.files_info(file=url.removeprefix(FILE_BY_ID)))
        return str(said["file"].get("url_private_download") or said["file"].get("url_private", ""))

    def _request(self, url: str) -> "_RequestContextManager":
        if not is_slacks(url, self._base_url):
            raise AttachmentError("It does not lie at Slack.", "Upload it to Slack instead of linking it.")
        token = {"Authorization": f"Bearer {self._web.token}"}
        proxy = self._web.proxy
        return self._web.session.get(url, headers=token, allow_redirects=False, proxy=proxy, timeout=_PATIENCE)

    @staticmethod
    def _check(response: aiohttp.ClientResponse, attachment: Attachment) -> None:
        """Refuse what is no file: where a permission is missing Slack gives its login page, as if all were well."""
        if response.status in (401, 403):
            raise _no_scope()
        if response.status != 200:
            raise AttachmentError(f"It could not be fetched (HTTP {response.status}).", "Try again.")
        if response.content_type == "text/html" and attachment.media_type != "text/html":
            raise _no_scope()


def _no_scope() -> AttachmentError:
    return AttachmentError(
        "The Slack app lacks the permission to read files (files:read).", "Whoever runs me must add it."
    )
