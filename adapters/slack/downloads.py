"""Fetches files that people shared; the bot's token goes to Slack's own hosts and nowhere else."""

import contextlib
from collections.abc import AsyncIterator
from functools import partial

import aiohttp

from adapters.fetching import Fetcher, Fetching
from adapters.slack.errands import FAILURES, reason
from adapters.slack.hosts import is_slacks
from adapters.slack.questions import FILE_BY_ID, HIDDEN_FILE
from adapters.slack.web import SlackRefusal, Web
from bot.errors import AttachmentError
from bot.messages import Attachment


class Downloads:
    """Fetches what `Attachment.url` names."""

    def __init__(self, web: Web, fetching: Fetching) -> None:
        self._web = web
        self._base_url = fetching.own
        self._fetcher = Fetcher(fetching)

    async def pieces(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """Yield a file's bytes as they arrive.

        Raises:
            AttachmentError: Slack does not give it.
        """
        try:
            url = await self._address(attachment.url)
            pieces = self._fetcher.pieces(url, self._headers, partial(_check, attachment))
            async with contextlib.aclosing(pieces):
                async for piece in pieces:
                    yield piece
        except AttachmentError:
            raise
        except FAILURES as error:
            if isinstance(error, SlackRefusal) and error.code == "missing_scope":
                raise _no_scope() from error
            raise AttachmentError(f"It could not be fetched ({reason(error)}).", "Try again.") from error

    async def _address(self, url: str) -> str:
        if url == HIDDEN_FILE:
            raise AttachmentError(
                "Slack keeps it back: it is older than what the workspace's plan shows.", "Upload it again."
            )
        if not url.startswith(FILE_BY_ID):
            return url
        said = await self._web.call(self._web.client.files_info(file=url.removeprefix(FILE_BY_ID)))
        return str(said["file"].get("url_private_download") or said["file"].get("url_private", ""))

    def _headers(self, url: str) -> dict[str, str]:
        if not is_slacks(url, self._base_url):
            raise AttachmentError("It does not lie at Slack.", "Upload it to Slack instead of linking it.")
        return {"Authorization": f"Bearer {self._web.token}"}


def _check(attachment: Attachment, response: aiohttp.ClientResponse) -> None:
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
