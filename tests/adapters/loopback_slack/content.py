"""What a message is to say, checked as Slack checks it before anything is put up."""

import json
from dataclasses import dataclass, field

from .blocks import check
from .files import File
from .wire import ApiError, Call, Json

TEXT_LIMIT = 40_000
"""Characters in a message's text (chat.postMessage)."""

MARKDOWN_LIMIT = 12_000
"""Characters in ``markdown_text`` and in all markdown blocks of a message together."""

METADATA_LIMIT = 16 * 1024
ATTACHMENT_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says: None for a part that a change leaves as it was."""

    text: str = ""
    blocks: list[Json] | None = None
    attachments: list[Json] | None = None
    metadata: Json | None = None
    files: list[File] = field(default_factory=list)
    more: Json = field(default_factory=dict)


def checked_message(call: Call, *, may_be_empty: bool = False) -> Content:
    """The content that a call asks for.

    Raises:
        ApiError: ``no_text``, ``msg_too_long``, ``invalid_blocks``, ``markdown_text_conflict`` and their kin.
    """
    text, markdown = call.text("text"), call.text("markdown_text")
    blocks, attachments = call.arguments.get("blocks"), call.arguments.get("attachments")
    if markdown and (text or blocks):
        raise ApiError("markdown_text_conflict")
    if not (text or markdown or blocks or attachments or may_be_empty):
        raise ApiError("no_text")
    if len(text) > TEXT_LIMIT or len(markdown) > MARKDOWN_LIMIT:
        raise ApiError("msg_too_long")
    if attachments and len(attachments) > ATTACHMENT_LIMIT:
        raise ApiError("too_many_attachments")
    if blocks:
        check(blocks)
    if markdown:
        blocks = [{"type": "markdown", "text": markdown}]
    return Content(text or markdown, blocks, attachments, checked_metadata(call))


def checked_metadata(call: Call) -> Json | None:
    """The metadata that a call gives, None where it gives none.

    Raises:
        ApiError: ``invalid_metadata_format`` or ``metadata_too_large``.
    """
    metadata = call.arguments.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        raise ApiError("invalid_metadata_format")
    if metadata and not (metadata.get("event_type") and isinstance(metadata.get("event_payload"), dict)):
        raise ApiError("invalid_metadata_format")
    if len(json.dumps(metadata)) > METADATA_LIMIT:
        raise ApiError("metadata_too_large")
    return metadata
