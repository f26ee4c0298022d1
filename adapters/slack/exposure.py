"""Tells whether HTTP mode leaves the rest of the HTTP API open to whoever Slack's way in lets through."""

from bot.settings import Settings

DANGER = (
    "Slack calls from outside, and the HTTP API beside /slack/ needs no key: to it whoever comes through the proxy is"
    " an admin."
)
FIX = (
    "Set http.admin_keys (`preceptor settings new-key` makes one). Until then let the proxy pass on /slack/ and nothing"
    " else."
)


def is_exposed(settings: Settings) -> bool:
    """Say whether Slack calls the HTTP API, and the API asks nobody for a key."""
    has_keys = settings.http.admin_keys or settings.http.user_keys
    return settings.slack.mode == "http" and settings.http.enabled and not has_keys
