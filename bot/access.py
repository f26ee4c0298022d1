"""Who may do what: the one place where that is decided. What is not allowed is refused."""

from bot.errors import NotAllowedError
from bot.messages import IncomingMessage
from bot.settings.access import AccessSettings

ADMIN = "preceptor:admin"
"""The role an adapter vouches for when the author runs this machine or has shown an admin key.

It is written as no platform writes its own: to be an admin of Slack's is to be none here, unless the settings say so.
"""


class Access:
    """The policy, as the settings have it."""

    def __init__(self, settings: AccessSettings) -> None:
        self._admins = frozenset(settings.admins)
        self._admin_roles = frozenset(settings.admin_roles)

    def is_admin(self, message: IncomingMessage) -> bool:
        """Say whether the author may use admin commands."""
        roles = message.author.roles
        named = {f"{message.place.platform}:{role}" for role in roles}
        return ADMIN in roles or message.person_id in self._admins or not self._admin_roles.isdisjoint(named)

    def require_admin(self, message: IncomingMessage, action: str) -> None:
        """Let admins pass.

        Raises:
            NotAllowedError: for everybody else.
        """
        if not self.is_admin(message):
            raise NotAllowedError(
                f"{action} is for admins.", "The settings access.admins and access.admin_roles name them."
            )
