"""What the routes need of the bot, and nothing more."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adapters.http.uploads import Uploads
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
        uploads: keeps what came with requests.
        most_files: how many files one request may bring.
        text_bytes: how long a text in a form may be.
    """

    post: Callable[[IncomingMessage], Awaitable[Exchange]]
    abandon: Callable[[IncomingMessage], None]
    inquire: Inquire
    ready: Callable[[], str]
    patience: float
    uploads: Uploads
    most_files: int
    text_bytes: int
