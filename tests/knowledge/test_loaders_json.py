"""JSON lists: what loads, and how each bad thing is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.loaders import Loaded, LoadLimits, SourceFile, load_file

Load = Callable[..., Loaded]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(content: str | bytes, **limits: int) -> Loaded:
        path = tmp_path / "items.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_file(SourceFile(path, "items.json"), LoadLimits(**limits))

    return load


def said(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.problems]


def the_problem(loaded: Loaded) -> str:
    assert len(loaded.problems) == 1, said(loaded)
    return str(loaded.problems[0])


def texts(loaded: Loaded) -> list[str]:
    return [document.text for document in loaded.documents]


def test_a_list_of_contexts_loads_with_the_line_of_each(load: Load) -> None:
    loaded = load('[\n  {"context": "Mass resists."},\n  {"context": "Force pushes."}\n]\n')
    assert [(d.text, d.source, d.location) for d in loaded.documents] == [
        ("Mass resists.", "items.json", "item 1, line 2"),
        ("Force pushes.", "items.json", "item 2, line 3"),
    ]
    assert loaded.problems == []


def test_title_url_and_tags_come_with_the_text(load: Load) -> None:
    item = {"context": "V = I R.", "title": " Ohm's \n law ", "url": "https://x.org/ohm", "tags": ["a", " b  c ", "a"]}
    (document,) = load(json.dumps([item])).documents
    assert (document.title, document.url, document.tags) == ("Ohm's law", "https://x.org/ohm", ("a", "b c"))


def test_tags_may_be_a_text_with_commas(load: Load) -> None:
    assert load('[{"context": "A", "tags": "one, two,,one"}]').documents[0].tags == ("one", "two")


def test_a_question_with_its_answer_is_a_ready_answer(load: Load) -> None:
    (document,) = load('[{"question": "What is\\n g?", "answer": "9.81 m/s²."}]').documents
    assert (document.question, document.text) == ("What is g?", "9.81 m/s².")


def test_a_line_of_a_beir_corpus_loads_without_a_word(load: Load) -> None:
    loaded = load('[{"_id": "p1", "title": "T", "text": "B", "metadata": {}}]')
    assert [(d.title, d.text) for d in loaded.documents] == [("T", "B")]
    assert loaded.problems == []


def test_one_item_alone_is_a_list_of_one(load: Load) -> None:
    loaded = load('\n{"context": "Alone."}\n')
    assert [(d.text, d.location) for d in loaded.documents] == [("Alone.", "line 2")]
    assert loaded.problems == []


def test_a_blank_title_and_null_fields_are_fine(load: Load) -> None:
    loaded = load('[{"context": "A", "title": "  ", "url": null, "tags": null}]')
    assert texts(loaded) == ["A"]
    assert loaded.problems == []


def test_names_of_fields_may_be_written_with_capitals(load: Load) -> None:
    loaded = load('[{"Context": "A", " TITLE": "B"}]')
    assert [(d.text, d.title) for d in loaded.documents] == [("A", "B")]
    assert loaded.problems == []


def test_an_unknown_field_that_resembles_none_is_passed_over(load: Load) -> None:
    assert load('[{"context": "A", "author": "me", "context_id": 7}]').problems == []


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        ("", "items.json:", "empty"),
        (" \n\t\n", "items.json:", "blank space"),
        ("[]", "items.json:1:1:", "list is empty"),
        ("{}", "items.json:", "an empty object"),
        ('{"data": [{"context": "A"}], "version": 1}', "items.json:", "one object with “data”, “version”"),
        ('"text"', "items.json:", "one value"),
        ("hello", "items.json:1:1:", "not JSON"),
        ('[{"context": "A",}]', "items.json:1:17:", "comma before the closing bracket"),
        ("[{'context': 'A'}]", "items.json:1:3:", "not a quote in JSON"),
        ('[{"context": None}]', "items.json:1:14:", "None is not JSON"),
        ("[// note\n]", "items.json:1:2:", "no comments"),
        ('[{"context": "a\nb"}]', "items.json:1:16:", "line break or control character"),
        (r'[{"context": "C:\dir"}]', "items.json:1:17:", "\\"),
        ('[{"context" "A"}]', "items.json:1:13:", "Expecting ':' delimiter"),
        ("[" * 100_000, "items.json:1:2:", "nested too deeply"),
        ('[{"context": ' + '{"a":' * 100_000, "items.json:1:2:", "nested too deeply"),
    ],
)
def test_a_file_that_gives_nothing_says_where_and_why(load: Load, content: str, place: str, words: str) -> None:
    loaded = load(content)
    assert loaded.documents == []
    assert the_problem(loaded).startswith(place)
    assert words in the_problem(loaded)


@pytest.mark.parametrize(
    ("rest", "place", "words"),
    [
        (",\n  ]", ":1:18:", "comma before the closing bracket"),
        ("\n {}]", ":2:2:", "comma or a closing bracket is missing"),
        (',\n {"context": "B', ":2:14:", "never ends"),
        (',\n {"context": "B"', ":2:17:", "ends in the middle"),
        (",", ":1:19:", "ends in the middle"),
        ("", ":1:18:", "ends in the middle"),
        ('] {"context": "B"}', ":1:20:", "after the end of the JSON"),
        (',{"context": "say "B""}]', ":1:37:", '\\" for a quote'),
    ],
)
def test_the_items_before_a_broken_place_load(load: Load, rest: str, place: str, words: str) -> None:
    loaded = load('[{"context": "A"}' + rest)
    assert texts(loaded) == ["A"]
    assert the_problem(loaded).startswith(f"items.json{place}")
    assert words in the_problem(loaded)
    assert "not read" in the_problem(loaded)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ('"just a text"', "The item is a text, not an object"),
        ("[1]", "The item is a list, not an object"),
        ("null", "The item is null, not an object"),
        ("7", "The item is a number, not an object"),
        ("true", "The item is true or false, not an object"),
        ("{}", "The item has no text"),
        ('{"context": null}', "The item has no text"),
        ('{"context": 5}', "(context): “context” is a number, not a text"),
        ('{"context": {"a": 1}}', "(context): “context” is an object, not a text"),
        ('{"context": NaN}', "NaN is not JSON"),
        ('{"context": ""}', "(context): “context” is empty"),
        ('{"context": " \\n "}', "(context): “context” is empty"),
        ('{"context": "\\u0000"}', "“context” is empty"),
        ('{"contxt": "B"}', "(contxt): The field “contxt” is not known. Did you mean “context”?"),
        ('{"question": "B?"}', "(question): There is a “question” without its “answer”"),
        ('{"answer": "B."}', "(answer): There is an “answer” without its “question”"),
        ('{"question": " ", "answer": "B."}', "(question): “question” is empty"),
        ('{"question": "B?", "answer": 5}', "(answer): “answer” is a number"),
    ],
)
def test_an_item_without_a_text_is_named_and_its_neighbours_load(load: Load, item: str, words: str) -> None:
    loaded = load(f'[{{"context": "A"}},\n{item},\n{{"context": "C"}}]')
    assert texts(loaded) == ["A", "C"]
    assert any(words in line for line in said(loaded)), said(loaded)
    assert all(problem.line == 2 and problem.column for problem in loaded.problems)


@pytest.mark.parametrize(
    ("fields", "column", "words"),
    [
        ('"titel": "T"', 18, "(titel): The field “titel” is not known. Did you mean “title”?"),
        ('"title": 5', 18, "(title): “title” is a number"),
        ('"tags": 5', 18, "(tags): “tags” is a number"),
        ('"tags": ["a", 5]', 18, "(tags): “tags” holds something that is not a text"),
        ('"url": "javascript:alert(1)"', 18, "(url): “javascript:alert(1)” is not a link"),
        ('"url": "java\\nscript:alert(1)"', 18, "is not a link"),
        ('"url": "//x.org"', 18, "is not a link"),
        ('"url": "https://["', 18, "is not a link"),
        ('"url": "mailto:"', 18, "is not a link"),
        ('"url": "data:text/html,x"', 18, "is not a link"),
        ('"score": NaN', 1, "NaN is not JSON"),
        ('"score": [1, {"x": -Infinity}]', 1, "-Infinity is not JSON"),
        ('"title": "a\\u0000b"', 18, "1 control character was left out, the first is U+0000"),
        ('"title": "\\ud800b"', 18, "replaced by \ufffd"),
        ('"question": "Q?"', 18, "There is a “question” without its “answer”"),
        ('"x": 1, "title": "' + "t" * 301 + '"', 26, "has 301 characters; it was cut"),
    ],
)
def test_a_bad_field_is_named_and_the_rest_of_the_item_loads(load: Load, fields: str, column: int, words: str) -> None:
    loaded = load(f'[\n{{"context": "A", {fields}}}]')
    assert texts(loaded) == ["A"]
    assert words in the_problem(loaded)
    assert (loaded.problems[0].line, loaded.problems[0].column) == (2, column)
    assert loaded.documents[0].url == ""


def test_a_field_on_a_later_line_is_named_with_that_line(load: Load) -> None:
    loaded = load('[\n  {\n    "context": "A",\n    "tags": 5\n  }\n]')
    assert the_problem(loaded).startswith("items.json:4:5 (tags):")


def test_a_name_given_twice_is_said_and_the_last_value_counts(load: Load) -> None:
    loaded = load('[{"context": "A", "context": "B"}]')
    assert texts(loaded) == ["B"]
    assert "items.json:1:19 (context): The field is given more than once" in the_problem(loaded)


def test_a_context_beside_a_ready_answer_is_said_to_be_unused(load: Load) -> None:
    loaded = load('[{"context": "C", "question": "Q?", "answer": "A."}]')
    assert texts(loaded) == ["A."]
    assert "“context” is not used" in the_problem(loaded)


def test_control_characters_and_broken_signs_never_reach_a_document(load: Load) -> None:
    loaded = load('[{"context": "a\\u0000b\\u001b[31m \\ud800 \\r\\nc\\tand\\fe", "tags": ["x\\u0007"]}]')
    assert loaded.documents[0].text == "ab[31m \ufffd \nc\tand e"
    assert loaded.documents[0].tags == ("x",)
    assert len(loaded.problems) == 2


def test_a_surrogate_pair_is_one_sign_and_no_problem(load: Load) -> None:
    loaded = load('[{"context": "\\ud83d\\ude00"}]')
    assert texts(loaded) == ["😀"]
    assert loaded.problems == []


def test_what_could_break_out_of_a_link_is_encoded(load: Load) -> None:
    (document,) = load('[{"context": "A", "url": "https://x.org/a b<c>\\"d\\u202e"}]').documents
    assert document.url == "https://x.org/a%20b%3Cc%3E%22d%E2%80%AE"


def test_a_number_of_ten_thousand_digits_does_no_harm(load: Load) -> None:
    assert texts(load('[{"context": "A", "n": ' + "7" * 10_000 + "}]")) == ["A"]


def test_problems_are_counted_after_the_first_hundred(load: Load) -> None:
    loaded = load(json.dumps([5] * 150))
    assert len(loaded.problems) == 101
    assert "50 more problems" in said(loaded)[-1]


def test_items_after_the_limit_are_not_read(load: Load) -> None:
    loaded = load('[{"context": "A"}, {"context": "B"}, {"context": "C"}]', documents=2)
    assert texts(loaded) == ["A", "B"]
    assert "more than 2 items" in the_problem(loaded)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters(), max_size=20),
    lambda children: st.lists(children) | st.dictionaries(st.sampled_from(["context", "tags", "url", "q"]), children),
    max_leaves=12,
)


@settings(deadline=None)
@given(items=st.lists(JSON_VALUES, max_size=6), good=st.integers(0, 6))
def test_a_good_item_loads_whatever_json_stands_around_it(
    tmp_path_factory: pytest.TempPathFactory, items: list[Any], good: int
) -> None:
    items.insert(good, {"context": "I am good."})
    path = tmp_path_factory.mktemp("any") / "any.json"
    path.write_text(json.dumps(items, indent=1))
    loaded = load_file(SourceFile(path, "any.json"))
    document = next(document for document in loaded.documents if document.text == "I am good.")
    line = int(document.location.rpartition(" ")[2])
    assert "I am good" in "".join(path.read_text().split("\n")[line - 1 : line + 1])
    for found in loaded.documents:
        found.text.encode()
