"""Generators side by side: what is asked, how it is scored, and when an evaluation is given up."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from models.errors import (
    AnswerBlockedError,
    EvaluationError,
    GeneratorRefusedError,
    GeneratorUnreachableError,
    ModelMissingError,
)
from models.evaluation.evaluation import Conditions, evaluate_generator
from models.evaluation.squad import Sample
from models.generation import GroundingPassage, Spent, Turn
from models.generation.chain import ChainLimits
from models.generation.extractive import ExtractiveGenerator
from tests.models.scripted_generator import ScriptedGenerator

SPEED = "Light travels at 299,792,458 metres per second in a vacuum. Nothing travels faster."
FORCE = "The newton is the unit of force. It is named after Isaac Newton."


def _sample(question: str, *golds: str, text: str = FORCE) -> Sample:
    return Sample(question, question, golds, text, passages=(GroundingPassage(1, text),))


UNIT = _sample("What is the unit of force?", "newton", "the newton")
LIGHT = _sample("How fast does light travel in a vacuum?", "299,792,458 metres per second", text=SPEED)
ORIGIN = _sample("Who found the neutron?")

RIGHT = {UNIT.question: "The newton is the unit of force [1].", LIGHT.question: SPEED.split(". ")[0] + ". [1]"}


async def test_two_generators_are_asked_the_same_and_scored_side_by_side() -> None:
    generators = {"local": ScriptedGenerator(RIGHT, "tiny"), "extractive": ExtractiveGenerator(most_sentences=2)}
    seen: list[tuple[str, int]] = []
    evaluation = await evaluate_generator(generators, [UNIT, LIGHT], progress=lambda *told: seen.append(told))
    local, floor = evaluation.of("local"), evaluation.of("extractive")
    assert seen == [("local", 1), ("local", 2), ("extractive", 1), ("extractive", 2)]
    assert (local.model, local.questions, local.answerable) == ("tiny", 2, 2)
    assert (local.gold_contained, local.grounded, local.abstained, local.fell_back) == (1.0, 1.0, 0.0, 0.0)
    # "newton is unit of force" shares one word of five with "newton": 2 · 1/5 · 1 / (1/5 + 1) = 1/3; "light travels
    # at 299792458 metres per second in vacuum" shares four of nine with the gold's four: 8/13.
    assert local.f1 == pytest.approx((1 / 3 + 8 / 13) / 2)
    assert local.f1_low < local.f1 < local.f1_high
    assert local.f1 > floor.f1
    assert (floor.gold_contained, floor.grounded, floor.exact_match) == (1.0, 1.0, 0.0)
    assert evaluation.findable == 1.0
    assert local.seconds_p50
    assert local.seconds_p95
    assert local.first_seconds_p50
    assert 0 < local.first_seconds_p50 <= local.seconds_p50 <= local.seconds_p95


async def test_tokens_and_cost_are_added_up() -> None:
    figures = (await evaluate_generator({"gemini": ScriptedGenerator(RIGHT)}, [UNIT, LIGHT])).of("gemini")
    assert (figures.input_tokens, figures.output_tokens, figures.cost) == (200, 20, 1.0)


async def test_silence_is_right_where_there_is_no_answer_and_wrong_elsewhere() -> None:
    silent = ScriptedGenerator({UNIT.question: "unanswerable", ORIGIN.question: "unanswerable"})
    figures = (await evaluate_generator({"local": silent}, [UNIT, ORIGIN])).of("local")
    assert (figures.abstained, figures.f1, figures.exact_match) == (1.0, 0.5, 0.5)
    assert (figures.unanswerable_f1, figures.answerable_f1, figures.gold_contained) == (1.0, 0.0, 0.0)
    assert (figures.grounded, figures.first_seconds_p50) == (None, None)


async def test_a_question_for_which_nothing_was_found_is_not_asked() -> None:
    generator = ScriptedGenerator(RIGHT)
    lost = Sample("lost", "What is lost?", ("a key",))
    evaluation = await evaluate_generator({"local": generator}, [lost, UNIT])
    assert generator.asked == [UNIT.question]
    assert evaluation.generators[0].outcomes[0].answer == ""
    figures = evaluation.of("local")
    assert (figures.abstained, evaluation.findable) == (0.5, 0.5)
    assert figures.seconds_p50 == evaluation.generators[0].outcomes[1].seconds
    nobody = (await evaluate_generator({"local": generator}, [lost])).of("local")
    assert (nobody.seconds_p50, nobody.seconds_p95, nobody.abstained) == (None, None, 1.0)


async def test_what_is_made_up_slow_or_blocked_is_answered_by_the_extractive_one_and_counted() -> None:
    generator = ScriptedGenerator(
        {
            UNIT.question: "The unit of force is the potrzebie, which Donald Knuth invented in 1957 in Milwaukee.",
            LIGHT.question: 30.0,
            ORIGIN.question: AnswerBlockedError("It is blocked.", ""),
        }
    )
    conditions = Conditions(ChainLimits(first_token=0.05, whole=0.1))
    evaluation = await evaluate_generator({"local": generator}, [UNIT, LIGHT, ORIGIN], conditions)
    figures, outcomes = evaluation.of("local"), evaluation.generators[0].outcomes
    assert figures.fell_back == 1.0
    assert figures.fell_back_because == {
        "empty, or not borne out by the passages": 1,
        "failed, too slow, or without an end": 1,
        "blocked by safety rules": 1,
    }
    assert "newton" in outcomes[0].answer
    assert {outcome.wrote for outcome in outcomes} == {"extractive"}
    assert figures.grounded is None
    assert outcomes[1].seconds >= 0.05


async def test_an_evaluation_ends_where_the_generator_refuses_us() -> None:
    generator = ScriptedGenerator({UNIT.question: GeneratorRefusedError("The key is wrong.", "Set another.")})
    with pytest.raises(GeneratorRefusedError, match="The key is wrong"):
        await evaluate_generator({"gemini": generator}, [UNIT, LIGHT])
    assert generator.asked == [UNIT.question]


async def test_it_ends_as_well_where_the_generator_cannot_be_reached_time_and_again() -> None:
    down = GeneratorUnreachableError("The server is down.", "Start it.")
    samples = [_sample(f"What is the unit of force, {number}?", "newton") for number in range(9)]
    now_and_then = ScriptedGenerator(
        {sample.question: down if at % 5 else RIGHT[UNIT.question] for at, sample in enumerate(samples)}
    )
    figures = (await evaluate_generator({"openai": now_and_then}, samples)).of("openai")
    assert figures.fell_back_because == {"not reached": 7}
    never = ScriptedGenerator({sample.question: down for sample in samples})
    with pytest.raises(GeneratorUnreachableError):
        await evaluate_generator({"openai": never}, samples)
    assert len(never.asked) == 5


async def test_a_generator_is_made_ready_before_its_time_is_taken_or_the_reason_is_told() -> None:
    ready = ScriptedGenerator(RIGHT)
    await evaluate_generator({"local": ready}, [UNIT])
    assert ready.warmed_up

    class Missing(ScriptedGenerator):
        async def warm_up(self) -> None:
            raise ModelMissingError("There is no model.", "Pull one.")

    missing = Missing(RIGHT)
    with pytest.raises(ModelMissingError):
        await evaluate_generator({"local": missing}, [UNIT])
    assert missing.asked == []


async def test_several_questions_are_asked_at_once_where_that_is_wanted() -> None:
    barrier = asyncio.Barrier(2)

    class Together(ScriptedGenerator):
        async def stream(
            self,
            question: str,
            passages: Sequence[GroundingPassage],
            history: Sequence[Turn] = (),
            spent: Spent = lambda usage: None,
        ) -> AsyncIterator[str]:
            await barrier.wait()
            async for piece in super().stream(question, passages, history, spent):
                yield piece

    evaluation = await evaluate_generator({"local": Together(RIGHT)}, [UNIT, LIGHT], Conditions(at_once=2))
    assert [outcome.sample for outcome in evaluation.generators[0].outcomes] == [UNIT, LIGHT]
    assert evaluation.of("local").fell_back == 0.0


async def test_the_gain_of_a_better_generator_lies_above_nothing() -> None:
    samples = [_sample(f"What is the unit of force, {number}?", "newton") for number in range(12)]
    better = ScriptedGenerator({sample.question: "The unit is the newton." for sample in samples})
    evaluation = await evaluate_generator({"extractive": ExtractiveGenerator(), "local": better}, samples)
    low, high = evaluation.gain("extractive", "local")
    assert 0 < low <= high
    assert evaluation.gain("local", "local") == (0.0, 0.0)


async def test_nothing_to_evaluate_is_said() -> None:
    with pytest.raises(EvaluationError, match="nothing to evaluate"):
        await evaluate_generator({"extractive": ExtractiveGenerator()}, [])
    with pytest.raises(EvaluationError, match="nothing to evaluate"):
        await evaluate_generator({}, [UNIT])
