"""files.*: uploads in Slack's three steps, and what is known of a file."""

from typing import TYPE_CHECKING
from urllib.parse import quote

from .chat_methods import thread_of, writable
from .content import Content
from .files import File, media_type_of
from .wire import ApiError, Call, Json

if TYPE_CHECKING:
    from .slack import LoopbackSlack


async def info(slack: "LoopbackSlack", call: Call) -> Json:
    return {"ok": True, "file": _found(slack, call.required("file")).to_json()}


async def upload_url(slack: "LoopbackSlack", call: Call) -> Json:
    name, length = call.required("filename"), call.number("length", 0)
    if length <= 0:
        raise ApiError("invalid_arguments")
    workspace = slack.workspace
    file_id = workspace.ids.new("F")
    address = f"{workspace.base}/files-pri/{workspace.team}-{file_id}/{quote(name)}"
    file = File(file_id, name, media_type_of(name), b"", 0, length, workspace.bot_user, address, shared=False)
    workspace.files[file_id] = file
    return {"ok": True, "upload_url": f"{workspace.base}/upload/v1/{file_id}", "file_id": file_id}


async def complete_upload(slack: "LoopbackSlack", call: Call) -> Json:
    wanted = call.arguments.get("files") or []
    files = [_found(slack, str(entry.get("id"))) for entry in wanted]
    if not files or any(not file.content for file in files):
        raise ApiError("file_not_found")
    for file, entry in zip(files, wanted, strict=True):
        file.title, file.shared = str(entry.get("title") or file.name), True
    for name in _targets(call):
        _share(slack, call, name, files)
    return {"ok": True, "files": [file.to_json() for file in files]}


def _targets(call: Call) -> list[str]:
    return [name for name in (call.text("channel_id") or call.text("channels")).split(",") if name]


def _share(slack: "LoopbackSlack", call: Call, name: str, files: list[File]) -> None:
    target = Call(call.method, call.arguments | {"channel": name}, call.token, call.at)
    channel = writable(slack, target)
    content = Content(call.text("initial_comment"), files=files)
    slack.board.put_up(channel, content, thread_ts=thread_of(channel, target))
    for file in files:
        file.channels.append(channel.id)


def _found(slack: "LoopbackSlack", file_id: str) -> File:
    if file_id not in slack.workspace.files:
        raise ApiError("file_not_found")
    return slack.workspace.files[file_id]
