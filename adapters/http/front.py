"""What the routes need of the bot, and nothing more."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from adapters.http.forms import FormPath
from adapters.http.uploads import Uploads
from bot.adapter import Exchange, Figures, Inquire
from bot.messages import IncomingMessage
from bot.staging import Staging


@dataclass(frozen=True, slots=True)
class Front:
    """The seam between the routes and the adapter.

    Attributes:
        post: hands a message in and gives the exchange on which its replies arrive.
        abandon: says that nobody waits for the replies any more.
        inquire: does a command at once.
        ready: says what the bot still waits for; empty when it can answer.
        patience: seconds to wait for an answer.
        uploads: keeps pictures that came with requests.
        staging: keeps files on their way into the library.
        forms: the paths to which files are sent.
        most_files: how many files one request may bring.
        text_bytes: how long a text in a form may be.
        figures: the metrics.
    """

    post: Callable[[IncomingMessage], Awaitable[Exchange]]
    abandon: Callable[[IncomingMessage], None]
    inquire: Inquire
    ready: Callable[[], str]
    patience: float
    uploads: Uploads
    staging: Staging
    forms: Mapping[str, FormPath]
    most_files: int
    text_bytes: int
    figures: Figures
