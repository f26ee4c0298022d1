"""Hands files over in the asker's direct messages: what a file holds is nobody else's business."""

from adapters.slack.identifiers import Route
from adapters.slack.recent import Recent
from adapters.slack.web import Web
from bot.messages import Reply

_REMEMBERED = 500


class Uploads:
    """Uploads the files of replies, each once, however often the message about it must be tried."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._done: Recent[str, bool] = Recent(_REMEMBERED)

    async def hand_over(self, reply: Reply, key: str) -> None:
        """Upload the files of a reply that goes out under a key. Raises what `Web.call` does."""
        if self._done.get(key):
            return
        client, user = self._web.client, Route.parse(reply.route).user
        files = [{"filename": file.name, "title": file.name, "content": file.text} for file in reply.files]
        opened = await self._web.call(client.conversations_open(users=user))
        await self._web.call(client.files_upload_v2(channel=str(opened["channel"]["id"]), file_uploads=files))
        self._done[key] = True
