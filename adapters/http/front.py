"""What the routes need of the bot, and nothing more."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.adapter import Exchange, Inquire
from bot.messages import IncomingMessage


@dataclass(frozen=True, slots=True)
class Front:
    """The seam between the routes and the adapter.

    Attributes:
        post: hands a message in and gives the exchange on which its replies arrive.
        abandon: says that nobody waits for the replies any more.
        inquire: does a command at once.
        ready: says what the bot still waits for; empty when it can answer.
        patience: seconds to wait for an answer.
    """

    post: Callable[[IncomingMessage], Awaitable[Exchange]]
    abandon: Callable[[IncomingMessage], None]
    inquire: Inquire
    ready: Callable[[], str]
    patience: float
