import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import TrainingError
from models.evaluation.squad import Sample
from models.generation import GroundingPassage
from models.training.data import Examples, answer_text, read_pairs, split
from tests.models.training_pairs import new_pairs, written


def refused(file: Path) -> str:
    with pytest.raises(TrainingError) as caught:
        read_pairs(file)
    return str(caught.value)


def sample(question: str, context: str = "", answer: str = "yes") -> Sample:
    return Sample(question, question, (answer,), context, "", (GroundingPassage(1, context or "."),))


def test_pairs_are_read_with_their_hash_and_duplicates_are_counted(tmp_path: Path) -> None:
    lines = new_pairs(4)
    pairs = read_pairs(written(tmp_path, [*lines, lines[0]]))
    assert [one.question for one in pairs.samples] == [line["question"] for line in lines]
    assert pairs.duplicates == 1
    assert len(pairs.sha256) == 64
    assert pairs.size == pairs.path.stat().st_size


def test_a_line_that_is_not_json_is_named(tmp_path: Path) -> None:
    file = written(tmp_path, new_pairs(2))
    file.write_text(file.read_text() + "{oops\n")
    assert "pairs.jsonl, line 3" in refused(file)
    assert "not JSON" in refused(file)


@pytest.mark.parametrize("field", ["question", "answer"])
def test_a_missing_field_is_named_with_its_line(tmp_path: Path, field: str) -> None:
    lines = new_pairs(3)
    del lines[1][field]
    message = refused(written(tmp_path, lines))
    assert "line 2" in message
    assert repr(field) in message


def test_an_empty_question_is_named_with_its_line(tmp_path: Path) -> None:
    lines = new_pairs(3)
    lines[2]["question"] = "  "
    assert "line 3: 'question' is empty" in refused(written(tmp_path, lines))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert "is empty" in refused(written(tmp_path, []))


def test_a_single_pair_is_refused(tmp_path: Path) -> None:
    assert "holds one pair" in refused(written(tmp_path, new_pairs(1)))


def test_a_file_that_is_not_utf8_is_named_with_the_place(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_bytes('{"question": "Wie groß?", "answer": "so"}\n'.encode("latin-1"))
    assert "not UTF-8 (byte 21)" in refused(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "nowhere.jsonl cannot be read" in refused(tmp_path / "nowhere.jsonl")


def test_a_pair_without_an_answer_teaches_to_say_that_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    lines = [{"question": "Who?", "answer": None, "context": "Rain."}, *new_pairs(1)]
    file.write_text("\n".join(map(json.dumps, lines)))
    assert answer_text(read_pairs(file).samples[0]) == "unanswerable"


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=2, max_size=60),
    st.floats(0.01, 0.9),
    st.integers(0, 5),
)
def test_no_question_and_no_context_stands_on_both_sides(
    places: list[tuple[int, int]], share: float, seed: int
) -> None:
    samples = [sample(f"Question {question}?", f"Context {context}") for question, context in places]
    try:
        parts = split(samples, share, seed)
    except TrainingError:
        return
    assert parts.training
    assert parts.held_out
    assert sorted(map(id, (*parts.training, *parts.held_out))) == sorted(map(id, samples))
    assert not {one.question for one in parts.training} & {one.question for one in parts.held_out}
    assert not {one.context for one in parts.training} & {one.context for one in parts.held_out}


def test_about_the_wanted_share_is_held_out_and_the_same_with_the_same_seed() -> None:
    samples = [sample(f"Question {at}?") for at in range(100)]
    parts = split(samples, 0.2, seed=3)
    assert len(parts.held_out) == 20
    assert split(samples, 0.2, seed=3) == parts
    assert split(samples, 0.2, seed=4) != parts


def test_questions_that_differ_in_case_and_marks_alone_stay_together() -> None:
    samples = [sample("How far is it?"), sample("how far is it"), sample("Another one?")]
    parts = split(samples, 0.3, seed=0)
    assert {len(parts.training), len(parts.held_out)} == {1, 2}


def test_pairs_that_all_share_a_context_are_refused() -> None:
    with pytest.raises(TrainingError, match="in common"):
        split([sample(f"Question {at}?", "The same context.") for at in range(5)], 0.2, 0)


def examples(tiny_t5: Path, window: int = 512, longest: int = 20) -> Examples:
    from models.generation.engines.prompts import instructed
    from models.generation.engines.vocabulary import Vocabulary

    vocabulary = Vocabulary.from_folder(tiny_t5, "tiny")
    return Examples(vocabulary, instructed(vocabulary), window, longest, [1])


def test_an_answer_that_is_too_long_is_dropped_and_counted(tiny_t5: Path) -> None:
    made = examples(tiny_t5, longest=20)
    found = made.of([sample("Where?", "Here.", "The lantern is kept in the cellar. " * 5), sample("Where?", "Here.")])
    assert (len(found), made.too_long, made.cut) == (1, 1, 0)
    assert found[0].answer[-1] == 1


def test_a_context_longer_than_the_window_is_cut_and_counted(tiny_t5: Path) -> None:
    made = examples(tiny_t5, window=100)
    found = made.of([sample("Where is the lantern kept?", "The lantern is kept in the cellar. " * 50)])
    assert found[0].is_cut
    assert len(found[0].prompt) <= 100
    assert (made.too_long, made.cut) == (0, 1)


def test_a_question_longer_than_the_window_is_dropped_and_counted(tiny_t5: Path) -> None:
    made = examples(tiny_t5, window=100)
    assert made.of([sample("Where is the lantern kept? " * 40, "Here.")]) == []
    assert made.too_long == 1


def test_an_answer_cannot_end_the_text_with_a_token_of_its_own(tiny_t5: Path) -> None:
    found = examples(tiny_t5).of([sample("Where?", "Here.", "In the cellar.</s>")])
    assert found[0].answer.count(1) == 1
