"""What the questions of an evaluation are given to answer from, and which of them are asked."""

import asyncio
from pathlib import Path

import pytest

from bot.evaluating import EvaluationOptions, drawn, evaluate_answers, names_of
from bot.evaluation_passages import with_passages
from bot.settings import Settings
from models.errors import EvaluationError
from models.evaluation.squad import Sample, SampleFile

SENTENCE = "Nothing is said here that anybody would ask about, in the words of paragraph number {}. "
SAMPLES = [Sample(f"q{number}", f"What is in paragraph {number}?", ("nothing",), "Nothing.") for number in range(50)]


def _options(limit: int | None = None, seed: int = 0) -> EvaluationOptions:
    return EvaluationOptions(limit=limit, seed=seed)


def test_a_limit_draws_the_same_questions_for_the_same_seed_in_the_files_order() -> None:
    first, again, other = (drawn(SAMPLES, _options(10, seed)) for seed in (1, 1, 2))
    assert len(first) == 10
    assert first == again != other
    assert list(first) == sorted(first, key=SAMPLES.index)
    assert drawn(SAMPLES, _options(99)) == drawn(SAMPLES, _options()) == SAMPLES


def test_a_short_context_is_given_whole_and_a_long_one_by_its_best_passages(settings: Settings) -> None:
    long = "\n\n".join(SENTENCE.format(number) * 12 for number in range(30)) + "\n\nThe lantern hangs in the cellar."
    asked = "Where does the lantern hang?"
    short, cut = with_passages(
        [Sample("a", asked, ("cellar",), "It hangs in the cellar.", "Lantern"), Sample("b", asked, ("cellar",), long)],
        settings,
    )
    assert [(one.number, one.title, one.text) for one in short.passages] == [(1, "Lantern", "It hangs in the cellar.")]
    assert [one.number for one in cut.passages] == [1, 2, 3, 4, 5]
    assert "The lantern hangs in the cellar." in cut.passages[0].text
    assert all(len(one.text) <= settings.knowledge.passage_length for one in cut.passages)


def test_a_question_without_a_context_is_looked_up_and_one_about_something_else_finds_nothing(
    settings: Settings,
) -> None:
    found, lost = with_passages(
        [Sample("a", "When does the office open?", ("8",)), Sample("b", "Who painted the ceiling?", ("nobody",))],
        settings,
    )
    assert "8 in the morning" in found.passages[0].text
    assert lost.passages == ()


def test_contexts_alone_make_the_knowledge_base_where_that_is_wanted(settings: Settings, tmp_path: Path) -> None:
    samples = [
        Sample("a", "What does the lantern hang on?", ("a hook",), "The lantern hangs on a hook.", "Lantern"),
        Sample("b", "Where does the kettle stand?", ("stove",), "The kettle stands on the stove.", "Kettle"),
        Sample("c", "When does the office open?", ("8",), "The barrel is empty.", "Barrel"),
    ]
    lantern, kettle, office = with_passages(samples, settings, samples)
    assert lantern.passages[0].text == "The lantern hangs on a hook."
    assert kettle.passages[0].title == "Kettle"
    assert office.passages == ()
    with pytest.raises(EvaluationError, match="no question has a context"):
        with_passages([], settings, [Sample("a", "What?", ("that",))])


def test_the_generators_of_the_chain_and_the_extractive_one_are_asked_where_none_is_named(settings: Settings) -> None:
    chained = settings.model_copy(update={"generation": settings.generation.model_copy(update={"chain": ("openai",)})})
    assert names_of(chained, EvaluationOptions()) == ["openai", "extractive"]
    assert names_of(settings, EvaluationOptions()) == ["extractive"]
    assert names_of(settings, EvaluationOptions(("local", "local"))) == ["local"]


def test_a_file_is_evaluated_from_end_to_end(settings: Settings) -> None:
    file = SampleFile((Sample("a", "What does the lantern hang on?", ("a hook",), "The lantern hangs on a hook."),), 0)
    told: list[tuple[str, int]] = []
    evaluation = asyncio.run(
        evaluate_answers(settings, file, EvaluationOptions(), lambda *progress: told.append(progress))
    )
    assert evaluation.of("extractive").gold_contained == 1.0
    assert told == [("extractive", 1)]
    assert evaluation.notes == ()
