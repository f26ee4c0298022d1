"""Writes a conversation as a file to keep: as Markdown for reading, as JSON for machines."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.web.api import Api
from adapters.web.rendering import plain


def as_json(api: Api, conversation_id: str) -> str:
    """Give the conversation as the API keeps it. Raises `ApiError`."""
    return json.dumps(api.get(f"/v1/conversations/{conversation_id}"), ensure_ascii=False, indent=2)


def as_markdown(api: Api, conversation_id: str, title: str) -> str:
    """Give the conversation as CommonMark: questions as quotations, answers as they are. Raises `ApiError`."""
    return in_markdown(api.get(f"/v1/conversations/{conversation_id}")["messages"], title)


def in_markdown(messages: Sequence[Mapping[str, Any]], title: str) -> str:
    """Write the messages of a conversation as CommonMark."""
    written = [f"# {plain(title) or 'Conversation'}"]
    for message in messages:
        text = str(message.get("text", ""))
        if message["role"] == "question":
            quoted = "\n".join(f"> {line}".rstrip() for line in text.splitlines() or [""])
            written.append(f"{quoted}\n>\n> {message.get('at', '')}")
        else:
            written += [text, *_sources(message.get("citations") or [])]
    return "\n\n".join(written) + "\n"


def _sources(citations: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for number, citation in enumerate(citations, start=1):
        told = [str(citation.get(name) or "") for name in ("title", "source", "location", "url")]
        lines.append(f"{number}. {' · '.join(plain(part, 300) for part in told if part)}")
    return ["Sources:\n\n" + "\n".join(lines)] if lines else []
