"""Whatever Slack sends, over HTTP or Socket Mode, the bot stays, and answers who asks."""

from pathlib import Path

import pytest
from fuzz.slack_run import slack_run

_SIZES = [400, pytest.param(100_000, marks=[pytest.mark.slow, pytest.mark.timeout(14_400)])]


@pytest.mark.parametrize("events", _SIZES)
async def test_bent_events_keep_nobody_on_slack_from_an_answer(tmp_path: Path, events: int) -> None:
    found = await slack_run(tmp_path, events, seed=events)
    assert found.questions == events // 100
    assert not found.problems, found.report()
