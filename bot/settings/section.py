"""What all sections of the settings have in common: nothing unknown, frozen, lists from text, tokens, addresses."""

import difflib
import json
from ipaddress import ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

Positive = Annotated[int, Field(ge=1)]

PLATFORMS = ("console", "discord", "http", "memory", "slack")
"""The first part of every place's name; "memory" is the adapter of tests."""


class Section(BaseModel):
    """One table of ``preceptor.toml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _lists_from_text(cls, values: object) -> object:
        """Read a list that came as text, as environment variables do: JSON, or words between commas."""
        if not isinstance(values, dict):
            return values
        lists = {name for name, info in cls.model_fields.items() if str(info.annotation).startswith("tuple")}
        return {
            name: _list_from_text(value) if name in lists and isinstance(value, str) else value
            for name, value in values.items()
        }


class FrontDoor(Section):
    """The section of an adapter: ``enabled`` opens it."""

    enabled: bool = False


def _bare_secret(secret: SecretStr) -> SecretStr:
    """Drop blanks around a token, as copying brings them along; within, there is none.

    Raises:
        ValueError: there is.
    """
    text = secret.get_secret_value().strip()
    if not text.isprintable() or any(character.isspace() for character in text):
        raise ValueError("it holds a blank or a line break; copy it once more")
    return SecretStr(text)


Token = Annotated[SecretStr, AfterValidator(_bare_secret)]


def _list_from_text(text: str) -> object:
    if text.lstrip().startswith("["):
        return json.loads(text)
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _web_address(address: str) -> str:
    """Let an address pass, or nothing.

    Raises:
        ValueError: it is neither.
    """
    parts = urlsplit(address)
    if address and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("it must be an address as http://host:port")
    return address


WebAddress = Annotated[str, AfterValidator(_web_address)]


def known_place(place: str) -> str:
    """Let the name of a platform, workspace, channel or thread pass: ``platform/workspace/channel/thread``, or less.

    Raises:
        ValueError: it begins with no platform.
    """
    platform = place.partition("/")[0]
    if platform not in PLATFORMS:
        near = difflib.get_close_matches(platform.lower(), PLATFORMS, n=1)
        meant = f"; did you mean {near[0]}" if near else f": {', '.join(PLATFORMS)}"
        raise ValueError(f"{place!r} begins with {platform!r}, which is no platform{meant}")
    return place


def known_network(text: str) -> str:
    """Let the address of a network pass, as ``10.1.0.0/16``.

    Raises:
        ValueError: it is none.
    """
    return str(ip_network(text))
