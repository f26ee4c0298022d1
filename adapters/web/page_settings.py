"""What the process that serves the pages is told; there is no secret in it."""

import functools
import json
import os
import re
from dataclasses import asdict, dataclass

VARIABLE = "PRECEPTOR_PAGE"
"""The environment variable that holds them, as JSON, in the pages' own process."""

COOKIE = "preceptor_session"
"""The cookie that holds a visitor's session."""

_TOKEN = re.compile("ps_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What the pages have to know.

    Attributes:
        title: what they are called.
        api: the address of the HTTP API, as ``http://127.0.0.1:8321``.
        needs_key: whether people have to sign in.
        guests: whether those who have no key may go on as guests.
        https: whether people reach the pages by https alone.
        allowed_hosts: names under which the pages are reached, besides this machine's own and addresses.
        upload_megabytes: the largest file that is taken, in MiB.
        session_hours: how long a visitor stays signed in.
    """

    title: str = "Preceptor"
    api: str = "http://127.0.0.1:8321"
    needs_key: bool = False
    guests: bool = False
    https: bool = False
    allowed_hosts: tuple[str, ...] = ()
    upload_megabytes: int = 20
    session_hours: float = 12.0

    def to_json(self) -> str:
        """Write them on one line."""
        return json.dumps(asdict(self))

    @classmethod
    def of_json(cls, text: str) -> "PageSettings":
        """Read what `to_json` wrote; what is left out is the default."""
        values = json.loads(text)
        return cls(**values | {"allowed_hosts": tuple(values.get("allowed_hosts", ()))})


@functools.cache
def of_this_process() -> PageSettings:
    """Give the settings of the process that asks: those in its environment, else the defaults."""
    return PageSettings.of_json(os.environ.get(VARIABLE, "{}"))


def token_in(cookie: str | None) -> str:
    """Give the session that a cookie holds; empty where it holds none, or cannot be one."""
    return cookie if cookie and _TOKEN.fullmatch(cookie) else ""
