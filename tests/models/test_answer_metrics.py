"""The metrics of answers, beside values worked out by hand, published ones, and what must hold of any texts."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation import answer_metrics as metrics

# Some signs that texts are made of: letters, an article, punctuation, markup, other scripts.
TEXTS = st.text(alphabet="ab the,.[]1*`ß力-\n", max_size=40)
GOLDS = st.lists(TEXTS.filter(lambda text: bool(metrics.normalised(text))), min_size=1, max_size=3)


def test_citations_and_markup_are_taken_off_and_code_and_escaped_brackets_stay() -> None:
    answer = "The **net** force [1] is `a[1]`;\nsee \\[2] and [Newton](https://example.org) [12].\n\n- mass [2]\n- time"
    assert metrics.plain(answer) == "The net force is a[1]; see [2] and Newton. mass time"


def test_tables_and_code_blocks_are_read_as_words() -> None:
    assert metrics.plain("| a | b |\n|---|---|\n| 1 [3] | 2 |\n\n```py\nx[1]\n```\n\n[1]") == "a b 1 2 x[1]"


def test_normalising_does_what_squads_script_does() -> None:
    assert metrics.normalised("  The Denver-Broncos,\tan  A.F.C. team! ") == "denverbroncos afc team"


@pytest.mark.parametrize(
    ("given_", "golds", "exact", "f1"),
    [
        ("the Denver Broncos", ["Denver Broncos!", "Broncos"], 1.0, 1.0),
        # Two of four words are right, two of two are found: 2 · ½ · 1 / (½ + 1).
        ("Denver Broncos won it", ["the Denver Broncos"], 0.0, 2 / 3),
        # A word counts as often as both have it: one "very" of two; precision ½, recall ½.
        ("very very", ["very good"], 0.0, 0.5),
        ("308 points", ["308", "three hundred and eight"], 0.0, 2 / 3),
        ("Carolina", ["Denver"], 0.0, 0.0),
        ("", ["Denver"], 0.0, 0.0),
        ("", [], 1.0, 1.0),
        ("Denver", [], 0.0, 0.0),
        ("the", ["a"], 1.0, 1.0),
        ("", ["newton", "the"], 0.0, 0.0),
    ],
)
def test_exact_match_and_f1_are_squads(given_: str, golds: list[str], exact: float, f1: float) -> None:
    assert metrics.exact_match(given_, golds) == exact
    assert metrics.token_f1(given_, golds) == pytest.approx(f1)


def test_a_gold_is_contained_word_by_word_and_not_within_a_word() -> None:
    assert metrics.holds_gold("It weighs about 12 kg, they say.", ["12 kg"])
    assert not metrics.holds_gold("It weighs 112 kg.", ["12 kg"])
    assert not metrics.holds_gold("Anything.", ["!", "the"])
    assert not metrics.holds_gold("Anything.", [])


def test_rouge_l_is_the_f_measure_of_the_longest_common_subsequence() -> None:
    # Lin (2004), section 3.1: of S1 = "police killed the gunman" S2 holds 3 words in order, S3 holds 2.
    assert metrics.rouge_l("police kill the gunman", ["police killed the gunman"]) == pytest.approx(0.75)
    assert metrics.rouge_l("the gunman kill police", ["police killed the gunman"]) == pytest.approx(0.5)
    assert metrics.rouge_l("Straße 力学", ["Die Straße 力学"]) == pytest.approx(2 * 2 / 5)
    assert metrics.rouge_l("anything", []) == 0.0


def test_meteor_has_the_value_that_nltk_publishes_for_its_example() -> None:
    given_ = "It is a guide to action which ensures that the military always obeys the commands of the party"
    gold = "It is a guide to action that ensures that the military will forever heed Party commands"
    assert metrics.meteor(given_, [gold]) == pytest.approx(0.6944, abs=5e-5)
    assert metrics.meteor(given_, ["nothing alike", gold]) == metrics.meteor(given_, [gold])


def test_meteor_matches_stems_and_punishes_scattered_words() -> None:
    # All m = 2 words match in one chunk: 1 − ½ · (1/2)³; the other way round in two chunks: 1 − ½ · (2/2)³.
    assert metrics.meteor("forces act", ["force acts"]) == pytest.approx(1 - 0.5 / 8)
    assert metrics.meteor("acts force", ["force acts"]) == pytest.approx(0.5)
    assert metrics.meteor("anything", []) == 0.0


def test_bleu_has_the_value_of_its_formula() -> None:
    # 5 words, matches 4/5, 3/4, 2/3, 1/2 for n = 1 … 4, as long as the reference, so that no brevity penalty applies.
    bleu = metrics.corpus_bleu(["the cat sat on mats"], [["the cat sat on it"]])
    assert bleu.score == pytest.approx(math.prod((4 / 5, 3 / 4, 2 / 3, 1 / 2)) ** 0.25)
    assert "nrefs:1" in bleu.signature
    assert "tok:13a" in bleu.signature


def test_bleu_takes_questions_with_different_numbers_of_right_answers() -> None:
    one = "the force is mass times acceleration"
    assert metrics.corpus_bleu([one, one], [["nothing", one], [one]]).score == pytest.approx(1.0)
    assert metrics.corpus_bleu([], []).score == 0.0


def test_the_interval_is_that_of_the_mean_and_the_same_for_the_same_seed() -> None:
    scores = [0.0, 1.0] * 50
    low, high = metrics.interval(scores, seed=3)
    # The mean of 100 throws of a coin: ½ ± 1.96 · √(¼ / 100).
    assert low == pytest.approx(0.402, abs=0.02)
    assert high == pytest.approx(0.598, abs=0.02)
    assert metrics.interval(scores, seed=3) == (low, high)
    assert metrics.interval([0.25], seed=3) == (0.25, 0.25)


def test_an_interval_of_very_many_scores_is_drawn_in_parts() -> None:
    low, high = metrics.interval([0.0, 1.0] * 3_000)
    assert 0.48 < low < 0.5 < high < 0.52


@given(TEXTS, GOLDS)
def test_every_score_lies_between_0_and_1(given_: str, golds: list[str]) -> None:
    for metric in (metrics.exact_match, metrics.token_f1, metrics.rouge_l, metrics.meteor):
        assert 0.0 <= metric(given_, golds) <= 1.0


@given(GOLDS)
def test_a_right_answer_scores_full_marks(golds: list[str]) -> None:
    assert metrics.exact_match(golds[-1], golds) == 1.0
    assert metrics.token_f1(golds[-1], golds) == 1.0
    assert metrics.holds_gold(golds[-1], golds)


@given(TEXTS)
def test_what_an_answer_says_is_one_line_whatever_it_is_made_of(answer: str) -> None:
    said = metrics.plain(answer)
    assert said == " ".join(said.split())
