"""What the log warned of lately is remembered for admins: what, where and when, and nothing that anybody wrote."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from bot.recent_errors import RecentErrors

SAID = "where does wolpertinger live"


@pytest.fixture
def recent() -> Iterator[RecentErrors]:
    """A record to which the log is told, as `bot.logs` has it."""
    errors = RecentErrors(most=3)
    shared = [structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name, errors]
    handler = logging.NullHandler()
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.processors.JSONRenderer()]
    )
    handler.setFormatter(formatter)
    handler.handle = lambda record: bool(handler.format(record))  # type: ignore[method-assign]
    root = logging.getLogger()
    root.addHandler(handler)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    yield errors
    root.removeHandler(handler)
    structlog.reset_defaults()


def _fails(words: str) -> None:
    try:
        int(words)
    except ValueError as error:
        raise LookupError(f"nothing for {words}") from error


def test_a_defect_is_told_with_its_kind_and_its_place_and_without_words(recent: RecentErrors) -> None:
    try:
        _fails(SAID)
    except LookupError:
        structlog.get_logger("bot.somewhere").exception("defect", question=SAID)
    (error,) = recent.newest()
    assert (error["level"], error["event"], error["kind"]) == ("error", "defect", "LookupError")
    assert error["where"].split(":")[0].endswith("test_recent_errors")
    assert SAID not in str(error)


def test_a_warning_without_an_error_is_told_with_the_place_that_logged_it(recent: RecentErrors) -> None:
    structlog.get_logger("bot.somewhere").warning("not delivered yet", reason=SAID, code="rate_limited")
    (error,) = recent.newest()
    assert (error["level"], error["event"], error["kind"]) == ("warning", "not delivered yet", "rate_limited")
    assert error["where"].split(":")[0].endswith("test_recent_errors")
    assert SAID not in str(error)


def test_an_error_that_a_line_names_is_its_kind_but_a_sentence_is_none(recent: RecentErrors) -> None:
    log = structlog.get_logger("adapters.somewhere")
    log.error("event not handled", error="ValueError", where="events.py:62 < events.py:43")
    log.error("event not handled", error=SAID, where=SAID)
    sentence, named = recent.newest()
    assert (named["kind"], named["where"]) == ("ValueError", "events.py:62 < events.py:43")
    assert sentence["kind"] == ""
    assert SAID not in str(sentence)


def test_of_another_library_not_even_the_words_are_kept(recent: RecentErrors) -> None:
    logging.getLogger("somebody.elses").warning("cannot read %s", SAID)
    logging.getLogger("somebody.elses").error(f"cannot read {SAID}")
    for error in recent.newest():
        assert error["event"] == "somebody.elses warned"
        assert error["where"].startswith("test_recent_errors:")
        assert SAID not in str(error)


def test_only_the_newest_are_kept_newest_first_and_nothing_that_is_no_trouble(recent: RecentErrors) -> None:
    log = structlog.get_logger("bot.somewhere")
    log.info("ready")
    for number in range(5):
        log.warning(f"trouble {number}")
    log.info("still ready")
    assert [error["event"] for error in recent.newest()] == ["trouble 4", "trouble 3", "trouble 2"]


def test_what_is_said_again_and_again_drives_nothing_else_out(recent: RecentErrors) -> None:
    log = structlog.get_logger("bot.somewhere")
    log.error("the one that matters")
    for _ in range(10):
        log.warning("not reached")
    told = [(error["event"], error["times"]) for error in recent.newest()]
    assert told == [("not reached", 10), ("the one that matters", 1)]


def test_a_line_of_the_log_has_the_id_under_which_it_is_listed(recent: RecentErrors) -> None:
    line = recent(None, "warning", {"event": "trouble", "level": "warning"})
    assert [error["id"] for error in recent.newest()] == [line["error_id"]]
