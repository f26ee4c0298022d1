"""Shows pictures as they were sent, and what is in them."""

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from adapters.web.api import UploadedFile
from adapters.web.rendering import escaped, harmless, plain, prose
from adapters.web.views.chat_bars import Bar, bars, percent

_LONGEST_SIDE = 480
_SHOWN_WIDTH = 240
_MOST_PIXELS = 64_000_000
_COMPRESSION = 4
_CODE = re.compile("#[0-9a-fA-F]{6}")

KINDS = ("png", "jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff", "heic", "heif", "avif")
"""Endings of files that are offered for sending; what is in them, the API finds out by itself."""


def small(files: Sequence[UploadedFile]) -> tuple[UploadedFile, ...]:
    """Give pictures small enough to be kept with the conversation; one that cannot be read comes back empty."""
    return tuple(UploadedFile(file.name, _small(file.content), "image/png") for file in files)


def _small(content: bytes) -> bytes:
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            # What the camera wrote wrongly is the camera's fault, and nobody here can mend it.
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(content))
            if picture.width * picture.height > _MOST_PIXELS:
                return b""
            picture.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
            upright.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
            written = io.BytesIO()
            # Streamlit would make another picture of any other kind.
            upright.save(written, "PNG", compress_level=_COMPRESSION)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        # Pillow has no one error for what it cannot read; why it cannot, the answer says.
        return b""
    return written.getvalue()


def show_sent(files: Sequence[UploadedFile]) -> None:
    """Show what the visitor sent."""
    with st.container(horizontal=True):
        for file in files:
            with st.container(width=_SHOWN_WIDTH):
                if file.content:
                    st.image(file.content, alt=f"You sent: {harmless(file.name)}")
                st.html(f'<p class="quiet">{escaped(file.name)}</p>')


def show(document: Mapping[str, Any], key: str) -> None:
    """Show what is in pictures: the answer in words where there was a question, else each picture's card."""
    pictures = document.get("pictures") or []
    if document.get("citations") or not pictures:
        st.html(prose(str(document.get("answer", ""))))
    for number, picture in enumerate(pictures):
        _picture(picture, f"{key}-{number}", is_one_of_many=len(pictures) > 1)


def _picture(picture: Mapping[str, Any], key: str, *, is_one_of_many: bool) -> None:
    with st.container(border=True, key=f"picture-{key}"):
        if is_one_of_many:
            st.html(f"<p><strong>{escaped(str(picture['name']))}</strong></p>")
        if picture.get("error"):
            st.warning(plain(str(picture["error"]), 500), icon=":material/broken_image:")
            return
        if picture.get("caption"):
            st.html(prose(str(picture["caption"])))
        labels = [Bar(one["label"], one["score"]) for one in picture.get("labels") or []]
        if labels:
            st.html(bars(labels, "What it may show"))
        st.html(_facts(picture))
        if picture.get("alt_text"):
            st.html('<p class="quiet">Alt text, to copy</p>')
            st.code(str(picture["alt_text"]), language=None, wrap_lines=True)


def _facts(picture: Mapping[str, Any]) -> str:
    parts = [
        f"{picture.get('format')} picture, {picture.get('width'):,} × {picture.get('height'):,} pixels",
        f"taken with a {picture['camera']}" if picture.get("camera") else "",
        f"taken on {picture['taken']}" if picture.get("taken") else "",
        f"{picture['frames']:,} frames, the first was looked at" if (picture.get("frames") or 1) > 1 else "",
    ]
    told = f'<p class="quiet">{escaped(" · ".join(part for part in parts if part))}</p>'
    colours = "".join(_swatch(colour) for colour in picture.get("colours") or [])
    return told + (f'<div class="swatches">{colours}</div>' if colours else "")


def _swatch(colour: Mapping[str, Any]) -> str:
    words = f"{colour['name']} {colour['code']} ({percent(colour['share'])})"
    square = f'<i style="background: {colour["code"]}"></i>' if _CODE.fullmatch(colour["code"]) else ""
    return f"<span>{square}{escaped(words)}</span>"
