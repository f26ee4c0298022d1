"""Compares this machine's clock with the one of a platform, as it stands in its answers' ``Date``."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bot.examination.findings import Finding

_NOTICEABLE_S = 60
_TOO_MUCH_S = 300
"""Slack's signatures are good for five minutes, and so is what other platforms call fresh."""


def of_date(name: str, date: str, now: datetime | None = None) -> Finding:
    """Judge the clock by an HTTP ``Date`` (RFC 9110, 6.6.1; whole seconds) that has just come in.

    Args:
        date: the header; empty where there was none.
        now: this machine's time.
    """
    try:
        skew = ((now or datetime.now(UTC)) - parsedate_to_datetime(date)).total_seconds()
    except (ValueError, TypeError):
        return Finding(name, "unknown", "It could not be compared: the platform's answer names no time.")
    if abs(skew) <= _NOTICEABLE_S:
        return Finding(name, "ok", "This machine's clock agrees with the platform's.")
    said = f"This machine's clock is {abs(skew):,.0f} s {'ahead of' if skew > 0 else 'behind'} the platform's."
    fix = "Have it set from the network, e.g. `sudo timedatectl set-ntp true`."
    if abs(skew) <= _TOO_MUCH_S:
        return Finding(name, "warning", said, fix)
    return Finding(name, "failed", f"{said} Beyond 300 s what is signed or fresh counts as forged or stale.", fix)
