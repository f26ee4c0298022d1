"""What the admin pages draw and write of figures."""

from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.web import charts, daily, figures
from adapters.web.judging import troubles
from adapters.web.tables import table
from adapters.web.tiles import tiles
from adapters.web.views.knowledge_loading import progress
from adapters.web.views.reports import figures as report_figures
from adapters.web.views.reports import readable

DAYS = daily.last_days(7, date(2026, 3, 2))

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)

WELL: dict[str, Any] = {
    "running_since": (NOW - timedelta(days=2)).isoformat(),
    "adapters": [{"name": "http", "is_up": True, "reason": "", "address": ""}],
    "queue": {"waiting": 4, "answering": 2, "unsent": 0, "oldest_seconds": 3.0},
    "loop_lag_ms": 2.0,
    "generators": [{"name": "extractive", "state": "closed", "reason": "", "model": ""}],
    "errors": [],
    "cleaned": None,
    "disk_free": 10**10,
}


def _row(day: str, place: str, answered: int, declined: int = 0) -> dict[str, Any]:
    counts = {"questions": answered + declined, "answered": answered, "declined": declined, "failed": 0}
    return {"day": day, "place": place, **counts, "helpful": 1, "not_helpful": 0}


def test_days_without_questions_are_drawn_with_zeros() -> None:
    rows = daily.by_outcome([_row(DAYS[2], "discord/1", 3, 1), _row(DAYS[2], "http", 2)], DAYS)

    assert DAYS[0] == "2026-02-24"
    assert [row["value"] for row in rows if row["kind"] == "answered"] == [0, 0, 5, 0, 0, 0, 0]
    assert [row["value"] for row in rows if row["kind"] == "declined"] == [0, 0, 1, 0, 0, 0, 0]


@pytest.mark.parametrize(("value", "step"), [(3, 1), (0.25, None)], ids=["questions", "cost"])
def test_what_is_counted_in_whole_numbers_has_no_halves_at_its_axis(value: float, step: int | None) -> None:
    drawn = charts.columns([{"day": DAYS[0], "kind": "http", "value": value}], "Title", "unit").to_dict()
    assert drawn["encoding"]["y"]["axis"].get("tickMinStep") == step


def test_the_busiest_places_are_named_and_the_rest_are_others() -> None:
    rows = daily.by_place([_row(DAYS[0], f"discord/{number}", number) for number in range(1, 10)], DAYS)

    assert daily.kinds(rows) == [*(f"discord/{number}" for number in (9, 8, 7, 6, 5)), "others"]
    assert sum(row["value"] for row in rows) == sum(range(1, 10))


def test_six_places_are_all_named() -> None:
    rows = daily.by_place([_row(DAYS[0], f"discord/{number}", number) for number in range(1, 7)], DAYS)

    assert "others" not in daily.kinds(rows)


@given(st.lists(st.tuples(st.sampled_from(DAYS), st.text(min_size=1, max_size=3), st.integers(0, 50)), max_size=60))
def test_no_question_is_lost_between_the_api_and_the_chart(asked: list[tuple[str, str, int]]) -> None:
    rows = [_row(day, place, number) for day, place, number in asked]

    assert sum(row["value"] for row in daily.by_place(rows, DAYS)) == sum(number for _, _, number in asked)
    assert sum(row["value"] for row in daily.by_outcome(rows, DAYS)) == sum(number for _, _, number in asked)


def test_a_chart_names_its_unit_and_at_most_eight_days() -> None:
    days = daily.last_days(90, date(2026, 3, 2))
    drawn = charts.columns(daily.by_outcome([], days), "How questions ended", "questions", charts.OUTCOME_COLOURS)
    spec = drawn.to_dict()

    assert spec["encoding"]["y"]["title"] == "questions"
    assert spec["description"] == "How questions ended, in questions by day"
    named = spec["encoding"]["x"]["axis"]["values"]
    assert len(named) <= 8
    assert named[-1] == "2 Mar"
    assert spec["encoding"]["color"]["scale"]["domain"] == ["answered", "declined", "failed"]


def test_times_are_drawn_for_days_with_answers_alone() -> None:
    rows = daily.times(
        [
            {"day": DAYS[0], "answers": 0, "p50": 0.0, "p95": 0.0},
            {"day": DAYS[1], "answers": 3, "p50": 40.0, "p95": 90.0},
        ]
    )
    spec = charts.lines(rows, DAYS, "How long answers took", "milliseconds", charts.TIME_COLOURS).to_dict()

    assert [(row["kind"], row["value"]) for row in rows] == [("p50", 40.0), ("p95", 90.0)]
    assert spec["encoding"]["strokeDash"]["scale"]["range"] == [[1, 0], [6, 3]]


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("page", ["#ffffff", "#14181f"], ids=["light", "dark"])
def test_every_colour_stands_out_from_the_page(page: str) -> None:
    for colour in (*charts.PALETTE, *charts.OUTCOME_COLOURS.values(), *charts.TIME_COLOURS.values()):
        brighter, darker = sorted((_luminance(colour), _luminance(page)), reverse=True)
        assert (brighter + 0.05) / (darker + 0.05) >= 3, colour


def test_where_all_is_well_nothing_is_said() -> None:
    assert troubles(WELL, NOW) == []


def test_a_start_may_hold_up_the_loop_without_an_alarm() -> None:
    lagging = WELL | {"loop_lag_ms": 468.0, "running_since": (NOW - timedelta(seconds=50)).isoformat()}
    assert troubles(lagging, NOW) == []
    assert [one.sentence for one in troubles(lagging, NOW + timedelta(minutes=2))] == [
        "The event loop is held up: it lags by 468 ms."
    ]


def test_what_keeps_people_from_answers_comes_first() -> None:
    status = WELL | {
        "adapters": [{"name": "slack", "is_up": False, "reason": "no network", "address": ""}],
        "queue": WELL["queue"] | {"oldest_seconds": 125.0},
        "loop_lag_ms": 900.0,
        "generators": [{"name": "gemini", "state": "over budget", "reason": "", "model": ""}],
        "errors": [
            {"at": (NOW - timedelta(minutes=3)).isoformat(), "level": "error"},
            {"at": (NOW - timedelta(hours=3)).isoformat(), "level": "error"},
            {"at": (NOW - timedelta(minutes=3)).isoformat(), "level": "warning"},
        ],
        "disk_free": 5_000_000,
    }

    assert [trouble.sentence for trouble in troubles(status, NOW)] == [
        "slack is down: no network",
        "The oldest message has waited 2 min.",
        "The disk is nearly full: 5.0 MB are free.",
        "The generator gemini is over its budget until 00:00 UTC; others answer.",
        "The event loop is held up: it lags by 900 ms.",
        "1 error in the last 15 min.",
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (figures.milliseconds(41.2), "41 ms"),
        (figures.milliseconds(1_840), "1.8 s"),
        (figures.milliseconds(None), "–"),
        (figures.duration(59), "59 s"),
        (figures.duration(3_700), "1 h"),
        (figures.duration(200_000), "2 days"),
        (figures.size(999), "999 bytes"),
        (figures.size(32_000), "32.0 kB"),
        (figures.size(412_000_000), "412 MB"),
        (figures.share(1, 0), "–"),
        (figures.share(0.924), "92 %"),
        (figures.money(0.0004), "0.0004"),
        (figures.money(0), "0.00"),
        (figures.moment("2026-03-02T03:04:05+02:00"), "2026-03-02 01:04 UTC"),
        (figures.ago(None, NOW), "never"),
        (figures.place("discord/81384788765712384"), "discord · 8138…2384"),
        (figures.place("http"), "http"),
        (figures.counted(1, "file"), "1 file"),
        (
            figures.problem(
                {"source": "a.csv", "line": 3, "column": None, "field": "", "message": "It is empty", "fix": "Fill it."}
            ),
            "a.csv, line 3: It is empty. Fill it.",
        ),
    ],
)
def test_figures_are_written_for_people(written: str, expected: str) -> None:
    assert written == expected


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen |= {tag, *(name for name, _ in attrs)}


@given(st.text() | st.text(alphabet="<>\"'/=& bonerick", min_size=20))
def test_a_table_holds_text_and_never_markup(text: str) -> None:
    reader = _Reader()
    reader.feed(table(text, ("Name", text), [[text, text]]) + tiles({text: text}))
    reader.close()

    tags = {"style", "table", "caption", "thead", "tbody", "tr", "th", "td", "wbr", "div", "dl", "dt", "dd"}
    assert reader.seen <= tags | {"class", "scope", "data-label"}


def test_the_bar_of_a_reload_only_grows() -> None:
    stages = [("looking", 1, 1), ("reading", 1, 4), ("reading", 4, 4), ("indexing", 0, 1), ("saving", 1, 1)]
    filled = [progress({"stage": stage, "done": done, "total": total})[0] for stage, done, total in stages]

    assert filled == sorted(filled)
    assert filled[-1] == 1.0
    assert progress({"stage": "reading", "done": 1_000, "total": 4_000})[1] == "Reading files: 1,000 of 4,000"
    assert progress({"stage": "polishing", "done": 0, "total": 0}) == (1.0, "Polishing")


def test_a_report_of_nested_figures_becomes_one_table() -> None:
    document = {
        "macro_f1": 0.87654,
        "per_class": {"acne": {"n": 1200}},
        "labels": ["a", "b"],
        "bins": [{"low": 0.1}] * 20,
        "note": "x" * 300,
    }

    rows = dict(report_figures(document))

    assert rows["macro f1"] == "0.8765"
    assert rows["per class · acne · n"] == "1,200"
    assert rows["labels"] == '["a", "b"]'
    assert rows["bins"] == "20 entries, in the file"
    assert len(rows["note"]) == 201


def test_a_report_in_words_is_shown_without_its_head_and_its_pictures() -> None:
    text = "---\ntags: [x]\n---\n\n# Report\n\n![What was taken for what](confusion.png)\n\nGood.\n"

    assert readable(text) == ("\n# Report\n\n\n\nGood.\n", {"confusion.png": "What was taken for what"})
