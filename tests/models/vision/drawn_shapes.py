"""What tests of training on pictures share: drawn shapes, one folder a class, and tiny encoders of random weights."""

import math
import random
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

SHAPES = {"circle": "crimson", "square": "royalblue", "triangle": "seagreen"}


def shape(name: str, chance: random.Random, size: int = 96) -> Image.Image:
    """Draw a shape of a class, where and how large chance will have it, before a background of two colours."""
    pale = [tuple(chance.randint(150, 255) for _ in range(3)) for _ in range(2)]
    picture = Image.new("RGB", (size, size), pale[0])
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, chance.randint(10, size - 10), size, size), fill=pale[1])
    radius = chance.uniform(0.3, 0.45) * size
    x, y = (chance.uniform(radius, size - radius) for _ in range(2))
    corners = {"circle": 60, "square": 4, "triangle": 3}[name]
    turn = chance.uniform(0, 2 * math.pi)
    angles = [turn + 2 * math.pi * corner / corners for corner in range(corners)]
    draw.polygon([(x + radius * math.cos(one), y + radius * math.sin(one)) for one in angles], fill=SHAPES[name])
    return picture


def shapes(folder: Path, each: int, seed: int = 0, names: Sequence[str] = tuple(SHAPES)) -> Path:
    """Fill a folder with as many pictures of each class."""
    chance = random.Random(seed)
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            shape(name, chance).save(folder / name / f"{number:03}.png")
    return folder


def tiny_vit(folder: Path, sees: bool = True) -> Path:
    """Make a ViT of two blocks with random weights; one that does not see makes the same of every picture."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil

    config = ViTConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        image_size=32,
        patch_size=8,
        initializer_range=0.1,
        id2label={0: "something", 1: "something else"},
        label2id={"something": 0, "something else": 1},
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = ViTForImageClassification(config)
    if not sees:
        torch.nn.init.zeros_(model.vit.embeddings.patch_embeddings.projection.weight)
    model.save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def tiny_swin(folder: Path) -> Path:
    """Make a Swin of two stages with random weights: blocks inside of stages, and no first token."""
    import torch
    from transformers import SwinConfig, SwinForImageClassification, ViTImageProcessorPil

    config = SwinConfig(
        image_size=32, patch_size=4, embed_dim=16, depths=[2, 2], num_heads=[2, 2], window_size=4, num_labels=3
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        SwinForImageClassification(config).save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder
