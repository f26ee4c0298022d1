"""The routes of a page to talk on: what it has to know, the list of conversations, and what answers are thought of."""

import json
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from adapters.http.conversation_documents import (
    About,
    Conversations,
    Judged,
    Judgement,
    ListedConversation,
    Renaming,
)
from adapters.http.inquiring import CONVERSATION_ID, Caller, TheFront, data_of, message_for, no_conversation
from adapters.http.keys import GUEST
from adapters.http.openapi import described
from adapters.http.problems import Problem
from bot.kept_answers import number_in

talking = APIRouter(prefix="/v1", tags=["talking"])


@talking.get("/about", summary="What a page has to know", response_model=About, responses=described(403))
async def about(request: Request, front: TheFront, author: Caller) -> Response:
    """Say who is asking, what they may choose and what they could ask."""
    reply = await front.inquire(message_for(author, "about"))
    of_the_door = {"is_guest": author.id.startswith(GUEST), "needs_key": bool(request.app.state.doorkeeper.keys)}
    return data_of(replace(reply, data={**reply.data, **of_the_door}))


@talking.get(
    "/conversations",
    summary="Your conversations",
    response_model=Conversations,
    responses=described(403, 422),
)
async def conversations(
    front: TheFront,
    author: Caller,
    search: Annotated[str, Query(max_length=200, description="What a title, or something said, must hold.")] = "",
    limit: Annotated[int, Query(ge=1, le=200, description="How many at the most.")] = 50,
    before: Annotated[str, Query(max_length=100, description="The `next` of the page before.")] = "",
) -> Response:
    """Give the conversations of whoever asks with this key, newest first; a `search` does not mind capitals."""
    wanted = json.dumps({"search": search, "limit": limit, "before": before})
    return data_of(await front.inquire(replace(message_for(author, "conversations"), text=wanted)))


@talking.patch(
    "/conversations/{conversation_id}",
    summary="Rename a conversation",
    response_model=ListedConversation,
    responses=described(400, 403, 404, 413, 415, 422),
)
async def rename(conversation_id: str, renaming: Renaming, front: TheFront, author: Caller) -> Response:
    """Call a conversation otherwise; an empty title brings back its first question."""
    if not CONVERSATION_ID.fullmatch(conversation_id):
        return no_conversation().response()
    return data_of(await front.inquire(replace(message_for(author, "rename", conversation_id), text=renaming.title)))


@talking.put(
    "/answers/{answer_id}/feedback",
    summary="Say what an answer is worth",
    response_model=Judged,
    responses=described(400, 403, 404, 413, 415, 422),
)
async def judge(answer_id: str, judgement: Judgement, front: TheFront, author: Caller) -> Response:
    """Note whether an answer helped, and why; a later verdict takes the place of an earlier one."""
    if not number_in(answer_id):
        return Problem("not_found", "There is no such answer.").response()
    comment = "" if judgement.comment is None else f": {judgement.comment}"
    said = f"{judgement.verdict} {answer_id}{comment}"
    return data_of(await front.inquire(replace(message_for(author, "feedback"), text=said)))
