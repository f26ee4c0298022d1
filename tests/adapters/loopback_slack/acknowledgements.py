"""What an acknowledgement does in Slack: a command's answer is shown, a submitted view changes or closes."""

from typing import TYPE_CHECKING

from . import response_urls, view_methods
from .deliveries import Delivery
from .wire import Json

if TYPE_CHECKING:
    from .slack import LoopbackSlack
    from .views import View


def take_answer(slack: "LoopbackSlack", delivery: Delivery, view: "View | None" = None) -> None:
    """Let the acknowledgement of a command or an interaction have its effect; one that did not come has none."""
    if not delivery.acknowledged:
        return
    answer = delivery.answer
    if delivery.kind == "slash_commands" and answer:
        body: Json = answer if isinstance(answer, dict) else {"text": str(answer)}
        name = delivery.response_url.rpartition("/")[2]
        response_urls.post(slack, slack.workspace.response_urls[name], body)
    elif view is not None:
        _after_submission(slack, view, answer if isinstance(answer, dict) else {})
    slack.workspace.changed()


def _after_submission(slack: "LoopbackSlack", view: "View", answer: Json) -> None:
    action = answer.get("response_action")
    if action == "errors":
        view.errors = dict(answer["errors"])
    elif action == "update":
        view_methods.replace(slack, view, answer["view"])
    elif action == "push":
        view_methods.make(slack, view.user, answer["view"])
    elif action == "clear":
        for modal in slack.workspace.users[view.user].modals:
            modal.closed = True
    else:
        view.closed = True
