"""The routes of sessions: a key, or being a guest, is changed for a token that ends by itself."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from adapters.http.keys import Keys
from adapters.http.negotiation import JSON
from adapters.http.openapi import described
from adapters.http.problems import Problem, to_json
from adapters.http.session_documents import OpenedSession, SignIn
from bot.access import ADMIN
from bot.adapter import Opened
from bot.messages import Author
from bot.tries import Tries

log = structlog.get_logger(__name__)

WRONG_KEYS_A_MINUTE = 10
"""How many wrong keys may come from one address."""

SESSIONS_A_MINUTE = 60
"""How many sessions may be opened from one address, with keys and by guests; the web pages open all their visitors'."""

PATH = "/v1/sessions"

sessions = APIRouter(prefix="/v1", tags=["sessions"])


class Doorkeeper:
    """Opens sessions, and sees that nobody tries keys one after the other.

    Args:
        keys: who has a key.
    """

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self._wrong = Tries(WRONG_KEYS_A_MINUTE)
        # Guests by themselves: however many there are, who has a key comes in.
        self._guests = Tries(SESSIONS_A_MINUTE)
        self._opened = Tries(SESSIONS_A_MINUTE)
        self._told = Tries(1)

    async def open(self, wish: SignIn, address: str) -> tuple[Opened, Author] | Problem:
        """Open a session for whoever asks from an address, or say what is wrong.

        Raises:
            StorageError: it cannot be kept.
        """
        opening = self._guests if wish.guest else self._opened
        wait = opening.wait(address) if wish.guest else max(self._wrong.wait(address), opening.wait(address))
        if wait:
            return Problem(
                "too_many",
                "Those were many tries.",
                f"Try again in {wait} seconds.",
                headers={"Retry-After": str(wait)},
            )
        if wish.guest and self.keys and not self.keys.takes_guests:
            return Problem("not_allowed", "Guests are not let in here.", "The setting http.guests lets them in.")
        opened = await (self.keys.open_for_guest() if wish.guest else self.keys.open(wish.key or ""))
        if opened is None:
            self._note_wrong(address)
            return Problem(
                "key_missing", "That key is not valid here.", "Send one that is in http.admin_keys or http.user_keys."
            )
        opening.note(address)
        return opened

    def _note_wrong(self, address: str) -> None:
        """Count a wrong key; an address that has to wait from here on is told of in the log, once a minute at most."""
        self._wrong.note(address)
        if self._wrong.wait(address) and not self._told.take(address):
            log.warning("wrong keys", tries=WRONG_KEYS_A_MINUTE, of="one address")


def _doorkeeper(request: Request) -> Doorkeeper:
    found: Doorkeeper = request.app.state.doorkeeper
    return found


TheDoorkeeper = Annotated[Doorkeeper, Depends(_doorkeeper)]


@sessions.post(
    "/sessions",
    summary="Sign in",
    status_code=201,
    response_model=OpenedSession,
    responses=described(400, 403, 413, 415, 422, 429),
    openapi_extra={"security": []},
)
async def sign_in(wish: SignIn, request: Request, doorkeeper: TheDoorkeeper) -> Response:
    """Change a key for a token that is good for the setting `http.session_hours`, or be a guest for so long.

    The token has the key's rights, and is over when that key is gone from the settings. After ten wrong keys in a
    minute from one address the next one has to wait.
    """
    outcome = await doorkeeper.open(wish, request.client.host if request.client else "")
    if isinstance(outcome, Problem):
        return outcome.response()
    opened, author = outcome
    document = {
        "token": opened.token,
        "expires_at": opened.session.expires_at.isoformat(),
        "person": {"id": f"http:{author.id}"},
        "is_admin": ADMIN in author.roles,
    }
    return Response(to_json(document), 201, media_type=JSON)


@sessions.delete("/sessions/current", summary="Sign out", status_code=204, responses=described())
async def sign_out(request: Request, doorkeeper: TheDoorkeeper) -> Response:
    """End the session whose token is shown. Where a key is shown instead, nothing changes."""
    await doorkeeper.keys.end(dict(request.scope["headers"]))
    return Response(status_code=204)
