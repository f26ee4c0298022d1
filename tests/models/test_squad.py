"""Reading questions with their right answers, and what is said of files that hold none."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import EvaluationError
from models.evaluation.squad import Sample, SampleFile, read_samples

SHARED = Path(__file__).parents[2].parent / "shared"

FORCE = "A force changes how a body moves."


def _written(folder: Path, text: str, name: str = "qa.json") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def _squad(*asked: dict[str, Any], context: str = FORCE, title: str = "The_force") -> str:
    return json.dumps(
        {"version": "v2.0", "data": [{"title": title, "paragraphs": [{"context": context, "qas": asked}]}]}
    )


def _read(folder: Path, text: str, name: str = "qa.json") -> SampleFile:
    return read_samples(_written(folder, text, name))


def _refusal(folder: Path, text: str, name: str = "qa.json") -> str:
    with pytest.raises(EvaluationError) as caught:
        _read(folder, text, name)
    assert caught.value.fix
    return caught.value.message.replace(f"{folder}/", "")


def test_a_file_of_squad_1_is_read_with_all_right_answers(tmp_path: Path) -> None:
    answers = [{"text": "how a body moves", "answer_start": 16}, {"text": " motion "}, {"text": "how a body moves"}]
    file = _read(tmp_path, _squad({"id": "q1", "question": "What does a force change?", "answers": answers}))
    golds = ("how a body moves", "motion")
    assert file == SampleFile((Sample("q1", "What does a force change?", golds, FORCE, "The force"),), 0)


def test_questions_of_squad_2_without_an_answer_are_known_by_either_sign(tmp_path: Path) -> None:
    impossible = {"id": "a", "question": "Who?", "is_impossible": True, "plausible_answers": [{"text": "a body"}]}
    empty = {"id": "b", "question": "Where?", "answers": [], "is_impossible": False}
    told = {"id": "c", "question": "What?", "answers": [{"text": "a force"}], "is_impossible": False}
    file = _read(tmp_path, _squad(impossible, empty, told))
    assert [(sample.key, sample.answerable) for sample in file.samples] == [("a", False), ("b", False), ("c", True)]


def test_json_lines_may_leave_the_context_out_and_give_one_answer_many_or_none(tmp_path: Path) -> None:
    lines = (
        '{"question": "What is c?", "answer": "the speed of light"}\n'
        "\n"
        '{"question": "What is F?", "answer": ["force", "a force"], "context": "F is a force.", "id": 7}\r\n'
        '{"question": "What is x?", "answer": null}\n'
        '{"question": "What is g?", "answers": {"text": ["9.81 m/s²"], "answer_start": [0]}}'
    )
    samples = _read(tmp_path, lines, "qa.txt").samples
    assert [(sample.key, sample.golds, sample.context) for sample in samples] == [
        ("line 1", ("the speed of light",), ""),
        ("7", ("force", "a force"), "F is a force."),
        ("line 4", (), ""),
        ("line 5", ("9.81 m/s²",), ""),
    ]


def test_what_is_said_twice_is_left_out_and_counted(tmp_path: Path) -> None:
    asked = {"question": "What?", "answers": [{"text": "a force"}]}
    file = _read(tmp_path, _squad(asked | {"id": "1"}, asked | {"id": "2"}))
    assert ([sample.key for sample in file.samples], file.repeated) == (["1"], 1)


def test_a_byte_order_mark_and_half_characters_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "qa.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"question": "What \\ud800?", "answer": "this"}')
    assert read_samples(path).samples[0].question == "What ??"


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("", "qa.json", "qa.json is empty."),
        ("\n \n", "qa.jsonl", "qa.jsonl is empty."),
        ("[1, 2", "qa.json", "qa.json, line 1, column 6: it is not JSON (Expecting ',' delimiter)."),
        ("[1, 2]", "qa.json", 'qa.json is not in SQuAD\'s layout: the list "data" is missing.'),
        ("{\n}", "qa.json", 'qa.json is not in SQuAD\'s layout: the list "data" is missing.'),
        ('{"data": {}}', "qa.json", "qa.json, the whole: 'data' is not a list."),
        ('{"data": []}', "qa.json", "qa.json holds no question."),
        ('{"data": [3]}', "qa.json", "qa.json, data[0]: it is not an object."),
        ('{"data": [{}]}', "qa.json", "qa.json, data[0]: the list 'paragraphs' is missing."),
        (
            '{"data": [{"paragraphs": [{"qas": []}]}]}',
            "qa.json",
            "qa.json, data[0].paragraphs[0]: the text 'context' is missing.",
        ),
        ('{"question": "What?"}\n', "qa.jsonl", "qa.jsonl, line 1: 'answer' is missing."),
        (
            '{"question": "What?", "answers": {"texts": ["x"]}}\n',
            "qa.jsonl",
            "qa.jsonl, line 1: 'answers' has no 'text'.",
        ),
        ('{"question": "", "answer": "x"}\n', "qa.jsonl", "qa.jsonl, line 1: 'question' is empty."),
        ('{"question": 3, "answer": "x"}\n', "qa.jsonl", "qa.jsonl, line 1: 'question' is not a text."),
        (
            '{"question": "a", "answer": "x"}\n{"question": "b", "answer": " "}',
            "qa.jsonl",
            "qa.jsonl, line 2: 'answer' holds an empty answer.",
        ),
        (
            '{"question": "a", "answer": [1]}\n',
            "qa.jsonl",
            "qa.jsonl, line 1: 'answer' holds an answer that is not a text.",
        ),
        ('{"question": "a", "answer": "x"}\n{"que', "qa.jsonl", "qa.jsonl, line 2, column 2: it is not JSON"),
        ("3\n", "qa.jsonl", "qa.jsonl, line 1: it is not an object."),
        ("[" * 100_000, "qa.json", "qa.json: it is not JSON that can be read"),
        (
            '{"question": "a", "answer": "x", "id": []}\n',
            "qa.jsonl",
            "qa.jsonl, line 1: 'id' is neither a text nor a number.",
        ),
    ],
)
def test_bad_input_is_named_with_its_place(tmp_path: Path, text: str, name: str, said: str) -> None:
    assert _refusal(tmp_path, text, name).startswith(said)


def test_a_question_of_squads_is_named_by_its_path(tmp_path: Path) -> None:
    place = "qa.json, data[0].paragraphs[0].qas[1]"
    good = {"id": "a", "question": "What?", "answers": []}
    assert _refusal(tmp_path, _squad(good, {"id": "b", "question": "What now?"})) == f"{place}: 'answers' is missing."
    both = {"id": "b", "question": "Who?", "answers": [{"text": "I"}], "is_impossible": True}
    assert _refusal(tmp_path, _squad(good, both)) == f"{place}: it 'is_impossible' and has answers."
    odd = {"id": "b", "question": "Who?", "answers": [], "is_impossible": "no"}
    assert _refusal(tmp_path, _squad(good, odd)) == f"{place}: 'is_impossible' is neither true nor false."


def test_contradictions_and_ids_used_twice_are_named_with_both_places(tmp_path: Path) -> None:
    told = {"id": "a", "question": "What?", "answers": [{"text": "a force"}]}
    said = _refusal(tmp_path, _squad(told, {"id": "b", "question": "What?", "answers": []}))
    assert said.startswith("qa.json, data[0].paragraphs[0].qas[1]: it asks what data[0].paragraphs[0].qas[0] asks;")
    said = _refusal(tmp_path, _squad(told, told | {"question": "What else?"}))
    assert said.endswith("qas[1]: the id is that of data[0].paragraphs[0].qas[0] already.")


def test_a_file_that_is_not_utf8_or_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "qa.json"
    with pytest.raises(EvaluationError, match=r"qa\.json cannot be read: No such file or directory"):
        read_samples(path)
    path.write_bytes('{"data": "Müller"}'.encode("latin-1"))
    with pytest.raises(EvaluationError, match=r"qa\.json is not UTF-8 \(byte 11\)"):
        read_samples(path)


@given(st.text(alphabet='{}[]":,0 \nadtquesionwr', max_size=60))
def test_any_text_is_read_or_refused_in_a_sentence(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    # What is raised besides the refusal fails the test.
    with contextlib.suppress(EvaluationError):
        assert _read(tmp_path_factory.getbasetemp(), text).samples


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not on this machine")
def test_xquad_is_read_whole() -> None:
    file = read_samples(SHARED / "data" / "xquad" / "xquad.en.json")
    assert (len(file.samples), file.repeated) == (1187, 3)
    assert all(sample.answerable and sample.golds[0] in sample.context for sample in file.samples)
