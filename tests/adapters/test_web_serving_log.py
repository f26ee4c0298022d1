"""What the pages' process logs: what went wrong where, and nothing that anybody wrote."""

import json
import logging
import sys

import pytest

from adapters.web import serving_log


def _record(message: str, *values: object, error: bool = False) -> logging.LogRecord:
    info = sys.exc_info() if error else None
    return logging.LogRecord("streamlit.app", logging.ERROR, "/x/app.py", 7, message, values, info)


def test_a_line_holds_the_template_and_not_what_is_put_into_it() -> None:
    line = json.loads(serving_log.Terse().format(_record("Rejecting %s", "xylophone")))
    assert line == {"level": "error", "logger": "streamlit.app", "said": "Rejecting %s", "where": "app.py:7"}


def test_a_message_that_was_put_together_before_is_left_out() -> None:
    assert "xylophone" not in serving_log.Terse().format(_record("Something about xylophone"))


def test_an_error_is_told_by_its_kind_and_place_without_its_text() -> None:
    try:
        int("xylophone")
    except ValueError:
        text = serving_log.Terse().format(_record("Uncaught: %s", "xylophone", error=True))
    line = json.loads(text)
    assert (line["kind"], line["where"].partition(":")[0]) == ("ValueError", "test_web_serving_log.py")
    assert "xylophone" not in text
    assert "\n" not in text


def test_what_is_told_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    serving_log.tell("page failed", kind="ValueError", where="chat.py:3")
    said = capsys.readouterr().err
    assert json.loads(said) == {"event": "page failed", "kind": "ValueError", "where": "chat.py:3"}
    assert said.count("\n") == 1
