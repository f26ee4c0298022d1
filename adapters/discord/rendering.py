"""Lays a reply out in messages that Discord takes: text, sources, buttons, files and the few mentions it may make."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import discord

from adapters.discord import markdown
from adapters.discord.buttons import view_of
from adapters.discord.identifiers import Route
from adapters.splitting import split
from bot.messages import Citation, Reply

MESSAGE_LENGTH = 2_000
"""Code points in the longest message."""

_FOR_WHOM_LENGTH = 48
"""Code points kept free in an interaction's answer, in case it has to name the asker (see `addressed_to`)."""

_TITLE_LENGTH = 150
_URL_LENGTH = 400

_SOURCES = "**Sources**"


@dataclass(frozen=True, slots=True)
class Content:
    """One message as discord.py sends it."""

    text: str
    mentions: discord.AllowedMentions
    view: discord.ui.View | None
    files: Sequence[discord.File]


def parts_of(reply: Reply) -> list[Reply]:
    """Cut a reply into parts of which each fits a message; sources, buttons and files go with the last one."""
    limit = MESSAGE_LENGTH - len(_calls(reply)) - (_FOR_WHOM_LENGTH if Route.of(reply.route).token else 0)
    texts = split(reply.text, limit, _rendered_length) or [""]
    bare = replace(reply, citations=(), buttons=(), files=(), mentions=(), note="")
    parts = [replace(bare, text=text, part=number) for number, text in enumerate(texts)]
    parts[0] = replace(parts[0], mentions=reply.mentions)
    if reply.complete:
        parts[-1:] = _with_sources(parts[-1], reply, limit)
    return parts


def _rendered_length(text: str) -> int:
    return len(markdown.render(text))


def _with_sources(last: Reply, reply: Reply, limit: int) -> list[Reply]:
    """Put the sources under the last part, or behind it in parts of their own, and then buttons and files."""
    parts = [last]
    room = limit - len(markdown.render(last.text))
    for citation in reply.citations:
        line = len(_source(citation)) + 1
        if line > room:
            parts.append(replace(last, text=_SOURCES, part=last.part + len(parts), mentions=()))
            room = limit - len(_SOURCES)
        room -= line
        parts[-1] = replace(parts[-1], citations=(*parts[-1].citations, citation))
    note = reply.note if len(_small(reply.note)) < room else ""
    parts[-1] = replace(parts[-1], buttons=reply.buttons, files=reply.files, note=note)
    return parts


def content_of(part: Reply) -> Content:
    """Render one part."""
    return Content(text_of(part), _allowed(part.mentions), view_of(part.buttons), _files(part))


def notice(text: str) -> Content:
    """Give a message of the adapter's own, in Discord's markup; it pings nobody."""
    return Content(text, _allowed(()), None, ())


def text_of(part: Reply) -> str:
    """Render what a part says."""
    note = [_small(part.note)] if part.note else []
    return "\n".join((f"{_calls(part)}{markdown.render(part.text)}", *map(_source, part.citations), *note)).strip()


def addressed_to(user: int, text: str) -> str:
    """Say for whom an answer is that could not be given as one; it names them without a ping."""
    return f"-# For <@{user}>\n{text}"


def _calls(reply: Reply) -> str:
    """Give the mentions that stand before the text."""
    return "".join(f"<@{'&' if kind == 'role' else ''}{number}> " for kind, number in _named(reply.mentions))


def _named(mentions: Sequence[str]) -> Iterator[tuple[str, str]]:
    for mention in mentions:
        kind, _, number = mention.partition(":")
        if kind in ("user", "role") and number.isdecimal():
            yield kind, number


def _allowed(mentions: Sequence[str]) -> discord.AllowedMentions:
    named = [(kind, discord.Object(int(number))) for kind, number in _named(mentions)]
    return discord.AllowedMentions(
        everyone=False,
        replied_user=False,
        users=[someone for kind, someone in named if kind == "user"],
        roles=[someone for kind, someone in named if kind == "role"],
    )


def _source(citation: Citation) -> str:
    """Give a source's line, in small print."""
    title = citation.title or citation.source
    shown = title if len(title) <= _TITLE_LENGTH else f"{title[: _TITLE_LENGTH - 1]}…"
    linked = markdown.link(shown, citation.url) if 0 < len(citation.url) <= _URL_LENGTH else markdown.escape(shown)
    return f"-# [{citation.number}] {linked}"


def _small(note: str) -> str:
    """Give a note's line, in small print."""
    return f"-# {markdown.escape(note)}"


def _files(reply: Reply) -> list[discord.File]:
    return [discord.File(io.BytesIO(file.text.encode()), filename=file.name) for file in reply.files]
