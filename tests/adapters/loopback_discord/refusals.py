"""What Discord says no with: an HTTP status, a code of its own and, for a malformed body, where the fault is.

The codes are those of "Opcodes and Status Codes" in Discord's documentation.
"""

from typing import Any


class Refusal(Exception):  # noqa: N818 - it is Discord that refuses; nothing here went wrong
    """A request that Discord refuses.

    Attributes:
        status: the HTTP status.
        code: Discord's own code; 0 where it gives none.
        message: Discord's sentence.
        errors: for code 50035, the nested object that names the faulty fields.
    """

    def __init__(self, status: int, code: int, message: str, errors: dict[str, Any] | None = None) -> None:
        super().__init__(f"{status} (error code: {code}): {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    @property
    def document(self) -> dict[str, Any]:
        """The body of the answer."""
        document: dict[str, Any] = {"message": self.message, "code": self.code}
        if self.errors:
            document["errors"] = self.errors
        return document


def unauthorized() -> Refusal:
    """The token is wrong or missing."""
    return Refusal(401, 0, "401: Unauthorized")


def not_found() -> Refusal:
    """There is no such path."""
    return Refusal(404, 0, "404: Not Found")


def unknown(what: str) -> Refusal:
    """There is no such thing; `what` is one of the names in the table below."""
    return Refusal(404, _UNKNOWN[what], f"Unknown {what}")


def missing_access() -> Refusal:
    """The bot does not see the channel."""
    return Refusal(403, 50001, "Missing Access")


def missing_permissions() -> Refusal:
    """The bot sees the channel and may not do that there."""
    return Refusal(403, 50013, "Missing Permissions")


def cannot_reply() -> Refusal:
    """A reply needs the permission to read the channel's history."""
    return Refusal(403, 160002, "Cannot reply without permission to read message history")


def cannot_message_user() -> Refusal:
    """The user takes no direct messages from the bot."""
    return Refusal(403, 50007, "Cannot send messages to this user")


def not_the_author() -> Refusal:
    """A message is edited by its author alone."""
    return Refusal(403, 50005, "Cannot edit a message authored by another user")


def empty_message() -> Refusal:
    """There is nothing in the message."""
    return Refusal(400, 50006, "Cannot send an empty message")


def already_acknowledged() -> Refusal:
    """The interaction has had its first response."""
    return Refusal(400, 40060, "Interaction has already been acknowledged.")


def invalid_webhook_token() -> Refusal:
    """The interaction's token is older than fifteen minutes."""
    return Refusal(401, 50027, "Invalid Webhook Token")


def thread_exists() -> Refusal:
    """A message has one thread at most."""
    return Refusal(400, 160004, "A thread has already been created for this message")


def thread_archived() -> Refusal:
    """The thread is locked."""
    return Refusal(400, 50083, "Thread is archived")


def file_too_large() -> Refusal:
    """The body is larger than the server takes."""
    return Refusal(413, 40005, "Request entity too large")


def invalid_form(path: str, code: str, message: str) -> Refusal:
    """A field of the body is faulty; `path` is dotted (``components.0.components.1.label``)."""
    errors: dict[str, Any] = {"_errors": [{"code": code, "message": message}]}
    for part in reversed(path.split(".")):
        errors = {part: errors}
    return Refusal(400, 50035, "Invalid Form Body", errors)


def too_long(path: str, limit: int) -> Refusal:
    """A field holds more than `limit` characters or items."""
    return invalid_form(path, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")


_UNKNOWN = {
    "Application": 10002,
    "Channel": 10003,
    "Guild": 10004,
    "Member": 10007,
    "Message": 10008,
    "Role": 10011,
    "User": 10013,
    "Emoji": 10014,
    "Webhook": 10015,
    "interaction": 10062,
    "application command": 10063,
}
