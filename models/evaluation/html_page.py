"""What the pages of reports have in common: one look for light and dark screens, complete in one file, and safe."""

import base64
import os
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path

from models.evaluation.drawing import DARK, LIGHT, Theme, require_matplotlib

_STYLE = """
:root { color-scheme: light dark; --text: #24292f; --quiet: #57606a; --line: #d0d7de; --page: #ffffff;
  --raised: #f6f8fa; --good: #1a7f37; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --quiet: #9198a1; --line: #3d444d; --page: #0d1117;
  --raised: #151b23; --good: #3fb950; --bad: #ff7b72; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem 4rem; background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .25rem; }
p { margin: .25rem 0 .75rem; }
.quiet, small { color: var(--quiet); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .75rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td small { display: block; }
td:not(:first-child) { white-space: nowrap; }
tr.part td:first-child { padding-left: 1.25rem; }
img { max-width: 100%; height: auto; display: block; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .75rem 0; background: var(--raised); }
summary { cursor: pointer; padding: .6rem 1rem; font-weight: 600; }
article { border-top: 1px solid var(--line); padding: .75rem 1rem; }
article h3 { font-size: 1rem; margin: 0 0 .4rem; }
dl { display: grid; grid-template-columns: 5rem 1fr; gap: .2rem .75rem; margin: 0; }
dt { color: var(--quiet); }
dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 40rem) { td small { display: none; } th, td { padding: .35rem .4rem; } }
dd.gold { color: var(--good); }
dd.none { color: var(--bad); }
"""
# Whatever a document or a model wrote, the page fetches nothing and runs nothing.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def require_report_folder(folder: Path) -> None:
    """Make the folder, and see that a report can be drawn and put there, before anything is evaluated.

    Raises:
        ModelExtraError: matplotlib is not installed.
        OSError: nothing can be written there.
    """
    require_matplotlib()
    folder.mkdir(parents=True, exist_ok=True)
    trial = folder / ".report"
    trial.write_bytes(b"")
    trial.unlink()


def html_page(title: str, body: Iterable[str], style: str = "") -> str:
    """Give a page: HTML, complete in itself.

    Args:
        title: as it is; it is escaped here.
        body: pieces of HTML, in which everything that somebody else wrote is escaped.
        style: CSS that this page needs besides.
    """
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f"<title>{escape(title)}</title>\n<style>{_STYLE}{style}</style>\n</head>\n<body>",
            *body,
            "</body>\n</html>\n",
        )
    )


def picture(title: str, draw: Callable[[Theme], bytes]) -> str:
    """Give a picture, drawn for light and for dark screens, as a part of the page itself."""
    light, dark = (_embedded(draw(theme)) for theme in (LIGHT, DARK))
    return (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img src="{light}" alt="{escape(title)}"></picture>'
    )


def _embedded(drawn: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(drawn).decode()


def replace_file(path: Path, content: str | bytes) -> Path:
    """Write a file whole or not at all; give its path.

    Raises:
        OSError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path
