"""Reads PNG with nothing but zlib and numpy, as its specification says, so that a decoder can be checked against it."""

import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Adam7: first column, first row, steps across and down."""


@dataclass
class Png:
    """What the chunks of a PNG say."""

    width: int = 0
    height: int = 0
    depth: int = 0
    kind: int = 0
    interlaced: bool = False
    palette: bytes = b""
    transparent: bytes = b""
    data: bytearray = field(default_factory=bytearray)


def on_white(content: bytes) -> Any:
    """Give what is seen of it on white, from 0.0 to 255.0, shaped [height, width, 3]."""
    png = _chunks(content)
    samples = _samples(png)
    colours, opacity = _colours(png, samples)
    return colours * opacity[..., None] + 255 * (1 - opacity[..., None])


def chunk(kind: bytes, data: bytes) -> bytes:
    """Make one chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(width: int, height: int, depth: int = 8, kind: int = 2) -> bytes:
    """Make the beginning of a PNG."""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))


def _chunks(content: bytes) -> Png:
    png = Png()
    place = 8
    while place < len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        data = content[place + 8 : place + 8 + length]
        place += 12 + length
        if kind == b"IHDR":
            png.width, png.height, png.depth, png.kind, _, _, interlace = struct.unpack(">IIBBBBB", data)
            png.interlaced = bool(interlace)
        elif kind == b"PLTE":
            png.palette = data
        elif kind == b"tRNS":
            png.transparent = data
        elif kind == b"IDAT":
            png.data += data
    return png


def _samples(png: Png) -> Any:
    """Undo compression, filters, packing and interlacing; give the samples as they lie in the file."""
    raw = zlib.decompress(bytes(png.data))
    channels = _CHANNELS[png.kind]
    whole = np.zeros((png.height, png.width, channels), np.int64)
    place = 0
    for left, top, across, down in _PASSES if png.interlaced else ((0, 0, 1, 1),):
        width, height = -(-(png.width - left) // across), -(-(png.height - top) // down)
        if width <= 0 or height <= 0:
            continue
        stride = -(-width * channels * png.depth // 8)
        lines = _unfiltered(raw[place : place + height * (stride + 1)], height, stride, channels * png.depth)
        place += height * (stride + 1)
        whole[top::down, left::across] = _unpacked(lines, png.depth, width * channels).reshape(height, width, channels)
    return whole


def _unfiltered(raw: bytes, height: int, stride: int, bits: int) -> Any:
    step = max(1, bits // 8)
    above = [0] * stride
    lines = []
    for row in range(height):
        start = row * (stride + 1)
        line = list(raw[start + 1 : start + 1 + stride])
        for place in range(stride):
            left = line[place - step] if place >= step else 0
            corner = above[place - step] if place >= step else 0
            line[place] = (line[place] + _predicted(raw[start], left, above[place], corner)) & 255
        lines.append(line)
        above = line
    return np.array(lines, np.uint8).reshape(height, stride)


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 4:
        guess = left + up - corner
        return min((left, up, corner), key=lambda value: abs(guess - value))
    return (0, left, up, (left + up) // 2)[kind]


def _unpacked(lines: Any, depth: int, count: int) -> Any:
    if depth == 16:
        return lines[:, 0::2].astype(np.int64) << 8 | lines[:, 1::2]
    if depth == 8:
        return lines
    bits = np.unpackbits(lines, axis=1).reshape(len(lines), -1, depth)
    return (bits @ (1 << np.arange(depth)[::-1]))[:, :count]


def _colours(png: Png, samples: Any) -> tuple[Any, Any]:
    """Give colours from 0 to 255 and opacity from 0 to 1."""
    most = (1 << png.depth) - 1
    opaque = np.ones(samples.shape[:2])
    if png.kind == 3:
        palette = np.frombuffer(png.palette, np.uint8).reshape(-1, 3)
        opacities = np.full(256, 255)
        opacities[: len(png.transparent)] = list(png.transparent)
        return palette[samples[..., 0]].astype(float), opacities[samples[..., 0]] / 255
    if png.kind in (4, 6):
        opaque = samples[..., -1] / most
        samples = samples[..., :-1]
    elif png.transparent:
        key = struct.unpack(f">{samples.shape[-1]}H", png.transparent)
        opaque = 1.0 - (samples == key).all(axis=-1)
    return np.broadcast_to(samples * 255 / most, (*samples.shape[:2], 3)), opaque
