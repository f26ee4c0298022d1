"""Examines what is installed: Python, the packages that are needed, those that add something."""

import platform
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from bot.examination.findings import Examined, Finding

_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)[^;]*(?:;\s*extra\s*==\s*['\"](?P<extra>[\w-]+)['\"])?")
_CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"
"""The versions that Preceptor is tested with; there only where it runs from its source folder, as `make run` does."""

_NAMED = 4


@dataclass(frozen=True, slots=True)
class _Extra:
    """Packages that need not be there; `without` says what answers in their stead."""

    name: str
    title: str
    adds: str
    without: str


_EXTRAS = (
    _Extra(
        "models",
        "local models",
        "models that run on this machine",
        "Answers quote the knowledge base, which needs none",
    ),
    _Extra("web", "web pages", "the web pages", "The HTTP API's own page at /docs needs none"),
    _Extra("plots", "plots", "pictures of calibrations", "Calibrations come as figures alone"),
)


def examine(examined: Examined) -> Iterator[Finding]:
    """Compare what is installed with what the package asks for and with what it was tested with."""
    yield Finding(
        "Python",
        "ok",
        f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}"
        f" {platform.machine()}, SQLite {sqlite3.sqlite_version}.",
    )
    required = _requirements()
    yield _needed(required.get("", []))
    for extra in _EXTRAS:
        yield _additional(extra, required.get(extra.name, []))


def _requirements() -> dict[str, list[str]]:
    """Give the names of the packages that are asked for, by the extra that asks; under "" those always needed."""
    required: dict[str, list[str]] = {}
    for line in metadata.requires("preceptor") or ():
        if found := _REQUIREMENT.match(line):
            required.setdefault(found["extra"] or "", []).append(found["name"])
    return required


def _needed(names: list[str]) -> Finding:
    missing = [name for name in names if _installed(name) is None]
    if missing:
        return Finding("packages", "failed", f"Not installed: {', '.join(missing)}.", "`make run` installs them.")
    version = metadata.version("preceptor")
    others = _other_than_tested(names)
    if not others:
        return Finding("packages", "ok", f"Preceptor {version}; all {len(names)} packages that it needs are there.")
    shown = ", ".join(others[:_NAMED]) + (f" and {len(others) - _NAMED} more" if len(others) > _NAMED else "")
    return Finding(
        "packages",
        "warning",
        f"Preceptor {version}; all packages are there, in versions other than the tested ones: {shown}.",
        "`make run` in a fresh folder, or `pip install --constraint constraints.txt …`, installs the tested ones.",
    )


def _other_than_tested(names: list[str]) -> list[str]:
    tested = _tested()
    pairs = [(name, _installed(name), tested.get(_canonical(name))) for name in names]
    return [f"{name} {there} (tested: {wanted})" for name, there, wanted in pairs if wanted and there != wanted]


def _tested() -> dict[str, str]:
    try:
        lines = _CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pinned = (line.partition("==") for line in lines if "==" in line)
    return {_canonical(name): version.strip() for name, _, version in pinned}


def _canonical(name: str) -> str:
    """Spell a package's name as they are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _additional(extra: _Extra, names: list[str]) -> Finding:
    missing = [name for name in names if _installed(name) is None]
    there = [f"{name} {_installed(name)}" for name in names if name not in missing]
    if not missing:
        return Finding(extra.title, "ok", f"Installed: {', '.join(there)}.")
    fix = f"`make {extra.name}` adds {extra.adds}."
    if not there or "torch" in missing:
        return Finding(extra.title, "ok", f"Not installed ({', '.join(missing)}). {extra.without}.", fix)
    return Finding(extra.title, "warning", f"Only in part: {', '.join(missing)} is missing. {extra.without}.", fix)
