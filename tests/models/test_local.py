"""The local generator on a small trained model: right answers, streamed, many at once, and what goes wrong is said."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models.errors import AnswerUnusableError, GeneratorBusyError, ModelMissingError
from models.generation import GroundingPassage, Turn, Usage
from models.generation.local import LocalGenerator, LocalOptions
from models.store.model_store import ModelStore
from tests.models.tiny_models import Sample, held_out

pytest.importorskip("torch", reason="local models need the models extra")
pytest.importorskip("ctranslate2", reason="the T5 family is run by ctranslate2")

SAMPLES = held_out(24)
SECONDS = 60.0
# The fixtures of this module load a model once for all of its tests.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def store(tiny_t5: Path) -> ModelStore:
    """Keeps conversions beside the model, since each takes a process that imports transformers."""
    return ModelStore(tiny_t5.parent / "store")


@contextlib.asynccontextmanager
async def generator(model: Path, store: ModelStore, **options: object) -> AsyncIterator[LocalGenerator]:
    made = LocalGenerator(LocalOptions(str(model), threads=1, **options), store)  # type: ignore[arg-type]
    try:
        yield made
    finally:
        await asyncio.wait_for(made.close(), SECONDS)


async def answer(asked: LocalGenerator, sample: Sample) -> str:
    return "".join([piece async for piece in asked.stream(sample.question, sample.passages)])


async def test_the_model_is_loaded_once_and_then_no_answer_waits_for_it(tiny_t5: Path, store: ModelStore) -> None:
    async with generator(tiny_t5, store) as asked:
        assert asked.name == "tiny-t5"
        assert asked.waking
        await asyncio.gather(asked.warm_up(), asked.warm_up())
        assert not asked.waking
        assert await answer(asked, SAMPLES[0]) == SAMPLES[0].answer


@pytest.mark.parametrize("family", ["tiny_t5", "tiny_llama"])
async def test_many_questions_at_once_get_the_answers_they_get_alone(
    family: str, store: ModelStore, request: pytest.FixtureRequest
) -> None:
    async with generator(request.getfixturevalue(family), store) as asked:
        together = await asyncio.gather(*(answer(asked, sample) for sample in SAMPLES))
        assert [await answer(asked, sample) for sample in SAMPLES[:4]] == together[:4]
    right = [written == sample.answer for written, sample in zip(together, SAMPLES, strict=True)]
    assert sum(right) >= 0.9 * len(right)


async def test_the_answer_comes_piece_by_piece_and_what_it_took_is_told_once(tiny_t5: Path, store: ModelStore) -> None:
    told: list[Usage] = []
    sample = SAMPLES[0]
    async with generator(tiny_t5, store) as asked:
        pieces = [piece async for piece in asked.stream(sample.question, sample.passages, (), told.append)]
    assert len(pieces) > 2
    assert all(pieces)
    assert "".join(pieces) == sample.answer
    assert len(told) == 1
    assert told[0].input_tokens > 20
    assert told[0].output_tokens >= len(pieces)
    assert told[0].cost == 0


async def test_an_answer_ends_at_the_longest_that_is_allowed(tiny_t5: Path, store: ModelStore) -> None:
    told: list[Usage] = []
    sample = SAMPLES[0]
    async with generator(tiny_t5, store, max_tokens=3) as asked:
        text = "".join([piece async for piece in asked.stream(sample.question, sample.passages, (), told.append)])
    assert told[0].output_tokens == 3
    assert sample.answer.startswith(text)


async def test_who_leaves_in_the_middle_is_told_what_it_took(tiny_llama: Path, store: ModelStore) -> None:
    told: list[Usage] = []
    sample = SAMPLES[0]
    async with generator(tiny_llama, store) as asked:
        stream = asked.stream(sample.question, sample.passages, (), told.append)
        assert await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        assert await answer(asked, SAMPLES[1]) == SAMPLES[1].answer
    assert len(told) == 1


async def test_passages_longer_than_the_window_are_fitted(tiny_t5: Path, store: ModelStore) -> None:
    told: list[Usage] = []
    sample = SAMPLES[0]
    filler = [GroundingPassage(at, "The barrel has a mass of 12 grams. " * 200) for at in range(9, 12)]
    history = [Turn("Where is the drum kept?", "The drum is kept in the attic. " * 50)] * 9
    async with generator(tiny_t5, store) as asked:
        stream = asked.stream(sample.question, [*sample.passages, *filler], history, told.append)
        async with asyncio.timeout(SECONDS):
            async for _ in stream:
                pass
    assert 256 < told[0].input_tokens <= 512


async def test_a_question_longer_than_the_window_is_refused_with_the_figures(tiny_t5: Path, store: ModelStore) -> None:
    async with generator(tiny_t5, store) as asked:
        with pytest.raises(AnswerUnusableError, match=r"takes [\d,]+ tokens, and \d+ are what the model has room for"):
            await answer(asked, Sample("Where is it? " * 400, SAMPLES[0].passages, ""))


async def test_signs_that_end_a_prompt_are_plain_text_in_a_question(tiny_t5: Path, store: ModelStore) -> None:
    sample = SAMPLES[0]
    async with generator(tiny_t5, store) as asked:
        written = await answer(asked, Sample(f"{sample.question}</s><pad>", sample.passages, ""))
    assert "</s>" not in written
    assert "<pad>" not in written


async def test_a_model_that_is_not_here_is_named_and_found_once_it_is(
    tiny_llama: Path, store: ModelStore, tmp_path: Path
) -> None:
    folder = tmp_path / "later"
    async with generator(folder, store) as asked:
        with pytest.raises(ModelMissingError, match="later"):
            await asked.warm_up()
        assert asked.waking
        folder.symlink_to(tiny_llama)
        assert await answer(asked, SAMPLES[0]) == SAMPLES[0].answer


async def test_when_too_many_wait_the_next_one_is_refused_at_once(tiny_llama: Path, store: ModelStore) -> None:
    async with generator(tiny_llama, store, queue=2, batch=1) as asked:
        await asked.warm_up()
        outcomes = await asyncio.gather(*(answer(asked, sample) for sample in SAMPLES[:12]), return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, GeneratorBusyError)]
    assert refused
    assert len(refused) + sum(isinstance(one, str) for one in outcomes) == 12
    assert "local.queue" in str(refused[0])


async def test_the_event_loop_stays_free_while_answers_are_written(tiny_t5: Path, store: ModelStore) -> None:
    lags: list[float] = []

    async def _watch() -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + 0.005
            await asyncio.sleep(0.005)
            lags.append(loop.time() - due)

    async with generator(tiny_t5, store) as asked:
        await asked.warm_up()
        watching = asyncio.create_task(_watch())
        await asyncio.gather(*(answer(asked, sample) for sample in SAMPLES * 2))
        watching.cancel()
    # Generous, since machines that run tests are busy; the benchmark has the figure.
    assert sorted(lags)[len(lags) // 2] < 0.1


async def test_flan_t5_itself_answers_from_a_passage(flan_t5: Path, tmp_path: Path) -> None:
    passage = GroundingPassage(1, "Isaac Newton published the Principia in 1687. It states the three laws of motion.")
    async with generator(flan_t5, ModelStore(tmp_path)) as asked:
        assert "1687" in await answer(asked, Sample("When was the Principia published?", (passage,), ""))
