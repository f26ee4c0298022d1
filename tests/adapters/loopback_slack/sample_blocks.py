"""Blocks as the tests of the loopback send them."""

from typing import Any

from .wire import Json


def section(text: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(**fields: Any) -> Json:
    return {"type": "button", "text": {"type": "plain_text", "text": "Go"}} | fields


def feedback() -> Json:
    def face(label: str, value: str) -> Json:
        return {"text": {"type": "plain_text", "text": label}, "value": value}

    sides = {"positive_button": face("👍", "good"), "negative_button": face("👎", "bad")}
    return {"type": "context_actions", "elements": [{"type": "feedback_buttons", "action_id": "feedback"} | sides]}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}
