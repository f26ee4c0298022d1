"""The delay that a server asks for, thoughts written aloud, and the bill of an answer."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.generation.contract import Usage
from models.generation.served.bill import Bill
from models.generation.served.faults import delay_of
from models.generation.served.serving import Backoff
from models.generation.served.thoughts import ThoughtFilter

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after": "Thu, 01 Jan 2026 12:00:09 GMT"}, 9),
        ({"retry-after": "Thu, 01 Jan 2026 11:00:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "1e99"}, None),
        ({"retry-after": "99999999999"}, 99_999_999_999),
        ({"retry-after": "Thu, 01 Jan 2026 12:00:00 +99999999999999999999"}, None),
        ({}, None),
    ],
)
def test_the_delay_is_read_in_every_form_that_it_may_have(headers: dict[str, str], seconds: float | None) -> None:
    assert delay_of(headers, NOON) == seconds


def test_each_pause_is_about_twice_the_one_before_and_bounded() -> None:
    backoff = Backoff(first=0.5, longest=4.0)
    for retry, most in enumerate([0.5, 1.0, 2.0, 4.0, 4.0]):
        assert most / 2 <= backoff.pause(retry) <= most


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("<think>Hm, 3 < 4.</think>\n\nYes.", "Yes."),
        ("\n <think>\nHm.\n</think>Yes.", "Yes."),
        ("<thinking>Hm.</thinking> Yes.", "Yes."),
        ("<think></think>Yes </think> no", "Yes </think> no"),
        ("Yes, <think> is a tag.", "Yes, <think> is a tag."),
        ("<thing> is no tag of thoughts.", "<thing> is no tag of thoughts."),
        ("<th", "<th"),
        ("<think>It never ends", ""),
        ("", ""),
    ],
)
@settings(deadline=None)
@given(data=st.data())
def test_thoughts_are_taken_out_wherever_the_pieces_are_cut(data: st.DataObject, written: str, answer: str) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(written)))) | {0, len(written)})
    thoughts = ThoughtFilter()
    assert "".join(thoughts.read(written[a:b]) for a, b in pairwise(cuts)) + thoughts.finish() == answer


def test_a_bill_has_the_servers_own_count_where_there_is_one() -> None:
    bill = Bill(1.0, 10.0)
    bill.asked(400)
    assert bill.usage() == Usage(100, 0, pytest.approx(100 / 1e6))
    bill.wrote(9)
    assert bill.usage() == Usage(100, 3, pytest.approx(130 / 1e6))
    bill.counted(90, None)
    bill.counted(None, 5)
    assert bill.usage() == Usage(90, 5, pytest.approx(140 / 1e6))
    bill.cancelled()
    assert bill.usage() == Usage()
