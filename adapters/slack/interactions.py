"""Reads slash commands, message shortcuts and pressed buttons."""

from collections.abc import Mapping
from typing import Any

from adapters.fetching import LONGEST_ADDRESS
from adapters.slack.blocks import pressed
from adapters.slack.identifiers import Identity, Route, identifier, message_name
from adapters.slack.manifest import ANSWER_THIS, DESCRIBE_IMAGE
from adapters.slack.questions import PLATFORM, Questions, Written, attachments, others
from adapters.sound_text import sound
from bot.messages import IncomingMessage, Place

Payload = Mapping[str, Any]

_SHORTCUTS = {ANSWER_THIS: "ask", DESCRIBE_IMAGE: "describe"}
_COLLECTIVE = "preceptor"
"""The slash command whose first word is the command that is meant."""


class Interactions:
    """Translates what is done with commands, shortcuts and buttons."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def read(self, body: Payload, bot: Identity) -> IncomingMessage | None:
        """Give the message that an interaction is; None where it is none of ours."""
        if "command" in body:
            return self._command(body, bot)
        match body.get("type"):
            case "message_action":
                return self._shortcut(body, bot)
            case "block_actions":
                return self._press(body, bot)
        return None

    def _command(self, form: Payload, bot: Identity) -> IncomingMessage:
        name, text = str(form["command"]).lstrip("/").lower(), str(form.get("text") or "").strip()
        if name == _COLLECTIVE:
            # As if it were written in a message: what only buttons say nobody may say by hand.
            name, text = "", f"/{text.lstrip('/') or 'help'}"
        user = identifier(form["user_id"])
        return IncomingMessage(
            key=identifier(form["trigger_id"]),
            place=Place(PLATFORM, bot.team, identifier(form["channel_id"])),
            author=self._questions.author(user, str(form.get("user_name", ""))),
            text=self._questions.text(text, bot),
            command=name,
            mentions=others(text, bot),
            private=True,
            route=str(Route(user, _address(form))),
        )

    def _shortcut(self, payload: Payload, bot: Identity) -> IncomingMessage | None:
        """Read a shortcut. Its place is the channel: one person's shortcut makes the bot part of no thread."""
        command = _SHORTCUTS.get(str(payload.get("callback_id", "")))
        if command is None:
            return None
        channel = identifier(payload["channel"]["id"])
        chosen = Written.read(payload["message"], {"channel": channel})
        user = payload["user"]
        return IncomingMessage(
            key=identifier(payload["trigger_id"]),
            place=Place(PLATFORM, bot.team, channel),
            author=self._questions.author(identifier(user["id"]), _name(user)),
            # What stands beside a picture is its writer's; whoever has it described asks nothing.
            text=self._questions.text(chosen.text, bot) if command == "ask" else "",
            command=command,
            message_id=chosen.name,
            about=chosen.name,
            attachments=attachments(chosen.files),
            private=True,
            route=str(Route(identifier(user["id"]), _address(payload), chosen.thread)),
        )

    def _press(self, payload: Payload, bot: Identity) -> IncomingMessage | None:
        command = pressed((payload.get("actions") or [{}])[0])
        if command is None:
            return None
        container: Payload = payload.get("container") or {}
        user, only_theirs = payload["user"], bool(container.get("is_ephemeral"))
        place = _place(payload, container, identifier(user["id"]), bot)
        about = message_name(place.channel, identifier(container["message_ts"])) if "message_ts" in container else ""
        return IncomingMessage(
            key=identifier(payload["trigger_id"]),
            place=place,
            author=self._questions.author(identifier(user["id"]), _name(user)),
            text=command[1],
            command=command[0],
            message_id=about,
            about=about,
            streaming=not only_theirs,
            # What is asked from an answer for one's own eyes is; what is shared from it, or asked of people, is not.
            private=only_theirs and command[0] == "ask",
            route=str(Route(identifier(user["id"]), _address(payload), place.thread)),
        )


def _place(payload: Payload, container: Payload, user: str, bot: Identity) -> Place:
    """Give where a button was pressed; App Home is no channel: what follows goes to the direct messages."""
    if container.get("type") == "view":
        view: Payload = payload.get("view") or {}
        return Place(PLATFORM, bot.team, identifier(view.get("private_metadata") or user))
    channel = identifier(container.get("channel_id") or payload["channel"]["id"])
    thread = container.get("thread_ts") or (payload.get("message") or {}).get("thread_ts") or ""
    return Place(PLATFORM, bot.team, channel, identifier(thread))


def _name(user: Payload) -> str:
    return str(user.get("name") or user.get("username") or "")


def _address(payload: Payload) -> str:
    """Give the response URL. There is no blank in one: what it is kept with is told apart by them."""
    url = sound(payload.get("response_url") or "", LONGEST_ADDRESS)
    return "" if any(map(str.isspace, url)) else url
