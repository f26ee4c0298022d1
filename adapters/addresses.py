"""Whose server an address leads to: tokens and private words go to the platform's own, and files come from there."""

from collections.abc import Sequence
from urllib.parse import urlsplit


def belongs_to(url: str, domains: Sequence[str], base_url: str) -> bool:
    """Say whether an address is a platform's.

    Args:
        url: the address.
        domains: the platform's, each with a dot before it (``.slack.com``); they count with https alone.
        base_url: where the settings say that its API is; that very server counts as the platform's, too.
    """
    try:
        leads_to, own = urlsplit(url), urlsplit(base_url)
        is_own = (leads_to.scheme, leads_to.hostname, leads_to.port) == (own.scheme, own.hostname, own.port)
    except ValueError:
        return False
    return is_own or (leads_to.scheme == "https" and f".{leads_to.hostname or ''}".endswith(tuple(domains)))
