"""A captioner that was trained here on drawn scenes tells scenes it has never seen, through everything the bot has."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.store.checkpoints import judged
from models.vision.captions import load_captioner
from models.vision.contract import Captioner
from models.vision.decoding.decoder import Decoder
from models.vision.describing import Describer
from models.vision.evaluation.captioning import evaluate_captions
from models.vision.evaluation.coco_captions import CaptionedFile
from tests.models.vision.scene_captioner import (
    Scene,
    known_scenes,
    scene_captioner_fixture,  # noqa: F401 - a fixture
    unseen_scenes,
)

# The first of them may have to train it, where `python -m tests.models.vision.scene_captioner` has not.
pytestmark = pytest.mark.timeout(600)

RIGHT = 0.95


@pytest.fixture(scope="module")
def captioner(scene_captioner: Path) -> Iterator[Captioner]:
    loaded = load_captioner(judged(scene_captioner, "scenes"), "scenes", threads=1)
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as made:
        yield made


def _sentence(scene: Scene) -> str:
    return f"{scene.caption.capitalize()}."


def _files(folder: Path, scenes: list[Scene], kind: str = "PNG", size: int = 192) -> list[CaptionedFile]:
    files = []
    for number, scene in enumerate(scenes):
        path = folder / f"{number}.{kind.lower()}"
        path.write_bytes(scene.file(kind, size))
        files.append(CaptionedFile(path, path.name, (scene.caption,)))
    return files


def test_no_caption_of_an_unseen_scene_was_in_the_training() -> None:
    assert not {scene.caption for scene in unseen_scenes(2_000)} & {scene.caption for scene in known_scenes(8_000, 1)}


def test_unseen_scenes_are_told_right_word_for_word(captioner: Captioner, decoder: Decoder, tmp_path: Path) -> None:
    evaluation = evaluate_captions(captioner, decoder, _files(tmp_path, unseen_scenes(240)))

    assert evaluation.figures.pictures == 240
    assert evaluation.figures.exact >= RIGHT, [(one.path, one.caption, one.captions) for one in evaluation.worst]
    assert evaluation.figures.bleu_4 > RIGHT
    assert evaluation.figures.cider > 9
    assert evaluation.figures.silent == 0


@pytest.mark.parametrize(("kind", "size"), [("JPEG", 640), ("WEBP", 100), ("GIF", 192)])
def test_scenes_are_told_whatever_the_files_format_and_size(
    captioner: Captioner, decoder: Decoder, tmp_path: Path, kind: str, size: int
) -> None:
    evaluation = evaluate_captions(captioner, decoder, _files(tmp_path, unseen_scenes(40, seed=7), kind, size))

    assert evaluation.figures.exact >= 0.9, [(one.path, one.caption, one.captions) for one in evaluation.worst]


def test_a_caption_does_not_depend_on_the_pictures_beside_it(captioner: Captioner, decoder: Decoder) -> None:
    pixels = [decoder.decode(scene.file(), (captioner.view,)).views[0] for scene in unseen_scenes(8, seed=3)]

    alone = [captioner.captions(one[None])[0] for one in pixels]

    import numpy as np

    assert captioner.captions(np.stack(pixels)) == alone


async def test_the_describer_tells_unseen_scenes_many_at_once(scene_captioner: Path) -> None:
    scenes = unseen_scenes(200, seed=-2)
    found = judged(scene_captioner, "scenes")
    describer = Describer(Decoder(), None, lambda: load_captioner(found, "scenes", threads=1))
    gate = asyncio.Semaphore(32)

    async def _caption(scene: Scene) -> str | None:
        async with gate:
            return (await describer.describe(scene.file())).caption

    try:
        captions = await asyncio.gather(*map(_caption, scenes))
    finally:
        await describer.close()

    right = sum(caption == _sentence(scene) for caption, scene in zip(captions, scenes, strict=True))
    assert right >= RIGHT * len(scenes)
