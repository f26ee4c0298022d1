"""Lays a reply out in Block Kit: its text, its sources, its buttons, each within Slack's limits."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from adapters.slack import mrkdwn
from adapters.splitting import split
from bot.messages import Button, Citation, Reply

Block = dict[str, Any]
Thing = TypeVar("Thing")

SECTION_LENGTH = 3_000
"""Characters in the longest section; Slack's Block Kit reference has this and the limits below."""

_BUTTONS_IN_BLOCK = 25
_LABEL_LENGTH = 75
_VALUE_LENGTH = 2_000
_SOURCES_IN_BLOCK = 10
_TITLE_LENGTH = 150
_NOTE_LENGTH = 300
_ACTION = "preceptor"

_ID = re.compile(r"[A-Z0-9]+")


def parts(reply: Reply) -> Sequence[Reply]:
    """Cut a reply so that each part is one section; sources, buttons and files go with the last."""
    calls = len(calling(reply))
    room = SECTION_LENGTH - calls
    texts = split(reply.text, room, lambda text: len(mrkdwn.render(text))) or [""]
    cut = [replace(reply, text=text, citations=(), buttons=(), files=(), mentions=(), note="") for text in texts]
    cut[0] = replace(cut[0], mentions=reply.mentions)
    cut[-1] = replace(cut[-1], citations=reply.citations, buttons=reply.buttons, files=reply.files, note=reply.note)
    return [replace(part, part=number) for number, part in enumerate(cut)]


def message(reply: Reply) -> dict[str, Any]:
    """Give what a message says: its blocks, and its text for notifications and screen readers."""
    text = calling(reply) + mrkdwn.render(reply.text)
    return {"text": text, "blocks": [_section(text), *additions(reply)]}


def additions(reply: Reply) -> list[Block]:
    """Give the blocks below the text; there are none while it still grows."""
    return [*_sources(reply.citations), *_note(reply.note), *buttons(reply.buttons)] if reply.complete else []


def calling(reply: Reply) -> str:
    """Mention whom the reply calls: the only mentions that it makes."""
    called = (_mention(mention) for mention in reply.mentions)
    return "".join(f"{mention} " for mention in called if mention)


def _mention(mention: str) -> str:
    kind, _, name = mention.partition(":")
    if not _ID.fullmatch(name):
        return ""
    return {"user": f"<@{name}>", "group": f"<!subteam^{name}>"}.get(kind, "")


def _section(text: str) -> Block:
    # Verbatim, for the text holds its links already; expanded, for an answer is to be read without a click.
    return {"type": "section", "expand": True, "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _sources(citations: Sequence[Citation]) -> Iterator[Block]:
    for some in _batches(citations, _SOURCES_IN_BLOCK):
        elements = [{"type": "mrkdwn", "text": _source(citation), "verbatim": True} for citation in some]
        yield {"type": "context", "elements": elements}


def _note(note: str) -> Iterator[Block]:
    if note:
        yield {"type": "context", "elements": [{"type": "plain_text", "text": _shortened(note, _NOTE_LENGTH)}]}


def _batches(things: Sequence[Thing], size: int) -> Iterator[Sequence[Thing]]:
    return (things[start : start + size] for start in range(0, len(things), size))


def _source(citation: Citation) -> str:
    title = _shortened(citation.title or citation.source, _TITLE_LENGTH)
    linked = mrkdwn.link(title, citation.url)
    if "<" in linked:
        return f"[{citation.number}] {linked}"
    where = ", ".join(filter(None, (citation.source, citation.location)))
    return f"[{citation.number}] {linked} · {mrkdwn.escape(_shortened(where, _TITLE_LENGTH))}"


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def buttons(several: Sequence[Button]) -> Iterator[Block]:
    """Give the blocks that hold buttons; one whose text is too long to come back from Slack is left out."""
    made = [made for number, button in enumerate(several) if (made := _button(number, button))]
    for some in _batches(made, _BUTTONS_IN_BLOCK):
        yield {"type": "actions", "elements": some}


def _button(number: int, button: Button) -> Block | None:
    value = f"{button.command} {button.text}"
    if len(value) > _VALUE_LENGTH:
        return None
    label = {"type": "plain_text", "text": _shortened(button.label, _LABEL_LENGTH), "emoji": True}
    return {"type": "button", "action_id": f"{_ACTION}/{number}", "text": label, "value": value}


def pressed(action: dict[str, Any]) -> tuple[str, str] | None:
    """Read the command and the text off a button that was pressed; None where it is none of ours."""
    if not str(action.get("action_id", "")).startswith(f"{_ACTION}/"):
        return None
    command, _, text = str(action.get("value", "")).partition(" ")
    return command, text
