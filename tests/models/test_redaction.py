"""What is hidden from servers that write answers, what is not, and how it comes back."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.generation.served.redaction import PatternRedactor, Restoration

PRIVATE = {
    "email": [
        "ada@example.org",
        "o'brien@example.ie",
        "Ada.Lovelace+x@mail.example.co.uk",
        "müller@straße.de",
        "a_b-c%d@x1.museum",
    ],
    "phone": [
        "+49 30 1234567",
        "+49 (0)30 1234567",
        "+1-415-555-2671",
        "+1.415.555.2671",
        "+14155552671",
        "0049 30 1234567",
        "(415) 555-2671",
        "415-555-2671",
        "415.555.2671",
        "030 1234567",
        "0171/1234567",
        "01 23 45 67 89",
        "020 7946 0958",
        "01712345678",
        "1-800-555-0199",
        "06.12.34.56.78",
        "(11) 91234-5678",
    ],
    "card": [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111111111111111",
        "378282246310005",
        "3782 822463 10005",
        "3056 930902 5904",
    ],
    "iban": [
        "DE89 3704 0044 0532 0130 00",
        "GB82WEST12345698765432",
        "FR1420041010050500013M02606",
        "de89 3704 0044 0532 0130 00",
    ],
    "ip": ["192.168.1.17", "10.0.0.1", "2001:db8::8a2e:370:7334", "fe80::1", "2001:db8:0:0:0:0:0:1"],
    "key": [
        "xoxb-123456789012-abcdefghijkl",
        "xapp-1-A0123-456-abcdef",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "github_pat_11ABCDEFG0abcdefghijkl",
        "AIzaSyA1234567890abcdefghijklmnopqrstuvw",
        "sk-proj-abcdefghijklmnop1234",
        "AKIAIOSFODNN7EXAMPLE",
        "hf_abcdefghijklmnopqrstuv",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_def-ghi",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAAB=\n-----END RSA PRIVATE KEY-----",
    ],
}
WITHIN = [
    ('key="0123456789abcdef0123456789abcdef"', "0123456789abcdef0123456789abcdef"),
    ("api_key=ABCDEF0123456789abcdef", "ABCDEF0123456789abcdef"),
    ("Authorization: Bearer abcdef0123456789", "abcdef0123456789"),
    ("password: hunter2", "hunter2"),
    ("https://ada:s3cret@example.org/x", "ada:s3cret"),
    ("my mobile: 555 0199 22", "555 0199 22"),
    ("Tel. 06221-123456", "06221-123456"),
    ("cellulare: 347 123 4567", "347 123 4567"),
    ("My account number is 12345678.", "12345678"),
    ("Account no. 0532013000", "0532013000"),
    ("acct# 98765432101", "98765432101"),
    ("Kontonummer: 532013000", "532013000"),
    ("BLZ 37040044", "37040044"),
    ("sort code 20-00-00", "20-00-00"),
    ("routing number 021000021", "021000021"),
    ("SSN 078-05-1120", "078-05-1120"),
    ("numéro de compte 00050001302", "00050001302"),
    ("bank account: 4417 1643 00", "4417 1643 00"),
]
PUBLIC = [
    "6.674e-11",
    "6.67430(15)×10^-11 m^3 kg^-1 s^-2",
    "6.022 140 76 × 10^23",
    "6.62607015e-34 J s",
    "1.602 176 634e-19",
    "1.380649×10−23",
    "9.109 383 7015(28)e-31",
    "299 792 458 m/s",
    "299792458",
    "c = 299 792 458",
    "299,792,458",
    "149 597 870 700 m",
    "384 400 km",
    "+273.15 K",
    "-40 °C",
    "0.000 000 001",
    "3.14159265358979323846",
    "602214076000000000000000",
    "1 000 000 000",
    "100 000 000 000",
    "13.8 billion years",
    "1905",
    "1914-1918",
    "2010-2020",
    "2024-01-15",
    "01-02-2024",
    "01.02.2024",
    "2026-11-22T09:30:00",
    "12:34:56",
    "00:15:30",
    "ISBN 978-0-306-40615-7",
    "ISBN 0-306-40615-2",
    "E = mc²",
    "x + 12345678 y",
    "F = 0.5 * 1.2 * 3",
    "10^(12) 345 678",
    "v(t) = 12",
    "std::vector",
    "section 1.2.3.4",
    "version 10.0.1.2",
    "0101010101",
    "[1] [2]",
    "p. 123-456",
    "007",
    "key concepts understanding-of-physics",
    "the key: conservation-of-momentum",
    "<email-1>",
    "the account of 1905-06-30",
    "account 2024-01-15",
    "it accounts for 123456 J",
    "sort 100000 numbers",
    "routing 1000000 packets",
    "an account 1914-1918 of the war",
]
UNITS = ["m", "km", "s", "kg", "K", "J", "eV", "Hz", "Pa", "m/s", "N", "W", "%", "°C", "years"]


def hidden(text: str) -> tuple[str, Restoration]:
    (found,), restoration = PatternRedactor().hide([text])
    return found, restoration


@pytest.mark.parametrize(("label", "text"), [(label, text) for label, texts in PRIVATE.items() for text in texts])
def test_what_is_private_is_hidden_and_comes_back(label: str, text: str) -> None:
    sentence = f"Please note {text}, and tell nobody."
    found, restoration = hidden(sentence)
    assert found == f"Please note <{label}-1>, and tell nobody."
    assert restoration.read(found) + restoration.finish() == sentence


@pytest.mark.parametrize(("text", "secret"), WITHIN)
def test_what_is_named_as_private_is_hidden(text: str, secret: str) -> None:
    found, restoration = hidden(text)
    assert secret not in found
    assert found.split("<")[0] == text.split(secret)[0]
    assert restoration.read(found) == text


@pytest.mark.parametrize("text", PUBLIC)
def test_years_quantities_and_formulas_stay(text: str) -> None:
    sentence = f"The value is {text} in it."
    assert hidden(sentence)[0] == sentence


@settings(deadline=None)
@given(st.integers(0, 10**13), st.sampled_from(UNITS), st.sampled_from(["", " ", ",", "\u00a0"]))
def test_no_quantity_with_its_unit_is_taken_for_a_number_of_somebody(value: int, unit: str, separator: str) -> None:
    sentence = f"It measures {value:,} {unit}.".replace(",", separator)
    assert hidden(sentence)[0] == sentence


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_measured_value_is_taken_for_a_number_of_somebody(value: float) -> None:
    for sentence in (f"It is {value!r} of them.", f"It is {value:.6e} now."):
        assert hidden(sentence)[0] == sentence


@settings(deadline=None)
@given(st.integers(1000, 2100), st.integers(1000, 2100))
def test_no_years_are_taken_for_a_number_of_somebody(first: int, last: int) -> None:
    sentence = f"From {first} to {last} ({first}-{last}, {first}/{last})."
    assert hidden(sentence)[0] == sentence


def test_the_same_has_the_same_placeholder_in_all_texts() -> None:
    texts, restoration = PatternRedactor().hide(["To ada@x.org.", "bob@x.org and ada@x.org", "nothing"])
    assert texts == ["To <email-1>.", "<email-2> and <email-1>", "nothing"]
    assert dict(restoration.originals) == {"<email-1>": "ada@x.org", "<email-2>": "bob@x.org"}


def test_a_placeholder_that_somebody_wrote_is_not_given_twice() -> None:
    text, restoration = hidden("<EMAIL-1> is not ada@x.org")
    assert text == "<EMAIL-1> is not <email-2>"
    assert restoration.read("<email-1> <email-2>") == "<email-1> ada@x.org"


def test_a_placeholder_comes_back_in_whatever_case_it_is_written() -> None:
    _, restoration = hidden("ada@x.org")
    assert restoration.read("<Email-1> and `<EMAIL-1>`") == "ada@x.org and `ada@x.org`"


PIECES = ["<email-1>", "<email-2>", "<phone-1>", "<", ">", "<e", "email-1>", "3 < 4", "<b>", " ", "x", "<<email-1>>"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES)), st.data())
def test_pieces_cut_anywhere_come_back_as_the_whole_would(parts: list[str], data: st.DataObject) -> None:
    originals = {"<email-1>": "ada@x.org", "<email-2>": "<email-1>", "<phone-1>": "+49 30 1"}
    text = "".join(parts)
    whole = re.sub("|".join(originals), lambda match: originals[match[0]], text)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))) | {0, len(text)})
    restoration = Restoration(originals)
    assert "".join(restoration.read(text[a:b]) for a, b in pairwise(cuts)) + restoration.finish() == whole


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from("+0123456789 ()-./@abx:=<>\nkey"), max_size=60), max_size=4))
def test_whatever_is_hidden_comes_back_as_it_was(texts: list[str]) -> None:
    found, restoration = PatternRedactor().hide(texts)
    for before, after in zip(texts, found, strict=True):
        one = Restoration(restoration.originals)
        assert one.read(after) + one.finish() == before


def test_a_long_text_of_nothing_but_beginnings_takes_no_time() -> None:
    for beginning in (
        "0 ",
        "+1",
        "a@",
        "1.1.",
        ":",
        "key=",
        "0123 ",
        "tel (((",
        "(12) ",
        "AB12 ",
        "account ",
        "konto 1 ",
        "06.",
        "o'",
    ):
        assert len(hidden(beginning * 4_000)[0]) > 100


@pytest.mark.parametrize("written", ["<ıban-1>", "<İban-1>", "<emaıl-1>", "<\u212aey-1>"])
def test_signs_that_only_look_like_a_placeholder_stay(written: str) -> None:
    restoration = Restoration({"<iban-1>": "DE1", "<email-1>": "a@b.org", "<key-1>": "sk-1"})
    assert restoration.read(written) + restoration.finish() == written
