"""Reads pictures with their captions in COCO's layout."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from models.errors import EvaluationError

_LAYOUT = (
    "Lay it out as COCO does: images with id and file_name, annotations with image_id and caption;"
    " docs/images.md shows it."
)
_PREFIX = "captions_"


@dataclass(frozen=True, slots=True)
class CaptionedFile:
    """A picture, what the annotations call it, and its captions, at least one."""

    path: Path
    name: str
    captions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaptionedFiles:
    """What the annotations hold.

    Attributes:
        annotations: the file they were read from.
        files: pictures that are there and have a caption, in the order of the file, at least one.
        absent: names of those that have captions, but are not there.
        uncaptioned: how many images have no caption, or none with a word in it.
    """

    annotations: Path
    files: tuple[CaptionedFile, ...]
    absent: tuple[str, ...] = ()
    uncaptioned: int = 0


def find_captioned(folder: Path, annotations: Path | None = None) -> CaptionedFiles:
    """Read the annotations of a folder, and find their pictures.

    Unless it is named, the file is ``captions*.json`` in the folder or in ``annotations`` below it; of several that of
    a validation set (``val`` in its name). Pictures lie in the folder, in ``images`` below it, in a folder with the
    name of the set (``val2017`` for ``captions_val2017.json``), below either, or beside the file of annotations.

    Raises:
        EvaluationError: there are no annotations, they are not in COCO's layout, or none of their pictures is there;
            the message names file and field.
    """
    if not folder.is_dir():
        raise EvaluationError(f"{folder} is no folder.", "Name the folder in which the pictures lie.")
    file = annotations or _found(folder)
    whole = _parsed(file)
    captions = _captions(file, whole)
    places = _places(folder, file)
    files: list[CaptionedFile] = []
    absent: list[str] = []
    uncaptioned = 0
    for key, name in _images(file, whole):
        said = tuple(caption for caption in captions[key] if any(sign.isalnum() for sign in caption))
        path = next((place / name for place in places if (place / name).is_file()), None)
        if not said:
            uncaptioned += 1
        elif path is None:
            absent.append(name)
        else:
            files.append(CaptionedFile(path, name, said))
    if not files:
        raise _nothing(file, absent, places)
    return CaptionedFiles(file, tuple(files), tuple(absent), uncaptioned)


def _nothing(file: Path, absent: list[str], places: list[Path]) -> EvaluationError:
    if not absent:
        return EvaluationError(f"{file} holds no image with a caption.", _LAYOUT)
    looked = ", ".join(str(place) for place in places)
    return EvaluationError(
        f"None of the {len(absent):,} pictures in {file} is there; {absent[0]}, for one, is in none of {looked}.",
        "Name the folder in which the pictures lie.",
    )


def _found(folder: Path) -> Path:
    found = [file for place in (folder / "annotations", folder) for file in sorted(place.glob("captions*.json"))]
    chosen = found if len(found) == 1 else [file for file in found if "val" in file.stem]
    if len(chosen) == 1:
        return chosen[0]
    if found:
        names = ", ".join(str(file) for file in found)
        raise EvaluationError(f"{folder} has several files of captions: {names}.", "Name one with --annotations.")
    raise EvaluationError(
        f"{folder} has no annotations/captions_….json.", "Name the file of the captions with --annotations."
    )


def _places(folder: Path, file: Path) -> list[Path]:
    """The folders in which pictures may lie, once each."""
    split = file.stem.removeprefix(_PREFIX)
    places = [folder, folder / "images", folder / split, folder / "images" / split, file.parent]
    return [place for place in dict.fromkeys(places) if place.is_dir()]


def _parsed(file: Path) -> Mapping[str, Any]:
    try:
        whole = json.loads(file.read_bytes())
    except UnicodeDecodeError as error:
        raise EvaluationError(f"{file} is not UTF-8 (byte {error.start:,}).", "Save it as UTF-8.") from error
    except OSError as error:
        raise EvaluationError(f"{file} cannot be read: {error.strerror}.", "Name a file that is there.") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise EvaluationError(f"{file}, {place}: it is not JSON ({error.msg}).", _LAYOUT) from error
    except (ValueError, RecursionError) as error:
        raise EvaluationError(f"{file} is not JSON that can be read ({error}).", _LAYOUT) from error
    if not isinstance(whole, dict):
        raise EvaluationError(f"{file} is not in COCO's layout: it is not an object.", _LAYOUT)
    return whole


def _entries(file: Path, whole: Mapping[str, Any], name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the objects of a list that must be there, each with its place."""
    items = whole.get(name)
    if not isinstance(items, list):
        what = "is missing" if items is None else "is not a list"
        raise EvaluationError(f"{file} is not in COCO's layout: the list {name!r} {what}.", _LAYOUT)
    for number, item in enumerate(items):
        place = f"{file}, {name}[{number}]"
        if not isinstance(item, dict):
            raise EvaluationError(f"{place}: it is not an object.", _LAYOUT)
        yield place, item


def _captions(file: Path, whole: Mapping[str, Any]) -> dict[int | str, list[str]]:
    """Give the captions of each image that `images` has."""
    captions: dict[int | str, list[str]] = {}
    for place, image in _entries(file, whole, "images"):
        key = _key(place, image, "id")
        if key in captions:
            raise EvaluationError(f"{place}: the id {key!r} is that of an earlier image.", "Give each its own.")
        captions[key] = []
    for place, annotation in _entries(file, whole, "annotations"):
        key = _key(place, annotation, "image_id")
        if key not in captions:
            raise EvaluationError(f"{place}: no image has the id {key!r}.", "Take it out, or add the image.")
        captions[key].append(_text(place, annotation, "caption"))
    return captions


def _images(file: Path, whole: Mapping[str, Any]) -> Iterator[tuple[int | str, str]]:
    for place, image in _entries(file, whole, "images"):
        name = _text(place, image, "file_name")
        path = PurePosixPath(name)
        if not name or path.is_absolute() or ".." in path.parts or "\0" in name:
            raise EvaluationError(f"{place}: 'file_name' leads to no file below the folder.", _LAYOUT)
        yield _key(place, image, "id"), name


def _key(place: str, item: Mapping[str, Any], name: str) -> int | str:
    value = item.get(name)
    if not isinstance(value, int | str) or isinstance(value, bool):
        what = "is missing" if value is None else "is neither a number nor a text"
        raise EvaluationError(f"{place}: {name!r} {what}.", _LAYOUT)
    return value


def _text(place: str, item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        what = "is missing" if value is None else "is not a text"
        raise EvaluationError(f"{place}: the text {name!r} {what}.", _LAYOUT)
    # Lone surrogates, which JSON can spell, can be neither shown nor written.
    return value.encode("utf-8", "replace").decode().strip()
