"""What a client sends when a person uses a command, a component or a form, and what it would not let them use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import payloads
from .messages import Message
from .permissions import Permission, in_channel

if TYPE_CHECKING:
    from .interactions import Interaction
    from .people import Member, User
    from .places import Channel, Role
    from .world import World

Json = dict[str, Any]

SLASH, USER_MENU, MESSAGE_MENU = 1, 2, 3
_SUBCOMMAND, _GROUP = 1, 2
_STRING, _INTEGER, _BOOLEAN, _USER, _CHANNEL, _ROLE, _MENTIONABLE, _NUMBER, _ATTACHMENT = range(3, 12)
_PLAIN: dict[int, tuple[type, ...]] = {_STRING: (str,), _INTEGER: (int,), _BOOLEAN: (bool,), _NUMBER: (int, float)}


class Unavailable(Exception):  # noqa: N818 - it says what is the matter
    """A person cannot do that: their client does not offer it."""


def slash_command(world: World, user: User, channel: Channel, path: str, options: Json) -> Json:
    """Give the data of a slash command's use; raises `Unavailable`."""
    name, *inner = path.split()
    command = _offered(world, user, channel, name, SLASH)
    declared = command.get("options") or []
    levels: list[Json] = []
    for part in inner:
        found = next((o for o in declared if o["name"] == part and o["type"] in (_SUBCOMMAND, _GROUP)), None)
        if found is None:
            raise Unavailable(f"/{path}: there is no {part!r}")
        levels.append({"name": part, "type": found["type"]})
        declared = found.get("options") or []
    resolved: Json = {}
    given = [_option(world, channel, one, options[one["name"]], resolved) for one in declared if one["name"] in options]
    _check_names(path, declared, options)
    for level in reversed(levels):
        level["options"] = given
        given = [level]
    data = _command_data(command, SLASH)
    return data | {"options": given} | ({"resolved": resolved} if resolved else {})


def context_menu(world: World, user: User, channel: Channel, name: str, target: Message | Member) -> Json:
    """Give the data of a context menu's use on a message or a member; raises `Unavailable`."""
    kind = MESSAGE_MENU if isinstance(target, Message) else USER_MENU
    data = _command_data(_offered(world, user, channel, name, kind), kind) | {"target_id": str(target.id)}
    if isinstance(target, Message):
        return data | {"resolved": {"messages": {str(target.id): payloads.message(target)}}}
    resolved: Json = {}
    _resolve_user(channel, target, resolved)
    return data | {"resolved": resolved}


def autocomplete(world: World, user: User, channel: Channel, path: str, option: str, text: str, others: Json) -> Json:
    """Give the data of a completion asked for: required options need not be there yet."""
    command = _offered(world, user, channel, path, SLASH)
    declared = {one["name"]: one for one in command.get("options") or []}
    if not declared.get(option, {}).get("autocomplete"):
        raise Unavailable(f"/{path}: {option!r} does not complete itself")
    given = [_option(world, channel, declared[name], value, {}) for name, value in others.items()]
    focused = {"name": option, "type": declared[option]["type"], "value": text, "focused": True}
    return _command_data(command, SLASH) | {"options": [*given, focused]}


def press(user: User, message: Message, button: str) -> Json:
    """Give the data of a button's press; raises `Unavailable`, or LookupError where there is no such button."""
    component = _usable(user, message, button)
    return {"custom_id": component["custom_id"], "component_type": component["type"], "id": component.get("id", 0)}


def choice(user: User, message: Message, menu: str, values: list[str]) -> Json:
    """Give the data of a choice from a select menu."""
    component = _usable(user, message, menu)
    offered = {option["value"] for option in component.get("options") or []}
    if offered and not offered.issuperset(values):
        raise Unavailable(f"{menu!r} offers {sorted(offered)} only")
    return press(user, message, menu) | {"values": values}


def submission(user: User, opened: Interaction, values: dict[str, str]) -> Json:
    """Give the data of a form sent off; a field that is not named stays as the bot had filled it in."""
    modal = opened.modal
    if modal is None or opened.user is not user:
        raise Unavailable("no form is open")
    return {"custom_id": modal["custom_id"], "components": [_filled(row, values) for row in modal["components"]]}


def _filled(component: Json, values: dict[str, str]) -> Json:
    filled: Json = {key: component[key] for key in ("type", "id", "custom_id") if key in component}
    if component.get("components"):
        filled["components"] = [_filled(inner, values) for inner in component["components"]]
    if component.get("component"):
        filled["component"] = _filled(component["component"], values)
    if component["type"] == 4:
        filled["value"] = values.get(component["custom_id"], component.get("value") or "")
        if component.get("required", True) and not filled["value"]:
            raise Unavailable(f"the field {component['custom_id']!r} is required")
    return filled


def _usable(user: User, message: Message, name: str) -> Json:
    if message.deleted:
        raise Unavailable("the message is gone")
    if message.ephemeral and message.interaction and message.interaction.user is not user:
        raise Unavailable("the message is another person's")
    component = message.component(name)
    if component.get("disabled") or "custom_id" not in component:
        raise Unavailable(f"{name!r} cannot be used")
    return component


def _offered(world: World, user: User, channel: Channel, name: str, kind: int) -> Json:
    command = world.command(name, kind, channel.guild)
    if command is None:
        raise Unavailable(f"no command {name!r} of type {kind} is registered here")
    contexts = command.get("contexts")
    if contexts is None and command.get("dm_permission") is False:
        contexts = [0]
    if contexts is not None and (0 if channel.guild else 1) not in contexts:
        raise Unavailable(f"{name!r} is not offered here")
    if channel.guild:
        mine = in_channel(channel.guild.members[user.id], channel)
        if Permission.USE_APPLICATION_COMMANDS not in mine:
            raise Unavailable("commands may not be used here")
        if not _permitted(mine, command.get("default_member_permissions")):
            raise Unavailable(f"{name!r} is not for {user.name}")
    return command


def _permitted(mine: Permission, needed: str | None) -> bool:
    if needed is None or Permission.ADMINISTRATOR in mine:
        return True
    return int(needed) != 0 and int(needed) & ~mine == 0


def _command_data(command: Json, kind: int) -> Json:
    data = {"id": command["id"], "name": command["name"], "type": kind}
    return data | ({"guild_id": command["guild_id"]} if command.get("guild_id") else {})


def _check_names(path: str, declared: list[Json], options: Json) -> None:
    names = {one["name"] for one in declared}
    required = {one["name"] for one in declared if one.get("required")}
    if strange := options.keys() - names:
        raise Unavailable(f"/{path} has no option {sorted(strange)}, only {sorted(names)}")
    if missing := required - options.keys():
        raise Unavailable(f"/{path} needs {sorted(missing)}")


def _option(world: World, channel: Channel, declared: Json, value: Any, resolved: Json) -> Json:
    kind, name = declared["type"], declared["name"]
    if kind in _PLAIN:
        _check_plain(declared, value)
        return {"name": name, "type": kind, "value": value}
    if kind == _ATTACHMENT:
        world.keep_file(channel, value)
        resolved.setdefault("attachments", {})[str(value.id)] = payloads.attachment(value)
    elif kind in (_USER, _MENTIONABLE):
        _resolve_user(channel, value, resolved)
    elif kind == _CHANNEL:
        resolved.setdefault("channels", {})[str(value.id)] = payloads.partial_channel(value)
    elif kind == _ROLE:
        role: Role = value
        resolved.setdefault("roles", {})[str(role.id)] = payloads.role(role)
    return {"name": name, "type": kind, "value": str(value.id)}


def _check_plain(declared: Json, value: Any) -> None:
    name, kind = declared["name"], declared["type"]
    if not isinstance(value, _PLAIN[kind]) or (kind == _INTEGER and isinstance(value, bool)):
        raise Unavailable(f"{name!r} takes {_PLAIN[kind]}, not {value!r}")
    if kind == _STRING and len(str(value)) > (declared.get("max_length") or 6000):
        raise Unavailable(f"{name!r} takes {declared.get('max_length') or 6000} characters")
    choices = [choice["value"] for choice in declared.get("choices") or []]
    if choices and value not in choices:
        raise Unavailable(f"{name!r} takes {choices}")


def _resolve_user(channel: Channel, person: Member | User, resolved: Json) -> None:
    resolved.setdefault("users", {})[str(person.id)] = payloads.user(person.user)
    member = channel.guild.members.get(person.id) if channel.guild else None
    if member:
        partial = payloads.member(member) | {"permissions": str(int(in_channel(member, channel)))}
        resolved.setdefault("members", {})[str(person.id)] = partial
