"""A platform that brings pictures, and pictures to bring: drawn here, or the real photographs of installed packages."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import skimage
from PIL import Image, ImageDraw

from bot.adapter import InMemoryAdapter, Limits
from bot.errors import AttachmentError
from bot.messages import Attachment, Place

PHOTOGRAPHS = Path(skimage.__file__).parent / "data"
"""chelsea.png is a cat, coffee.png a cup of espresso, rocket.jpg a launch."""

VIT_TINY = Path(__file__).parents[3] / "shared" / "models" / "vit-tiny-patch16-224"


class Gallery(InMemoryAdapter):
    """Gives the files that hang in it, by their names; a message's address is made of its name."""

    def __init__(self, *, open_threads: bool = False) -> None:
        super().__init__(Limits(streaming=True, buttons=True, open_threads=open_threads))
        self.files: dict[str, bytes] = {}

    def hang(self, name: str, content: bytes, media_type: str = "image/png") -> Attachment:
        """Put up a file, and give it as what comes with a message."""
        self.files[name] = content
        return Attachment(name, media_type, len(content), f"gallery:{name}")

    async def download(self, attachment: Attachment) -> AsyncIterator[bytes]:
        if attachment.name not in self.files:
            raise AttachmentError("It is gone.", "Upload it again.")
        yield self.files[attachment.name]

    async def link(self, place: Place, message_id: str) -> str:
        return f"https://gallery.example/{place.channel}/{message_id}"


def photograph(name: str) -> bytes:
    """Give the file of a real photograph."""
    return (PHOTOGRAPHS / name).read_bytes()


def drawn(colour: str = "red", size: tuple[int, int] = (64, 48), kind: str = "PNG", **options: object) -> bytes:
    """Draw a disc on white."""
    picture = Image.new("RGB", size, "white")
    ImageDraw.Draw(picture).ellipse((8, 8, size[1] - 8, size[1] - 8), fill=colour)
    return saved(picture, kind, **options)


def saved(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """Give the file of a picture."""
    stream = io.BytesIO()
    picture.save(stream, kind, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def scaled(content: bytes, factor: float, kind: str = "JPEG") -> bytes:
    """Give a picture in another size and another format."""
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    return saved(picture.resize((int(picture.width * factor), int(picture.height * factor))), kind)


def direction(seed: int, width: int = 16) -> np.ndarray:
    """Give an embedding: a unit vector by chance."""
    vector = np.random.default_rng(seed).normal(size=width).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)
