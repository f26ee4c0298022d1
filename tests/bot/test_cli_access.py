"""Access on the command line: rules, codes and the audit, in words and for scripts."""

import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.examination import storage
from bot.examination.findings import Examined
from bot.settings import load

ADA, ROOM = "discord:80351110224678912", "discord/81384788765712384/381870553235193857"


@pytest.fixture
def preceptor(environment: Callable[..., None]) -> Callable[..., Result]:
    """Run a command in an empty folder."""
    return lambda *words: CliRunner().invoke(app, words)


def test_a_rule_is_made_shown_and_taken_back(preceptor: Callable[..., Result]) -> None:
    assert "everybody may" in preceptor("access", "show").stdout
    made = preceptor("access", "deny", ADA, "--in", ROOM, "--to", "ask", "--to", "diagnose").stdout
    assert f"**1.** deny `{ADA}` in `{ROOM}` to `ask`" in made
    assert preceptor("access", "allow", "paired", "--in", "direct").exit_code == 0
    shown = json.loads(preceptor("access", "show", "--json").stdout)
    assert [one["rule"] for one in shown] == [
        f"deny {ADA} in {ROOM} to ask",
        f"deny {ADA} in {ROOM} to diagnose",
        "allow paired in direct to everything",
    ]
    assert "no longer holds" in preceptor("access", "remove", "2").stdout
    gone = preceptor("access", "remove", "2")
    assert gone.exit_code == 1
    assert "There is no rule 2" in gone.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("allow", "bob"),
        ("deny", ADA, "--in", "the garden"),
        ("allow", ADA, "--to", "access"),
        ("pair", "--platform", "moon"),
        ("pair", "--platform", "http"),
        ("pair", "--platform", "console"),
        ("pair", "--platform", "telegram"),
    ],
)
def test_words_that_mean_nothing_are_refused(preceptor: Callable[..., Result], words: tuple[str, ...]) -> None:
    refused = preceptor("access", *words)
    assert refused.exit_code == 2
    assert refused.stderr.startswith("Error: ")
    assert "everybody may" in preceptor("access", "show").stdout


def test_a_code_is_told_once_and_everything_is_in_the_audit(preceptor: Callable[..., Result]) -> None:
    made = preceptor("access", "pair", "--platform", "slack").stdout
    code = made.partition(",")[0]
    assert f"pair {code}" in made
    assert preceptor("access", "unpair", ADA).exit_code == 1
    entries = json.loads(preceptor("audit", "--json", "--since", "2020-01-01").stdout)
    assert [entry["argument"] for entry in entries] == [f"unpair {ADA}", "pair slack"]
    assert all(entry["person_id"].startswith("console:") and entry["action"] == "access" for entry in entries)
    assert code not in preceptor("audit").stdout


def test_a_number_is_not_given_to_another_rule(preceptor: Callable[..., Result]) -> None:
    preceptor("access", "deny", ADA)
    preceptor("access", "remove", "1")
    assert "**2.**" in preceptor("access", "deny", "everyone").stdout


def test_a_rule_that_cannot_be_read_is_shown_and_can_be_removed(preceptor: Callable[..., Result]) -> None:
    preceptor("access", "deny", ADA)
    file = next(Path.cwd().rglob("preceptor.sqlite3"))
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE access_rules SET who = 'the moon'")
    shown = preceptor("access", "show").stdout
    assert "**1.** cannot be read: all but admins are denied" in shown
    assert "everybody may" not in shown
    assert json.loads(preceptor("access", "show", "--json").stdout.splitlines()[-1]) == [
        {"number": 1, "unreadable": True}
    ]
    (found,) = [one for one in storage.examine(Examined(load().settings)) if one.name == "access"]
    assert (found.verdict, "preceptor access remove 1" in found.fix) == ("failed", True)
    assert preceptor("access", "remove", "1").exit_code == 0
    assert "everybody may" in preceptor("access", "show").stdout


def test_the_audit_tells_what_failed_and_what_was_refused(preceptor: Callable[..., Result]) -> None:
    preceptor("access", "unpair", "foo")
    preceptor("access", "remove", "7")
    preceptor("access", "deny", "nobody")
    preceptor("access", "deny", "everyone", "--to", "access")
    preceptor("access", "deny", "everyone")
    entries = json.loads(preceptor("audit", "--json").stdout)[::-1]
    assert [entry["outcome"] for entry in entries] == ["failed", "failed", "refused", "refused", "done"]
    assert "in `console` ·" in preceptor("audit").stdout


def test_an_audit_of_the_future_says_since_when_there_is_nothing(preceptor: Callable[..., Result]) -> None:
    assert "was used since 2999-01-01" in preceptor("audit", "--since", "2999-01-01").stdout
