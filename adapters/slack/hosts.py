"""Which addresses are Slack's: no other gets the bot's token, or what somebody is told alone."""

from urllib.parse import urlsplit

_HOSTS = (".slack.com", ".slack-files.com", ".slack-gov.com")


def is_slacks(url: str, base_url: str) -> bool:
    """Say whether an address is Slack's, or of the server where the settings say that Slack's Web API is."""
    try:
        own, parts = urlsplit(base_url), urlsplit(url)
        is_own = (parts.scheme, parts.hostname, parts.port) == (own.scheme, own.hostname, own.port)
    except ValueError:
        return False
    return is_own or (parts.scheme == "https" and f".{parts.hostname}".endswith(_HOSTS))
