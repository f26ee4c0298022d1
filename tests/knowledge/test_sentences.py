"""Sentences: where they end in the texts this is for, and that nothing is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.cutting.sentences import sentences


def stripped(text: str) -> list[str]:
    return [sentence.strip() for sentence in sentences(text)]


@pytest.mark.parametrize(
    "text",
    [
        "The value is approx. 3.0 metres.| It rises.",
        "See Fig. 3 and eq. 4.| Then sec. 2 of vol. 5.",
        "The mean temp. of Mars is low.| At max. 3 A it melts.",
        "The speed is 3 m/s.| In vacuum it is 3.0 × 10⁸ m/s.| Light is fast.",
        "Water boils at 373 K.| Ice melts at 273 K.| Steam is hot.",
        "The lamp takes 60 W.| Light comes out.| It is warm.",
        "Its charge is 1.6 × 10⁻¹⁹ C.| Protons have the same.",
        "The energy is E = h f.| Photons carry it.",
        "Ohm's law: V = I R.| The unit is the ohm.",
        "Newton's 2nd law says F = ma.| In words: force is mass times acceleration.",
        "J. J. Thomson found it.| A. Einstein (b. 1879) did not.",
        "It takes 24 h 50 min.| Spring tides follow.| Here it is 981 Pa.| Manometers show it.| In 1990 St. Paul did.",
        "No mass reaches the speed of c.| Massless particles do.| Mean J. Smith, Brown v. Board and c. 1900.",
        "Prefixes are kilo (k) 10³, mega (M) 10⁶, giga (G) 10⁹ and tera (T) 10¹².| Small ones follow.",
        "Use, e.g., a lens, i.e. glass.| Dr. Curie did.| It costs $3.50 in the U.S. today.",
        "Call `a. B` first.| Then `c.| D` is text too.".replace("`c.| D`", "`c. D`"),
        "1. Open the lid.\n|2. Close it.\n|3. Wait.",
        "- One thing\n|- Another thing\n|- A third",
        "A line that is\nwrapped goes on.| Here it ends\nat last.",
        "A paragraph without a stop\n\n|Another one.",
        "the lift increases . |the drag does not . |",
        "Is it true?| Yes!| “Quite.” |He said so.",
        "今日は。|元気ですか？|はい。",
    ],
)
def test_sentences_end_where_a_reader_would_say(text: str) -> None:
    wanted = [sentence.strip() for sentence in text.split("|") if sentence]
    assert stripped(text.replace("|", "")) == wanted


@pytest.mark.parametrize("text", ["\n\n", "  One. Two.  ", "a\ud800. B", "a\r\nb. C\r\n\r\nd.", "x\0y. Z"])
def test_odd_texts_are_kept_whole_too(text: str) -> None:
    assert "".join(sentences(text)) == text


def test_nothing_has_no_sentences() -> None:
    assert sentences("") == []


PIECES = [
    "approx. ",
    "3 ",
    "It is. ",
    "K. ",
    "= h f. ",
    "“a. ",
    "`",
    "\n",
    "\n\n",
    "- ",
    " ",
    "Ω",
    "🧑‍🔬",
    ". ",
    "? ",
    "\u2028",
]


@settings(deadline=None)
@given(
    st.text(st.characters(), max_size=300)
    | st.lists(st.sampled_from(PIECES), max_size=100).map("".join)
    | st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map(lambda parts: "".join(parts) * 1200)
)
def test_joined_sentences_are_the_text(text: str) -> None:
    found = sentences(text)
    assert "".join(found) == text
    assert not any(sentence.isspace() for sentence in found) or len(found) == 1


@pytest.mark.parametrize("piece", ["“a. ", "eq. 1 ", "`a. ", "\n", "word ", "x", "E = h f. P", "(a. "])
@pytest.mark.timeout(60)
def test_a_long_hostile_text_is_split_in_time(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    assert "".join(sentences(text)) == text


def test_a_sentence_is_not_torn_where_a_long_text_is_looked_at_in_windows() -> None:
    wanted = [f"This is sentence number {number} of a long text. " for number in range(2000)]
    assert sentences("".join(wanted)) == wanted
