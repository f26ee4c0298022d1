"""views.*: App Home and modals."""

from typing import TYPE_CHECKING

from .blocks import check
from .views import View
from .wire import ApiError, Call, Json

if TYPE_CHECKING:
    from .slack import LoopbackSlack

TITLE = 24
PRIVATE_METADATA = 3_000
CALLBACK_ID = 255
MODALS = 3
"""How many modals may lie upon one another."""


async def publish(slack: "LoopbackSlack", call: Call) -> Json:
    content = _content(call, "home")
    user = call.required("user_id")
    if user not in slack.workspace.users:
        raise ApiError("user_not_found")
    view = slack.workspace.homes.get(user)
    if view is not None and call.text("hash") not in ("", view.hash):
        raise ApiError("hash_conflict")
    if view is None:
        view = slack.workspace.homes[user] = make(slack, user, content)
    else:
        view.replace(_named(slack, content), slack.workspace.ids.timestamp())
    slack.workspace.changed()
    return {"ok": True, "view": view.to_json()}


async def open_modal(slack: "LoopbackSlack", call: Call) -> Json:
    content = _content(call, "modal")
    view = make(slack, slack.workspace.pull(call.required("trigger_id")), content)
    slack.workspace.changed()
    return {"ok": True, "view": view.to_json()}


async def push(slack: "LoopbackSlack", call: Call) -> Json:
    content = _content(call, "modal")
    user = slack.workspace.pull(call.required("trigger_id"))
    if len([view for view in slack.workspace.views.values() if view.user == user and _is_modal(view)]) >= MODALS:
        raise ApiError("push_limit_reached")
    view = make(slack, user, content)
    slack.workspace.changed()
    return {"ok": True, "view": view.to_json()}


async def update(slack: "LoopbackSlack", call: Call) -> Json:
    view = _wanted(slack, call)
    if call.text("hash") not in ("", view.hash):
        raise ApiError("hash_conflict")
    view.replace(_named(slack, _content(call, view.type)), slack.workspace.ids.timestamp())
    slack.workspace.changed()
    return {"ok": True, "view": view.to_json()}


def make(slack: "LoopbackSlack", user: str, content: Json) -> View:
    """Put a new view up."""
    workspace = slack.workspace
    named = _named(slack, content)
    view = View(
        workspace.ids.new("V"), user, named, workspace.team, workspace.app, workspace.bot_id, workspace.ids.timestamp()
    )
    workspace.views[view.id] = view
    return view


def replace(slack: "LoopbackSlack", view: View, content: Json) -> None:
    """Give a view the content that the answer to a submission carries."""
    view.replace(_named(slack, content), slack.workspace.ids.timestamp())


def _wanted(slack: "LoopbackSlack", call: Call) -> View:
    by_external_id = [
        view for view in slack.workspace.views.values() if view.content.get("external_id") == call.text("external_id")
    ]
    view = slack.workspace.views.get(call.text("view_id")) or next(iter(by_external_id), None)
    if view is None or view.closed:
        raise ApiError("not_found")
    return view


def _is_modal(view: View) -> bool:
    return view.type == "modal" and not view.closed


def _content(call: Call, kind: str) -> Json:
    content = call.arguments.get("view")
    if not isinstance(content, dict) or content.get("type") != kind:
        raise ApiError("invalid_arguments")
    check(content.get("blocks"), "view")
    titles = [content.get(name, {}).get("text", "") for name in ("title", "submit", "close")]
    too_long = len(content.get("private_metadata", "")) > PRIVATE_METADATA
    too_long |= len(content.get("callback_id", "")) > CALLBACK_ID or any(len(title) > TITLE for title in titles)
    if too_long or (kind == "modal" and not titles[0]):
        raise ApiError("invalid_arguments", response_metadata={"messages": ["[ERROR] the view breaks a limit"]})
    return content


def _named(slack: "LoopbackSlack", content: Json) -> Json:
    blocks = [{"block_id": slack.workspace.ids.new("b"), **block} for block in content.get("blocks", [])]
    return content | {"blocks": blocks}
