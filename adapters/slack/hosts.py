"""Which addresses are Slack's: no other gets the bot's token, or what somebody is told alone."""

from adapters.addresses import belongs_to

_DOMAINS = (".slack.com", ".slack-files.com", ".slack-gov.com")


def is_slacks(url: str, base_url: str) -> bool:
    """Say whether an address is Slack's, or of the server where the settings say that Slack's Web API is."""
    return belongs_to(url, _DOMAINS, base_url)
