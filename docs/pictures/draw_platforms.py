"""Draws the pictures of Discord and Slack in this folder: ``python docs/pictures/draw_platforms.py`` (needs Chromium).

A real Preceptor answers from the starter knowledge base on a Discord and a Slack that run on this machine (those of
the tests). What these got from it is laid out in HTML, in a look that resembles the platforms', and photographed.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE.parents[1]))

from drawing import on_discord, on_slack  # noqa: E402 - the tests' package lies in the repository's root
from drawing.browser import photograph  # noqa: E402


async def _draw() -> None:
    for platform in (on_discord, on_slack):
        with tempfile.TemporaryDirectory() as folder:
            pictures = await platform.pictures(Path(folder))
        for picture in pictures:
            drawn = await asyncio.to_thread(photograph, picture, _HERE)
            sys.stdout.write(f"{drawn.name}: {drawn.stat().st_size // 1024} KiB\n")


if __name__ == "__main__":
    asyncio.run(_draw())
