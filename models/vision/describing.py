"""Says what is in a picture: decoded in a process of its own, labelled and captioned in batches off the event loop."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.errors import (
    GeneratorBusyError,
    GeneratorUnreachableError,
    ModelError,
    ModelExtraError,
    ModelMissingError,
    PictureError,
)
from models.runtime import RuntimeLimits
from models.vision.contract import Captioner, Embedding, ImageDescription, ImageModel, Label, Labeller
from models.vision.decoding.contract import Decoded, View
from models.vision.decoding.decoder import Decoder
from models.vision.looking import Looking

NOTHING_INSTALLED = "No model that looks at pictures is installed here: `make images` adds them."
NO_CLASSIFIER = "No classifier of pictures is installed, so there are no labels: `make images` adds one."
NO_CAPTIONER = "No captioner is installed, so there is no caption: `make images` adds one."
NO_WORDS = "The captioner found no words for it."

_AGAIN_AFTER = 60.0
_LIMITS = RuntimeLimits(wait=0.0, when_full="Send it again in a moment.")
_LABELLED_AT_ONCE = 16
_CAPTIONED_AT_ONCE = 4
_CAPTION_WAITS = 0.02
"""Seconds that a caption, which takes most of a second, waits for those of pictures that are still being decoded."""

_DECODING_THREADS = 4
"""They wait for the decoder's processes, of which there are as many or fewer."""

_Model = TypeVar("_Model", Labeller, Captioner)

_ABSENT = (ModelMissingError, ModelExtraError)

_Likely = tuple[NDArray[np.float32], Embedding]
"""Probabilities, shaped [labels], and an embedding."""


class Describer(ImageModel):
    """Decodes pictures, and has a classifier and a captioner look at them, each in a runtime of its own.

    Models are loaded with the first picture. One that cannot be is left out for a while, and the description says why.
    For one event loop.

    Args:
        decoder: decodes; it is closed with this.
        labels: loads the classifier, blocking; it raises `ModelError`. None where no labels are wanted.
        captions: loads the captioner, likewise.
        limits: how many pictures may wait for each model, and how many are looked at together.
        again_after: seconds after which a model that could not be loaded is tried again.
    """

    def __init__(
        self,
        decoder: Decoder,
        labels: Callable[[], Labeller] | None,
        captions: Callable[[], Captioner] | None,
        limits: RuntimeLimits = _LIMITS,
        again_after: float = _AGAIN_AFTER,
    ) -> None:
        self._decoder = decoder
        self._limits = limits
        self._threads = ThreadPoolExecutor(_DECODING_THREADS, "decoding")
        self._busy = 0
        self._closed = False
        self._labels: Looking[Labeller, _Likely] | None = None
        self._captions: Looking[Captioner, str] | None = None
        if labels:
            named, at_once = "the classifier of pictures", min(limits.batch, _LABELLED_AT_ONCE)
            self._labels = Looking(named, labels, _likely, limits, at_once, again_after)
        if captions:
            named, at_once = "the captioner", min(limits.batch, _CAPTIONED_AT_ONCE)
            together = replace(limits, wait=max(limits.wait, _CAPTION_WAITS))
            self._captions = Looking(named, captions, _captioned, together, at_once, again_after)

    async def describe(self, content: bytes, labels: int = 5, preview: int = 0) -> ImageDescription:
        """See `ImageModel.describe`; what a model that cannot be loaded would have said is left out."""
        self._refuse_when_closed()
        if self._busy >= self._limits.queue:
            raise GeneratorBusyError(
                f"{self._busy} pictures wait already, which is as many as may.", self._limits.when_full
            )
        self._busy += 1
        try:
            return await self._described(content, labels, preview)
        finally:
            self._busy -= 1

    async def ready(self) -> None:
        """Load the models now, unless they are there; the log says which cannot be."""
        await self._models()

    async def close(self) -> None:
        """See `ImageModel.close`."""
        self._closed = True
        for looking in (self._labels, self._captions):
            if looking:
                await looking.close()
        await asyncio.to_thread(self._decoder.close)
        self._threads.shutdown(wait=False)

    @property
    def is_loaded(self) -> bool:
        """Whether all models that are wanted are there."""
        return all(looking.is_loaded for looking in (self._labels, self._captions) if looking)

    @property
    def waking(self) -> bool:
        """See `ImageModel.waking`."""
        return any(looking.waking for looking in (self._labels, self._captions) if looking)

    @property
    def states(self) -> Mapping[str, tuple[str, str]]:
        """Whether the models for "labels" and "captions" are there, and what they are called, once they are.

        A state is "loaded", "not loaded", "unavailable" or "off".
        """
        kinds = {"labels": self._labels, "captions": self._captions}
        return {kind: (looking.state, looking.name) if looking else ("off", "") for kind, looking in kinds.items()}

    async def _described(self, content: bytes, labels: int, preview: int) -> ImageDescription:
        labeller, captioner, missing = await self._models()
        views = [model.view for model in (labeller, captioner) if model]
        decoded = await self._decoded(content, views, preview)
        likely, caption = await _both(
            self._labels.look(decoded.views[0]) if self._labels and labeller else _nothing(),
            self._captions.look(decoded.views[-1]) if self._captions and captioner else _nothing(),
        )
        return ImageDescription(
            facts=decoded.facts,
            labels=_likeliest(likely[0], labeller.labels, labels) if likely and labeller else (),
            caption=caption or None,
            embedding=likely[1] if likely else None,
            labelled_by=labeller.name if labeller else "",
            captioned_by=captioner.name if captioner else "",
            missing=(*missing, NO_WORDS) if caption == "" else missing,
            preview=decoded.preview,
        )

    async def _models(self) -> tuple[Labeller | None, Captioner | None, tuple[str, ...]]:
        """Give the models, None for what is not wanted or cannot be loaded; and why it cannot.

        One is loaded after the other: together they might take more memory than either needs in the end.
        """
        labeller, no_labels = await self._model(self._labels)
        captioner, no_captions = await self._model(self._captions)
        return labeller, captioner, _sentences(no_labels, no_captions)

    async def _model(self, looking: Looking[_Model, Any] | None) -> tuple[_Model | None, ModelError | None]:
        try:
            return (await looking.ready() if looking else None), None
        except ModelError as error:
            self._refuse_when_closed()
            return None, error

    async def _decoded(self, content: bytes, views: Sequence[View], preview: int) -> Decoded:
        loop = asyncio.get_running_loop()
        self._refuse_when_closed()
        try:
            return await loop.run_in_executor(self._threads, self._decode, content, views, preview)
        except PictureError:
            self._refuse_when_closed()  # its process was ended, and the picture is none the worse
            raise

    def _decode(self, content: bytes, views: Sequence[View], preview: int) -> Decoded:
        self._refuse_when_closed()  # it may have waited for its thread
        return self._decoder.decode(content, views, preview)

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise GeneratorUnreachableError(
                "What looks at pictures is shutting down.", "Send it again when the bot is back."
            )


async def _both(
    likely: Coroutine[Any, Any, _Likely | None], caption: Coroutine[Any, Any, str | None]
) -> tuple[_Likely | None, str | None]:
    """Wait for both; where one fails, the other is given up."""
    labelling, captioning = asyncio.ensure_future(likely), asyncio.ensure_future(caption)
    try:
        return await asyncio.gather(labelling, captioning)
    finally:
        labelling.cancel()
        captioning.cancel()


async def _nothing() -> None:
    return None


def _likely(labeller: Labeller, pixels: NDArray[np.uint8]) -> list[_Likely]:
    probabilities, embeddings = labeller.probabilities(pixels)
    # Copies: a row kept for long must not keep the whole batch.
    return [(row, embedding.copy()) for row, embedding in zip(probabilities, embeddings, strict=True)]


def _captioned(captioner: Captioner, pixels: NDArray[np.uint8]) -> list[str]:
    return captioner.captions(pixels)


def _likeliest(probabilities: NDArray[np.float32], words: Sequence[str], most: int) -> tuple[Label, ...]:
    order = np.argsort(-probabilities, kind="stable")[:most]
    return tuple(Label(words[index], int(index), float(probabilities[index])) for index in order)


def _sentences(no_labels: ModelError | None, no_captions: ModelError | None) -> tuple[str, ...]:
    """Say why something is missing, and what adds it."""
    if isinstance(no_labels, _ABSENT) and isinstance(no_captions, _ABSENT):
        return (NOTHING_INSTALLED,)
    told = ((no_labels, NO_CLASSIFIER), (no_captions, NO_CAPTIONER))
    return tuple(absent if isinstance(error, _ABSENT) else str(error) for error, absent in told if error)
