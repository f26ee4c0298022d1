"""Finds the pictures of a folder that holds one folder for each class."""

import hashlib
import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.errors import TrainingError

MOST_CLASSES = 1_000
"""More classes than this are more than can be told apart, or no classes."""

FEWEST_PICTURES = 5
"""Different pictures a class needs, to train on, to calibrate by and to be judged by."""

_LONGEST_NAME = 100
# Put there by operating systems.
_LITTER = frozenset({"thumbs.db", "desktop.ini"})
_LAYOUT = "Give --data a folder with one folder for each class, each named as its class, with its pictures in it."


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A file of a class: where it lies, and the class."""

    path: Path
    label: str


@dataclass(frozen=True, slots=True)
class PictureFolder:
    """What a folder holds.

    Attributes:
        path: the folder.
        labels: the classes, in their order.
        files: of each class in turn, by name.
        links: symbolic links, which are not followed.
        nested: folders inside those of the classes, which are not read.
        loose: files beside the folders of the classes, which are of no class.
        fingerprint: sums up names, sizes and times of change of the files, as hexadecimal.
    """

    path: Path
    labels: tuple[str, ...]
    files: tuple[PictureFile, ...]
    links: int
    nested: int
    loose: int
    fingerprint: str


def find_pictures(folder: Path) -> PictureFolder:
    """Find the files of each class; whether they are pictures is not looked at.

    Hidden files and folders are passed over.

    Raises:
        TrainingError: it is no folder of classes, or a class has too few files; the message names which.
    """
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "is not there"
        raise TrainingError(f"{folder} {what}.", _LAYOUT)
    try:
        return _found(folder)
    except OSError as error:
        raise TrainingError(
            f"{error.filename or folder} cannot be read: {error.strerror}.", "Let this user read the folder."
        ) from error


def _found(folder: Path) -> PictureFolder:
    inside = list(_visible(folder))
    classes = [entry for entry in inside if entry.is_dir(follow_symlinks=False)]
    labels = _labels(classes, folder)
    files: list[PictureFile] = []
    links, nested = sum(entry.is_symlink() for entry in inside), 0
    digest = hashlib.sha256()
    for entry, label in zip(classes, labels, strict=True):
        own = list(_visible(Path(entry.path)))
        links += sum(one.is_symlink() for one in own)
        nested += sum(one.is_dir(follow_symlinks=False) for one in own)
        pictures = [one for one in own if one.is_file(follow_symlinks=False)]
        require_enough(label, len(pictures), Path(entry.path))
        files += [PictureFile(Path(one.path), label) for one in pictures]
        for one in pictures:
            known = one.stat(follow_symlinks=False)
            digest.update(f"{label}/{one.name} {known.st_size} {known.st_mtime_ns}\n".encode(errors="surrogateescape"))
    loose = sum(entry.is_file(follow_symlinks=False) for entry in inside)
    return PictureFolder(folder, labels, tuple(files), links, nested, loose, digest.hexdigest())


def require_enough(label: str, pictures: int, where: Path) -> None:
    """See that a class has enough pictures.

    Raises:
        TrainingError: it has not.
    """
    if pictures < FEWEST_PICTURES:
        has = "no picture" if not pictures else f"{pictures} picture{'s' * (pictures > 1)}"
        raise TrainingError(
            f"The class {label!r} has {has} that can be used ({where}).",
            f"Give each class {FEWEST_PICTURES} different pictures at least, or take its folder away.",
        )


def _visible(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    return (one for one in found if not one.name.startswith(".") and one.name.casefold() not in _LITTER)


def _labels(classes: list[os.DirEntry[str]], folder: Path) -> tuple[str, ...]:
    if len(classes) < 2:
        has = f"one class alone, {classes[0].name!r}" if classes else "no folder of a class"
        raise TrainingError(f"{folder} holds {has}; nothing can be told apart.", _LAYOUT)
    if len(classes) > MOST_CLASSES:
        raise TrainingError(
            f"{folder} holds {len(classes):,} classes; {MOST_CLASSES:,} can be told apart at the most.",
            "Put classes that are alike together.",
        )
    labels = [_label(entry) for entry in classes]
    first: dict[str, str] = {}
    for entry, label in zip(classes, labels, strict=True):
        twin = first.setdefault(label.casefold(), entry.name)
        if twin != entry.name:
            raise TrainingError(
                f"The folders {twin!r} and {entry.name!r} would be the same class.", "Put their pictures in one folder."
            )
    return tuple(labels)


def _label(entry: os.DirEntry[str]) -> str:
    """The name of a class: that of its folder, composed (NFC), blanks in a row as one."""
    label = " ".join(unicodedata.normalize("NFC", entry.name).split())
    if not label or not label.isprintable():
        raise TrainingError(
            f"The folder {entry.name!r} has signs in its name that cannot be shown.",
            "Name each folder as its class is to be called.",
        )
    if len(label) > _LONGEST_NAME:
        raise TrainingError(
            f"The folder {label[:40] + '…'!r} has a name of {len(label)} characters; a class has {_LONGEST_NAME} at"
            " the most.",
            "Give it a shorter name.",
        )
    return label
