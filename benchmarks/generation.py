"""How fast the local generator writes, beside plain `model.generate` of transformers in the same run.

    python benchmarks/generation.py
    python benchmarks/generation.py --rounds 5 --precisions int8 --json

The model has flan-t5-small's true architecture and tokenizer, read from ../shared, and random weights: what is computed
is the same, what is written means nothing. Each prompt has 256 tokens, each answer 48. Rounds alternate between plain
and ours; the figures are medians.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from models.generation.engines.choice import opened
from models.generation.engines.contract import Engine, EngineOptions, Prompt
from models.generation.engines.vocabulary import GrowingText
from models.machine import usable_cores
from models.runtime import Runtime, RuntimeLimits
from models.store.model_store import ModelStore

SHARED = Path(__file__).parents[2] / "shared" / "models" / "flan-t5-small-tokenizer"
READ, WRITTEN, MANY = 256, 48, 16
LOOK_SECONDS = 0.005
GOALS = {"one": 2.5, "sixteen": 6.0, "loop_lag_p99_ms": 20.0}

Answers = list[list[int]]


@dataclass
class Times:
    """Seconds of each round; tokens of the last one."""

    one: list[float] = field(default_factory=list)
    sixteen: list[float] = field(default_factory=list)
    first_token_one: list[float] = field(default_factory=list)
    first_token_sixteen: list[float] = field(default_factory=list)
    newcomer: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    answers: Answers = field(default_factory=list)


@dataclass(frozen=True)
class Figure:
    """What one way of computing took, in medians; ratios are plain's time through its own."""

    name: str
    one_s: float
    sixteen_s: float
    one_ratio: float
    sixteen_ratio: float
    same_tokens: float
    first_token_ms: float | None = None
    first_token_of_sixteen_ms: float | None = None
    newcomer_first_token_ms: float | None = None
    loop_lag_p99_ms: float | None = None


def make_model(folder: Path) -> None:
    """Save flan-t5-small with random weights and its output layer apart from its embeddings, as the true one's is."""
    import torch
    from transformers import AutoConfig, AutoTokenizer, T5ForConditionalGeneration
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.manual_seed(0)
    model = T5ForConditionalGeneration(AutoConfig.from_pretrained(SHARED))
    head = torch.randn_like(model.lm_head.weight) * 0.05
    # The token that ends an answer never is the likeliest, so that every answer has its full length.
    head[model.config.eos_token_id] = 0.0
    model.lm_head.weight = torch.nn.Parameter(head)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(SHARED).save_pretrained(folder)


def make_prompts() -> list[Prompt]:
    """Random tokens with the end's token behind them."""
    import torch

    torch.manual_seed(1)
    return [(*torch.randint(5, 30_000, (READ - 1,)).tolist(), 1) for _ in range(MANY)]


def make_plain(folder: Path, threads: int) -> Callable[[Prompt], list[int]]:
    """Give transformers' own way of answering one prompt."""
    import torch
    from transformers import AutoModelForSeq2SeqLM

    model: Any = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()

    def _answer(prompt: Prompt) -> list[int]:
        torch.set_num_threads(threads)
        with torch.inference_mode():
            row = model.generate(torch.tensor([prompt]), max_new_tokens=WRITTEN, do_sample=False, num_beams=1)[0]
        tokens: list[int] = row.tolist()[1:]
        return tokens

    return _answer


def time_plain(answer: Callable[[Prompt], list[int]], prompts: list[Prompt], times: Times) -> None:
    """Answer one prompt, then all of them one after another."""
    started = time.perf_counter()
    answer(prompts[0])
    times.one.append(time.perf_counter() - started)
    started = time.perf_counter()
    times.answers = [answer(prompt) for prompt in prompts]
    times.sixteen.append(time.perf_counter() - started)


async def watch_loop(lags: list[float]) -> None:
    """Note again and again how late the event loop wakes a task."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LOOK_SECONDS
        await asyncio.sleep(LOOK_SECONDS)
        lags.append(max(0.0, loop.time() - due))


class Ours:
    """An engine in its runtime, with the text put together as the generator does it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        limits = RuntimeLimits(queue=64, batch=MANY, wait=0.004)
        self._runtime: Runtime[Prompt, int] = Runtime("flan-t5-small", lambda stopping: engine, limits)

    async def answer(self, prompt: Prompt, first: list[float], begun: asyncio.Event | None = None) -> list[int]:
        """Answer one prompt, and note when its first token came."""
        started = time.perf_counter()
        text = GrowingText(self._engine.vocabulary)
        tokens: list[int] = []
        async for token in self._runtime.stream(prompt, len(prompt)):
            if not tokens:
                first.append(time.perf_counter() - started)
                if begun:
                    begun.set()
            tokens.append(token)
            text.add(token)
        text.finish()
        return tokens

    async def measure(self, prompts: list[Prompt], times: Times) -> None:
        """Answer one prompt, then all of them at once, then one while another is being answered."""
        watching = asyncio.create_task(watch_loop(times.lags))
        started = time.perf_counter()
        await self.answer(prompts[0], times.first_token_one)
        times.one.append(time.perf_counter() - started)
        started = time.perf_counter()
        times.answers = await asyncio.gather(*(self.answer(one, times.first_token_sixteen) for one in prompts))
        times.sixteen.append(time.perf_counter() - started)
        begun = asyncio.Event()
        other = asyncio.create_task(self.answer(prompts[1], [], begun))
        await begun.wait()
        await self.answer(prompts[2], times.newcomer)
        await other
        watching.cancel()

    async def close(self) -> None:
        await self._runtime.close()


async def compare(rounds: int, precisions: list[str], threads: int, folder: Path) -> list[Figure]:
    """Alternate between plain and ours."""
    make_model(folder / "flan-t5-small")
    prompts = make_prompts()
    plain, plain_times = make_plain(folder / "flan-t5-small", threads), Times()
    checkpoint = ModelStore(folder).find(str(folder / "flan-t5-small"))
    ours: dict[str, Ours] = {}
    for precision in precisions:
        options = EngineOptions(precision, WRITTEN, threads, MANY)
        ours[precision] = Ours(opened(checkpoint, "ctranslate2", options, folder / "converted", threading.Event()))
    times = {precision: Times() for precision in precisions}
    plain(prompts[0])
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        time_plain(plain, prompts, plain_times)
        for precision, one in ours.items():
            await one.measure(prompts, times[precision])
    for one in ours.values():
        await one.close()
    baseline = _figure("model.generate", plain_times, plain_times)
    return [baseline, *(_figure(f"ctranslate2 {precision}", times[precision], plain_times) for precision in precisions)]


def _figure(name: str, times: Times, plain: Times) -> Figure:
    pairs = [pair for one, other in zip(times.answers, plain.answers, strict=True) for pair in zip(one, other)]  # noqa: B905 - of two lengths where one ends early
    one, sixteen = statistics.median(times.one), statistics.median(times.sixteen)
    return Figure(
        name,
        one,
        sixteen,
        statistics.median(plain.one) / one,
        statistics.median(plain.sixteen) / sixteen,
        sum(first == second for first, second in pairs) / (MANY * WRITTEN),
        _median_ms(times.first_token_one),
        _median_ms(times.first_token_sixteen),
        _median_ms(times.newcomer),
        statistics.quantiles(times.lags, n=100)[-1] * 1000 if times.lags else None,
    )


def _median_ms(seconds: list[float]) -> float | None:
    return statistics.median(seconds) * 1000 if seconds else None


def show(figures: list[Figure], threads: int) -> None:
    """Print the figures beside each other."""
    rows = {
        "one answer, s": [f"{one.one_s:.2f}" for one in figures],
        f"  times as fast (goal {GOALS['one']})": [f"{one.one_ratio:.1f}" for one in figures],
        "sixteen at once, s": [f"{one.sixteen_s:.2f}" for one in figures],
        f"  times one after another (goal {GOALS['sixteen']:.0f})": [f"{one.sixteen_ratio:.1f}" for one in figures],
        "same tokens": [f"{one.same_tokens:.1%}" for one in figures],
        "first token, ms": [_shown(one.first_token_ms) for one in figures],
        "  of sixteen at once": [_shown(one.first_token_of_sixteen_ms) for one in figures],
        "  while another is written": [_shown(one.newcomer_first_token_ms) for one in figures],
        f"loop lag p99, ms (goal {GOALS['loop_lag_p99_ms']:.0f})": [_shown(one.loop_lag_p99_ms) for one in figures],
    }
    print(f"flan-t5-small, random weights, {READ} tokens in, {WRITTEN} out, {threads} threads")
    print(f"{'':34}" + "".join(f"{one.name:>22}" for one in figures))
    for label, cells in rows.items():
        print(f"{label:34}" + "".join(f"{cell:>22}" for cell in cells))


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precisions", nargs="+", choices=("float32", "int8"), default=["float32", "int8"])
    parser.add_argument("--threads", type=int, default=usable_cores())
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    if not SHARED.is_dir():
        sys.exit(f"flan-t5-small's config and tokenizer are needed in {SHARED}.")
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(compare(arguments.rounds, arguments.precisions, arguments.threads, Path(folder)))
    if arguments.json:
        print(json.dumps({"threads": arguments.threads, "figures": [asdict(one) for one in figures]}, indent=2))
    else:
        show(figures, arguments.threads)


if __name__ == "__main__":
    main()
