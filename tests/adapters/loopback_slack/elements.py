"""Checks the elements of blocks, buttons above all, and their texts against Slack's Block Kit reference."""

from collections.abc import Iterator
from typing import Any

from .wire import Json

_BUTTON_TEXT = 75
_BUTTON_VALUE = 2_000
_ACTION_ID = 255
_URL = 3_000
_OPTIONS = 100
_OPTION_TEXT = 75

# fmt: off
_KNOWN = frozenset(
    {
        "button", "channels_select", "checkboxes", "conversations_select", "datepicker", "datetimepicker",
        "email_text_input", "external_select", "feedback_buttons", "icon_button", "image", "multi_channels_select",
        "multi_conversations_select", "multi_external_select", "multi_static_select", "multi_users_select",
        "number_input", "overflow", "plain_text_input", "radio_buttons", "rich_text_input", "static_select",
        "timepicker", "url_text_input", "users_select", "workflow_button",
    }
)
# fmt: on


def of_length(value: Any, most: int, at: str, least: int = 1) -> Iterator[str]:
    """What is wrong with a text that must have `least` to `most` characters."""
    if not isinstance(value, str):
        yield f"must be a string [json-pointer:{at}]"
    elif len(value) > most:
        yield f"must be less than {most + 1} characters [json-pointer:{at}]"
    elif len(value) < least:
        yield f"must be more than {least - 1} characters [json-pointer:{at}]"


def text_problems(text: Any, most: int, at: str, only: str = "") -> Iterator[str]:
    """What is wrong with a text object; `only` names the one type that is allowed there."""
    if not isinstance(text, dict):
        yield f"missing required field: text [json-pointer:{at}]"
        return
    kind = text.get("type")
    if kind not in ("plain_text", "mrkdwn") or (only and kind != only):
        yield f"unsupported type: {kind} [json-pointer:{at}/type]"
    yield from of_length(text.get("text", ""), most, f"{at}/text")


def element_problems(element: Json, at: str, only: tuple[str, ...] = ()) -> Iterator[str]:
    """What is wrong with an interactive element; `only` names the types that are allowed there."""
    kind = element.get("type", "")
    if kind not in (only or _KNOWN):
        yield f"unsupported type: {kind} [json-pointer:{at}/type]"
        return
    yield from of_length(element.get("action_id", "a"), _ACTION_ID, f"{at}/action_id")
    if kind == "button":
        yield from _button(element, at)
    elif kind == "feedback_buttons":
        yield from _feedback(element, at)
    elif kind == "icon_button":
        yield from _icon(element, at)
    elif "options" in element:
        yield from _options(element, at)


def _button(element: Json, at: str) -> Iterator[str]:
    yield from text_problems(element.get("text"), _BUTTON_TEXT, f"{at}/text", only="plain_text")
    yield from of_length(element.get("value", "v"), _BUTTON_VALUE, f"{at}/value", least=0)
    yield from of_length(element.get("url", "u"), _URL, f"{at}/url")
    yield from of_length(element.get("accessibility_label", "l"), _BUTTON_TEXT, f"{at}/accessibility_label")
    if element.get("style", "primary") not in ("primary", "danger"):
        yield f"unsupported style: {element['style']} [json-pointer:{at}/style]"


def _feedback(element: Json, at: str) -> Iterator[str]:
    for side in ("positive_button", "negative_button"):
        face = element.get(side)
        if not isinstance(face, dict):
            yield f"missing required field: {side} [json-pointer:{at}]"
            continue
        yield from text_problems(face.get("text"), _BUTTON_TEXT, f"{at}/{side}/text", only="plain_text")
        yield from of_length(face.get("value", ""), _BUTTON_VALUE, f"{at}/{side}/value")
        yield from of_length(face.get("accessibility_label", "l"), _BUTTON_TEXT, f"{at}/{side}/accessibility_label")


def _icon(element: Json, at: str) -> Iterator[str]:
    if element.get("icon") != "trash":
        yield f"unsupported icon: {element.get('icon')} [json-pointer:{at}/icon]"
    yield from text_problems(element.get("text"), _BUTTON_TEXT, f"{at}/text", only="plain_text")


def _options(element: Json, at: str) -> Iterator[str]:
    options = element["options"]
    if not 1 <= len(options) <= _OPTIONS:
        yield f"must have 1 to {_OPTIONS} items [json-pointer:{at}/options]"
    for position, option in enumerate(options):
        yield from text_problems(option.get("text"), _OPTION_TEXT, f"{at}/options/{position}/text")
