"""The API's routes for interactions: the first response, the original one and the follow-ups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import payloads, posting
from .interactions import CHOICES, DEFERRED_MESSAGE, DEFERRED_UPDATE, MESSAGE, MODAL, UPDATE, InteractionResponse
from .messages import EPHEMERAL, LOADING
from .refusals import (
    Refusal,
    already_acknowledged,
    invalid_form,
    invalid_webhook_token,
    unknown,
)
from .rest import Call, Route
from .rest_messages import changes_of, message_fields, uploads
from .validation import check_choices, check_message, check_modal

if TYPE_CHECKING:
    from .interactions import Interaction
    from .messages import Message

Json = dict[str, Any]

_COMMAND, _COMPONENT, _AUTOCOMPLETE, _FORM = 2, 3, 4, 5
_MENUS = (2, 3)
_ALLOWED = {
    _COMMAND: (MESSAGE, DEFERRED_MESSAGE, MODAL),
    _COMPONENT: (MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, MODAL),
    _AUTOCOMPLETE: (CHOICES,),
    _FORM: (MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE),
}


async def respond(call: Call) -> Json | None:
    """POST the first response."""
    interaction = call.world.interactions.get(call.path["token"])
    if interaction is None or interaction.id != call.number("interaction_id"):
        raise unknown("interaction")
    try:
        _respond(call, interaction)
    except Refusal as refusal:
        interaction.refused.append(refusal.code)
        raise
    return _callback(interaction) if call.query.get("with_response") in ("1", "true", "True") else None


def _respond(call: Call, interaction: Interaction) -> None:
    if interaction.too_late_to_respond() or interaction.token_expired():
        raise unknown("interaction")
    if interaction.acknowledged:
        raise already_acknowledged()
    kind, data = call.body["type"], call.body.get("data") or {}
    if kind not in _ALLOWED[interaction.kind] or (kind in (DEFERRED_UPDATE, UPDATE) and interaction.source is None):
        raise invalid_form("type", "BASE_TYPE_CHOICES", f"Value must be one of {_ALLOWED[interaction.kind]}.")
    _check(call, kind, data)
    interaction.responses.append(InteractionResponse(kind, call.world.clock.now(), data))
    if kind == MESSAGE:
        interaction.message = _post(call, interaction, data)
    elif kind == DEFERRED_MESSAGE:
        flags = (data.get("flags") or 0) & EPHEMERAL | LOADING
        interaction.message = _post(call, interaction, {"flags": flags})
    elif kind == UPDATE and interaction.source:
        posting.edit(call.world, interaction.source, changes_of(call, data, interaction.source))
    if kind in (DEFERRED_UPDATE, UPDATE):
        interaction.message = interaction.source


def _check(call: Call, kind: int, data: Json) -> None:
    if kind == MESSAGE:
        check_message(data, has_files=bool(call.files))
    elif kind == MODAL:
        check_modal(data)
    elif kind == CHOICES:
        check_choices(data.get("choices") or [])


def _post(call: Call, interaction: Interaction, data: Json) -> Message:
    fields = message_fields(data)
    if interaction.kind == _COMMAND:
        is_menu = interaction.data["type"] in _MENUS
        fields["kind"] = posting.MENU_RESPONSE if is_menu else posting.COMMAND_RESPONSE
    return posting.post(
        call.world,
        interaction.channel,
        call.world.bot,
        attachments=uploads(call, data),
        interaction=interaction,
        **fields,
    )


def _callback(interaction: Interaction) -> Json:
    response = interaction.responses[0]
    told: Json = {"id": str(interaction.id), "type": interaction.kind}
    document: Json = {"interaction": told}
    message = interaction.message
    if message:
        told |= {
            "response_message_id": str(message.id),
            "response_message_loading": message.loading,
            "response_message_ephemeral": message.ephemeral,
        }
    if message and response.kind in (MESSAGE, DEFERRED_MESSAGE, UPDATE):
        document["resource"] = {"type": response.kind, "message": payloads.message(message)}
    return document


def _interaction(call: Call) -> Interaction:
    interaction = call.world.interactions.get(call.path["token"])
    if interaction is None or call.number("application_id") != call.world.application_id:
        raise unknown("Webhook")
    if interaction.token_expired():
        interaction.refused.append(invalid_webhook_token().code)
        raise invalid_webhook_token()
    if not interaction.acknowledged:
        interaction.refused.append(unknown("Webhook").code)
        raise unknown("Webhook")
    return interaction


async def follow_up(call: Call) -> Json:
    """POST a follow-up; the first one after a deferred response takes its place."""
    interaction = _interaction(call)
    check_message(call.body, has_files=bool(call.files))
    original = interaction.message
    if original and original.loading and not original.deleted:
        _fill(call, original)
        return payloads.message(original)
    message = _post(call, interaction, call.body)
    interaction.followups.append(message)
    call.world.notify()
    return payloads.message(message)


def _fill(call: Call, message: Message) -> None:
    changes = changes_of(call, call.body, message)
    # Whether it is ephemeral was settled when it was deferred.
    flags = int(changes.get("flags") or 0) & ~EPHEMERAL | message.flags & EPHEMERAL
    message.allowed_mentions = call.body.get("allowed_mentions")
    posting.edit(call.world, message, changes | {"flags": flags & ~LOADING})


def _message(call: Call) -> Message:
    interaction = _interaction(call)
    name = call.path.get("message_id")
    message = interaction.message
    if name is not None:
        mine = [*interaction.messages, *([interaction.message] if interaction.message else [])]
        message = next((one for one in mine if str(one.id) == name), None)
    if message is None or message.deleted:
        raise unknown("Message")
    return message


async def original_or_follow_up(call: Call) -> Json:
    """GET a response."""
    return payloads.message(_message(call))


async def change(call: Call) -> Json:
    """PATCH a response; the original one of a deferred response is thereby complete."""
    message = _message(call)
    if message.loading:
        _fill(call, message)
    else:
        posting.edit(call.world, message, changes_of(call, call.body, message))
    return payloads.message(message)


async def remove(call: Call) -> None:
    """DELETE a response."""
    posting.delete(call.world, _message(call))


_WEBHOOK = "/webhooks/{application_id}/{token}"
_ORIGINAL = _WEBHOOK + "/messages/@original"
_FOLLOW_UP = _WEBHOOK + "/messages/{message_id}"

ROUTES = [
    Route("POST", "/interactions/{interaction_id}/{token}/callback", respond, public=True),
    Route("POST", _WEBHOOK, follow_up, public=True),
    *(
        Route(method, template, handler, public=True)
        for template in (_ORIGINAL, _FOLLOW_UP)
        for method, handler in (("GET", original_or_follow_up), ("PATCH", change), ("DELETE", remove))
    ),
]
