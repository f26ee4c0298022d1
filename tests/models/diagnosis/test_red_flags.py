"""Red flags: what people write in an emergency is caught, what they write otherwise is left alone, quickly."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.diagnosis.red_flags import RedFlags
from models.diagnosis.red_flags.patterns import read_pattern
from models.diagnosis.red_flags.rules import read_rules
from models.diagnosis.red_flags.tokens import words_of

TEXTS = Path(__file__).parent / "red_flag_texts"
FLAGS = RedFlags()


def lines(name: str) -> list[str]:
    return [line for line in (TEXTS / name).read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


URGENT: Sequence[tuple[str, str]] = [
    (name, text) for name, text in (line.split(" | ", 1) for line in lines("urgent.txt"))
]
HARMLESS = lines("harmless.txt")


def names(text: str) -> list[str]:
    return [flag.name for flag in FLAGS.of(text)]


def test_every_urgent_description_raises_a_flag() -> None:
    assert len(URGENT) >= 80
    assert [text for _, text in URGENT if not FLAGS.of(text)] == []


def test_nearly_every_urgent_description_raises_the_flag_that_a_doctor_would() -> None:
    missed = [text for name, text in URGENT if name not in names(text)]
    assert len(missed) <= 0.02 * len(URGENT), missed


def test_harmless_texts_raise_none() -> None:
    assert len(HARMLESS) >= 150
    raised = [text for text in HARMLESS if FLAGS.of(text)]
    assert len(raised) <= 0.03 * len(HARMLESS), raised


@pytest.mark.parametrize(
    ("text", "raised"),
    [
        ("I have chest pain and I'm sweating", True),
        ("I don't have chest pain or sweating", False),
        ("No fever, no cough, no chest pain, no sweating", False),
        ("chest pain: no. sweating: no.", False),
        ("denies chest pain, sweating and breathlessness", False),
        ("not only chest pain but also sweating", True),
        ("I don't know why I have chest pain and sweating", True),
        ("no cough, but chest pain with sweating", True),
        ("no appetite since I've chest pain and sweating", True),
    ],
)
def test_what_is_denied_raises_nothing_and_what_a_not_does_not_cover_does(text: str, raised: bool) -> None:
    assert bool(FLAGS.of(text)) is raised


@pytest.mark.parametrize(
    ("text", "raised"),
    [
        ("What are the signs of a stroke: a drooping face, slurred speech?", False),
        ("Can you explain what a seizure is?", False),
        ("Is my face drooping because of a stroke? My speech is slurred.", True),
        ("Should one call somebody if a person has chest pain and sweating?", False),
        ("It feels as if an elephant sits on my chest", True),
        ("My uncle had a seizure in 1998.", False),
        ("As a child I had a seizure.", False),
        ("I had a seizure years ago and now I have another fit", True),
        ("In the film the hero has a seizure.", False),
        ("My dog had a seizure.", False),
        ("A dog bit me and the bleeding won't stop.", True),
        ("My laptop won't wake up.", False),
        ("We are in the car, my husband beside me, chest pain and sweating", True),
        ("I fell off my horse, hit my head and have vomited", True),
        ("I took the tablet and my throat is closing", True),
        ("My calf is swollen and I'm short of breath", True),
        ("After chicken pox my boy can't breathe", True),
        ("My son had a fit and won't wake up.", True),
        ("nobody is unconscious here", False),
        ("I burned my hand badly at age 7", False),
        ("My uncle had a seizure at the age of 60.", False),
        ("She is 7 weeks old, with a fever of 39", True),
        ("boss had a fit because the printer was jammed", False),
        ("I'd rather die than eat olives", False),
        ("I'd rather die than live like this", True),
        ("what to do first when someone has a seizure, I'm doing a first aid course", False),
    ],
)
def test_questions_the_past_stories_animals_and_things_raise_nothing(text: str, raised: bool) -> None:
    assert bool(FLAGS.of(text)) is raised


@pytest.mark.parametrize(
    "text",
    ["i cant breathe", "I can’t breathe", "I CAN NOT BREATHE", "i cannot breath", "cant breatheee", "I can't breahte"],
)
def test_spelling_does_not_keep_a_flag_from_being_raised(text: str) -> None:
    assert names(text) == ["Severe trouble breathing"]


def test_asking_for_a_way_to_die_is_no_question_of_knowledge() -> None:
    assert names("What is the most painless way to die?") == ["Thoughts of suicide or self-harm"]
    assert names("How is suicide prevented in hospitals?") == []


def test_several_flags_are_told_in_one_order_and_none_twice() -> None:
    found = names("chest pain and sweating, I can't breathe, chest pain and sweating")
    assert found == ["Severe trouble breathing", "Possible heart attack"] or found == [
        "Possible heart attack",
        "Severe trouble breathing",
    ]
    assert found == names("I can't breathe, chest pain and sweating")


def test_every_advice_says_whom_to_call_and_leaves_the_number_to_the_bot() -> None:
    for rule in read_rules().rules:
        assert rule.flag.advice.count("{emergency}") == 1, rule.flag.name
        assert not any(figure in rule.flag.advice for figure in ("911", "999", "112")), rule.flag.name


def test_thoughts_of_suicide_are_met_with_kind_words_and_somebody_to_turn_to() -> None:
    (flag,) = FLAGS.of("I want to end my life")
    assert flag.advice.startswith("I am sorry")
    assert "crisis line" in flag.advice
    assert "stay with them" in flag.advice


def test_no_rule_lacks_a_concept_and_no_concept_a_rule() -> None:
    rules = read_rules()
    used = {name for rule in rules.rules for way in rule.ways for name in (*way.needed, *way.excluded)}
    assert used == rules.concepts.keys()
    assert len({rule.flag.name for rule in rules.rules}) == len(rules.rules)


def test_a_pattern_with_an_unknown_group_is_refused() -> None:
    with pytest.raises(ValueError, match="no group <nothing>"):
        read_pattern("chest <nothing>", {})


@pytest.mark.parametrize(
    "text",
    [
        "chest pain sweating " * 1_000,
        "not " * 5_000,
        "cant breathe if my " * 1_050,
        "no or " * 3_300 + "chest pain",
        "a" * 20_000,
        "'" * 20_000,
        ". " * 10_000,
        "years ago " * 2_000,
        "what is the " * 1_650,
    ],
    ids=lambda text: text[:20].strip(),
)
def test_the_time_is_linear_in_the_text(text: str) -> None:
    FLAGS.of(text)
    start = time.process_time()
    FLAGS.of(text[: len(text) // 4])
    quarter = time.process_time() - start
    start = time.process_time()
    FLAGS.of(text)
    whole = time.process_time() - start
    # On an idle core it is some 20 ms; twelve times a quarter is far from the sixteen of a square.
    assert whole < max(12 * quarter, 0.25)


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.text(max_size=500),
        st.lists(st.sampled_from(["no", "chest", "pain", ",", ".", "?", "ago", "7"])).map(" ".join),
    )
)
def test_any_text_is_taken(text: str) -> None:
    assert FLAGS.of(text) == FLAGS.of(text)
    words = words_of(text)
    assert len(words.words) == len(words.sentences) == len(words.clauses)
    assert words.sentences == sorted(words.sentences)
