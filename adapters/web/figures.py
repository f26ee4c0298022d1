"""Figures, times and sizes as the pages write them."""

from collections.abc import Mapping
from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400

_UNKNOWN = "–"
"""What stands where there is no figure."""


def number(value: float) -> str:
    """Write a whole number: ``1,843``."""
    return f"{value:,.0f}"


def counted(value: int, noun: str) -> str:
    """Write a number with its noun: ``1 file``, ``2,000 files``."""
    return f"{value:,} {noun}" + ("" if value == 1 else "s")


def share(part: float, whole: float = 1) -> str:
    """Write a part of a whole as ``92 %``; a dash of nothing."""
    return f"{100 * part / whole:.0f} %" if whole else _UNKNOWN


def milliseconds(value: float | None) -> str:
    """Write a time given in milliseconds: ``41 ms``, ``1.8 s``; a dash where it is not known."""
    if value is None:
        return _UNKNOWN
    return f"{value:,.0f} ms" if value < 1_000 else f"{value / 1_000:,.1f} s"


def duration(seconds: float) -> str:
    """Write how long something takes or took, in its largest unit: ``41 s``, ``3 min``, ``2 h``, ``5 days``."""
    if seconds < _MINUTE:
        return f"{max(seconds, 0):.0f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR:.0f} h"
    return f"{seconds // _DAY:,.0f} days"


def size(value: float) -> str:
    """Write a number of bytes, in powers of 1,000: ``3.2 MB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1_000:
            return f"{value:,.0f} {unit}" if unit == "bytes" or value >= 100 else f"{value:,.1f} {unit}"
        value /= 1_000
    return f"{value:,.1f} TB"


def moment(text: str | None) -> str:
    """Write a time (ISO 8601) as ``2026-11-22 03:04 UTC``; a dash where there is none."""
    at = _read(text)
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else _UNKNOWN


def ago(text: str | None, now: datetime) -> str:
    """Write how long ago a time (ISO 8601) was: ``4 min ago``; "never" where there is none."""
    at = _read(text)
    return f"{duration((now - at).total_seconds())} ago" if at else "never"


def money(value: float) -> str:
    """Write a cost, in the currency of the prices that the settings give: ``0.42``."""
    return f"{value:,.2f}" if value >= 1 or not value else f"{value:.4f}"


def place(name: str) -> str:
    """Write a place for people: ``discord · 8138…5712``, with the middle of a long id left out."""
    platform, _, rest = name.strip("/").partition("/")
    if not rest:
        return platform or "everywhere"
    return " · ".join([platform, *(_shortened(part) for part in rest.split("/"))])


def problem(found: Mapping[str, object]) -> str:
    """Write a problem of a file with its place and its fix, in one line."""
    places = (found.get("source"), _numbered("line", found), _numbered("column", found), found.get("field"))
    where = ", ".join(str(part) for part in places if part)
    said = " ".join(_ended(str(found[key])) for key in ("message", "fix") if found.get(key))
    return f"{where}: {said}" if where else said


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _numbered(what: str, found: Mapping[str, object]) -> str:
    return f"{what} {found[what]}" if found.get(what) else ""


def _shortened(name: str) -> str:
    longest = 14
    return name if len(name) <= longest else f"{name[:4]}…{name[-4:]}"


def _read(text: str | None) -> datetime | None:
    if not text:
        return None
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
