"""Lays messages out as a page: who said what where, what they can press, and who else sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from drawing.markup import with_signs

_STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
_BOT_COLOUR = "#1f3a5f"
_COLOURS = ("#a8552b", "#3f7d58", "#7a4a8c")


@dataclass(frozen=True, slots=True)
class Entry:
    """One message, or a line between messages where `author` is empty.

    Attributes:
        author: who said it.
        html: what they said.
        is_app: whether the author is an app.
        buttons: the labels of what can be pressed under it.
        sources: lines below the text, in HTML, where the platform keeps them apart.
        refers_to: what a reply shows of the message it answers, in HTML.
        note: what the platform says about who sees it.
        in_thread: whether it stands in a thread below the others.
        reactions: emoji under it.
    """

    author: str
    html: str
    is_app: bool = False
    buttons: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    refers_to: str = ""
    note: str = ""
    in_thread: bool = False
    reactions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: its file's name without the ending, the platform whose look it has, the place, and what is said."""

    name: str
    platform: str
    where: str
    entries: tuple[Entry, ...]


def between(words: str) -> Entry:
    """Give a line that says what happened between two messages."""
    return Entry("", with_signs(escape(words)))


def page(picture: Picture) -> str:
    """Give the whole page as HTML."""
    colours = _colours(picture.entries)
    shown = "\n".join(_entry(entry, colours) for entry in picture.entries)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(picture.name)}</title>'
        f'<style>{_STYLE}</style></head><body><main class="{picture.platform}">'
        f"<header>{escape(picture.where)}</header>\n{shown}\n</main></body></html>"
    )


def _colours(entries: Sequence[Entry]) -> dict[str, str]:
    people = dict.fromkeys(entry.author for entry in entries if entry.author and not entry.is_app)
    return dict(zip(people, _COLOURS * len(people), strict=False))


def _entry(entry: Entry, colours: dict[str, str]) -> str:
    if not entry.author:
        return f'<div class="between">{entry.html}</div>'
    kinds = " ".join(kind for kind, holds in (("thread", entry.in_thread), ("private", bool(entry.note))) if holds)
    app = '<span class="app">APP</span>' if entry.is_app else ""
    refers = f'<div class="refers">↱ {entry.refers_to}</div>' if entry.refers_to else ""
    colour = colours.get(entry.author, _BOT_COLOUR)
    return (
        f'<article class="{kinds}">{refers}<div class="face" style="background:{colour}">'
        f"{escape(entry.author[0].upper())}</div><div><b>{escape(entry.author)}</b>{app}"
        f'<div class="said">{entry.html}</div>{_below(entry)}</div></article>'
    )


def _below(entry: Entry) -> str:
    sources = "".join(f'<div class="source">{source}</div>' for source in entry.sources)
    buttons = "".join(f"<button>{with_signs(escape(label))}</button>" for label in entry.buttons)
    reactions = "".join(f'<span class="reaction">{with_signs(sign)} 1</span>' for sign in entry.reactions)
    rows = [sources, f'<div class="buttons">{buttons}</div>' if buttons else "", reactions]
    note = f'<div class="note">{escape(entry.note)}</div>' if entry.note else ""
    return "".join(rows) + note
