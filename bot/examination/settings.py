"""Examines the settings, and gives what can be read of them so that everything else can be examined all the same."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from bot.errors import SettingsError
from bot.examination.findings import Finding
from bot.knowledge_desk import counted
from bot.settings import Settings, load
from bot.settings.sources import (
    SETTINGS_FILE_VARIABLE,
    Layer,
    anchored,
    explained,
    from_dotenv,
    from_environment,
    from_toml,
    merge,
)

_NAME = "settings"


def read() -> tuple[Settings, list[Finding]]:
    """Give the settings, with the default in place of whatever is wrong, and what there is to say about them."""
    try:
        loaded = load()
    except SettingsError:
        settings, flaws = _what_fits()
        rest = "Everything below is examined as if it were not set."
        return settings, [Finding(_NAME, "failed", f"{flaw.sentence} {rest}", flaw.fix) for flaw in flaws]
    number = len(loaded.origins)
    said = f"{counted(number, 'setting')} made, all others have their defaults; `preceptor settings show` lists them."
    return loaded.settings, [Finding(_NAME, "ok", said)]


def _what_fits() -> tuple[Settings, list[SettingsError]]:
    file = Path(os.environ.get(SETTINGS_FILE_VARIABLE) or "preceptor.toml").absolute()
    dotenv = Path(".env").absolute()
    flaws: list[SettingsError] = []
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for read_layer, otherwise in (
        (lambda: from_toml(file), dict),
        (from_environment, EnvSettingsSource(Settings)),
        (lambda: from_dotenv(dotenv), lambda: _known(DotEnvSettingsSource(Settings, env_file=dotenv)())),
    ):
        layer, layer_origins = _readable(read_layer, otherwise, flaws)
        merge(values, layer)
        origins |= layer_origins
    return anchored(_valid(values, origins, flaws), file.parent), flaws


def _readable(
    read_layer: Callable[[], Layer], otherwise: Callable[[], dict[str, Any]], flaws: list[SettingsError]
) -> Layer:
    try:
        return read_layer()
    except SettingsError as error:
        flaws.append(error)
    try:
        return otherwise(), {}
    except (OSError, UnicodeDecodeError):
        return {}, {}


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in Settings.model_fields}


def _valid(values: dict[str, Any], origins: dict[str, str], flaws: list[SettingsError]) -> Settings:
    """Leave out one value after the other that does not fit, until the rest does."""
    while True:
        try:
            return Settings(**values)
        except ValidationError as error:
            flaws.append(SettingsError(*explained(error, origins)))
            _leave_out(values, [part for part in error.errors()[0]["loc"] if isinstance(part, str)])


def _leave_out(values: dict[str, Any], path: list[str]) -> None:
    """Take the value at `path` out, or the nearest one above it."""
    holder = values
    for part in path:
        inner = holder.get(part)
        if isinstance(inner, dict) and part != path[-1]:
            holder = inner
        elif part in holder:
            del holder[part]
            return
    values.clear()
