"""The runtime: who asks gets their own results, in batches, off the event loop; who leaves is worked for no more."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Sequence

import pytest

from models.errors import GeneratorBusyError, GeneratorUnreachableError, ModelUnusableError
from models.runtime import Job, Runtime, RuntimeLimits

AT_ONCE = RuntimeLimits(wait=0.0)
SECONDS = 20.0


class Doubling:
    """A model that doubles numbers; each batch waits until it is let through."""

    def __init__(self, parallel: int = 1, is_open: bool = True) -> None:
        self.parallel = parallel
        self.batches: list[list[int]] = []
        self.is_closed = False
        self.begun = threading.Semaphore(0)
        self.gate = threading.Event()
        if is_open:
            self.gate.set()

    def compute(self, jobs: Sequence[Job[int, int]]) -> None:
        self.batches.append([job.item for job in jobs])
        self.begun.release()
        if not self.gate.wait(SECONDS):
            raise TimeoutError
        for job in jobs:
            if job.item < 0:
                raise ArithmeticError("a defect of the model's")
            job.give(2 * job.item)

    def close(self) -> None:
        self.is_closed = True


class Counting:
    """A model that counts up to the item, one number at a time, as long as it is wanted."""

    parallel = 1

    def __init__(self) -> None:
        self.counted = 0
        self.over = threading.Event()

    def compute(self, jobs: Sequence[Job[int, int]]) -> None:
        (job,) = jobs
        while job.wanted and self.counted < job.item:
            job.give(self.counted)
            self.counted += 1
        self.over.set()

    def close(self) -> None:
        """Nothing is held."""


@contextlib.asynccontextmanager
async def running(model: Doubling | Counting, limits: RuntimeLimits = AT_ONCE) -> AsyncIterator[Runtime[int, int]]:
    runtime: Runtime[int, int] = Runtime("tiny", lambda stopping: model, limits)
    try:
        yield runtime
    finally:
        if isinstance(model, Doubling):
            model.gate.set()
        await asyncio.wait_for(runtime.close(), SECONDS)


async def begun(model: Doubling) -> None:
    assert await asyncio.to_thread(model.begun.acquire, timeout=SECONDS)


async def until_waiting(runtime: Runtime[int, int], count: int) -> None:
    async with asyncio.timeout(SECONDS):
        while runtime.waiting < count:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)


async def test_each_asker_gets_the_result_of_their_own_item() -> None:
    async with running(Doubling(parallel=3)) as runtime:
        assert await runtime.run((number, 1) for number in range(50)) == [2 * number for number in range(50)]


async def test_requests_that_arrive_together_are_computed_together() -> None:
    model = Doubling()
    async with running(model, RuntimeLimits(wait=5.0, batch=4)) as runtime:
        await runtime.run((number, 1) for number in range(4))
    assert [sorted(batch) for batch in model.batches] == [[0, 1, 2, 3]]


async def test_a_request_that_stays_alone_is_computed_when_its_wait_is_over() -> None:
    async with running(Doubling(), RuntimeLimits(wait=0.01)) as runtime:
        assert await asyncio.wait_for(runtime.run([(21, 1)]), SECONDS) == [42]


async def test_the_oldest_request_goes_first_with_those_of_like_length() -> None:
    model = Doubling(is_open=False)
    async with running(model, RuntimeLimits(wait=0.0, batch=3)) as runtime:
        first = asyncio.create_task(runtime.run([(0, 1)]))
        await begun(model)
        rest = asyncio.create_task(runtime.run([(1, 100), (2, 10), (3, 98), (4, 11), (5, 103)]))
        await until_waiting(runtime, 5)
        model.gate.set()
        await first
        await rest
    assert [sorted(batch) for batch in model.batches] == [[0], [1, 3, 5], [2, 4]]


async def test_what_waits_is_shared_out_among_idle_workers() -> None:
    model = Doubling(parallel=2, is_open=False)
    async with running(model, RuntimeLimits(wait=0.2, batch=16)) as runtime:
        await runtime.load()
        asked = asyncio.create_task(runtime.run((number, 1) for number in range(8)))
        await begun(model)
        await begun(model)
        model.gate.set()
        await asked
    assert [len(batch) for batch in model.batches] == [4, 4]


async def test_a_newcomer_begins_while_another_batch_is_being_computed() -> None:
    model = Doubling(parallel=2, is_open=False)
    async with running(model) as runtime:
        first = asyncio.create_task(runtime.run([(1, 1)]))
        await begun(model)
        second = asyncio.create_task(runtime.run([(2, 1)]))
        await begun(model)
        model.gate.set()
        assert [*await first, *await second] == [2, 4]


async def test_a_full_queue_refuses_at_once_and_says_how_many_wait() -> None:
    model = Doubling(is_open=False)
    async with running(model, RuntimeLimits(wait=0.0, queue=2)) as runtime:
        first = asyncio.create_task(runtime.run([(1, 1)]))
        await begun(model)
        waiting = asyncio.create_task(runtime.run([(2, 1), (3, 1)]))
        await until_waiting(runtime, 2)
        with pytest.raises(GeneratorBusyError, match="2 requests wait for tiny already"):
            await runtime.run([(4, 1)])
        model.gate.set()
        assert [*await first, *await waiting] == [2, 4, 6]


async def test_pieces_come_in_order_while_the_rest_is_computed() -> None:
    async with running(Counting()) as runtime:
        assert [piece async for piece in runtime.stream(1_000)] == list(range(1_000))


async def test_work_stops_when_its_asker_leaves() -> None:
    model = Counting()
    async with running(model) as runtime:
        async with contextlib.aclosing(runtime.stream(10**12)) as pieces:
            assert await anext(pieces) == 0
        assert await asyncio.to_thread(model.over.wait, SECONDS)
    assert model.counted < 10**12


async def test_a_request_whose_asker_left_the_queue_is_never_begun() -> None:
    model = Doubling(is_open=False)
    async with running(model) as runtime:
        first = asyncio.create_task(runtime.run([(1, 1)]))
        await begun(model)
        leaving = asyncio.create_task(runtime.run([(2, 1)]))
        await until_waiting(runtime, 1)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert runtime.waiting == 0
        model.gate.set()
        assert await first == [2]
    assert model.batches == [[1]]


async def test_all_who_ask_at_once_wait_for_the_same_load() -> None:
    loads: list[Doubling] = []

    def _load(stopping: threading.Event) -> Doubling:
        loads.append(Doubling())
        return loads[-1]

    runtime: Runtime[int, int] = Runtime("tiny", _load, AT_ONCE)
    assert not runtime.is_loaded
    results = await asyncio.gather(*(runtime.run([(number, 1)]) for number in range(5)))
    await runtime.close()
    assert (results, len(loads)) == ([[0], [2], [4], [6], [8]], 1)
    assert loads[0].is_closed


async def test_a_failed_load_is_told_to_all_who_wait_and_tried_again_later() -> None:
    outcomes: list[Doubling | Exception] = [ModelUnusableError("It is torn.", "Get it again."), OSError(5), Doubling()]

    def _load(stopping: threading.Event) -> Doubling:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    runtime: Runtime[int, int] = Runtime("tiny", _load, AT_ONCE)
    told = await asyncio.gather(runtime.load(), runtime.load(), return_exceptions=True)
    assert [str(one) for one in told] == ["It is torn. Get it again."] * 2
    with pytest.raises(GeneratorUnreachableError, match="tiny cannot be loaded"):
        await runtime.load()
    assert await runtime.run([(3, 1)]) == [6]
    await runtime.close()


async def test_a_batch_that_fails_is_told_to_its_askers_and_the_next_one_is_computed() -> None:
    async with running(Doubling()) as runtime:
        with pytest.raises(GeneratorUnreachableError, match="tiny broke off"):
            await runtime.run([(-1, 1)])
        assert await runtime.run([(1, 1)]) == [2]


async def test_closing_tells_those_who_wait_and_ends_the_threads() -> None:
    model = Doubling(is_open=False)
    runtime: Runtime[int, int] = Runtime("closing", lambda stopping: model, AT_ONCE)
    running_one = asyncio.create_task(runtime.run([(1, 1)]))
    await begun(model)
    waiting_one = asyncio.create_task(runtime.run([(2, 1)]))
    await until_waiting(runtime, 1)
    closing = asyncio.create_task(runtime.close())
    with pytest.raises(GeneratorUnreachableError, match="shutting down"):
        await waiting_one
    model.gate.set()
    await closing
    assert await running_one == [2]
    with pytest.raises(GeneratorUnreachableError, match="shutting down"):
        await runtime.run([(3, 1)])
    assert model.is_closed
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("closing")]


async def test_what_is_being_written_when_the_runtime_closes_is_not_taken_for_whole() -> None:
    async with running(Counting()) as runtime:
        pieces = runtime.stream(10**12)
        assert await anext(pieces) == 0
        await runtime.close()
        with pytest.raises(GeneratorUnreachableError, match="shutting down"):
            async for _ in pieces:
                pass


async def test_closing_while_the_model_is_loaded_stops_the_load() -> None:
    def _load(stopping: threading.Event) -> Doubling:
        assert stopping.wait(SECONDS)
        raise ModelUnusableError("It was stopped.", "")

    runtime: Runtime[int, int] = Runtime("tiny", _load, AT_ONCE)
    asker = asyncio.create_task(runtime.run([(1, 1)]))
    await asyncio.sleep(0)
    await asyncio.wait_for(runtime.close(), SECONDS)
    with pytest.raises(GeneratorUnreachableError, match="shutting down"):
        await asker


async def test_who_waits_for_a_load_that_cannot_be_stopped_is_told_at_once_that_it_closes() -> None:
    done = threading.Event()

    def _load(stopping: threading.Event) -> Doubling:
        assert done.wait(SECONDS)
        return Doubling()

    runtime: Runtime[int, int] = Runtime("tiny", _load, AT_ONCE)
    asker = asyncio.create_task(runtime.run([(1, 1)]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    closing = asyncio.create_task(runtime.close())
    with pytest.raises(GeneratorUnreachableError, match="shutting down"):
        await asyncio.wait_for(asker, SECONDS)
    assert not closing.done()
    done.set()
    await asyncio.wait_for(closing, SECONDS)
    assert not runtime.is_loaded
