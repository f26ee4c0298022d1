"""The log tells where something went wrong, and nothing that anybody wrote."""

import logging
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog

from bot import logs
from bot.settings.tree import LogSettings

QUESTION = "where does wolpertinger live"


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _fails(words: str) -> None:
    try:
        int(words)
    except ValueError as error:
        raise LookupError(f"nothing for {words}") from error


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_names_kinds_and_places_and_no_words(
    form: Literal["console", "json"], capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up(LogSettings(format=form))
    try:
        _fails(QUESTION)
    except LookupError:
        structlog.get_logger("bot.somewhere").exception("defect", number="1a2b")
        logging.getLogger("somebody.elses").exception("theirs")
    written = capsys.readouterr().err
    assert "wolpertinger" not in written
    for told in ("ValueError", "LookupError", "_fails", "1a2b", "theirs"):
        assert told in written


def test_what_looks_like_a_secret_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(LogSettings())
    structlog.get_logger("bot.somewhere").warning("refused", reason="xoxb-1234567890-abcdef at ?token=abcdefgh1234")
    written = capsys.readouterr().err
    assert "refused" in written
    assert "abcdef" not in written
