"""The API's routes for the bot's account, its application, the gateway's address and the registered commands."""

from __future__ import annotations

import re
from typing import Any

from . import payloads
from .gateway import application_flags
from .refusals import Refusal, invalid_form, unknown
from .rest import Call, Route

Json = dict[str, Any]

GLOBAL = 0
_SLASH = 1
_SLASH_NAME = re.compile(r"[-_\w]{1,32}")
_MOST = {_SLASH: 100, 2: 15, 3: 15}
_DESCRIPTION = 100


async def me(call: Call) -> Json:
    """GET the bot's account."""
    extra = {"verified": True, "mfa_enabled": False, "email": None, "flags": 0, "locale": "en-US"}
    return payloads.user(call.world.bot) | extra


async def application(call: Call) -> Json:
    """GET the application."""
    return {
        "id": str(call.world.application_id),
        "name": call.world.bot.name,
        "icon": None,
        "description": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": application_flags(call.gateway),
        "owner": payloads.user(call.world.owner),
        "bot": payloads.user(call.world.bot),
        "team": None,
        "interactions_endpoint_url": None,
        "redirect_uris": [],
        "approximate_guild_count": len(call.world.guilds),
    }


async def gateway(call: Call) -> Json:
    """GET the gateway's address."""
    return {"url": call.world.base_url.replace("http", "ws", 1) + "/gateway"}


async def gateway_for_bots(call: Call) -> Json:
    """GET the gateway's address, the shards and how many sessions may still be started."""
    limit = {
        "total": 1000,
        "remaining": call.gateway.session_starts_left,
        "reset_after": 86_400_000,
        "max_concurrency": call.gateway.max_concurrency,
    }
    return await gateway(call) | {"shards": call.gateway.shards, "session_start_limit": limit}


async def commands(call: Call) -> list[Json]:
    """GET the commands of a scope."""
    return call.world.commands.get(_scope(call), [])


async def replace_commands(call: Call) -> list[Json]:
    """PUT all commands of a scope; those that keep name and type keep their id."""
    scope = _scope(call)
    _check(call.body)
    call.world.commands[scope] = [_registered(call, scope, declared) for declared in call.body]
    return call.world.commands[scope]


async def add_command(call: Call) -> Json:
    """POST one command of a scope, in the stead of the one of that name and type."""
    scope = _scope(call)
    _check([call.body])
    command = _registered(call, scope, call.body)
    others = [one for one in call.world.commands.get(scope, []) if one["id"] != command["id"]]
    call.world.commands[scope] = [*others, command]
    return command


async def remove_command(call: Call) -> None:
    """DELETE one command of a scope."""
    kept = [one for one in call.world.commands.get(_scope(call), []) if one["id"] != call.path["command_id"]]
    if len(kept) == len(call.world.commands.get(_scope(call), [])):
        raise unknown("application command")
    call.world.commands[_scope(call)] = kept


def _scope(call: Call) -> int:
    if call.number("application_id") != call.world.application_id:
        raise Refusal(403, 20012, "You are not authorized to perform this action on this application")
    return call.guild().id if "guild_id" in call.path else GLOBAL


def _registered(call: Call, scope: int, declared: Json) -> Json:
    kind = declared.get("type", _SLASH)
    earlier = [one for one in call.world.commands.get(scope, []) if one["name"] == declared["name"]]
    same = next((one["id"] for one in earlier if one["type"] == kind), None)
    fixed: Json = {
        "id": same or str(call.world.ids.next()),
        "application_id": str(call.world.application_id),
        "type": kind,
        "version": str(call.world.ids.next()),
    }
    needed = declared.get("default_member_permissions")
    fixed["default_member_permissions"] = None if needed is None else str(needed)
    guild = {"guild_id": str(scope)} if scope != GLOBAL else {}
    return {"description": ""} | declared | fixed | guild


def _check(declared: list[Json]) -> None:
    for kind, most in _MOST.items():
        if sum(one.get("type", _SLASH) == kind for one in declared) > most:
            raise Refusal(400, 30032, f"Maximum number of application commands reached ({most}).")
    seen: set[tuple[str, int]] = set()
    for index, command in enumerate(declared):
        kind = command.get("type", _SLASH)
        _check_command(command, kind, str(index))
        if (command["name"], kind) in seen:
            raise invalid_form(str(index), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Names must be unique.")
        seen.add((command["name"], kind))


def _check_command(command: Json, kind: int, path: str) -> None:
    name = command["name"]
    if kind != _SLASH:
        if not 1 <= len(name) <= 32 or command.get("description"):
            raise invalid_form(f"{path}.name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 32 in length.")
        return
    if not _SLASH_NAME.fullmatch(name) or name != name.lower():
        raise invalid_form(f"{path}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    if not 1 <= len(command.get("description") or "") <= _DESCRIPTION:
        raise invalid_form(f"{path}.description", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    optional_seen = False
    for index, option in enumerate(command.get("options") or []):
        _check_command(option, _SLASH, f"{path}.options.{index}")
        if option.get("required") and optional_seen:
            where, code = f"{path}.options.{index}", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"
            raise invalid_form(where, code, "Required options must be placed before non-required options")
        optional_seen |= not option.get("required")


_GLOBAL = "/applications/{application_id}/commands"
_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"

ROUTES = [
    Route("GET", "/users/@me", me),
    Route("GET", "/oauth2/applications/@me", application),
    Route("GET", "/applications/@me", application),
    Route("GET", "/gateway", gateway, public=True),
    Route("GET", "/gateway/bot", gateway_for_bots),
    *(
        Route(method, template, handler)
        for template in (_GLOBAL, _GUILD)
        for method, handler in (("GET", commands), ("PUT", replace_commands), ("POST", add_command))
    ),
    *(Route("DELETE", template + "/{command_id}", remove_command) for template in (_GLOBAL, _GUILD)),
]
