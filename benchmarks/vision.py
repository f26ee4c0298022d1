"""How fast pictures are looked at, beside Pillow and transformers alone in the same run, and what memory that takes.

    python benchmarks/vision.py
    python benchmarks/vision.py --quick
    python benchmarks/vision.py --architecture vit-base --pictures 200 --captions

Beside each other: the whole of what the bot does with a picture (decoding in a process of its own, facts, colours,
labels, embedding, off the event loop), and what anybody would write: `Image.open`, `convert`, the model's own
processor, one forward in as many threads. Rounds alternate; figures are medians. Then thousands of pictures, sixteen at
a time, while the process, its decoder and the event loop are watched.

The model is the ViT-tiny in ../shared, or one of ViT-base's true architecture with random weights: what is computed is
the same, what is told means nothing. So is the captioner, of GIT-base's.
"""

import argparse
import asyncio
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from PIL import Image

from models.machine import usable_cores
from models.store.model_store import ModelStore
from models.vision.contract import Captioner, Labeller
from models.vision.decoding.contract import DecodingLimits
from models.vision.decoding.decoder import Decoder
from models.vision.describing import Describer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SHARED = Path(__file__).parents[2] / "shared" / "models" / "vit-tiny-patch16-224"
SIZES = {"640 x 427": (640, 427), "12 megapixels": (4_000, 3_000)}
MANY = 16
WORDS = 12
LOOK_SECONDS = 0.005
LOOKS_AT_MEMORY = 10
GOALS = {"one": 1.1, "sixteen": 1.02, "loop_lag_p99_ms": 20.0}
"""Sixteen at once are to take no longer than the raw batch: 1.02 is 1, as medians of the same code differ by 2 %."""

Look = Callable[[bytes], Awaitable[object]]
Raw = Callable[[list[bytes]], object]


@dataclass(frozen=True)
class Ratio:
    """Medians in milliseconds, and what ours takes for one of the raw way's."""

    what: str
    ours_ms: float
    raw_ms: float
    goal: float

    @property
    def ratio(self) -> float:
        """Ours through raw; the lower the better."""
        return self.ours_ms / self.raw_ms


@dataclass
class Watch:
    """What was seen while thousands of pictures were looked at: MiB, and milliseconds of the event loop's lag."""

    pictures: list[int] = field(default_factory=list)
    process: list[float] = field(default_factory=list)
    decoder: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def lag(self, percent: int) -> float:
        """Give a percentile of the lag, in milliseconds."""
        return statistics.quantiles(self.lags, n=100)[percent - 1] * 1_000


def make_picture(width: int, height: int, seed: int) -> bytes:
    """Make a JPEG with some structure and some noise, so that it is about as large as a photograph's."""
    rng = np.random.default_rng(seed)
    rough = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8), "RGB")
    pixels = np.asarray(rough.resize((width, height), Image.Resampling.BICUBIC), dtype=np.int16)
    noisy = pixels + rng.integers(-6, 7, pixels.shape, dtype=np.int16)
    written = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(written, "JPEG", quality=88)
    return written.getvalue()


def make_vit_base(folder: Path) -> Path:
    """Save a classifier of ViT-base's architecture with random weights."""
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil

    labels = {number: f"label {number}" for number in range(1_000)}
    config = ViTConfig(id2label=labels, label2id={label: number for number, label in labels.items()})
    ViTForImageClassification(config).save_pretrained(folder)
    ViTImageProcessorPil().save_pretrained(folder)
    return folder


def make_git_base(folder: Path) -> Path:
    """Save a captioner of GIT-base's architecture with random weights, whose captions all have the same length."""
    from transformers import BertTokenizer, CLIPImageProcessorPil, GitConfig, GitForCausalLM

    config = GitConfig()
    folder.mkdir(parents=True)
    words = ["[PAD]", *(f"[unused{number}]" for number in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words += [f"word{number}" for number in range(config.vocab_size - len(words))]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    model = GitForCausalLM(config)
    model.generation_config.max_new_tokens = model.generation_config.min_new_tokens = WORDS
    model.save_pretrained(folder)
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    CLIPImageProcessorPil().save_pretrained(folder)
    return folder


def raw_classifier(folder: Path, threads: int) -> Raw:
    """Give the shortest way to the labels of pictures, all of them in one batch."""
    import torch
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    processor: Any = AutoImageProcessor.from_pretrained(folder)  # type: ignore[no-untyped-call]
    model: Any = AutoModelForImageClassification.from_pretrained(folder).eval()

    def _look(contents: list[bytes]) -> object:
        torch.set_num_threads(threads)
        with torch.inference_mode():
            pictures = [Image.open(io.BytesIO(content)).convert("RGB") for content in contents]
            logits = model(**processor(images=pictures, return_tensors="pt")).logits
            return logits.softmax(-1).topk(5)

    return _look


def raw_captioner(folder: Path, threads: int) -> Raw:
    """Give the shortest way to the captions of pictures, all of them in one batch."""
    import torch
    from transformers import AutoImageProcessor, AutoTokenizer, GitForCausalLM

    processor: Any = AutoImageProcessor.from_pretrained(folder)  # type: ignore[no-untyped-call]
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = GitForCausalLM.from_pretrained(folder)

    def _look(contents: list[bytes]) -> object:
        torch.set_num_threads(threads)
        with torch.inference_mode():
            pictures = [Image.open(io.BytesIO(content)).convert("RGB") for content in contents]
            written = model.generate(**processor(images=pictures, return_tensors="pt"))
            return tokenizer.batch_decode(written, skip_special_tokens=True)

    return _look


@asynccontextmanager
async def describer_of(
    labels: Callable[[], Labeller] | None, captions: Callable[[], Captioner] | None
) -> "AsyncIterator[Describer]":
    """Give what the bot looks at pictures with, made as the bot makes it."""
    decoder = Decoder(DecodingLimits(), workers=min(2, usable_cores()))
    describer = Describer(decoder, labels, captions)
    try:
        yield describer
    finally:
        await describer.close()


async def compare(what: str, look: Look, raw: Raw, contents: list[bytes], rounds: int, goal: float) -> Ratio:
    """Alternate between ours and the raw way, the one before the other in turn."""
    ours: list[float] = []
    theirs: list[float] = []

    async def _ours() -> None:
        started = time.perf_counter()
        await asyncio.gather(*(look(content) for content in contents))
        ours.append(time.perf_counter() - started)

    async def _raw() -> None:
        started = time.perf_counter()
        raw(contents)
        theirs.append(time.perf_counter() - started)

    for number in range(rounds + 2):
        for run in (_ours, _raw) if number % 2 else (_raw, _ours):
            await run()
    # The first two rounds start processes and fill caches.
    return Ratio(what, statistics.median(ours[2:]) * 1_000, statistics.median(theirs[2:]) * 1_000, goal)


async def watch(look: Look, contents: list[bytes], pictures: int) -> Watch:
    """Look at many pictures, sixteen at a time, and note memory and lag."""
    seen = Watch()
    warm_up = min(200, pictures)
    for _ in range(0, warm_up, MANY):
        await asyncio.gather(*(look(content) for content in contents))
    lagging = asyncio.create_task(_note_lag(seen.lags))
    started = time.perf_counter()
    each = max(MANY, pictures // LOOKS_AT_MEMORY)
    _note_memory(seen, 0)
    for done in range(MANY, pictures + MANY, MANY):
        await asyncio.gather(*(look(content) for content in contents))
        if done // each > (done - MANY) // each:
            _note_memory(seen, done)
            print(f"{done} of {pictures}", file=sys.stderr)
    seen.seconds = time.perf_counter() - started
    lagging.cancel()
    return seen


async def _note_lag(lags: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LOOK_SECONDS
        await asyncio.sleep(LOOK_SECONDS)
        lags.append(max(0.0, loop.time() - due))


def _note_memory(seen: Watch, done: int) -> None:
    own = psutil.Process()
    seen.pictures.append(done)
    seen.process.append(own.memory_info().rss / 2**20)
    seen.decoder.append(sum(child.memory_info().rss for child in own.children()) / 2**20)


async def measure_labels(folder: Path, options: argparse.Namespace) -> tuple[list[Ratio], Watch]:
    """Compare single pictures and sixteen at once, then watch many."""
    from models.vision.labels import load_labeller

    found = ModelStore(folder).find(str(folder))
    raw = raw_classifier(folder, options.threads)
    ratios = []
    async with describer_of(lambda: load_labeller(found, folder.name, options.threads), None) as describer:
        await describer.ready()
        for size, (width, height) in SIZES.items():
            one = [make_picture(width, height, 0)]
            ratios.append(
                await compare(f"one picture, {size}", describer.describe, raw, one, options.rounds, GOALS["one"])
            )
        many = [make_picture(640, 427, seed) for seed in range(MANY)]
        rounds = max(7, options.rounds // 2)
        ratios.append(
            await compare("sixteen at once, 640 x 427", describer.describe, raw, many, rounds, GOALS["sixteen"])
        )
        return ratios, await watch(describer.describe, many, options.pictures)


async def measure_captions(folder: Path, options: argparse.Namespace) -> list[Ratio]:
    """Compare captions of one picture and of four at once."""
    from models.vision.captions import load_captioner

    found = ModelStore(folder).find(str(folder))
    raw = raw_captioner(folder, options.threads)
    rounds = max(3, options.rounds // 10)
    many = [make_picture(640, 427, seed) for seed in range(4)]
    async with describer_of(None, lambda: load_captioner(found, folder.name, options.threads)) as describer:
        await describer.ready()
        one = await compare("one caption, 640 x 427", describer.describe, raw, many[:1], rounds, GOALS["one"])
        return [one, await compare("four captions at once", describer.describe, raw, many, rounds, GOALS["one"])]


def show(ratios: list[Ratio], seen: Watch) -> None:
    """Print the figures and whether goals are reached."""
    print(f"{'':32}{'ours, ms':>10}{'raw, ms':>10}{'ours/raw':>10}{'goal':>8}")
    for one in ratios:
        verdict = "reached" if one.ratio <= one.goal else "MISSED"
        print(f"{one.what:32}{one.ours_ms:10.1f}{one.raw_ms:10.1f}{one.ratio:10.2f}{one.goal:8.2f}  {verdict}")
    print(f"\n{seen.pictures[-1]:,} pictures, sixteen at a time: {seen.pictures[-1] / seen.seconds:.1f} a second")
    print(f"{'pictures':>10}{'process, MiB':>16}{'decoder, MiB':>16}")
    for done, process, decoder in zip(seen.pictures, seen.process, seen.decoder, strict=True):
        print(f"{done:10,}{process:16.1f}{decoder:16.1f}")
    half = len(seen.process) // 2
    print(
        f"growth in all {_growth(seen.process, 0)} MiB, decoder {_growth(seen.decoder, 0)} MiB;"
        f" in the second half {_growth(seen.process, half)} MiB, decoder {_growth(seen.decoder, half)} MiB"
    )
    verdict = "reached" if seen.lag(99) <= GOALS["loop_lag_p99_ms"] else "MISSED"
    print(f"loop lag p50 {seen.lag(50):.1f} ms, p99 {seen.lag(99):.1f} ms (goal {GOALS['loop_lag_p99_ms']}): {verdict}")


def _growth(memory: list[float], since: int) -> str:
    return f"{memory[-1] - memory[since]:+.1f}"


def _document(ratios: list[Ratio], seen: Watch, options: argparse.Namespace) -> dict[str, Any]:
    return {
        "threads": options.threads,
        "ratios": [asdict(one) | {"ratio": one.ratio} for one in ratios],
        "memory_mib": {"pictures": seen.pictures, "process": seen.process, "decoder": seen.decoder},
        "pictures_per_second": seen.pictures[-1] / seen.seconds,
        "loop_lag_ms": {"p50": seen.lag(50), "p99": seen.lag(99)},
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=SHARED, help="the folder of a classifier of pictures")
    parser.add_argument("--architecture", choices=("vit-base",), help="random weights of it in the model's place")
    parser.add_argument("--pictures", type=int, default=5_000, help="looked at while memory and lag are watched")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, default=usable_cores(), help="of torch, for both ways")
    parser.add_argument("--captions", action="store_true", help="time a captioner of GIT-base's architecture, too")
    parser.add_argument("--quick", action="store_true", help="few rounds and 320 pictures")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.pictures = 8, 320
    if not options.architecture and not (options.model / "config.json").is_file():
        sys.exit(f"No model lies in {options.model}; name one with --model, or give --architecture vit-base.")
    return options


def main() -> None:
    """Measure and print."""
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    options = _options()
    with tempfile.TemporaryDirectory() as made:
        folder = make_vit_base(Path(made) / "vit-base") if options.architecture else options.model
        ratios, seen = asyncio.run(measure_labels(folder.absolute(), options))
        if options.captions:
            ratios += asyncio.run(measure_captions(make_git_base(Path(made) / "git-base"), options))
    if options.json:
        print(json.dumps(_document(ratios, seen, options), indent=2))
    else:
        print(f"{folder.name}, {options.threads} threads")
        show(ratios, seen)


if __name__ == "__main__":
    main()
