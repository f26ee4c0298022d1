"""What is asked of the decoder, and what comes back."""

from dataclasses import dataclass

from models.vision.contract import PictureFacts, Pixels


@dataclass(frozen=True, slots=True)
class View:
    """How a picture is laid out for a model: resized, then cut to its middle where `crop` says so.

    Attributes:
        height, width: of the resized picture, in pixels; with `shortest_edge` they are ignored.
        shortest_edge: the shorter side of the resized picture, its proportions kept; 0 to stretch it to `height` and
            `width`.
        crop: height and width of the middle that is cut out; None for all of it. What is missing is black.
        resample: Pillow's number of the filter (2 bilinear, 3 bicubic, …).
    """

    height: int
    width: int
    shortest_edge: int = 0
    crop: tuple[int, int] | None = None
    resample: int = 2


@dataclass(frozen=True, slots=True)
class DecodingLimits:
    """How much a picture may ask for.

    Attributes:
        megabytes: MiB of the file.
        megapixels: millions of pixels (width x height) of one frame, as the file's header says.
        frames: pictures in one file.
        seconds: that the decoding may take.
        memory_megabytes: MiB of address space that the process which decodes may have beyond what it starts with.
    """

    megabytes: int = 20
    megapixels: int = 64
    frames: int = 1_000
    seconds: float = 10.0
    memory_megabytes: int = 1_024

    @property
    def pixels(self) -> int:
        """How many pixels one frame may have."""
        return self.megapixels * 1_000_000


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture, decoded.

    Attributes:
        facts: what the file tells.
        views: as asked for, in their order, each shaped [height, width, 3].
        preview: JPEG without any metadata; empty where none was asked for.
    """

    facts: PictureFacts
    views: tuple[Pixels, ...] = ()
    preview: bytes = b""
