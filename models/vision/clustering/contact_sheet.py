"""Draws the contact sheet: one PNG with every group's heading and the first of its pictures."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.vision.clustering.album import THUMBNAIL
from models.vision.clustering.clusters import Clusters, Group
from models.vision.clustering.words import summary

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

_COLUMNS = 10
_ROWS = 2
_MOST_GROUPS = 60
"""Of more groups the largest are drawn: a picture much higher than this opens in few programs."""

_CELL = THUMBNAIL + 12
_NAME = 18
_MARGIN = 24
_TITLE = 64
_HEADING = 44
_WIDTH = 2 * _MARGIN + _COLUMNS * _CELL
_PAGE, _TEXT, _QUIET, _EMPTY = "#ffffff", "#24292f", "#57606a", "#eaeef2"


@dataclass(frozen=True, slots=True)
class _Fonts:
    title: "FreeTypeFont | ImageFont"
    heading: "FreeTypeFont | ImageFont"
    small: "FreeTypeFont | ImageFont"


def draw_contact_sheet(clusters: Clusters, title: str) -> bytes:
    """Draw the contact sheet; a PNG, at most some 1,450 by 23,000 pixels whatever the number of pictures.

    Of each group the pictures nearest to its centre are shown, the nearest first, and how many more there are.

    Args:
        clusters: what is shown.
        title: what it is of, one line.
    """
    from PIL import Image, ImageDraw, ImageFont

    fonts = _Fonts(*(ImageFont.load_default(size) for size in (24, 18, 12)))
    shown = clusters.groups[:_MOST_GROUPS]
    left = len(clusters.groups) - len(shown)
    height = _MARGIN + _TITLE + sum(_height(group) for group in shown) + (_HEADING if left else 0) + _MARGIN
    sheet = Image.new("RGB", (_WIDTH, height), _PAGE)
    pen = ImageDraw.Draw(sheet)
    _write(pen, (_MARGIN, _MARGIN), title, fonts.title, _TEXT)
    _write(pen, (_MARGIN, _MARGIN + 34), summary(clusters), fonts.small, _QUIET)
    top = _MARGIN + _TITLE
    for number, group in enumerate(shown, start=1):
        _draw_group(sheet, pen, clusters, number, top, fonts)
        top += _height(group)
    if left:
        _write(pen, (_MARGIN, top + 14), f"and {left:,} smaller groups", fonts.heading, _QUIET)
    written = io.BytesIO()
    sheet.save(written, "PNG", optimize=True)
    return written.getvalue()


def heading(number: int, group: Group) -> str:
    """Say which group it is."""
    return f"Group {number}: {group.title}"


def figures(group: Group) -> str:
    """Say how large a group is, how much of it has its name, and how well it holds together."""
    size = len(group.members)
    if size == 1:
        return "1 picture"
    alike = "all with this label" if group.named == size else f"{group.named:,} with this label"
    return f"{size:,} pictures, {alike}; silhouette {group.silhouette:.2f}"


def _draw_group(sheet: "Image", pen: "ImageDraw", clusters: Clusters, number: int, top: int, fonts: _Fonts) -> None:
    group = clusters.groups[number - 1]
    members = group.members[: _COLUMNS * _ROWS]
    more = len(group.members) - len(members)
    named = heading(number, group)
    _write(pen, (_MARGIN, top + 12), named, fonts.heading, _TEXT)
    told = figures(group) + (f"; and {more:,} more" if more else "")
    _write(pen, (_MARGIN + int(pen.textlength(named, fonts.heading)) + 12, top + 17), told, fonts.small, _QUIET)
    for at, member in enumerate(members):
        row, column = divmod(at, _COLUMNS)
        left, upper = _MARGIN + column * _CELL, top + _HEADING + row * (_CELL + _NAME)
        _draw_picture(sheet, pen, clusters.album.pictures[member.picture].thumbnail, (left, upper))
        name = _shortened(pen, clusters.path(member.picture).rpartition("/")[2], fonts.small)
        _write(pen, (left, upper + THUMBNAIL + 3), name, fonts.small, _QUIET)


def _draw_picture(sheet: "Image", pen: "ImageDraw", thumbnail: bytes, at: tuple[int, int]) -> None:
    from PIL import Image

    left, top = at
    pen.rectangle((left, top, left + THUMBNAIL - 1, top + THUMBNAIL - 1), fill=_EMPTY)
    with Image.open(io.BytesIO(thumbnail), formats=("JPEG",)) as picture:
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
        sheet.paste(picture, (left + (THUMBNAIL - picture.width) // 2, top + (THUMBNAIL - picture.height) // 2))


def _height(group: Group) -> int:
    rows = min(_ROWS, -(-len(group.members) // _COLUMNS))
    return _HEADING + rows * (_CELL + _NAME)


def _shortened(pen: "ImageDraw", name: str, font: "FreeTypeFont | ImageFont") -> str:
    """Leave out the middle of a name that is too long: its end tells files apart as often as its beginning."""
    name = _printable(name)
    kept = len(name)
    shown = name
    while pen.textlength(shown, font) > THUMBNAIL and kept > 2:
        kept -= 1
        shown = f"{name[: kept - kept // 2]}…{name[len(name) - kept // 2 :]}"
    return shown


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _write(pen: "ImageDraw", at: tuple[int, int], text: str, font: "FreeTypeFont | ImageFont", colour: str) -> None:
    pen.text(at, _printable(text), fill=colour, font=font)
