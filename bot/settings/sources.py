"""Where settings come from, weakest first: ``preceptor.toml``, the environment (``PRECEPTOR_HTTP__PORT``), ``.env``."""

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from dotenv import dotenv_values
from pydantic import BaseModel, ValidationError
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource, TomlConfigSettingsSource

from bot.errors import SettingsError
from bot.settings.tree import DELIMITER, PREFIX, Settings

SETTINGS_FILE_VARIABLE = "PRECEPTOR_SETTINGS"
"""Names the settings file where it is not ``preceptor.toml`` in the working directory."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings as they apply; for every value that is set (``http.port``), the source it came from."""

    settings: Settings
    origins: Mapping[str, str]


def load() -> Loaded:
    """Read all sources and check them; relative paths count from the settings file's folder.

    Raises:
        SettingsError: a file cannot be read, a key is unknown or a value does not fit; names key and source.
    """
    file = Path(os.environ.get(SETTINGS_FILE_VARIABLE) or "preceptor.toml").absolute()
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer, layer_origins in (from_toml(file), from_environment(), from_dotenv(Path(".env").absolute())):
        merge(values, layer)
        origins |= layer_origins
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise SettingsError(*explained(error, origins)) from None
    return Loaded(anchored(settings, file.parent), origins)


def every_setting(model: type[BaseModel] = Settings, above: str = "") -> Iterator[tuple[str, str]]:
    """Yield each setting's dotted key with its description, in the tree's order."""
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from every_setting(info.annotation, f"{above}{name}.")
        else:
            yield f"{above}{name}", info.description or ""


def anchored(settings: Settings, folder: Path) -> Settings:
    """Give the settings with their relative paths counted from `folder`."""
    sources = tuple(
        source if source == "starter" else str(folder / Path(source).expanduser())
        for source in settings.knowledge.sources
    )
    return settings.model_copy(
        update={
            "data_directory": folder / settings.data_directory.expanduser(),
            "knowledge": settings.knowledge.model_copy(update={"sources": sources}),
        }
    )


Layer = tuple[dict[str, Any], dict[str, str]]
"""Values as they were read; for each key the source it came from."""


def from_toml(file: Path) -> Layer:
    """Read the settings file.

    Raises:
        SettingsError: it cannot be read.
    """
    if not file.exists():
        if os.environ.get(SETTINGS_FILE_VARIABLE):
            raise SettingsError(f"The settings file {file} does not exist.", f"Mend {SETTINGS_FILE_VARIABLE}.")
        return {}, {}
    try:
        values = dict(TomlConfigSettingsSource(Settings, file)())
        text = file.read_text(encoding="utf-8")
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not valid TOML: {error}.", "Mend that line.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}.", "It must be a readable UTF-8 text.") from None
    return values, {key: f"{file}{_line_of(key, text)}" for key in _keys(values)}


def _line_of(key: str, text: str) -> str:
    """Give ``:12`` for the line that sets `key` or what it is in; nothing where neither is written plainly."""
    lines: dict[str, int] = {}
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        left = re.sub(r"[\"'\s]", "", line.partition("=")[0])
        if left.startswith("["):
            current = left.strip("[").partition("]")[0]
            lines.setdefault(current, number)
        else:
            lines.setdefault(f"{current}.{left}".lstrip("."), number)
    named = next((name for name in _upwards(key) if name in lines), None)
    return f":{lines[named]}" if named else ""


def _upwards(key: str) -> Iterator[str]:
    """Yield a dotted key, then what it is in, and so on."""
    while key:
        yield key
        key = key.rpartition(".")[0]


def from_environment() -> Layer:
    """Read the environment.

    Raises:
        SettingsError: a variable of ours is no setting.
    """
    names = _ours(os.environ)
    _refuse_unknown(names, "the environment")
    values = EnvSettingsSource(Settings)()
    return values, {key: f"environment ({_variable(key)})" for key in _keys(values)}


def from_dotenv(file: Path) -> Layer:
    """Read a file of variables.

    Raises:
        SettingsError: it cannot be read, or a variable of ours in it is no setting.
    """
    if not file.is_file():
        return {}, {}
    try:
        names = _ours(dotenv_values(file, encoding="utf-8"))
        _refuse_unknown(names, str(file))
        read = DotEnvSettingsSource(Settings, env_file=file, env_file_encoding="utf-8")()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}.", "It must be a readable UTF-8 text.") from None
    values = {key: read[key] for key in read if key in Settings.model_fields}
    return values, {key: f"{file} ({_variable(key)})" for key in _keys(values)}


def _ours(names: Iterable[str]) -> list[str]:
    return [name for name in names if name.upper().startswith(PREFIX) and name != SETTINGS_FILE_VARIABLE]


def _refuse_unknown(names: list[str], origin: str) -> None:
    known = [_variable(key) for key, _ in every_setting()]
    for name in names:
        if name.upper() not in known:
            raise SettingsError(f"{name} in {origin} is no setting.", _did_you_mean(name.upper(), known))


def _variable(key: str) -> str:
    return PREFIX + key.upper().replace(".", DELIMITER)


def _did_you_mean(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {close[0]}?" if close else "`preceptor settings show` lists them all."


def merge(into: dict[str, Any], layer: Mapping[str, Any]) -> None:
    """Put a stronger layer over what is there."""
    for key, value in layer.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _keys(values: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _keys(value, f"{above}{name}.")
        else:
            yield f"{above}{name}"


_IN_WORDS = {
    "tuple_type": 'it must be a list, as ["…", "…"]',
    "dict_type": "it must be a table, as { … = … }",
    "model_type": "it must be a table, as { … = … }",
}
"""What pydantic says in words of Python, by its name for the error."""


def explained(error: ValidationError, origins: Mapping[str, str]) -> tuple[str, str]:
    """Give the sentence on the first value that does not fit, with where it was set, and the fix."""
    first = error.errors(include_url=False, include_input=False)[0]
    loc = tuple(part for part in first["loc"] if part != "[key]")
    key = ".".join(str(part) for part in loc if not isinstance(part, int))
    where = _where(loc, key, origins)
    message = _IN_WORDS.get(first["type"], first["msg"].removeprefix("Value error, "))
    if not key:
        return f"{message}.", "preceptor.example.toml explains every setting."
    if first["type"] == "extra_forbidden":
        return f"{key} is no setting{where}.", _meant(loc, key)
    meanings = dict(every_setting())
    return f"{key}{where}: {message}.", next((meanings[name] for name in _upwards(key) if name in meanings), "")


def _where(loc: tuple[int | str, ...], key: str, origins: Mapping[str, str]) -> str:
    """Say in which source a value was set; and in which of several tables of one name."""
    within = (name for name in origins if name.startswith(f"{key}."))
    named = next((name for name in (*_upwards(key), *within) if name in origins), None)
    if named is None:
        return ""
    entry = next((f", entry {part + 1}" for part in loc if isinstance(part, int)), "")
    return f" (set in {origins[named]}{entry})"


def _meant(loc: tuple[int | str, ...], key: str) -> str:
    """Give the setting beside the unknown one, or anywhere, that is spelled much like it."""
    kind: Any = Settings
    for part in loc[:-1]:
        is_section = isinstance(kind, type) and issubclass(kind, BaseModel)
        inner = kind.model_fields[part].annotation if is_section else get_args(kind)
        # A list or table of sections: what it holds is named last.
        kind = inner if is_section else next(one for one in reversed(inner) if one is not ...)
    close = difflib.get_close_matches(str(loc[-1]), kind.model_fields, n=1)
    if close:
        return f"Did you mean {key.removesuffix(str(loc[-1]))}{close[0]}?"
    settings = [name for name, _ in every_setting()]
    is_entry = any(name in settings for name in _upwards(key))
    return f"There are {', '.join(kind.model_fields)}." if is_entry else _did_you_mean(key, settings)
