"""Why a picture is not looked at: one sentence each, and what to do about it."""

import signal

from models.errors import PictureError
from models.vision.decoding.contract import DecodingLimits
from models.vision.decoding.formats import HEAD, READABLE, format_of, kind_of

OUT_OF_MEMORY = 77
"""With what the process that decodes ends where it may have no more memory: what is left of it is not used again."""

_AGAIN = "Save it anew, or send it once more."
_NAMES = {"HEIF": "HEIC", "WEBP": "WebP"}


def require_picture(content: bytes, limits: DecodingLimits) -> str:
    """Give the format that a file begins with.

    Raises:
        PictureError: it is empty, larger than is looked at, or something else.
    """
    if not content:
        raise PictureError("It is empty.", "Send it once more.")
    if len(content) > limits.megabytes << 20:
        raise PictureError(
            f"It has {len(content) / (1 << 20):,.1f} MiB; {limits.megabytes:,} MiB are looked at at the most.",
            "Send a smaller one; the setting attachments.megabytes holds the limit.",
        )
    head = bytes(content[:HEAD])
    format_ = format_of(head)
    if format_ is None:
        kind = kind_of(head)
        raise PictureError(
            f"It is {kind}, which I cannot look at." if kind else "It is no picture that I know.",
            f"{READABLE} can be read.",
        )
    return format_


def too_many_pixels(width: int, height: int, limits: DecodingLimits) -> PictureError:
    """It is a bomb, or merely large."""
    return PictureError(
        f"It has {width:,} x {height:,} pixels; {limits.megapixels:,} million are looked at at the most.",
        "Send a smaller one; the setting images.megapixels holds the limit.",
    )


def too_narrow(width: int, height: int) -> PictureError:
    """Brought to the size that a model needs, it would be a bomb."""
    return PictureError(
        f"It has {width:,} x {height:,} pixels, which is too long and narrow to be looked at.", "Send a part of it."
    )


def too_many_frames(limits: DecodingLimits) -> PictureError:
    """It is too long an animation, or has too many pages."""
    return PictureError(
        f"It has more than {limits.frames:,} frames, which is as many as are looked at.",
        "Send its first frame alone; the setting images.frames holds the limit.",
    )


def too_slow(limits: DecodingLimits) -> PictureError:
    """Its decoding was given up."""
    return PictureError(
        f"It took more than {limits.seconds:g} seconds to decode.",
        "Send a smaller one; the setting images.seconds holds the limit.",
    )


def too_much_memory(limits: DecodingLimits) -> PictureError:
    """Its decoding asked for more than there is."""
    return PictureError(
        f"It takes more than {limits.memory_megabytes:,} MiB of memory to decode.",
        "Send a smaller one; the setting images.memory_megabytes holds the limit.",
    )


def no_pixels(format_: str) -> PictureError:
    """Its header speaks of no width or no height."""
    return PictureError(f"It is {_named(format_)} picture without any pixels.", _AGAIN)


def damaged(format_: str) -> PictureError:
    """It begins as a picture."""
    return PictureError(
        f"It begins as {_named(format_)} picture, but is damaged, or of a kind that I cannot read.", _AGAIN
    )


def incomplete(format_: str) -> PictureError:
    """It begins as a picture, and ends too early."""
    return PictureError(f"It is {_named(format_)} picture, but its end is missing.", _AGAIN)


def broke_the_decoder(format_: str, status: int, limits: DecodingLimits) -> PictureError:
    """The process that decoded it is gone.

    Args:
        format_: what it begins as.
        status: how the process ended, as `subprocess.Popen.returncode`.
        limits: what it was allowed.
    """
    if status == OUT_OF_MEMORY:
        return too_much_memory(limits)
    if status == -signal.SIGKILL:
        return PictureError(
            "Its decoding was broken off from outside, as a system does whose memory runs out.", "Send a smaller one."
        )
    if status == -signal.SIGXCPU:
        return too_slow(limits)
    return damaged(format_)


def shutting_down() -> PictureError:
    """Nothing is decoded any more."""
    return PictureError("Pictures are not looked at any more: the bot is shutting down.", "Ask again when it is back.")


def no_decoder() -> PictureError:
    """The process that decodes does not start."""
    return PictureError("The process that decodes pictures does not start.", "The log holds the reason.")


def _named(format_: str) -> str:
    name = _NAMES.get(format_, format_)
    return f"an {name}" if name[0] in "AEIOU" else f"a {name}"
