"""The contract of what looks at pictures: the bytes of a file in, what is in it out, in words, labels and figures."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from models.vision.decoding.contract import View

Embedding = NDArray[np.float32]
"""A picture as a direction, L2-normalised, shaped [width of the encoder]; the dot product of two is their likeness."""

Pixels = NDArray[np.uint8]
"""Red, green and blue from 0 to 255, shaped [height, width, 3]."""

Orientation = Literal["landscape", "portrait", "square"]


@dataclass(frozen=True, slots=True)
class Colour:
    """One of the colours that a picture mostly has: its name, as ``#rrggbb``, and the share of it, 0 to 1."""

    name: str
    code: str
    share: float


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What can be told of a picture without a model. Where it was taken, and of whom, is not among it.

    Attributes:
        format: as Pillow calls it: ``PNG``, ``JPEG``, ``GIF``, ``WEBP``, ``BMP``, ``TIFF``, ``AVIF``, ``HEIF`` …
        width, height: in pixels, as it is meant to be seen (EXIF orientation applied).
        frames: how many pictures the file holds; what is told is of the first.
        camera: maker and model, from EXIF; empty where they are not said.
        taken: when, from EXIF, as ``2024-05-03 14:07`` in the camera's time; empty where it is not said.
        colours: the dominant ones, largest share first.
    """

    format: str
    width: int
    height: int
    frames: int = 1
    camera: str = ""
    taken: str = ""
    colours: tuple[Colour, ...] = ()

    @property
    def orientation(self) -> Orientation:
        """How it lies."""
        if self.width == self.height:
            return "square"
        return "landscape" if self.width > self.height else "portrait"


@dataclass(frozen=True, slots=True)
class Label:
    """What a picture may show: the model's word, its number among the model's labels, and its probability, 0 to 1."""

    label: str
    index: int
    score: float


@dataclass(frozen=True, slots=True)
class ImageDescription:
    """What is in a picture.

    Attributes:
        facts: what the file itself tells.
        labels: likeliest first; none where no classifier is there.
        caption: one sentence, or None where no captioner is there.
        embedding: of the classifier's encoder, or None where no classifier is there.
        labelled_by, captioned_by: the models' names; empty where there is none.
        missing: why there are no labels or no caption, and the command that gets what is missing; a sentence each.
        preview: the picture once more, small, as JPEG without any metadata; empty where it was not asked for.
    """

    facts: PictureFacts
    labels: tuple[Label, ...] = ()
    caption: str | None = None
    embedding: Embedding | None = None
    labelled_by: str = ""
    captioned_by: str = ""
    missing: tuple[str, ...] = ()
    preview: bytes = b""


class ImageModel(ABC):
    """Looks at pictures."""

    @abstractmethod
    async def describe(self, content: bytes, labels: int = 5, preview: int = 0) -> ImageDescription:
        """Say what is in a picture.

        Args:
            content: the file, whatever it claims to be.
            labels: how many labels at the most, from 1.
            preview: the longest edge of the preview, in pixels; 0 for none.

        Raises:
            PictureError: it is no picture that can be looked at; the message says why.
            ModelError: too many wait already, or a model broke off.
        """

    @property
    def waking(self) -> bool:
        """Whether a model has to be loaded before a picture can be looked at."""
        return False

    async def ready(self) -> None:  # noqa: B027 - some have nothing to load
        """Load what is to be loaded, unless it is there; what cannot be is left out of the descriptions.

        Raises:
            ModelError: it is shutting down.
        """

    @abstractmethod
    async def close(self) -> None:
        """Let go of models and processes; who still waits is told so."""


class Labeller(Protocol):
    """A classifier of pictures, loaded; called from one thread at a time.

    Attributes:
        name: what it is called.
        labels: the words, by number.
        view: how a picture is laid out for it.
    """

    name: str
    labels: tuple[str, ...]
    view: "View"

    def probabilities(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give the probabilities, shaped [pictures, labels], and the embeddings, shaped [pictures, width].

        Args:
            pixels: pictures laid out as `view` says, shaped [pictures, height, width, 3].
        """

    def close(self) -> None:
        """Let go of its memory."""


class Captioner(Protocol):
    """A model that writes captions, loaded; called from one thread at a time.

    Attributes:
        name: what it is called.
        view: how a picture is laid out for it.
    """

    name: str
    view: "View"

    def captions(self, pixels: NDArray[np.uint8]) -> list[str]:
        """Give one sentence for each picture; pixels as in `Labeller`."""

    def close(self) -> None:
        """Let go of its memory."""
