"""Turns the text of a message into HTML: Discord's markdown, Slack's mrkdwn and Slack's streamed Markdown."""

import re
from collections.abc import Callable, Mapping
from itertools import groupby

from markdown_it import MarkdownIt

_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("strikethrough").disable("code")

_SMALL = "-# "
_DISCORD_MENTION = re.compile(r"&lt;([@#])[!&]?(?:amp;)?(\d+)&gt;")

_FENCE = re.compile(r"```\n?(.+?)\n?```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_TOKEN = re.compile(r"<([^<>\n]+)>")
_QUOTED = ">"
_GAP = '<div class="gap"></div>'
_EMPTY_LINE = re.compile("^<br>|<br><br>|<br>$")
_EMPHASES = (
    (re.compile(r"(?<!\w)\*([^*\n]+)\*(?!\w)"), "strong"),
    (re.compile(r"(?<!\w)_([^_\n]+)_(?!\w)"), "em"),
    (re.compile(r"(?<!\w)~([^~\n]+)~(?!\w)"), "s"),
)
_KEPT = re.compile("\ue000(\\d+)\ue001")

_THUMB = "M2 9h3v9H2zM6.5 9.2 10.6 2c1.5.1 2.2 1.3 1.9 2.7L11.8 8h4.4c1.3 0 2 1.1 1.7 2.3l-1.4 6c-.2 1-.9 1.7-2 1.7h-8z"
_SIGNS = {
    "👍": f'<svg viewBox="0 0 20 20" class="thumb"><path d="{_THUMB}"/></svg>',
    "👎": f'<svg viewBox="0 0 20 20" class="thumb"><path d="{_THUMB}" transform="rotate(180 10 10)"/></svg>',
    "✅": '<svg viewBox="0 0 20 20"><rect x="1" y="1" width="18" height="18" rx="4" fill="#3aa55d"/>'
    '<path d="m5 10 4 4 7-8" fill="none" stroke="#fff" stroke-width="2.6"/></svg>',
}


def with_signs(html: str) -> str:
    """Put small drawings in the stead of the few emoji that Preceptor uses: not every machine has a font for them."""
    for sign, drawing in _SIGNS.items():
        html = html.replace(sign, drawing)
    return html


def of_discord(content: str, names: Mapping[str, str]) -> str:
    """Give a message's content as HTML.

    Args:
        content: as Discord got it.
        names: what people, roles and channels are called, by id.
    """
    html = ""
    for is_small, lines in groupby(content.split("\n"), lambda line: line.startswith(_SMALL)):
        if is_small:
            small = (_markdown.renderInline(line.removeprefix(_SMALL)) for line in lines)
            html += "".join(f'<div class="small">{line}</div>' for line in small)
        else:
            html += _markdown.render("\n".join(lines))
    return with_signs(_DISCORD_MENTION.sub(lambda found: _mention(found[1], names.get(found[2], found[2])), html))


def of_slack(text: str, names: Mapping[str, str]) -> str:
    """Give mrkdwn as HTML; in it, ``&``, ``<`` and ``>`` of the text are entities already.

    Args:
        text: as Slack got it.
        names: what people, groups and channels are called, by id.
    """
    kept: list[str] = []

    def _keep(form: Callable[[re.Match[str]], str]) -> Callable[[re.Match[str]], str]:
        def _kept(found: re.Match[str]) -> str:
            kept.append(form(found))
            return f"\ue000{len(kept) - 1}\ue001"

        return _kept

    text = _FENCE.sub(_keep(lambda found: f"<pre><code>{found[1]}</code></pre>"), text)
    text = _CODE.sub(_keep(lambda found: f"<code>{found[1]}</code>"), text)
    text = _TOKEN.sub(_keep(lambda found: _token(found[1], names)), text)
    for pattern, tag in _EMPHASES:
        text = pattern.sub(rf"<{tag}>\1</{tag}>", text)
    return with_signs(_KEPT.sub(lambda found: kept[int(found[1])], _in_lines(text)))


def of_streamed(text: str) -> str:
    """Give Slack's ``markdown_text``, which is Markdown as everyone knows it, as HTML."""
    return with_signs(_markdown.render(text))


def _in_lines(text: str) -> str:
    """Break lines, and put those that are quoted into a block."""
    html = ""
    for is_quoted, lines in groupby(text.split("\n"), lambda line: line.startswith(_QUOTED)):
        joined = "<br>".join(line.removeprefix(_QUOTED).strip() if is_quoted else line for line in lines)
        spaced = _EMPTY_LINE.sub(_GAP, joined)
        html += f"<blockquote>{joined}</blockquote>" if is_quoted else spaced
    return html


def _token(token: str, names: Mapping[str, str]) -> str:
    target, _, label = token.partition("|")
    if target.startswith("@"):
        return _mention("@", names.get(target[1:], label or target[1:]))
    if target.startswith("#"):
        return _mention("#", names.get(target[1:], label or target[1:]))
    if target.startswith("!subteam^"):
        group = target.removeprefix("!subteam^")
        return _mention("@", names.get(group, label or group))
    return f'<a href="{target}">{label or target}</a>'


def _mention(sign: str, name: str) -> str:
    return f'<span class="mention">{sign}{name}</span>'
