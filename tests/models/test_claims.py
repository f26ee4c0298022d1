"""What is read off a sentence to be checked word for word: numbers with units, names, links."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.generation.grounding.claims import claims_of, supporting_quantities


def _values(text: str) -> list[set[Fraction]]:
    return [set(quantity.values) for quantity in claims_of(text).quantities]


@pytest.mark.parametrize("written", ["9.81", "9,81", "+9.81", "981/100"])
def test_a_number_is_read_as_its_value(written: str) -> None:
    assert _values(f"It is {written} here.") == [{Fraction(981, 100)}]


@pytest.mark.parametrize(
    "written",
    [
        "3×10⁸",
        "3e8",
        "300 000 000",
        "300,000,000",
        "3 \\times 10^{8}",
        "3·10^8",
        "300 million",
        "300'000'000",
        "3.0×10^8",
    ],
)
def test_large_numbers_have_one_value_however_they_are_written(written: str) -> None:
    assert _values(f"The speed is {written} or so.") == [{Fraction(300_000_000)}]


def test_small_powers_fractions_and_negative_numbers() -> None:
    assert _values("about 10⁻⁹ and −5 and ½ and 1.5e-3") == [
        {Fraction(1, 10**9)},
        {Fraction(-5)},
        {Fraction(1, 2)},
        {Fraction(3, 2000)},
    ]


def test_a_comma_before_three_digits_may_be_a_decimal_sign() -> None:
    assert _values("It is 1,234 long.") == [{Fraction(1234), Fraction(1234, 1000)}]


def test_words_for_numbers_and_places_count() -> None:
    assert _values("The second law has three parts and twenty-five rules.") == [
        {Fraction(3)},
        {Fraction(25)},
        {Fraction(2)},
    ]
    assert _values("One may say that one of them falls.") == []


def test_a_hyphen_between_numbers_is_no_minus() -> None:
    assert _values("from 5–10 m, in 1797-1798") == [{Fraction(n)} for n in (5, 10, 1797, 1798)]


def test_exponents_and_indices_are_no_numbers() -> None:
    assert _values("E = mc², v^2, x_1, H₂O, CO2, v^{-2}") == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 m/s", "5 metres per second"),
        ("5 m/s", "5 m s⁻¹"),
        ("5 m/s²", "5 m/s^2"),
        ("5 km/h", "5 kilometres per hour"),
        ("5 N·m", "5 newton metres"),
        ("5 °C", "5 degrees Celsius"),
        ("5 %", "5 percent"),
        ("5 J/(kg·K)", "5 J/(kg K)"),
        ("5 m²", "5 square metres"),
        ("$5", "5 dollars"),
        ("5 light years", "5 light-years"),
    ],
)
def test_a_unit_is_the_same_however_it_is_written(one: str, other: str) -> None:
    (first,), (second,) = claims_of(f"It is {one} then").quantities, claims_of(f"It is {other} then").quantities
    assert first.unit
    assert first == second


def test_different_units_differ() -> None:
    units = {
        claims_of(f"5 {unit} then").quantities[0].unit for unit in ("m/s", "km/h", "m", "m/s²", "K", "°C", "kg", "mg")
    }
    assert len(units) == 8


def test_in_a_series_the_last_unit_is_that_of_all() -> None:
    assert len({quantity.unit for quantity in claims_of("forces of 3, 4 and 5 N").quantities}) == 1
    assert [one.counted for one in supporting_quantities("6 protons but 6, 7 and 8 neutrons")] == [
        "protons",
        "neutrons",
        "neutrons",
        "neutrons",
    ]


def test_names_are_capitals_inside_the_sentence_acronyms_and_symbols() -> None:
    names = claims_of("The law of Albert Einstein's rival is used by NASA, where F = m·a.").names
    assert {"albert", "einstein", "nasa", "f", "m", "a"} - set(names) <= {"a"}
    assert "the" not in names
    assert claims_of("Gravity pulls. Force acts.").names == ()


def test_links_are_found_bare_and_marked() -> None:
    claims = claims_of("See https://a.example/x?y=1, [here](http://b.example/z) and www.c.example.")
    assert set(claims.links) == {"https://a.example/x?y=1", "http://b.example/z", "www.c.example"}
    assert claims.quantities == ()


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=150)
def test_any_text_can_be_read(text: str) -> None:
    claims_of(text)
    supporting_quantities(text)


@given(st.text(alphabet="0123456789 .,×·⁻⁸^{}e-/½", max_size=120))
@settings(deadline=None, max_examples=150)
def test_any_mixture_of_digits_and_signs_can_be_read(text: str) -> None:
    claims_of(text)
