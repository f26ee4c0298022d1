"""Buttons that still work after a restart: what a press says is in the button itself, nothing of it is kept."""

import re
from collections.abc import Sequence
from typing import Self, cast

import discord

from adapters.discord.interactions import HasInteractions
from bot.messages import Button

_PREFIX = "preceptor"
_CUSTOM_ID_LENGTH = 100
_LABEL_LENGTH = 80
_MOST_BUTTONS = 25

View = discord.ui.View


class PressedButton(
    discord.ui.DynamicItem[discord.ui.Button[View]], template=rf"(?s){_PREFIX}:(?P<command>[a-z_]+):(?P<text>.*)"
):
    """Any button of ours, made anew from its custom id when somebody presses it."""

    def __init__(self, item: discord.ui.Button[View], command: str, text: str) -> None:
        super().__init__(item)
        self._command = command
        self._text = text

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[View], match: re.Match[str], /
    ) -> Self:
        """Read what the button says; discord.py calls this at a press."""
        return cls(cast("discord.ui.Button[View]", item), match["command"], match["text"])

    async def callback(self, interaction: discord.Interaction) -> None:
        """Hand the press on."""
        heard = cast("HasInteractions", interaction.client).interactions
        await heard.pressed(interaction, self._command, self._text)


def view_of(buttons: Sequence[Button]) -> View | None:
    """Give the rows of buttons under a message, or None where there are none.

    One without a label is left out, as is one whose command and text do not fit into a custom id: Discord would refuse
    the whole answer for it.
    """
    by_id = {f"{_PREFIX}:{button.command}:{button.text}": button for button in buttons if button.label.strip()}
    fitting = [(name, button) for name, button in by_id.items() if len(name) <= _CUSTOM_ID_LENGTH][:_MOST_BUTTONS]
    if not fitting:
        return None
    view = View(timeout=None)
    for name, button in fitting:
        view.add_item(discord.ui.Button(label=_label(button), custom_id=name))
    # discord.py would keep every view it sent and, under ephemeral messages, a timer with it: presses find their way
    # through `PressedButton`, so a view's work is done once it is rendered.
    view.stop()
    return view


def _label(button: Button) -> str:
    return button.label if len(button.label) <= _LABEL_LENGTH else f"{button.label[: _LABEL_LENGTH - 1]}…"
