"""auth.test, users.*, usergroups.*, team.info, bots.info and the opening of Socket Mode connections."""

from typing import TYPE_CHECKING

from .wire import ApiError, Call, Json

if TYPE_CHECKING:
    from .slack import LoopbackSlack


async def test_api(slack: "LoopbackSlack", call: Call) -> Json:
    return {"ok": True, "args": call.arguments}


async def test_auth(slack: "LoopbackSlack", call: Call) -> Json:
    workspace = slack.workspace
    team = {"team": workspace.domain, "team_id": workspace.team, "url": f"{workspace.base}/"}
    bot = {"user": workspace.bot_name, "user_id": workspace.bot_user, "bot_id": workspace.bot_id}
    return {"ok": True, "is_enterprise_install": False} | team | bot


async def open_connection(slack: "LoopbackSlack", call: Call) -> Json:
    if slack.socket.refuses:
        raise ApiError("link_disabled")
    address = slack.workspace.base.replace("http://", "ws://")
    return {"ok": True, "url": f"{address}/link/?ticket={slack.socket.ticket()}&app_id={slack.workspace.app}"}


async def export_manifest(slack: "LoopbackSlack", call: Call) -> Json:
    if call.required("app_id") != slack.workspace.app:
        raise ApiError("app_not_found")
    settings = {"event_subscriptions": {"bot_events": sorted(slack.subscriptions)}}
    manifest = {"settings": settings, "oauth_config": {"scopes": {"bot": sorted(slack.scopes)}}}
    return {"ok": True, "manifest": manifest}


async def user_info(slack: "LoopbackSlack", call: Call) -> Json:
    wanted = call.required("user")
    if wanted == slack.workspace.bot_user:
        return {"ok": True, "user": slack.workspace.bot_profile()}
    user = slack.workspace.users.get(wanted)
    if user is None:
        raise ApiError("user_not_found")
    return {"ok": True, "user": user.to_json()}


async def users(slack: "LoopbackSlack", call: Call) -> Json:
    people = [user.to_json() for user in slack.workspace.users.values()]
    return {"ok": True, "members": [*people, slack.workspace.bot_profile()], "response_metadata": {"next_cursor": ""}}


async def groups(slack: "LoopbackSlack", call: Call) -> Json:
    return {"ok": True, "usergroups": [group.to_json() for group in slack.workspace.groups.values()]}


async def group_members(slack: "LoopbackSlack", call: Call) -> Json:
    group = slack.workspace.groups.get(call.required("usergroup"))
    if group is None:
        raise ApiError("no_such_subteam")
    return {"ok": True, "users": [user.id for user in group.users]}


async def team_info(slack: "LoopbackSlack", call: Call) -> Json:
    workspace = slack.workspace
    return {"ok": True, "team": {"id": workspace.team, "name": workspace.domain, "domain": workspace.domain}}


async def bot_info(slack: "LoopbackSlack", call: Call) -> Json:
    workspace = slack.workspace
    wanted = call.text("bot") or workspace.bot_id
    if wanted == workspace.bot_id:
        identity = {"id": wanted, "name": workspace.bot_name, "app_id": workspace.app, "user_id": workspace.bot_user}
        return {"ok": True, "bot": identity | {"deleted": False}}
    for user in workspace.users.values():
        if user.bot_id == wanted:
            return {"ok": True, "bot": {"id": wanted, "name": user.name, "user_id": user.id, "deleted": False}}
    raise ApiError("bot_not_found")
