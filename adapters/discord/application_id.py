"""Reads the application's id out of a bot token, whose first part it is."""

import base64
import binascii
import re

_SHAPE = re.compile(r"(?P<id>[\w-]{18,40})\.[\w-]{4,10}\.[\w-]{20,}", re.ASCII)


def of_token(token: str) -> str:
    """Give the id; empty where the text has not the shape of a bot token (three parts between dots, Base64)."""
    found = _SHAPE.fullmatch(token)
    if not found:
        return ""
    try:
        decoded = base64.urlsafe_b64decode(found["id"] + "=" * (-len(found["id"]) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded if decoded.isdecimal() else ""
