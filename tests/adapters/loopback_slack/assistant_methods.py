"""assistant.threads.*: what stands at the head and the foot of a thread while the bot works."""

from typing import TYPE_CHECKING

from .content import Content
from .wire import ApiError, Call, Json
from .workspace import Status

if TYPE_CHECKING:
    from .people import AssistantThread
    from .slack import LoopbackSlack

LOADING_MESSAGES = 10
PROMPTS = 4


async def set_status(slack: "LoopbackSlack", call: Call) -> Json:
    channel = slack.workspace.channel(call.required("channel_id"))
    thread_ts = call.required("thread_ts")
    messages = call.arguments.get("loading_messages") or []
    if "status" not in call.arguments or len(messages) > LOADING_MESSAGES:
        raise ApiError("invalid_arguments")
    if thread_ts not in channel.by_ts:
        raise ApiError("invalid_thread_ts")
    status = Status(channel.id, thread_ts, call.text("status"), messages, slack.workspace.now())
    slack.workspace.set_status(status)
    return {"ok": True}


async def set_title(slack: "LoopbackSlack", call: Call) -> Json:
    thread = _thread(slack, call)
    thread.titles.append(call.required("title"))
    root = thread.channel.by_ts[thread.ts]
    root.more = {"assistant_app_thread": {"title": thread.title, "title_blocks": [], "artifacts": []}}
    slack.board.change(root, Content(root.text))
    return {"ok": True}


async def set_prompts(slack: "LoopbackSlack", call: Call) -> Json:
    prompts = call.arguments.get("prompts") or []
    if not 1 <= len(prompts) <= PROMPTS:
        raise ApiError("invalid_arguments")
    if any(not prompt.get("title") or not prompt.get("message") for prompt in prompts):
        raise ApiError("invalid_arguments")
    thread = _thread(slack, call)
    thread.prompts, thread.prompts_title = prompts, call.text("title")
    slack.workspace.changed()
    return {"ok": True}


def _thread(slack: "LoopbackSlack", call: Call) -> "AssistantThread":
    channel = slack.workspace.channel(call.required("channel_id"))
    thread = slack.workspace.threads.get((channel.id, call.text("thread_ts")))
    if thread is None:
        raise ApiError("invalid_thread_ts")
    return thread
