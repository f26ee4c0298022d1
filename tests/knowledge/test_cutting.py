"""Cutting: nothing is lost, nothing is torn that belongs together, and each passage knows its place."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.cutting import LONGEST, OVERLAP, cut
from knowledge.cutting.sentences import sentences
from knowledge.passages import Document, Passage


def document(text: str, **fields: object) -> Document:
    return Document(text, "notes.md", "item 3, line 7", **fields)  # type: ignore[arg-type]


def cut_texts(text: str, longest: int = 100, overlap: int = 0) -> list[str]:
    return [passage.text for passage in cut(document(text), longest, overlap)]


def bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


FORTY = [f"Sentence number {number} says something of its own." for number in range(40)]


def test_a_text_that_fits_stays_whole_with_all_its_fields() -> None:
    whole = document("# A\n\nShort.\n\n# B\n\nToo.", title="T", url="https://x.org", tags=("a",))
    assert cut(whole) == [
        Passage(whole.text, "notes.md", "item 3, line 7", title="T", url="https://x.org", tags=("a",))
    ]


def test_a_blank_text_gives_no_passage() -> None:
    assert cut(document(" \n ")) == []


def test_a_ready_answer_is_never_cut() -> None:
    (passage,) = cut(document("Long. " * 1000, question="Why?"))
    assert passage.text == "Long. " * 1000
    assert passage.question == "Why?"


def test_a_long_text_is_cut_where_sentences_end() -> None:
    passages = cut(document(" ".join(FORTY)))
    assert len(passages) > 1
    for passage in passages:
        assert len(passage.text) <= LONGEST
        assert passage.text.startswith("Sentence number")
        assert passage.text.endswith("of its own.")


def test_passages_overlap_by_whole_sentences() -> None:
    texts = [passage.text for passage in cut(document(" ".join(FORTY)))]
    for before, after in pairwise(texts):
        repeated = next(after[:size] for size in range(OVERLAP, 0, -1) if before.endswith(after[:size]))
        assert 1 <= len(sentences(repeated)) <= 4
        assert all(sentence.strip() in FORTY for sentence in sentences(repeated))


def test_passages_are_about_equally_long() -> None:
    lengths = [len(passage.text) for passage in cut(document(" ".join(FORTY[:30])))]
    assert min(lengths) > max(lengths) / 2


def test_a_heading_starts_a_passage_and_is_not_left_alone() -> None:
    texts = cut_texts(
        "Before it.\n\n# One\n\n## Two\n\nFirst text.\n\nThree\n=====\n\nSecond text. It ends the section.",
        longest=60,
    )
    assert texts == [
        "Before it.",
        "# One\n\n## Two\n\nFirst text.",
        "Three\n=====\n\nSecond text. It ends the section.",
    ]


def test_nothing_is_repeated_over_a_heading() -> None:
    texts = cut_texts("A first sentence.\n\n# Heading\n\n" + " ".join(FORTY[:3]), overlap=50)
    assert texts[1].startswith("# Heading")


FENCE = "```python\nfirst = 1\n\n# no heading. It is code.\nsecond = 2\n```"
TABLE = "| name | value |\n|---|---|\n| mass. Force | 1 |\n| time | 2 |"


@pytest.mark.parametrize("block", [FENCE, TABLE, "  ~~~\n  a. B\n\n  c. D\n  ~~~"])
def test_code_and_tables_are_never_torn(block: str) -> None:
    text = f"- Some words before it. {FORTY[0]}\n\n{block}\n\nSome words after it. {FORTY[1]}"
    assert sum(block in passage for passage in cut_texts(text)) == 1


def test_a_fence_that_is_too_long_is_closed_and_opened_again() -> None:
    lines = [f"value_{number} = {number}" for number in range(30)]
    texts = cut_texts("Look:\n\n```python\n" + "\n".join(lines) + "\n```\n\nDone.")
    code = texts[1:-1]
    assert len(code) > 2
    assert all(text.startswith("```python\n") and text.endswith("\n```") for text in code)
    assert [line for text in code for line in text.split("\n")[1:-1]] == lines


def test_a_fence_in_a_list_is_opened_again_with_its_indentation() -> None:
    lines = [f"  value_{number} = {number}" for number in range(20)]
    texts = cut_texts("- ```\n" + "\n".join(lines) + "\n  ```")
    assert texts[0].startswith("- ```\n  value_0")
    assert all(text.startswith("  ```\n") and text.endswith("\n  ```") for text in texts[1:])


def test_a_table_that_is_too_long_has_its_header_on_every_part() -> None:
    rows = [f"| row {number} | {number} |" for number in range(30)]
    header = "| name | value |\n|---|---|\n"
    texts = cut_texts(header + "\n".join(rows))
    assert len(texts) > 2
    assert all(text.startswith(header) and len(text) <= 100 for text in texts)
    assert [row for text in texts for row in text.split("\n")[2:]] == rows


def test_the_heading_of_a_long_block_stands_over_its_first_part() -> None:
    texts = cut_texts("# Data\n\n```\n" + "\n".join(f"line {number}" for number in range(30)) + "\n```")
    assert texts[0].startswith("# Data\n\n```\nline 0\n")


def test_a_sentence_that_is_too_long_is_cut_between_words() -> None:
    words = [f"word{number}" for number in range(60)]
    texts = cut_texts(" ".join(words))
    assert [word for text in texts for word in text.split()] == words


def test_a_word_that_is_too_long_is_cut_between_whole_signs() -> None:
    sign = "e\u0301"
    texts = cut_texts("x" + sign * 120)
    assert "".join(texts) == "x" + sign * 120
    assert not any(text.startswith("\u0301") for text in texts)
    scientists = "🧑🏽‍🔬" * 60
    assert all(text.startswith("🧑") for text in cut_texts(scientists))


def test_parts_are_numbered_where_the_files_lines_are_not_known() -> None:
    passages = cut(document(" ".join(FORTY)))
    assert passages[0].location == f"item 3, line 7, part 1 of {len(passages)}"
    assert passages[-1].location == f"item 3, line 7, part {len(passages)} of {len(passages)}"


def test_parts_have_their_lines_where_these_are_known() -> None:
    text = "\n\n".join([*FORTY, "```\n" + "\n".join(f"code {number}" for number in range(300)) + "\n```"])
    lines = ["# Setup", "", *text.split("\n")]
    passages = cut(Document(text, "a.md", "Setup, line 1", title="Setup", first_line=3))
    assert passages[0].location == "Setup, line 1"
    assert passages[0].first_line is None
    for passage in passages[1:]:
        line = int(passage.location.removeprefix("Setup, line "))
        assert lines[line - 1] in passage.text.split("\n")[:2]  # a fence that is opened again stands on no line


@pytest.mark.parametrize(("longest", "overlap"), [(39, 0), (100, -1), (100, 51)])
def test_sizes_that_make_no_sense_are_refused(longest: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="longest must be 40 or more"):
        cut(document("A"), longest, overlap)


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=60)
ENDS = st.sampled_from([" ", ". ", "? ", "\n", "\n\n", ", "])
PROSE = st.lists(st.tuples(WORDS, ENDS), max_size=80).map(lambda parts: "".join(map("".join, parts)))
MARKUP = st.lists(
    st.sampled_from(
        [
            FENCE,
            TABLE,
            "# Heading",
            "- item. More",
            "> quoted",
            "```",
            "|---|",
            "word. " * 30,
            "x" * 150,
            "===",
            "    code",
        ]
    ),
    max_size=15,
).map("\n".join)


@settings(deadline=None)
@given(text=PROSE, longest=st.integers(40, 300))
def test_without_overlap_the_passages_are_the_text(text: str, longest: int) -> None:
    texts = cut_texts(text, longest)
    if "```" not in text and "~~~" not in text and "|" not in text:
        assert bare("".join(texts)) == bare(text)
    assert all(len(passage) <= longest for passage in texts) or len(text) <= longest


@settings(deadline=None)
@given(text=st.one_of(PROSE, MARKUP, st.text(max_size=500)), longest=st.integers(40, 300), share=st.integers(0, 50))
def test_no_passage_is_blank_or_too_long_and_no_word_is_lost(text: str, longest: int, share: int) -> None:
    texts = cut_texts(text, longest, longest * share // 100)
    assert all(passage.strip() and len(passage) <= longest for passage in texts)
    everything = bare("".join(texts))
    for word in text.split():
        if len(word) < 20:
            assert word in everything


@settings(deadline=None)
@given(count=st.integers(1, 120), longest=st.integers(60, 600), share=st.integers(0, 50))
def test_every_sentence_is_whole_in_some_passage_and_in_order(count: int, longest: int, share: int) -> None:
    wanted = [f"Here is sentence {number} of them." for number in range(count)]
    texts = cut_texts(" ".join(wanted), longest, longest * share // 100)
    held = [re.findall(r"Here is sentence (\d+) of them\.", text) for text in texts]
    assert [" ".join(wanted[int(number)] for number in numbers) for numbers in held] == texts
    firsts = [int(numbers[0]) for numbers in held]
    assert firsts == sorted(set(firsts))
    assert {int(number) for numbers in held for number in numbers} == set(range(count))
