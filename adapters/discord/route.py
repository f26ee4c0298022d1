"""The way back to an asker, as it travels with a message: who asked, and the interaction's token where there is one."""

import json
from dataclasses import asdict, dataclass
from typing import Literal

Kind = Literal["message", "command", "press"]


@dataclass(frozen=True, slots=True)
class Route:
    """What is needed to answer, also after a restart.

    Attributes:
        user: the asker's id; 0 where nobody is known.
        kind: how they asked: with a message, a slash command or context menu, or by pressing a button.
        application: the application's id, which is the id of the interaction's webhook.
        token: the interaction's token, valid for fifteen minutes; empty for messages.
        hidden: whether the deferred response is one that only the asker sees.
    """

    user: int = 0
    kind: Kind = "message"
    application: int = 0
    token: str = ""
    hidden: bool = False

    @property
    def text(self) -> str:
        """The form in which it is kept."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def of(cls, text: str) -> "Route":
        """Read what `text` gave; nothing gives the route to nobody."""
        return cls(**json.loads(text)) if text else cls()
