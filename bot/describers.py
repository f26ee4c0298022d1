"""Makes what looks at pictures: the decoder, the models that were chosen, and both together."""

from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from bot.settings import Settings
from models.errors import ModelExtraError, ModelMissingError, ModelUnusableError
from models.machine import usable_cores
from models.runtime import RuntimeLimits
from models.store.model_store import Checkpoint, ModelStore, folder_named
from models.vision.decoding.contract import DecodingLimits
from models.vision.decoding.decoder import Decoder
from models.vision.defaults import CAPTIONS, LABELS
from models.vision.describing import Describer

if TYPE_CHECKING:
    from models.vision.contract import Captioner, Labeller

Model = TypeVar("Model")

PictureTask = Literal["images", "captions"]

FLOOR = "floor"
"""Chosen for labels or captions, no model does that, whatever is installed."""

_LIBRARIES = ("torch", "transformers", "safetensors")
_DEFAULTS = {"images": LABELS, "captions": CAPTIONS}


def decoder_of(settings: Settings) -> Decoder:
    """Make what decodes pictures, with the limits that are set."""
    images = settings.images
    limits = DecodingLimits(
        megabytes=settings.attachments.megabytes,
        megapixels=images.megapixels,
        frames=images.frames,
        seconds=images.seconds,
        memory_megabytes=images.memory_megabytes,
    )
    return Decoder(limits, workers=min(2, usable_cores()))


def make_describer(settings: Settings, *, labels: str = "", captions: str = "") -> Describer:
    """Make what looks at pictures; nothing is loaded yet, and no process is started.

    Args:
        settings: which models were chosen, and how much is taken on.
        labels: another classifier than the one that was chosen.
        captions: another captioner.
    """
    limits = RuntimeLimits(settings.images.queue, wait=0.0, when_full="Send it again in a moment.")
    return Describer(
        decoder_of(settings),
        _loader(settings, labels or settings.models.images.labels, load_labeller_of),
        _loader(settings, captions or settings.models.images.captions, load_captioner_of),
        limits,
    )


def chosen(settings: Settings, task: PictureTask) -> str:
    """Give the name of the model that was chosen for labels or captions, whether or not it is here.

    Raises:
        ModelError: the file of choices cannot be read.
    """
    models = settings.models.images
    named = models.labels if task == "images" else models.captions
    return named or ModelStore(settings.models_directory).in_use(task) or _DEFAULTS[task]


def load_labeller_of(settings: Settings, name: str = "") -> "Labeller":
    """Load the classifier of pictures that was chosen, or another one. Blocking.

    Raises:
        ModelError: it is not here, is none, or a library is missing.
    """
    name, found = _found(settings, "images", name)
    from models.vision.labels import load_labeller

    return load_labeller(found, _shown(name))


def load_captioner_of(settings: Settings, name: str = "") -> "Captioner":
    """Load the captioner that was chosen, or another one. Blocking; raises what `load_labeller_of` does."""
    name, found = _found(settings, "captions", name)
    from models.vision.captions import load_captioner

    return load_captioner(found, _shown(name))


def _shown(name: str) -> str:
    """Give a model's name as those may read it who are shown what it says: of a folder, not where it lies."""
    return Path(name).name if folder_named(name) else name


def _found(settings: Settings, task: PictureTask, name: str) -> tuple[str, Checkpoint]:
    """Find a model before anything heavy is imported for it."""
    require_libraries()
    name = name or chosen(settings, task)
    return name, ModelStore(settings.models_directory).find(name, task=task)


def require_usable(settings: Settings, task: PictureTask, name: str) -> None:
    """See that a model that somebody names is here and can do the task; the floor always is.

    Raises:
        ModelError: it is not, or a library is missing.
    """
    if name == FLOOR:
        return
    _, found = _found(settings, task, name)
    if found.sight != task:
        what = "label" if task == "images" else "caption"
        raise ModelUnusableError(f"{name} ({found.model_type}) does not {what} pictures.", "Name a model that does.")


def require_libraries(libraries: Sequence[str] = _LIBRARIES) -> None:
    """See that models of pictures can be loaded.

    Raises:
        ModelExtraError: a library is not installed.
    """
    missing = [library for library in libraries if find_spec(library) is None]
    if missing:
        raise ModelExtraError(
            f"Models that look at pictures need {missing[0]}, which is not installed.", "Add all with `make images`."
        )


def _loader(settings: Settings, named: str, load: Callable[[Settings, str], Model]) -> Callable[[], Model] | None:
    """Give what loads a model; one that is named and not here is no mere lack, and its own sentence is told."""

    def _named() -> Model:
        try:
            return load(settings, named)
        except ModelMissingError as error:
            raise ModelUnusableError(error.message, error.fix) from error

    if named == FLOOR:
        return None
    return _named if named else partial(load, settings, "")
