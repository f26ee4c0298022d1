"""How much may be asked: token buckets of people, channels and workspaces, kept in the database."""

from sqlalchemy import Connection

from bot.messages import IncomingMessage
from bot.settings.limits import LimitSettings


class Limits:
    """The limits, as the settings have them."""

    def __init__(self, settings: LimitSettings) -> None:
        self._settings = settings

    def take(self, connection: Connection, message: IncomingMessage) -> str:
        """Count a question that is being accepted; give the sentence that refuses it, or nothing where it may pass.

        Called in the transaction that writes the question into the inbox, which is not committed yet.
        """
        return ""
