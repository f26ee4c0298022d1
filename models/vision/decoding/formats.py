"""Tells by a file's first bytes which picture it is, or what else."""

import re
from collections.abc import Sequence

HEAD = 4_096
"""As many bytes of a file as are looked at here."""

READABLE = "PNG, JPEG, GIF, WebP, BMP, TIFF, AVIF and HEIC"
"""The pictures that can be looked at, for people."""

MEDIA_TYPES: dict[str, str] = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
    "HEIF": "image/heif",
}
"""Every format that can be looked at, by Pillow's name, with its media type."""

_DIB_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
"""Lengths of the header that follows a BMP's file header; two letters alone may begin any text."""

_BRANDS: tuple[tuple[str, frozenset[bytes]], ...] = (
    ("AVIF", frozenset({b"avif", b"avis"})),
    ("HEIF", frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})),
)
"""Brands of ISO base media files that hold pictures (ISO/IEC 23008-12, annex B; AVIF 1.1, section 9)."""

_MOST_BRANDS = 64

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "a PDF document"),
    (0, b"%!PS", "a PostScript file"),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript file"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"gimp xcf", "a GIMP document"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (0, b"\x8aMNG", "an MNG animation"),
    (0, b"\x8bJNG", "a JNG picture"),
    (0, b"\x00\x00\x01\x00", "an icon"),
    (0, b"\x00\x00\x02\x00", "a mouse pointer"),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (0, b"DDS ", "a texture"),
    (0, b"PK\x03\x04", "a ZIP archive or an Office document"),
    (0, b"7z\xbc\xaf\x27\x1c", "an archive"),
    (0, b"Rar!", "an archive"),
    (0, b"\x1f\x8b", "an archive"),
    (0, b"\x1a\x45\xdf\xa3", "a video"),
    (8, b"AVI ", "a video"),
    (0, b"FLV\x01", "a video"),
    (4, b"moov", "a video"),
    (4, b"mdat", "a video"),
    (4, b"ftypM4A", "a sound recording"),
    (4, b"ftypcrx", "a camera's raw picture"),
    (4, b"ftyp", "a video"),
    (8, b"WAVE", "a sound recording"),
    (0, b"ID3", "a sound recording"),
    (0, b"OggS", "a sound recording"),
    (0, b"fLaC", "a sound recording"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
)
"""Where, what, and what it makes of a file; the first that fits counts."""

_MARKUP: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"<svg[\s>]", re.IGNORECASE), "an SVG drawing"),
    (re.compile(r"\s*<(?:!doctype\s+)?html", re.IGNORECASE), "a web page"),
    (re.compile(r"\s*<\?xml"), "an XML document"),
    (re.compile(r"P[1-7]\s+(?:#.*\s+)*\d+\s+\d+\s"), "a PNM picture"),
)
_NOT_IN_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_DAMAGED_PNG = re.compile(rb"\A.{0,3}PNG.{0,8}IHDR", re.DOTALL)


def format_of(head: bytes) -> str | None:
    """Name the picture that begins so, as a key of `MEDIA_TYPES`; None for whatever else.

    Args:
        head: the first bytes of the file; `HEAD` of them are enough.
    """
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _DIB_HEADERS:
        return "BMP"
    if head.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "TIFF"
    return _format_by_brand(_brands(head))


def media_type(head: bytes) -> str:
    """Give the media type of the picture that begins so; empty for whatever else."""
    return MEDIA_TYPES.get(format_of(head) or "", "")


def kind_of(head: bytes) -> str:
    """Say what a file is that is no picture which can be looked at: ``a PDF document``; empty where that is unknown."""
    if _DAMAGED_PNG.match(head):
        return "a PNG picture whose first bytes were changed on the way"
    for start, signature, kind in _SIGNATURES:
        if head.startswith(signature, start):
            return kind
    return _kind_of_text(head)


def _brands(head: bytes) -> Sequence[bytes]:
    """Give the brands of an ISO base media file, its own first."""
    if head[4:8] != b"ftyp":
        return ()
    end = min(int.from_bytes(head[:4], "big"), 16 + 4 * _MOST_BRANDS)
    return [head[8:12], *(head[start : start + 4] for start in range(16, end, 4))]


def _format_by_brand(brands: Sequence[bytes]) -> str | None:
    # Some files of either format call themselves by what both have in common, and only then by their own.
    for format_, known in _BRANDS:
        if known.intersection(brands):
            return format_
    return None


def _kind_of_text(head: bytes) -> str:
    if not head or _NOT_IN_TEXT.search(head):
        return ""
    try:
        # A character may be cut at the end.
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return ""
        text = head[: error.start].decode("utf-8-sig")
    return next((kind for pattern, kind in _MARKUP if _begins(pattern, text)), "plain text")


def _begins(pattern: re.Pattern[str], text: str) -> bool:
    """Tell whether a text is of a kind; a drawing's first tag may follow a long preamble, if it begins with a tag."""
    found = pattern.search(text) if text.lstrip().startswith("<") else pattern.match(text)
    return found is not None
