"""Signs what is posted to the bot as Slack does, and forges what Slack would never send."""

import hashlib
import hmac
import time
from typing import Literal

Forgery = Literal["tampered", "stale", "unsigned", "wrong secret", "garbled timestamp", "from the future"]
"""How a request is wrong: changed after signing, six minutes old, without headers, signed with another secret."""

FRESH_SECONDS = 5 * 60
_BEYOND = FRESH_SECONDS + 60


def signature(secret: str, timestamp: str, body: str) -> str:
    """Slack's v0 signature: HMAC-SHA256 over version, timestamp and body."""
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return f"v0={digest}"


def signed(secret: str, body: str, at: float | None = None) -> dict[str, str]:
    """The two headers of a signed request."""
    timestamp = str(int(time.time() if at is None else at))
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature(secret, timestamp, body)}


def forged(how: Forgery, secret: str, body: str) -> tuple[dict[str, str], str]:
    """The headers and the body of a request that must be refused."""
    if how == "unsigned":
        return {}, body
    if how == "tampered":
        return signed(secret, body), body + " "
    if how == "wrong secret":
        return signed(f"not {secret}", body), body
    if how == "garbled timestamp":
        return signed(secret, body) | {"X-Slack-Request-Timestamp": "yesterday"}, body
    return signed(secret, body, time.time() + (_BEYOND if how == "from the future" else -_BEYOND)), body
