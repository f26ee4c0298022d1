"""The chain: who answers when somebody is down, slow, over budget or makes things up."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest
import structlog.testing

from models.errors import (
    AnswerBlockedError,
    GeneratorBusyError,
    GeneratorRefusedError,
    GeneratorUnreachableError,
    ModelMissingError,
)
from models.generation import Generator, GroundingPassage, Spent, Turn, Usage
from models.generation.chain import Chain, ChainLimits, Draft
from models.generation.extractive import ExtractiveGenerator

QUESTION = "What does Newton's second law say?"
PASSAGES = [
    GroundingPassage(
        1,
        "Newton's second law says that the net force on a body equals its mass times its acceleration. "
        "It was published in 1687.",
        "Newton's second law",
    ),
    GroundingPassage(
        2, "Newton's first law says that a body at rest stays at rest unless a force acts on it.", "First"
    ),
]
TRUE = "The net force on a body equals its mass times its acceleration."
PUBLISHED = "Newton's second law was published in 1687."
FALSE = "The law was published in 1905."
EXTRACTIVE = "Newton's second law says that the net force on a body equals its mass times its acceleration. [1]"


class Scripted(Generator):
    """Says its pieces; an exception among them is raised, and "…" waits for ever."""

    def __init__(self, name: str, *pieces: str | Exception) -> None:
        self.name = name
        self.pieces = pieces
        self.asked = 0
        self.begun = asyncio.Event()
        self.closed_early = False

    async def stream(
        self,
        question: str,
        passages: Sequence[GroundingPassage],
        history: Sequence[Turn] = (),
        spent: Spent = lambda usage: None,
    ) -> AsyncIterator[str]:
        self.asked += 1
        self.begun.set()
        whole = False
        try:
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                if piece == "…":
                    await asyncio.Event().wait()
                yield piece
            whole = True
        finally:
            self.closed_early = not whole
            spent(Usage(100, 10, 0.5))


class Sleeping(Scripted):
    """Has to be woken first."""

    awake = False

    def __init__(self, name: str, *pieces: str, error: Exception | None = None) -> None:
        super().__init__(name, *pieces)
        self.error = error

    @property
    def waking(self) -> bool:
        return not self.awake

    async def warm_up(self) -> None:
        if self.error:
            raise self.error
        self.awake = True


class Failing(Scripted):
    """Breaks off after so many seconds."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(name)
        self.seconds = seconds

    async def stream(self, *arguments: object, **options: object) -> AsyncIterator[str]:
        yield "The net"
        await asyncio.sleep(self.seconds)
        raise GeneratorUnreachableError("It broke off.", "")


@dataclass
class Purse:
    """An account with room for all generators but those named."""

    empty: tuple[str, ...] = ()
    reference: str = "message-1"
    charged: list[tuple[str, str, Usage]] = field(default_factory=list)

    async def allows(self, generator: str) -> bool:
        return generator not in self.empty

    def charge(self, generator: str, model: str, usage: Usage) -> None:
        self.charged.append((generator, model, usage))


async def drafts_of(chain: Chain, order: Sequence[str], purse: Purse | None = None) -> list[Draft]:
    return [draft async for draft in chain.write(QUESTION, PASSAGES, (), order, purse or Purse())]


def chain_of(*generators: Scripted, **limits: float) -> Chain:
    named = {generator.name: generator for generator in generators}
    return Chain({**named, "extractive": ExtractiveGenerator()}, ChainLimits(**limits))  # type: ignore[arg-type]


async def answer_of(*generators: Scripted, purse: Purse | None = None, **limits: float) -> Draft:
    drafts = await drafts_of(chain_of(*generators, **limits), [one.name for one in generators], purse)
    return drafts[-1]


async def test_the_first_generator_answers_with_the_passage_behind_its_sentence() -> None:
    answer = await answer_of(Scripted("cloud", TRUE), Scripted("local", "never asked"))
    assert (answer.text, answer.generator, answer.state) == (f"{TRUE} [1]", "cloud", "answered")
    assert not answer.gave_up


async def test_an_answer_grows_sentence_by_sentence() -> None:
    chain = chain_of(
        Scripted("cloud", "The net force on a body equals ", "its mass times its acceleration. New", *PUBLISHED[3:])
    )
    texts = list(dict.fromkeys(draft.text for draft in await drafts_of(chain, ["cloud"])))
    assert texts[-1] == f"{TRUE} [1] {PUBLISHED} [1]"
    assert f"{TRUE} [1]" in texts
    assert all(texts[-1].startswith(text) for text in texts)


@pytest.mark.parametrize(
    "error",
    [
        GeneratorUnreachableError("It is down.", ""),
        GeneratorRefusedError("The key is wrong.", "Mend gemini.key."),
        GeneratorBusyError("64 wait.", ""),
        AnswerBlockedError("It will not.", ""),
        ModelMissingError("It is not here.", "Pull it."),
        RuntimeError("a defect"),
    ],
)
async def test_when_one_cannot_answer_the_next_one_does_and_nobody_is_told_of_it(error: Exception) -> None:
    answer = await answer_of(Scripted("cloud", error), Scripted("local", TRUE))
    assert (answer.generator, answer.gave_up) == ("local", "")


async def test_when_all_fail_the_floor_quotes() -> None:
    answer = await answer_of(Scripted("cloud", GeneratorUnreachableError("Down.", "")), Scripted("local", ""))
    assert (answer.text.split(" [1]")[0] + " [1]", answer.generator) == (EXTRACTIVE, "extractive")


async def test_what_broke_off_in_the_middle_is_rewritten_and_the_reader_learns_by_whom() -> None:
    chain = chain_of(
        Scripted("cloud", f"{TRUE} {PUBLISHED} More", GeneratorUnreachableError("It broke off.", "")),
        Scripted("local", PUBLISHED),
    )
    drafts = await drafts_of(chain, ["cloud", "local"])
    assert drafts[0].text.startswith(TRUE)
    assert (drafts[-1].text, drafts[-1].generator, drafts[-1].gave_up) == (f"{PUBLISHED} [1]", "local", "cloud")


async def test_one_that_does_not_begin_in_time_is_left() -> None:
    slow = Scripted("cloud", "…")
    answer = await answer_of(slow, Scripted("local", TRUE), first_token=0.02)
    assert answer.generator == "local"
    assert slow.closed_early


async def test_one_that_does_not_end_in_time_is_left_for_the_floor() -> None:
    slow = Scripted("cloud", f"{TRUE} It", "…")
    never_asked = Scripted("local", TRUE)
    answer = await answer_of(slow, never_asked, whole=0.05)
    assert (answer.generator, answer.gave_up, never_asked.asked) == ("extractive", "cloud", 0)


async def test_one_that_others_left_hardly_any_time_is_not_blamed_for_being_late() -> None:
    slow, local = Scripted("cloud", f"{TRUE} It", "…"), Scripted("local", "…")
    broken = Failing("cloud", 0.15)
    chain = chain_of(broken, local, failures=1, whole=0.2)
    assert (await drafts_of(chain, ["cloud", "local"]))[-1].generator == "extractive"
    assert local.asked == 1
    assert chain.states() == {"cloud": "open", "local": "closed"}
    chain = chain_of(slow, failures=1, whole=0.05)
    await drafts_of(chain, ["cloud"])
    assert chain.states() == {"cloud": "open"}


async def test_after_failures_in_a_row_nobody_is_kept_waiting_for_it() -> None:
    down, local = Scripted("cloud", GeneratorUnreachableError("Down.", "")), Scripted("local", TRUE)
    chain = chain_of(down, local, failures=2)
    for _ in range(5):
        assert (await drafts_of(chain, ["cloud", "local"]))[-1].generator == "local"
    assert down.asked == 2
    assert chain.states() == {"cloud": "open", "local": "closed"}


@pytest.mark.parametrize("error", [AnswerBlockedError("No.", ""), GeneratorBusyError("64 wait.", "")])
async def test_what_speaks_about_one_question_opens_no_circuit(error: Exception) -> None:
    chain = chain_of(Scripted("cloud", error), failures=1)
    await drafts_of(chain, ["cloud"])
    assert chain.states() == {"cloud": "closed"}


async def test_over_budget_the_next_one_answers() -> None:
    cloud = Scripted("cloud", TRUE)
    answer = await answer_of(cloud, Scripted("local", PUBLISHED), purse=Purse(empty=("cloud",)))
    assert (answer.generator, cloud.asked) == ("local", 0)


async def test_what_was_taken_is_charged_also_where_it_broke_off() -> None:
    purse = Purse()
    await answer_of(
        Scripted("cloud", TRUE, GeneratorUnreachableError("Off.", "")), Scripted("local", TRUE), purse=purse
    )
    assert purse.charged == [("cloud", "cloud", Usage(100, 10, 0.5)), ("local", "local", Usage(100, 10, 0.5))]


async def test_sentences_that_no_passage_bears_out_are_dropped_and_logged_without_their_text() -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await answer_of(Scripted("cloud", f"{TRUE} {FALSE}"))
    assert answer.text == f"{TRUE} [1]"
    dropped = next(entry for entry in logs if entry["event"] == "sentences dropped")
    assert (dropped["question"], list(dropped["sentences"])) == ("message-1", [2])
    assert "1905" not in str(logs)


async def test_where_too_little_is_borne_out_the_floor_quotes_instead() -> None:
    answer = await answer_of(Scripted("cloud", f"{FALSE} Einstein wrote it in Bern."), Scripted("local", TRUE))
    assert answer.generator == "extractive"
    assert "1905" not in answer.text


async def test_a_generator_that_finds_nothing_in_the_passages_abstains() -> None:
    answer = await answer_of(Scripted("cloud", "unanswerable"))
    assert (answer.text, answer.state, answer.generator) == ("", "abstained", "cloud")


async def test_an_answer_that_rests_on_nothing_is_marked_or_withheld() -> None:
    marked = await answer_of(Scripted("cloud", "Yes."))
    assert (marked.text, marked.cited) == ("Yes.", False)
    withheld = await answer_of(Scripted("cloud", "Yes."), withholds_uncited=True)
    assert withheld.generator == "extractive"


async def test_one_that_repeats_itself_is_stopped_and_what_was_good_stays() -> None:
    babbling = Scripted("cloud", *[f"{TRUE} "] * 50, "…")
    answer = await answer_of(babbling, whole=5.0)
    assert answer.text == f"{TRUE} [1]"
    assert babbling.closed_early


async def test_one_that_never_ends_is_stopped() -> None:
    numbers = (
        f"Newton's second law says that the net force {n} equals its mass times its acceleration. " for n in range(999)
    )
    endless = Scripted("cloud", f"{TRUE} ", *numbers, "…")
    assert (await answer_of(endless, whole=20.0)).state == "answered"
    assert endless.closed_early


async def test_a_model_that_sleeps_is_woken_and_it_is_said() -> None:
    drafts = await drafts_of(chain_of(Sleeping("local", TRUE)), ["local"])
    assert drafts[0].state == "waking"
    assert drafts[-1].text == f"{TRUE} [1]"


async def test_a_model_that_cannot_be_woken_is_passed_over() -> None:
    broken = Sleeping("local", TRUE, error=ModelMissingError("google/flan-t5-small is not here.", "Pull it."))
    with structlog.testing.capture_logs() as logs:
        answer = await answer_of(broken)
    assert answer.generator == "extractive"
    assert any("Pull it." in str(entry) for entry in logs)


async def test_one_that_cannot_be_made_ready_or_let_go_keeps_no_other_from_it() -> None:
    class Stubborn(Sleeping):
        async def close(self) -> None:
            raise RuntimeError("a defect")

    class Counting(Sleeping):
        is_closed = False

        async def close(self) -> None:
            self.is_closed = True

    before, after = Counting("before"), Counting("after")
    chain = chain_of(before, Stubborn("defective", error=RuntimeError("a defect")), after)
    await chain.warm_up(["defective", "after"])
    assert after.awake
    with pytest.raises(RuntimeError):
        await chain.close()
    assert before.is_closed
    assert after.is_closed


class Snoring(Sleeping):
    """Takes for ever to wake."""

    async def warm_up(self) -> None:
        await asyncio.Event().wait()


async def test_a_model_that_takes_long_to_wake_leaves_time_for_the_next_and_opens_no_circuit() -> None:
    chain = chain_of(Snoring("local", TRUE), Scripted("cloud", PUBLISHED), whole=0.4, failures=1)
    assert (await drafts_of(chain, ["local", "cloud"]))[-1].text == f"{PUBLISHED} [1]"
    assert (await drafts_of(chain, ["local"]))[-1].generator == "extractive"
    assert chain.states()["local"] == "closed"


async def test_a_ready_answer_is_given_as_people_wrote_it() -> None:
    ready = [GroundingPassage(1, "Ask at the desk.", question="Where is the key?")]
    cloud = Scripted("cloud", TRUE)
    chain = chain_of(cloud)
    drafts = [draft async for draft in chain.write("Where is the key?", ready, (), ["cloud"], Purse())]
    assert (drafts[-1].text, cloud.asked) == ("Ask at the desk. [1]", 0)


async def test_who_wants_no_more_of_it_ends_the_work_and_opens_no_circuit() -> None:
    endless = Scripted("cloud", f"{TRUE} It", "…")
    chain = chain_of(endless, failures=1)
    async with aclosing(chain.write(QUESTION, PASSAGES, (), ["cloud"], Purse())) as drafts:
        await anext(drafts)
    assert endless.closed_early
    assert chain.states() == {"cloud": "closed"}


async def test_cancelling_the_asker_ends_the_work_too() -> None:
    endless = Scripted("cloud", "…")
    chain = chain_of(endless)
    asking = asyncio.create_task(drafts_of(chain, ["cloud"]))
    await endless.begun.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert endless.closed_early
