"""Reads from headers what must be known before anything is decoded: sizes and numbers of frames."""

import struct
import zlib
from collections.abc import Callable

_TRAILER, _EXTENSION, _FRAME = 0x3B, 0x21, 0x2C
"""First bytes of GIF's blocks (GIF89a specification, appendix A)."""


def webp_size(content: bytes) -> tuple[int, int] | None:
    """Give width and height of a WebP's canvas; None where its header is none.

    Pillow allocates the canvas as it opens the file. The layout is RFC 9649's.
    """
    chunk = content[12:16]
    if chunk == b"VP8X" and len(content) >= 30:
        return int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1
    if chunk == b"VP8 " and len(content) >= 30:
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    if chunk == b"VP8L" and len(content) >= 25:
        bits = int.from_bytes(content[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None


def png_is_whole(content: bytes) -> bool:
    """Tell whether the checksums of a PNG's pixels are right; Pillow looks at those of all other chunks alone."""
    place = 8
    while place + 12 <= len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        end = place + 8 + length
        if content[place + 4 : place + 8] == b"IDAT":
            checksum = zlib.crc32(memoryview(content)[place + 4 : end])
            if checksum != int.from_bytes(content[end : end + 4], "big") and end + 4 <= len(content):
                return False
        place = end + 4
    return True


def gif_frames(content: bytes, most: int) -> int:
    """Count the frames of a GIF, at least 1, without decoding any; no further than `most` + 1."""
    return max(1, _up_to_its_end(lambda: _gif_frames(content, most)))


def tiff_frames(content: bytes, most: int) -> int:
    """Count the directories of a TIFF, at least 1; no further than `most` + 1, and none twice."""
    return max(1, _up_to_its_end(lambda: _tiff_frames(content, most)))


def _up_to_its_end(count: Callable[[], int]) -> int:
    try:
        return count()
    except (IndexError, struct.error):  # it ends in the middle; whether it is to be read is for its decoder to say
        return 0


def _gif_frames(content: bytes, most: int) -> int:
    place = 13 + _colours(content[10])
    frames = 0
    while frames <= most and content[place] != _TRAILER:
        if content[place] == _FRAME:
            frames += 1
            place = _after_blocks(content, place + 11 + _colours(content[place + 9]))
        elif content[place] == _EXTENSION:
            place = _after_blocks(content, place + 2)
        else:
            place += 1  # as Pillow does: stray bytes are passed over
        if place >= len(content):
            break
    return frames


def _colours(flags: int) -> int:
    """Give the length of the colour table that a packed field announces."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(content: bytes, place: int) -> int:
    while place < len(content) and content[place]:
        place += content[place] + 1
    return place + 1


def _tiff_frames(content: bytes, most: int) -> int:
    order = "<" if content[:2] == b"II" else ">"
    is_big = 43 in content[2:4]
    count_form, offset_form, entry = (f"{order}Q", f"{order}Q", 20) if is_big else (f"{order}H", f"{order}I", 12)
    (place,) = struct.unpack_from(offset_form, content, 8 if is_big else 4)
    seen: set[int] = set()
    while place and place not in seen and len(seen) <= most and place < len(content):
        seen.add(place)
        (entries,) = struct.unpack_from(count_form, content, place)
        after = place + struct.calcsize(count_form) + entries * entry
        if after + struct.calcsize(offset_form) > len(content):
            break
        (place,) = struct.unpack_from(offset_form, content, after)
    return len(seen)
