"""Examines who looks at pictures: whether they can be decoded, and whether the chosen models are here."""

from collections.abc import Iterator

from bot.describers import FLOOR, PictureTask, chosen, decoder_of, require_libraries
from bot.examination.findings import Examined, Finding
from bot.settings import Settings
from models.errors import ModelError, ModelExtraError, ModelMissingError
from models.store.model_store import ModelStore

_NAME = "pictures"
_DOES: dict[PictureTask, str] = {"images": "Pictures are labelled", "captions": "Captions are written"}
_LACKS: dict[PictureTask, str] = {"images": "Pictures get no labels", "captions": "Pictures get no captions"}

# A square of one pixel: the smallest GIF (GIF89a Specification, CompuServe, 1990).
_PIXEL = bytes.fromhex("47494638396101000100800000ffffff0000002c00000000010001000002024401003b")


def examine(examined: Examined) -> Iterator[Finding]:
    """Decode a picture, and look for the models."""
    settings: Settings = examined.settings
    if settings.images.looking == "off" and not settings.images.places:
        yield Finding(_NAME, "ok", "Looking at pictures is switched off.")
        return
    yield _decoding(settings)
    for task in _DOES:
        yield _model(settings, task)


def _decoding(settings: Settings) -> Finding:
    try:
        with decoder_of(settings) as decoder:
            decoder.decode(_PIXEL)
    except ModelError as error:
        return Finding(f"{_NAME}: decoding", "failed", f"Pictures cannot be decoded: {error.message}", error.fix)
    return Finding(f"{_NAME}: decoding", "ok", "Pictures are decoded in a process of its own.")


def _model(settings: Settings, task: PictureTask) -> Finding:
    name = f"{_NAME}: {'labels' if task == 'images' else 'captions'}"
    try:
        model = chosen(settings, task)
        if model == FLOOR:
            return Finding(name, "ok", f"{_LACKS[task]}: none are wanted.")
        require_libraries()
        found = ModelStore(settings.models_directory).find(model, task=task)
    except (ModelMissingError, ModelExtraError) as error:
        named = settings.models.images.labels if task == "images" else settings.models.images.captions
        if named:
            return Finding(name, "failed", f"{_LACKS[task]}: {error.message}", error.fix)
        # What nobody asked for is no fault.
        return Finding(name, "ok", f"{_LACKS[task]}: {error.message} `make images` adds what is needed.")
    except ModelError as error:
        return Finding(name, "failed", f"{_LACKS[task]}: {error.message}", error.fix)
    return Finding(name, "ok", f"{_DOES[task]} by {found.name} ({found.model_type}).")
