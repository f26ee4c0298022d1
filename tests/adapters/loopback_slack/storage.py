"""Where files are fetched and uploaded, with Slack's way of refusing: a page to log in, and status 200."""

from typing import TYPE_CHECKING

from aiohttp import web

from .files import Download, File

if TYPE_CHECKING:
    from .slack import LoopbackSlack

LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body>Sign in to continue</body></html>"


class Storage:
    """Answers ``url_private`` and upload URLs."""

    def __init__(self, slack: "LoopbackSlack") -> None:
        self._slack = slack

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/files-pri/{name}/{file:.*}", self.fetch),
            web.post("/upload/v1/{name}", self.upload),
        ]

    async def fetch(self, request: web.Request) -> web.StreamResponse:
        """Give a file's bytes to whoever has the bot's token and the scope."""
        file = self._slack.workspace.files.get(request.match_info["name"].rpartition("-")[2])
        if file is None:
            raise web.HTTPNotFound
        bearer = request.headers.get("Authorization", "") == f"Bearer {self._slack.bot_token}"
        download = Download(bearer and "files:read" in self._slack.scopes and not self._slack.auth_error)
        file.downloads.append(download)
        if not download.allowed:
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        return await _send(request, file, download)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Take a file's bytes: the raw body, or the first part of a form."""
        file = self._slack.workspace.files.get(request.match_info["name"])
        if file is None or file.content:
            raise web.HTTPNotFound
        body = await _uploaded(request)
        if len(body) != file.size:
            raise web.HTTPBadRequest(text="the length is not the one that was announced")
        file.content, file.length = body, len(body)
        self._slack.workspace.changed()
        return web.Response(text=f"OK - {len(body)}")


async def _send(request: web.Request, file: File, download: Download) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": file.media_type})
    if not file.streamed:
        response.content_length = file.length
    await response.prepare(request)
    try:
        for piece in file.pieces():
            await response.write(piece)
            download.sent += len(piece)
        await response.write_eof()
        download.whole = True
    except ConnectionError:
        download.whole = False
    return response


async def _uploaded(request: web.Request) -> bytes:
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    for part in (await request.post()).values():
        if isinstance(part, web.FileField):
            return part.file.read()
    return b""
