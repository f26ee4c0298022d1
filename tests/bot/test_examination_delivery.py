"""What doctor says of replies that did not reach anybody, and of messages that wait."""

import sqlite3
from contextlib import closing

import pytest

from bot import database_file
from bot.examination.delivery import examine
from bot.examination.findings import Examined, Finding
from bot.settings import Settings

_INBOX = (
    "INSERT INTO inbox (key, platform, person_id, payload, received_at, is_open, outcome, claimed_by)"
    " VALUES (?, 'discord', 'discord:1', '{}', '2026-03-14 09:00:00', ?, ?, '')"
)


def _found(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(Examined(settings))}


@pytest.fixture
def file(settings: Settings) -> str:
    database_file.upgrade(settings.database_file)
    return str(settings.database_file)


def test_where_there_is_no_database_nothing_is_said(settings: Settings) -> None:
    assert _found(settings) == {}
    assert not settings.database_file.exists()


@pytest.mark.usefixtures("file")
def test_where_all_was_delivered_all_is_well(settings: Settings) -> None:
    found = _found(settings)
    assert set(found) == {"delivery"}
    assert found["delivery"].verdict == "ok"


def test_replies_that_were_given_up_are_counted_and_the_commands_named(settings: Settings, file: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(_INBOX, ("discord/1", False, "undelivered"))
        connection.execute(
            "INSERT INTO undelivered (inbox_key, since, reason) VALUES ('discord/1', '2026-03-14', 'no')"
        )
    delivery = _found(settings)["delivery"]
    assert delivery.verdict == "warning"
    assert "1 reply " in delivery.meaning
    assert "preceptor delivery retry" in delivery.fix


def test_messages_that_nobody_is_there_to_answer_are_counted(settings: Settings, file: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(_INBOX, ("discord/1", True, None))
    messages = _found(settings)["messages"]
    assert "1 accepted" in messages.meaning
    assert "preceptor run" in messages.fix


def test_a_file_that_is_no_database_is_left_to_others(settings: Settings) -> None:
    settings.database_file.parent.mkdir(parents=True)
    settings.database_file.write_text("no database", encoding="utf-8")
    assert _found(settings) == {}
