"""A description has what can be told: of the file always, of its content by whichever models are there."""

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from PIL import Image

from models.errors import (
    GeneratorBusyError,
    GeneratorUnreachableError,
    ModelError,
    ModelExtraError,
    ModelMissingError,
    ModelUnusableError,
    PictureError,
)
from models.runtime import RuntimeLimits
from models.store.checkpoints import judged
from models.vision.contract import Captioner, ImageDescription, Labeller
from models.vision.decoding.contract import Decoded, View
from models.vision.decoding.decoder import Decoder
from models.vision.describing import (
    NO_CAPTIONER,
    NO_CLASSIFIER,
    NO_WORDS,
    NOTHING_INSTALLED,
    Describer,
)
from models.vision.labels import load_labeller
from tests.models.vision.tiny_picture_models import tiny_classifier

VIEW = View(8, 8)
LARGER = View(0, 0, shortest_edge=10, crop=(6, 6))
BROKEN = ModelUnusableError("The model is damaged.", "Get it once more.")


class Counted(Decoder):
    """A decoder that knows how often it was asked."""

    decodings = 0

    def decode(self, content: bytes, views: Sequence[View] = (), preview: int = 0) -> Decoded:
        self.decodings += 1
        return super().decode(content, views, preview)


class Colours:
    """A classifier that tells red from green and blue, by the mean."""

    def __init__(self) -> None:
        self.name = "colours"
        self.labels = ("red", "green", "blue")
        self.view = VIEW
        self.batches: list[int] = []
        self.is_closed = False

    def probabilities(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        assert pixels.shape[1:] == (8, 8, 3)
        self.batches.append(len(pixels))
        means = pixels.mean((1, 2)).astype(np.float32) + 1
        return means / means.sum(1, keepdims=True), means / np.linalg.norm(means, axis=1, keepdims=True)

    def close(self) -> None:
        self.is_closed = True


class Brightness:
    """A captioner that says whether it is light or dark; `gate` holds it up."""

    def __init__(self, gate: threading.Event | None = None, words: str | None = None) -> None:
        self.name = "brightness"
        self.view = LARGER
        self.entered = threading.Event()
        self._gate = gate
        self._words = words

    def captions(self, pixels: NDArray[np.uint8]) -> list[str]:
        assert pixels.shape[1:] == (6, 6, 3)
        self.entered.set()
        if self._gate:
            assert self._gate.wait(30)
        return [self._words if self._words is not None else said(one) for one in pixels]

    def close(self) -> None:
        """Hold nothing."""


def said(pixels: NDArray[np.uint8]) -> str:
    return "It is light." if pixels.mean() > 127 else "It is dark."


def picture(colour: tuple[int, int, int] = (200, 10, 30), width: int = 20, height: int = 12) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(content, "PNG")
    return content.getvalue()


def failing(error: Exception) -> Callable[[], Labeller]:
    def load() -> Labeller:
        raise error

    return load


def lacking() -> Captioner:
    raise ModelMissingError("There is no model.", "Get it.")


@asynccontextmanager
async def describing(
    labels: Callable[[], Labeller] | None = None,
    captions: Callable[[], Captioner] | None = None,
    limits: RuntimeLimits | None = None,
    again_after: float = 60.0,
) -> AsyncIterator[Describer]:
    describer = Describer(Counted(), labels, captions, limits or RuntimeLimits(), again_after)
    try:
        yield describer
    finally:
        await describer.close()


async def test_without_models_the_file_itself_is_told_and_what_adds_them() -> None:
    async with describing(failing(ModelExtraError("torch is not installed.", "Add it.")), lacking) as describer:
        told = await describer.describe(picture(), preview=10)
    assert (told.facts.format, told.facts.width, told.facts.height) == ("PNG", 20, 12)
    assert told.facts.colours[0].name == "red"
    assert (told.labels, told.caption, told.embedding) == ((), None, None)
    assert (told.labelled_by, told.captioned_by) == ("", "")
    assert told.missing == (NOTHING_INSTALLED,)
    assert Image.open(io.BytesIO(told.preview)).size == (10, 6)


async def test_with_both_models_labels_and_caption_come_from_one_decoding() -> None:
    async with describing(Colours, Brightness) as describer:
        told = await describer.describe(picture((10, 250, 200)), labels=2)
        assert describer.is_loaded
        assert isinstance(describer._decoder, Counted)
        assert describer._decoder.decodings == 1
    assert [(label.label, label.index) for label in told.labels] == [("green", 1), ("blue", 2)]
    assert told.labels[0].score == pytest.approx(251 / 463)
    assert told.caption == "It is light."
    assert (told.labelled_by, told.captioned_by, told.missing) == ("colours", "brightness", ())
    assert told.embedding is not None
    assert np.linalg.norm(told.embedding) == pytest.approx(1)


async def test_without_a_captioner_labels_are_told_and_that_one_can_be_added() -> None:
    async with describing(Colours, lacking) as describer:
        told = await describer.describe(picture())
    assert (told.labels[0].label, told.caption, told.missing) == ("red", None, (NO_CAPTIONER,))


async def test_without_a_classifier_the_caption_is_told_and_that_one_can_be_added() -> None:
    async with describing(failing(ModelMissingError("No.", "Get it.")), Brightness) as describer:
        told = await describer.describe(picture())
    assert (told.labels, told.caption, told.missing) == ((), "It is dark.", (NO_CLASSIFIER,))


async def test_what_is_not_wanted_is_not_missed() -> None:
    async with describing(Colours, None) as describer:
        assert (await describer.describe(picture())).missing == ()
    async with describing(None, None) as describer:
        told = await describer.describe(picture())
    assert (told.missing, told.facts.format) == ((), "PNG")


async def test_a_damaged_model_is_told_by_its_own_sentence_and_the_other_one_works() -> None:
    async with describing(failing(BROKEN), Brightness) as describer:
        told = await describer.describe(picture())
    assert told.missing == ("The model is damaged. Get it once more.",)
    assert told.caption == "It is dark."


async def test_a_loader_that_breaks_for_no_known_reason_is_left_out_too() -> None:
    async with describing(failing(RuntimeError("defect")), Brightness) as describer:
        told = await describer.describe(picture())
    assert told.missing == ("the classifier of pictures cannot be loaded. The log holds the reason.",)


@pytest.mark.parametrize(("again_after", "tried"), [(60.0, 1), (0.0, 3)])
async def test_a_model_that_could_not_be_loaded_is_tried_again_after_a_while(again_after: float, tried: int) -> None:
    attempts = 0

    def load() -> Labeller:
        nonlocal attempts
        attempts += 1
        raise BROKEN

    async with describing(load, None, again_after=again_after) as describer:
        for _ in range(3):
            assert (await describer.describe(picture())).missing == (str(BROKEN),)
    assert attempts == tried


async def test_a_model_that_comes_later_is_used_without_a_new_start() -> None:
    here = False

    def load() -> Labeller:
        if not here:
            raise ModelMissingError("Not yet.", "Get it.")
        return Colours()

    async with describing(load, None, again_after=0.0) as describer:
        assert (await describer.describe(picture())).missing == (NO_CLASSIFIER,)
        here = True
        assert (await describer.describe(picture())).labels[0].label == "red"


async def test_a_captioner_without_words_is_no_caption() -> None:
    async with describing(Colours, lambda: Brightness(words="")) as describer:
        told = await describer.describe(picture())
    assert (told.caption, told.missing, told.captioned_by) == (None, (NO_WORDS,), "brightness")


async def test_what_is_no_picture_is_refused_and_the_next_one_is_looked_at() -> None:
    async with describing(Colours, Brightness) as describer:
        with pytest.raises(PictureError):
            await describer.describe(b"%PDF-1.7 no picture")
        assert (await describer.describe(picture())).labels


async def test_many_pictures_at_once_are_each_told_right_and_computed_together() -> None:
    colours, gate = Colours(), threading.Event()
    captioner = Brightness(gate)
    contents = [picture((200, 10, 10)), picture((10, 200, 10)), picture((10, 10, 200)), picture((250, 250, 200))]
    limits = RuntimeLimits(queue=64, batch=8)
    async with describing(lambda: colours, lambda: captioner, limits) as describer:
        waiting = [asyncio.create_task(describer.describe(contents[number % 4])) for number in range(16)]
        await asyncio.to_thread(captioner.entered.wait, 30)
        gate.set()
        told = await asyncio.gather(*waiting)
    assert [one.labels[0].label for one in told] == ["red", "green", "blue", "red"] * 4
    assert [one.caption for one in told] == ["It is dark.", "It is dark.", "It is dark.", "It is light."] * 4
    assert sum(colours.batches) == 16
    assert max(colours.batches) <= 8


async def test_more_pictures_than_may_wait_are_refused_at_once() -> None:
    gate = threading.Event()
    captioner = Brightness(gate)
    limits = RuntimeLimits(queue=2, when_full="Send it again in a moment.")
    async with describing(Colours, lambda: captioner, limits) as describer:
        waiting = [asyncio.create_task(describer.describe(picture())) for _ in range(2)]
        await asyncio.to_thread(captioner.entered.wait, 30)
        with pytest.raises(GeneratorBusyError, match=r"2 pictures wait already.*Send it again in a moment\."):
            await describer.describe(picture())
        gate.set()
        await asyncio.gather(*waiting)
        assert (await describer.describe(picture())).caption


async def test_a_model_that_breaks_off_ends_the_description_in_one_sentence() -> None:
    class Torn(Brightness):
        def captions(self, pixels: NDArray[np.uint8]) -> list[str]:
            raise RuntimeError("defect")

    async with describing(Colours, Torn) as describer:
        with pytest.raises(GeneratorUnreachableError, match="the captioner broke off"):
            await describer.describe(picture())
        assert describer._busy == 0


async def test_who_gives_up_waiting_leaves_the_others_alone() -> None:
    gate = threading.Event()
    captioner = Brightness(gate)
    async with describing(Colours, lambda: captioner) as describer:
        first, second = (asyncio.create_task(describer.describe(picture())) for _ in range(2))
        await asyncio.to_thread(captioner.entered.wait, 30)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        gate.set()
        assert (await second).caption == "It is dark."


async def test_whoever_waits_when_it_closes_is_told_so() -> None:
    gate, colours = threading.Event(), Colours()
    captioner = Brightness(gate)
    one_by_one = RuntimeLimits(batch=1, wait=0.0)
    describer = Describer(Decoder(), lambda: colours, lambda: captioner, one_by_one)
    waiting = [asyncio.create_task(describer.describe(picture())) for _ in range(6)]
    await asyncio.to_thread(captioner.entered.wait, 30)
    closing = asyncio.create_task(describer.close())
    await asyncio.sleep(0)
    gate.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    await closing
    # Who was being told already may still hear the end of it.
    assert all(isinstance(one, GeneratorUnreachableError | ImageDescription) for one in outcomes)
    assert any("shutting down" in str(one) for one in outcomes)
    assert colours.is_closed
    assert not describer.is_loaded
    assert psutil.Process().children() == []
    with pytest.raises(GeneratorUnreachableError, match="shutting down"):
        await describer.describe(picture())


async def test_closing_amid_decoding_leaves_nobody_waiting() -> None:
    content = io.BytesIO()
    Image.effect_noise((3_000, 3_000), 90).save(content, "PNG")
    describer = Describer(Decoder(), Colours, None)
    await describer.ready()
    waiting = [asyncio.create_task(describer.describe(content.getvalue())) for _ in range(6)]
    await asyncio.sleep(0)
    await asyncio.wait_for(describer.close(), 20)
    outcomes = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 20)
    assert all(isinstance(one, ModelError) and "shutting down" in str(one) for one in outcomes)


async def test_models_are_loaded_one_after_the_other_when_they_are_wanted_early() -> None:
    order = []

    def labels() -> Labeller:
        order.append("labels")
        return Colours()

    def captions() -> Captioner:
        order.append("captions")
        return Brightness()

    async with describing(labels, captions) as describer:
        assert not describer.is_loaded
        await describer.ready()
        await describer.ready()
        assert describer.is_loaded
    assert order == ["labels", "captions"]


async def test_a_real_classifier_says_in_batches_what_it_says_alone(tmp_path: Path) -> None:
    folder = tiny_classifier(tmp_path)
    classifier = load_labeller(judged(folder, "tiny"), "tiny", threads=1)
    chance = np.random.default_rng(0)
    contents = []
    for _ in range(8):
        stream = io.BytesIO()
        Image.fromarray(chance.integers(0, 256, (40, 50, 3), np.uint8)).save(stream, "PNG")
        contents.append(stream.getvalue())
    with Decoder() as decoder:
        views = np.stack([decoder.decode(content, (classifier.view,)).views[0] for content in contents])
    expected, _ = classifier.probabilities(views)
    async with describing(lambda: load_labeller(judged(folder, "tiny"), "tiny", threads=1)) as describer:
        told = await asyncio.gather(*(describer.describe(content, labels=3) for content in contents))
    for row, one in zip(expected, told, strict=True):
        assert {label.index: label.score for label in one.labels} == pytest.approx(dict(enumerate(row)), abs=1e-5)
        assert [label.score for label in one.labels] == sorted((label.score for label in one.labels), reverse=True)
