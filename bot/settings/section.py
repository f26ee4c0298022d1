"""What all sections of the settings have in common: nothing unknown, frozen, lists from text, tokens, addresses."""

import json
from ipaddress import ip_network
from typing import Annotated, ClassVar, get_origin
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from bot.place_names import known_channel, known_place

Positive = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """One table of ``preceptor.toml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _from_text(cls, value: object, info: ValidationInfo) -> object:
        """Read a list or a table that came as text, as environment variables do."""
        kind = get_origin(cls.model_fields[info.field_name or ""].annotation)
        return _read(value, kind) if isinstance(value, str) and kind in (tuple, dict) else value


class FrontDoor(Section):
    """The section of an adapter: ``enabled`` opens it.

    Where everything comes in `through` another front door, it is closed as long as that one is.
    """

    through: ClassVar[str] = ""
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


def _read(text: str, kind: object) -> object:
    """Read JSON; a list may also be words between commas.

    Raises:
        ValueError: it is none.
    """
    if kind is tuple and not text.lstrip().startswith("["):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"it must be JSON, and is none at character {error.pos + 1}") from error


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


def known_network(text: str) -> str:
    """Let the address of a network pass, as ``10.1.0.0/16``.

    Raises:
        ValueError: it is none.
    """
    return str(ip_network(text))


PlaceName = Annotated[str, AfterValidator(known_place)]
ChannelName = Annotated[str, AfterValidator(known_channel)]
