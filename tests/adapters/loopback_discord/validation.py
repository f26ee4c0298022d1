"""What a message's or a form's body must keep to; the limits are those of Discord's documentation."""

from __future__ import annotations

from typing import Any

from .messages import COMPONENTS_V2
from .refusals import empty_message, invalid_form, too_long

Json = dict[str, Any]

CONTENT_LENGTH = 2000
NONCE_LENGTH = 25
_EMBEDS, _EMBED_TOTAL = 10, 6000
_ROWS, _BUTTONS, _OPTIONS, _COMPONENTS, _SHOWN_TEXT = 5, 5, 25, 40, 4000
_ROW, _BUTTON, _STRING_SELECT, _TEXT_INPUT, _TEXT, _LINK = 1, 2, 3, 4, 10, 5
_SELECTS = (3, 5, 6, 7, 8)
_V2_TOP = (1, 9, 10, 12, 13, 14, 17)
_EMBED_LENGTHS = {"title": 256, "description": 4096}


def check_message(body: Json, *, has_files: bool, was: Json | None = None) -> None:
    """Raise `Refusal` where a message's body is not valid; `was` is the message's state before an edit."""
    state = (was or {}) | {key: value for key, value in body.items() if value is not None or key == "content"}
    content = state.get("content") or ""
    if len(content) > CONTENT_LENGTH:
        raise too_long("content", CONTENT_LENGTH)
    if len(str(body.get("nonce") or "")) > NONCE_LENGTH:
        raise too_long("nonce", NONCE_LENGTH)
    embeds, components = state.get("embeds") or [], state.get("components") or []
    rich = bool((state.get("flags") or 0) & COMPONENTS_V2)
    if rich and (content or embeds):
        raise invalid_form("content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "Cannot be used together.")
    if not (content.strip() or embeds or components or has_files or state.get("attachments")):
        raise empty_message()
    _check_embeds(embeds)
    check_components(components, rich=rich)
    _check_mentions(body.get("allowed_mentions"))


def check_components(components: list[Json], *, rich: bool = False) -> None:
    """Raise `Refusal` where components are not valid; `rich` are those of the second generation."""
    if len(components) > (_COMPONENTS if rich else _ROWS):
        raise too_long("components", _COMPONENTS if rich else _ROWS)
    seen: set[str] = set()
    count, shown = 0, 0
    for index, component in enumerate(components):
        if not rich and component["type"] != _ROW:
            raise invalid_form(f"components.{index}.type", "UNION_TYPE_CHOICES", "Value of field must be 1.")
        if rich and component["type"] not in _V2_TOP:
            raise invalid_form(f"components.{index}.type", "UNION_TYPE_CHOICES", f"Value must be one of {_V2_TOP}.")
        part_count, part_shown = _check_component(component, f"components.{index}", seen)
        count, shown = count + part_count, shown + part_shown
    if rich and count > _COMPONENTS:
        raise too_long("components", _COMPONENTS)
    if shown > _SHOWN_TEXT:
        raise too_long("components", _SHOWN_TEXT)


def check_modal(data: Json) -> None:
    """Raise `Refusal` where a form is not valid."""
    if not 1 <= len(data.get("title") or "") <= 45:
        raise invalid_form("data.title", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 45 in length.")
    if not 1 <= len(data.get("components") or []) <= _ROWS:
        raise invalid_form("data.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    _custom_id(data, "data", set())


def check_choices(choices: list[Json]) -> None:
    """Raise `Refusal` where an autocomplete's choices are not valid."""
    if len(choices) > _OPTIONS:
        raise too_long("data.choices", _OPTIONS)
    for index, choice in enumerate(choices):
        for key in ("name", "value"):
            if not 1 <= len(str(choice[key])) <= 100:
                path = f"data.choices.{index}.{key}"
                raise invalid_form(path, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")


def _check_component(component: Json, path: str, seen: set[str]) -> tuple[int, int]:
    kind = component["type"]
    inner = component.get("components") or []
    if kind == _ROW:
        _check_row(inner, path)
    elif kind == _BUTTON:
        _check_button(component, path, seen)
    elif kind in _SELECTS:
        _check_select(component, path, seen)
    count, shown = 1, len(component.get("content") or "") if kind == _TEXT else 0
    nested = [(part, f"{path}.components.{index}") for index, part in enumerate(inner)]
    nested += [(component[key], f"{path}.{key}") for key in ("accessory", "component") if component.get(key)]
    for part, part_path in nested:
        part_count, part_shown = _check_component(part, part_path, seen)
        count, shown = count + part_count, shown + part_shown
    return count, shown


def _check_row(inner: list[Json], path: str) -> None:
    selects = [part for part in inner if part["type"] in _SELECTS]
    if not 1 <= len(inner) <= _BUTTONS or (selects and len(inner) > 1):
        raise invalid_form(f"{path}.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")


def _check_button(button: Json, path: str, seen: set[str]) -> None:
    if len(button.get("label") or "") > 80:
        raise too_long(f"{path}.label", 80)
    if not (button.get("label") or button.get("emoji")):
        raise invalid_form(path, "BUTTON_COMPONENT_LABEL_REQUIRED", "A label or an emoji is required.")
    if button.get("style") == _LINK:
        if not str(button.get("url") or "").startswith(("http://", "https://", "discord://")):
            raise invalid_form(f"{path}.url", "URL_TYPE_INVALID_URL", "Not a well formed URL.")
        if len(button["url"]) > 512:
            raise too_long(f"{path}.url", 512)
    elif button.get("style") in (1, 2, 3, 4):
        _custom_id(button, path, seen)
    else:
        raise invalid_form(f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3, 4, 5, 6).")


def _check_select(select: Json, path: str, seen: set[str]) -> None:
    _custom_id(select, path, seen)
    if len(select.get("placeholder") or "") > 150:
        raise too_long(f"{path}.placeholder", 150)
    options = select.get("options") or []
    if select["type"] == _STRING_SELECT and not 1 <= len(options) <= _OPTIONS:
        raise invalid_form(f"{path}.options", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 25 in length.")
    for index, option in enumerate(options):
        for key in ("label", "value", "description"):
            if len(option.get(key) or "") > 100:
                raise too_long(f"{path}.options.{index}.{key}", 100)
    values = [option["value"] for option in options]
    if len(set(values)) < len(values):
        raise invalid_form(f"{path}.options", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "Values must be unique.")


def _custom_id(component: Json, path: str, seen: set[str]) -> None:
    custom_id = component.get("custom_id") or ""
    if not 1 <= len(custom_id) <= 100:
        raise invalid_form(f"{path}.custom_id", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    if custom_id in seen:
        raise invalid_form(f"{path}.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", "Custom ids must be unique.")
    seen.add(custom_id)


def _check_embeds(embeds: list[Json]) -> None:
    if len(embeds) > _EMBEDS:
        raise too_long("embeds", _EMBEDS)
    total = 0
    for index, embed in enumerate(embeds):
        for key, limit in _EMBED_LENGTHS.items():
            if len(embed.get(key) or "") > limit:
                raise too_long(f"embeds.{index}.{key}", limit)
        fields = embed.get("fields") or []
        if len(fields) > _OPTIONS:
            raise too_long(f"embeds.{index}.fields", _OPTIONS)
        total += sum(_embed_lengths(embed, f"embeds.{index}"))
    if total > _EMBED_TOTAL:
        raise invalid_form("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")


def _embed_lengths(embed: Json, path: str) -> list[int]:
    lengths = [len(embed.get(key) or "") for key in _EMBED_LENGTHS]
    for key, part, limit in (("footer", "text", 2048), ("author", "name", 256)):
        lengths.append(len((embed.get(key) or {}).get(part) or ""))
        if lengths[-1] > limit:
            raise too_long(f"{path}.{key}.{part}", limit)
    for index, one in enumerate(embed.get("fields") or []):
        for key, limit in (("name", 256), ("value", 1024)):
            if not 1 <= len(one.get(key) or "") <= limit:
                message = f"Must be between 1 and {limit} in length."
                raise invalid_form(f"{path}.fields.{index}.{key}", "BASE_TYPE_BAD_LENGTH", message)
            lengths.append(len(one[key]))
    return lengths


def _check_mentions(allowed: Json | None) -> None:
    for kind in ("users", "roles"):
        if allowed and kind in (allowed.get("parse") or []) and allowed.get(kind):
            message = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            raise invalid_form("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message)
