"""A tiny captioner that tells right what it sees: a ViT with a GPT-2 behind it, trained here on drawn scenes.

A scene has two coloured shapes, one larger than the other; its caption names the larger one first: "a red circle above
a blue square". A fifth of all captions is kept from the training, so that who tells those right has understood the
words and not learnt sentences. It is trained once, in less than a minute, and kept under pytest's cache until this
module changes; ``python -m tests.models.vision.scene_captioner`` trains it before the tests run.
"""

import hashlib
import io
import itertools
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from PIL import Image, ImageDraw

COLOURS = {
    "red": (214, 40, 40),
    "green": (44, 145, 62),
    "blue": (38, 84, 200),
    "yellow": (242, 206, 42),
    "purple": (132, 48, 160),
    "black": (24, 24, 28),
}
SHAPES = ("circle", "square", "triangle", "cross")
RELATIONS = {"above": (0, -1), "below": (0, 1), "left of": (-1, 0), "right of": (1, 0)}
"""Where the larger shape lies, seen from the smaller one."""

SIZE = 192
"""Pixels on each side of a drawn scene; the captioner sees a quarter of them."""

_SEEN, _PATCH = 48, 12
_HELD_OUT = 5
_CACHE = Path(__file__).parents[3] / ".pytest_cache" / "scene_captioner"
_SECONDS_TO_WAIT = 900
_SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")
_PAD, _BEGIN, _END = 0, 1, 2
_LONGEST = 10


@dataclass(frozen=True, slots=True)
class Scene:
    """Two shapes, the larger first, as words; `chance` is the seed of where exactly they lie."""

    colour: str
    shape: str
    relation: str
    other_colour: str
    other_shape: str
    chance: int = 0

    @property
    def caption(self) -> str:
        """What is to be said of it, as the captioner was taught it."""
        return f"a {self.colour} {self.shape} {self.relation} a {self.other_colour} {self.other_shape}"

    def drawn(self) -> Image.Image:
        """Draw it, `SIZE` pixels wide and high."""
        return _drawn(self)

    def file(self, kind: str = "PNG", size: int = SIZE) -> bytes:
        """Give it as a file of the format that Pillow calls so, as many pixels wide and high."""
        content = io.BytesIO()
        self.drawn().resize((size, size), Image.Resampling.LANCZOS).save(content, kind)
        return content.getvalue()


@cache
def _captions() -> tuple[tuple[Scene, ...], tuple[Scene, ...]]:
    """All captions, those for training and those held out, always divided in the same way."""
    things = list(itertools.product(COLOURS, SHAPES))
    pairs = [(one, relation, other) for one in things for relation in RELATIONS for other in things if one != other]
    scenes = [Scene(*one, relation, *other) for one, relation, other in pairs]
    random.Random(0).shuffle(scenes)
    cut = len(scenes) // _HELD_OUT
    return tuple(scenes[cut:]), tuple(scenes[:cut])


def known_scenes(count: int, seed: int) -> list[Scene]:
    """Scenes whose captions may be seen in training."""
    return _placed(_captions()[0], count, seed)


def unseen_scenes(count: int = 200, seed: int = -1) -> list[Scene]:
    """Scenes whose captions no training has seen."""
    return _placed(_captions()[1], count, seed)


def _placed(scenes: Sequence[Scene], count: int, seed: int) -> list[Scene]:
    chance = random.Random(seed)
    drawn = [chance.choice(scenes) for _ in range(count)]
    return [
        Scene(one.colour, one.shape, one.relation, one.other_colour, one.other_shape, chance.getrandbits(32))
        for one in drawn
    ]


def _drawn(scene: Scene) -> Image.Image:
    chance = random.Random(scene.chance)
    paper = tuple(chance.randint(225, 255) for _ in range(3))
    picture = Image.new("RGB", (SIZE, SIZE), paper)
    pen = ImageDraw.Draw(picture)
    right, down = RELATIONS[scene.relation]
    unit = SIZE / 64
    far, aside = chance.uniform(14, 16) * unit, chance.uniform(-4, 4) * unit
    middle = (SIZE / 2 + aside * abs(down), SIZE / 2 + aside * abs(right))
    _shape(
        pen,
        scene.shape,
        COLOURS[scene.colour],
        _moved(middle, right * far, down * far),
        chance.uniform(12.5, 14) * unit,
    )
    other = _moved(middle, -right * far, -down * far)
    _shape(pen, scene.other_shape, COLOURS[scene.other_colour], other, chance.uniform(8, 9.5) * unit)
    return picture


def _moved(point: tuple[float, float], right: float, down: float) -> tuple[float, float]:
    return point[0] + right, point[1] + down


def _shape(
    pen: ImageDraw.ImageDraw, shape: str, colour: tuple[int, int, int], middle: tuple[float, float], radius: float
) -> None:
    x, y = middle
    arm = radius / 3
    if shape == "circle":
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    elif shape == "square":
        side = radius * 0.88
        pen.rectangle((x - side, y - side, x + side, y + side), fill=colour)
    elif shape == "triangle":
        pen.polygon([(x, y - radius), (x - radius, y + radius * 0.9), (x + radius, y + radius * 0.9)], fill=colour)
    else:
        pen.rectangle((x - radius, y - arm, x + radius, y + arm), fill=colour)
        pen.rectangle((x - arm, y - radius, x + arm, y + radius), fill=colour)


def scene_captioner() -> Path:
    """The folder of the captioner, as transformers saves a VisionEncoderDecoder; trained unless it is there."""
    folder = _CACHE / hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16] / "scene-captioner"
    if (folder / "config.json").exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock", timeout=_SECONDS_TO_WAIT):
        if not (folder / "config.json").exists():
            making = folder.with_name("making")
            shutil.rmtree(making, ignore_errors=True)
            _train_apart(making)
            making.rename(folder)
    return folder


@pytest.fixture(scope="session", name="scene_captioner")
def scene_captioner_fixture() -> Path:
    """The folder of the trained captioner of scenes; not to be written to."""
    return scene_captioner()


def _train_apart(folder: Path) -> None:
    """Train on one thread, with a seed of its own, and leave torch as it was."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            _save(_trained(), folder)
    finally:
        torch.set_num_threads(threads)


def _words() -> list[str]:
    relations = {word for relation in RELATIONS for word in relation.split()}
    return [*_SPECIAL, "a", *COLOURS, *SHAPES, *sorted(relations)]


def _model() -> Any:
    from transformers import GPT2Config, VisionEncoderDecoderConfig, VisionEncoderDecoderModel, ViTConfig

    encoder = ViTConfig(
        image_size=_SEEN,
        patch_size=_PATCH,
        hidden_size=_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=2 * _WIDTH,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=_SPREAD,
    )
    decoder = GPT2Config(
        vocab_size=len(_words()),
        n_positions=_LONGEST,
        n_embd=_WIDTH,
        n_layer=2,
        n_head=4,
        n_inner=2 * _WIDTH,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        initializer_range=_SPREAD,
        add_cross_attention=True,
        bos_token_id=_BEGIN,
        eos_token_id=_END,
        pad_token_id=_PAD,
    )
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = _BEGIN, _PAD, _END
    return VisionEncoderDecoderModel(config)


_WIDTH, _SPREAD = 64, 0.1
"""The spread of the first weights suits the width; transformers' own, 0.02, suits 768 and learns five times slower."""

_SCENES, _STEPS, _BATCH, _HIGHEST = 8_000, 600, 64, 3e-3
_SHIFTS = (-2, 3)


def _trained() -> Any:
    """Train on as many batches, with a rate that rises and falls to nothing."""
    import torch

    scenes = known_scenes(_SCENES, seed=1)
    pixels, labels = _pixels(scenes), _labels(scenes)
    model = _model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=_HIGHEST, betas=(0.9, 0.98), weight_decay=0.05, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _HIGHEST, total_steps=_STEPS, pct_start=0.1)
    everything = torch.ones(_BATCH, _LONGEST, dtype=torch.long)
    model.train()
    for _ in range(_STEPS):
        drawn = torch.randint(len(scenes), (_BATCH,))
        # Nothing lies at the edges, so that what leaves on one side may come back on the other.
        shifted = torch.roll(pixels[drawn], torch.randint(*_SHIFTS, (2,)).tolist(), (2, 3))
        loss = model(pixel_values=shifted, labels=labels[drawn], decoder_attention_mask=everything).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return model.eval()


def _pixels(scenes: Sequence[Scene]) -> Any:
    """Give what the model sees, from -1 to 1, shaped [scenes, 3, height, width]."""
    import numpy as np
    import torch

    small = [scene.drawn().resize((_SEEN, _SEEN), Image.Resampling.BILINEAR) for scene in scenes]
    return torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).float() / 127.5 - 1


def _labels(scenes: Sequence[Scene]) -> Any:
    import torch

    numbers = {word: number for number, word in enumerate(_words())}
    rows = [[*(numbers[word] for word in scene.caption.split()), _END] for scene in scenes]
    return torch.tensor([row + [-100] * (_LONGEST - len(row)) for row in rows])


def _save(model: Any, folder: Path) -> None:
    """Save it with its tokenizer and image processor, as a captioner from the hub lies there."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GenerationConfig, PreTrainedTokenizerFast, ViTImageProcessorPil
    from transformers.utils import logging

    logging.disable_progress_bar()
    words = {word: number for number, word in enumerate(_words())}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    model.generation_config = GenerationConfig(
        decoder_start_token_id=_BEGIN,
        bos_token_id=_BEGIN,
        eos_token_id=_END,
        pad_token_id=_PAD,
        max_new_tokens=_LONGEST - 1,
    )
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
    ViTImageProcessorPil(size={"height": _SEEN, "width": _SEEN}).save_pretrained(folder)


if __name__ == "__main__":
    scene_captioner()
