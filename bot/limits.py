"""How much may be asked: token buckets of people, channels and workspaces, kept in the database."""

from dataclasses import dataclass

from sqlalchemy import Connection

from bot.messages import IncomingMessage
from bot.settings.limits import LimitSettings


@dataclass(frozen=True, slots=True)
class TooMany:
    """A question that is one too many.

    Attributes:
        sentence: what is wrong; `fix`: what to do, with the wait in words.
        seconds: the wait.
        is_told: whether it is said; False where it was said not long ago and nothing waits for an answer.
    """

    sentence: str
    fix: str
    seconds: float
    is_told: bool = True


class Limits:
    """The limits, as the settings have them."""

    def __init__(self, settings: LimitSettings) -> None:
        self._settings = settings

    def take(self, connection: Connection, message: IncomingMessage) -> TooMany | None:
        """Count a question that is being accepted; None where it may pass.

        Called in the transaction that writes the question into the inbox, which is not committed yet.
        """
        return None
