"""Whatever Discord's gateway sends, the bot stays, and answers who asks."""

from pathlib import Path

import pytest
from fuzz.discord_run import discord_run

_SIZES = [400, pytest.param(100_000, marks=[pytest.mark.slow, pytest.mark.timeout(7_200)])]


@pytest.mark.parametrize("events", _SIZES)
async def test_bent_events_keep_nobody_on_discord_from_an_answer(tmp_path: Path, events: int) -> None:
    found = await discord_run(tmp_path, events, seed=events)
    assert found.questions == events // 100
    assert not found.problems, found.report()
