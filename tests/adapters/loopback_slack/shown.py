"""What a reader sees of a message's blocks: its words and its buttons."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .wire import Json

_PING = re.compile(r"<(?:@[A-Z0-9]+|!channel|!here|!everyone|!group|!subteam\^[A-Z0-9]+)(?:\|[^>]*)?>")

_PINGING = {"user": "<@{user_id}>", "usergroup": "<!subteam^{usergroup_id}>", "broadcast": "<!{range}>"}
"""Elements of rich text that notify somebody."""

_SPOKEN = frozenset({"text", "title", "label"})
"""Fields that hold words for the reader."""


@dataclass(frozen=True, slots=True)
class ShownButton:
    """Something that can be pressed: the element that Slack reports, with its label and value."""

    label: str
    action_id: str
    block_id: str
    value: str
    element: Json

    def matches(self, wanted: str) -> bool:
        return wanted in (self.label, self.action_id, self.value)

    def action(self, at: str) -> Json:
        """The entry of ``actions`` in a block_actions payload."""
        label = {"type": "plain_text", "text": self.label, "emoji": True}
        action = {"type": self.element["type"], "action_id": self.action_id, "block_id": self.block_id}
        return action | {"value": self.value, "text": label, "action_ts": at}


def words(value: Any) -> Iterator[str]:
    """Every text in a block or a list of blocks, in reading order."""
    if isinstance(value, list):
        for item in value:
            yield from words(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in _SPOKEN and isinstance(item, str):
                yield item
            elif key not in ("confirm", "value"):
                yield from words(item)


def pings(value: Any) -> Iterator[str]:
    """Everyone whom a text, a block or a list of blocks would notify; ``plain_text`` notifies nobody."""
    if isinstance(value, str):
        yield from _PING.findall(value)
    elif isinstance(value, list):
        for item in value:
            yield from pings(item)
    elif isinstance(value, dict) and value.get("type") != "plain_text":
        if value.get("type") in _PINGING:
            yield _PINGING[value["type"]].format(**value)
        for key, item in value.items():
            if key in _SPOKEN or not isinstance(item, str):
                yield from pings(item)


def buttons(blocks: list[Json]) -> list[ShownButton]:
    """Everything in the blocks that can be pressed; feedback buttons count as two."""
    return [button for block in blocks for element in _elements(block) for button in _buttons(block, element)]


def _elements(block: Json) -> list[Json]:
    elements = block.get("elements", [])
    return [*elements, *([block["accessory"]] if "accessory" in block else [])]


def _buttons(block: Json, element: Json) -> Iterator[ShownButton]:
    if element.get("type") in ("button", "icon_button"):
        yield _button(block, element, element)
    elif element.get("type") == "feedback_buttons":
        yield _button(block, element, element["positive_button"])
        yield _button(block, element, element["negative_button"])


def _button(block: Json, element: Json, face: Json) -> ShownButton:
    label = str(face["text"]["text"])
    return ShownButton(label, element.get("action_id", ""), block.get("block_id", ""), face.get("value", ""), element)
