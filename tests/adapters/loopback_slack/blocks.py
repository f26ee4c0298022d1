"""Checks blocks against the limits in Slack's Block Kit reference; what breaks one is named with its place."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

from .elements import element_problems, of_length, text_problems
from .wire import ApiError, Json

Surface = Literal["message", "view"]

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MARKDOWN_LIMIT = 12_000
"""Characters in all markdown blocks of a message together."""

_SECTION_TEXT = 3_000
_HEADER_TEXT = 150
_FIELDS = 10
_FIELD_TEXT = 2_000
_CONTEXT_ELEMENTS = 10
_ACTIONS = 25
_CONTEXT_ACTIONS = 5
_IDENTIFIER = 255
_TABLE_ROWS = 100
_TABLE_COLUMNS = 20


def check(blocks: Any, surface: Surface = "message") -> None:
    """Check a message's or a view's blocks.

    Raises:
        ApiError: ``invalid_blocks`` with every problem in ``errors``, or ``invalid_blocks_format``.
    """
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise ApiError("invalid_blocks_format")
    problems = list(_problems(blocks, surface))
    if problems:
        messages = [f"[ERROR] {problem}" for problem in problems]
        raise ApiError("invalid_blocks", errors=problems, response_metadata={"messages": messages})


def _problems(blocks: list[Json], surface: Surface) -> Iterator[str]:
    most = MESSAGE_BLOCKS if surface == "message" else VIEW_BLOCKS
    if len(blocks) > most:
        yield f"no more than {most} items allowed [json-pointer:/blocks]"
    names = [block["block_id"] for block in blocks if "block_id" in block]
    if len(names) != len(set(names)):
        yield "block_id must be unique [json-pointer:/blocks]"
    for position, block in enumerate(blocks):
        at = f"/blocks/{position}"
        yield from of_length(block.get("block_id", "b"), _IDENTIFIER, f"{at}/block_id")
        yield from _block_problems(block, surface, at)
    if sum(len(str(block.get("text", ""))) for block in blocks if block.get("type") == "markdown") > MARKDOWN_LIMIT:
        yield f"markdown blocks must be no more than {MARKDOWN_LIMIT} characters together [json-pointer:/blocks]"


def _block_problems(block: Json, surface: Surface, at: str) -> Iterator[str]:
    kind = block.get("type", "")
    checker = _CHECKERS.get(kind)
    if checker is None or (kind in _ONLY_ON and _ONLY_ON[kind] != surface):
        yield f"unsupported type: {kind} [json-pointer:{at}/type]"
    else:
        yield from checker(block, at)


def _section(block: Json, at: str) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield f"missing required field: text [json-pointer:{at}]"
    if "text" in block:
        yield from text_problems(block["text"], _SECTION_TEXT, f"{at}/text")
    if len(block.get("fields", [])) > _FIELDS:
        yield f"no more than {_FIELDS} items allowed [json-pointer:{at}/fields]"
    for position, field in enumerate(block.get("fields", [])):
        yield from text_problems(field, _FIELD_TEXT, f"{at}/fields/{position}")
    if "accessory" in block:
        yield from element_problems(block["accessory"], f"{at}/accessory")


def _header(block: Json, at: str) -> Iterator[str]:
    yield from text_problems(block.get("text"), _HEADER_TEXT, f"{at}/text", only="plain_text")


def _context(block: Json, at: str) -> Iterator[str]:
    yield from _counted(block, _CONTEXT_ELEMENTS, at)
    for position, element in enumerate(block.get("elements", [])):
        place = f"{at}/elements/{position}"
        if element.get("type") == "image":
            yield from _image(element, place)
        else:
            yield from text_problems(element, _SECTION_TEXT, place)


def _actions(block: Json, at: str) -> Iterator[str]:
    yield from _counted(block, _ACTIONS, at)
    yield from _unique_actions(block, at)
    for position, element in enumerate(block.get("elements", [])):
        yield from element_problems(element, f"{at}/elements/{position}")


def _context_actions(block: Json, at: str) -> Iterator[str]:
    yield from _counted(block, _CONTEXT_ACTIONS, at)
    yield from _unique_actions(block, at)
    for position, element in enumerate(block.get("elements", [])):
        place = f"{at}/elements/{position}"
        yield from element_problems(element, place, only=("feedback_buttons", "icon_button"))


def _markdown(block: Json, at: str) -> Iterator[str]:
    yield from of_length(block.get("text", ""), MARKDOWN_LIMIT, f"{at}/text")


def _image(block: Json, at: str) -> Iterator[str]:
    if not (block.get("image_url") or block.get("slack_file")):
        yield f"missing required field: image_url [json-pointer:{at}]"
    yield from of_length(block.get("image_url", "u"), 3_000, f"{at}/image_url")
    yield from of_length(block.get("alt_text", ""), 2_000, f"{at}/alt_text")


def _input(block: Json, at: str) -> Iterator[str]:
    yield from text_problems(block.get("label"), 2_000, f"{at}/label", only="plain_text")
    yield from element_problems(block.get("element", {}), f"{at}/element")


def _rich_text(block: Json, at: str) -> Iterator[str]:
    allowed = {"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"}
    for position, element in enumerate(block.get("elements", [])):
        if element.get("type") not in allowed:
            yield f"unsupported type: {element.get('type')} [json-pointer:{at}/elements/{position}]"


def _table(block: Json, at: str) -> Iterator[str]:
    rows = block.get("rows", [])
    if not 1 <= len(rows) <= _TABLE_ROWS or any(len(row) > _TABLE_COLUMNS for row in rows):
        yield f"a table has 1 to {_TABLE_ROWS} rows of at most {_TABLE_COLUMNS} cells [json-pointer:{at}/rows]"


def _divider(block: Json, at: str) -> Iterator[str]:
    yield from ()


def _counted(block: Json, most: int, at: str) -> Iterator[str]:
    if not 1 <= len(block.get("elements", [])) <= most:
        yield f"must have 1 to {most} items [json-pointer:{at}/elements]"


def _unique_actions(block: Json, at: str) -> Iterator[str]:
    names = [element["action_id"] for element in block.get("elements", []) if "action_id" in element]
    if len(names) != len(set(names)):
        yield f"action_id must be unique [json-pointer:{at}/elements]"


_CHECKERS: dict[str, Callable[[Json, str], Iterator[str]]] = {
    "actions": _actions,
    "context": _context,
    "context_actions": _context_actions,
    "divider": _divider,
    "header": _header,
    "image": _image,
    "input": _input,
    "markdown": _markdown,
    "rich_text": _rich_text,
    "section": _section,
    "table": _table,
}

_ONLY_ON: dict[str, Surface] = {"context_actions": "message", "markdown": "message", "table": "message"}
