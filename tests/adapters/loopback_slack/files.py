"""Files that people and the bot share: their bytes, and the honest or dishonest things Slack says of them."""

import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass, field

from .wire import Json

_ONLY_A_WORD = frozenset({"hidden_by_limit", "tombstone"})

PIECE = 64 * 1024
"""How many bytes of a file go out at a time."""


@dataclass(slots=True)
class Download:
    """One time that a file was fetched: whether the token was good, and how many bytes were taken."""

    allowed: bool
    sent: int = 0
    whole: bool = False


@dataclass(slots=True, eq=False)
class File:
    """A file in the workspace.

    Attributes:
        content: its bytes; they are repeated up to `length` where that is larger.
        length: how many bytes a download gives.
        size: how many bytes Slack says it has.
        streamed: whether a download comes without a Content-Length.
        mode: where it lies; of one that is ``hidden_by_limit`` or a ``tombstone`` Slack tells little.
        shared: whether an upload was completed.
        downloads: who fetched it.
    """

    id: str
    name: str
    media_type: str
    content: bytes
    length: int
    size: int
    user: str
    url: str
    title: str = ""
    streamed: bool = False
    mode: str = "hosted"
    shared: bool = True
    channels: list[str] = field(default_factory=list)
    downloads: list[Download] = field(default_factory=list)

    def pieces(self) -> Iterator[bytes]:
        """Its bytes, piece by piece; nothing is held in memory but the content."""
        unit = self.content * max(1, PIECE // max(1, len(self.content)))
        left = self.length
        while left > 0 and unit:
            piece = unit[:left]
            left -= len(piece)
            yield piece

    def to_json(self) -> Json:
        """The file as Slack gives it in events and in files.info."""
        if self.mode in _ONLY_A_WORD:
            return {"id": self.id, "mode": self.mode}
        extension = self.name.rpartition(".")[2].lower()
        return {
            "id": self.id,
            "created": 1_700_000_000,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": self.media_type,
            "filetype": extension,
            "user": self.user,
            "size": self.size,
            "mode": self.mode,
            "is_external": self.mode == "external",
            "url_private": self.url,
            "url_private_download": f"{self.url}/download",
            "permalink": self.url.replace("/files-pri/", "/files/"),
            "channels": self.channels,
            "file_access": "visible",
        }


def media_type_of(name: str) -> str:
    """The media type that Slack would claim for a file of this name."""
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
