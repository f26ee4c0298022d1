"""App Home and modals: the views that the bot publishes and opens, and what people may enter into them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .shown import ShownButton, buttons, words
from .wire import Json

_DEFAULTS: Json = {
    "private_metadata": "",
    "callback_id": "",
    "external_id": "",
    "clear_on_close": False,
    "notify_on_close": False,
    "previous_view_id": None,
}


@dataclass(slots=True, eq=False)
class View:
    """One view.

    Attributes:
        user: who sees it.
        content: what the bot gave: type, title, blocks, callback_id, private_metadata.
        states: the contents it had before, the oldest first.
        errors: what the bot said is wrong with a submission, by block_id.
        closed: whether the modal is gone.
    """

    id: str
    user: str
    content: Json
    team: str
    app: str
    bot_id: str
    hash: str
    states: list[Json] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    closed: bool = False

    @property
    def type(self) -> str:
        return str(self.content["type"])

    @property
    def blocks(self) -> list[Json]:
        return list(self.content.get("blocks", []))

    @property
    def shown(self) -> str:
        """What a reader sees of it."""
        return "\n".join(words([self.content.get("title", {}), *self.blocks]))

    @property
    def buttons(self) -> list[ShownButton]:
        return buttons(self.blocks)

    def replace(self, content: Json, new_hash: str) -> None:
        """Give it another content."""
        self.states.append(self.content)
        self.content, self.hash = content, new_hash

    def inputs(self, values: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
        """The block_id, action_id and value of each input that something was entered into."""
        for block in self.blocks:
            element = block.get("element", {})
            if block.get("type") == "input" and element.get("action_id") in values:
                yield block["block_id"], element["action_id"], values[element["action_id"]]

    def to_json(self) -> Json:
        """The view as Slack gives it in events, payloads and answers."""
        identity = {
            "id": self.id,
            "team_id": self.team,
            "app_id": self.app,
            "app_installed_team_id": self.team,
            "bot_id": self.bot_id,
            "root_view_id": self.id,
            "hash": self.hash,
            "state": {"values": {}},
        }
        return _DEFAULTS | self.content | identity
