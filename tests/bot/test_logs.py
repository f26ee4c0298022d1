"""What stands in the log: ours from the level that is set, libraries' warnings, and no secret that they tell."""

import json
import subprocess
import sys

import pytest

TALK = """
import logging, structlog
from bot import logs
from bot.settings.tree import LogSettings
logs.set_up(LogSettings(level="debug", format={form!r}))
for name in ("discord.http", "slack_sdk", "httpx", "uvicorn.access", "sqlalchemy.engine", "aiosqlite", "apscheduler",
             "google_genai", "openai", "asyncio", "urllib3"):
    logging.getLogger(name).debug("said by %s", name)
    logging.getLogger(name).info("said by %s", name)
structlog.get_logger("bot.x").debug("ours", size=3)
logging.getLogger("discord.http").warning("%s", {text!r})
try:
    raise RuntimeError({text!r})
except RuntimeError:
    structlog.get_logger("bot.x").exception("defect")
"""


def _said(text: str, form: str = "json") -> str:
    done = subprocess.run(
        [sys.executable, "-c", TALK.format(form=form, text=text)], capture_output=True, text=True, check=True
    )
    return done.stderr


def test_libraries_are_heard_only_where_they_warn() -> None:
    lines = [json.loads(line) for line in _said("over there").splitlines()]
    assert [(line["logger"], line["event"]) for line in lines] == [
        ("bot.x", "ours"),
        ("discord.http", "over there"),
        ("bot.x", "defect"),
    ]


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_secret_in_a_librarys_words_is_masked(form: str) -> None:
    told = (
        "POST https://discord.com/api/v10/webhooks/123/aW50ZXJhY3Rpb246MTIzNDU2/messages/@original failed",
        "url='https://discord.com/api/v10/interactions/99/aW50ZXJhY3Rpb246MTIzNDU2/callback'",
        "404, url='https://hooks.slack.com/commands/T01/8765432/AbCdEfGh'",
        "wss://wss-primary.slack.com/link/?ticket=1a2b3c4d5e6f&app_id=A1",
        "xoxb-123-456-abcdef xapp-1-A0-2-abcdef Authorization: Bearer abcdefgh12345678",
        "https://generativelanguage.googleapis.com/v1?key=AIzaSyA1234567890",
    )
    said = _said(" | ".join(told), form)
    for secret in ("aW50", "8765432", "AbCdEfGh", "1a2b3c4d", "123-456", "A0-2", "abcdefgh1234", "AIzaSy"):
        assert secret not in said, secret
    for kept in ("/webhooks/123/***", "/interactions/99/***", "hooks.slack.com/***", "app_id=A1"):
        assert kept in said
