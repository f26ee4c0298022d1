"""Takes pictures of pages with Chromium."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from drawing.page import Picture, page

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_WIDTH = 760
_SCALE = 1.25
_SECONDS = 60
_MEASURE = "<script>document.title = document.querySelector('main').getBoundingClientRect().bottom</script>"
_HEIGHT = re.compile(r"<title>([\d.]+)</title>")


def photograph(picture: Picture, folder: Path) -> Path:
    """Write a picture as PNG into a folder; gives the file.

    Raises:
        FileNotFoundError: there is no Chromium.
        subprocess.SubprocessError: it did not do its work.
    """
    with tempfile.TemporaryDirectory() as scratch:
        html, shot = Path(scratch, "page.html"), folder / f"{picture.name}.png"
        html.write_text(page(picture) + _MEASURE, encoding="utf-8")
        found = _HEIGHT.search(_chromium(scratch, "--dump-dom", html.as_uri()))
        height = round(float(found[1])) + 4 if found else 1_000
        window = (f"--window-size={_WIDTH},{height}", f"--force-device-scale-factor={_SCALE}")
        look = ("--hide-scrollbars", "--default-background-color=00000000")
        _chromium(scratch, *window, *look, f"--screenshot={shot}", html.as_uri())
    return shot


def _chromium(scratch: str, *arguments: str) -> str:
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        raise FileNotFoundError(f"None of these is installed: {', '.join(_NAMES)}.")
    always = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={scratch}/profile")
    done = subprocess.run(  # noqa: S603 - a browser, on a page that was just written
        [program, *always, *arguments], capture_output=True, text=True, timeout=_SECONDS, check=True
    )
    return done.stdout
