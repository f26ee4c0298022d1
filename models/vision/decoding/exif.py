"""Takes from EXIF the camera and the time, and nothing that tells where, who or with what serial number."""

import re
from datetime import datetime

from PIL import ExifTags, Image

_LONGEST = 60
_LONGEST_READ = 1_000
_NOT_IN_NAMES = re.compile(r"[^\w .,()+/&-]")


def camera(exif: Image.Exif) -> str:
    """Give maker and model as one name, of harmless signs and 60 of them at the most; empty where they are not said."""
    maker = _clean(exif.get(ExifTags.Base.Make))
    model = _clean(exif.get(ExifTags.Base.Model))
    if not maker or not model:
        return model or maker
    # Many say their name twice: "Canon" and "Canon EOS R5", "NIKON CORPORATION" and "NIKON D750".
    says_it_twice = model.split()[0].casefold() == maker.split()[0].casefold()
    return model if says_it_twice else f"{maker} {model}"[:_LONGEST].strip()


def taken(exif: Image.Exif) -> str:
    """Give the time of the exposure as ``2024-05-03 14:07``; empty where there is none, or none that can be."""
    told = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
    if not isinstance(told, str):
        return ""
    try:
        return datetime.strptime(told.strip("\x00 ")[:19], "%Y:%m:%d %H:%M:%S").strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return ""


def _clean(told: object) -> str:
    if not isinstance(told, str):
        return ""
    plain = _NOT_IN_NAMES.sub(" ", told[:_LONGEST_READ].split("\x00")[0])
    return " ".join(plain.replace("_", " ").split())[:_LONGEST].strip()
