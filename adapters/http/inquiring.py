"""What all routes share: who is asking, a message made of a request, and a response made of the reply."""

import re
import uuid
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from adapters.http.front import Front
from adapters.http.negotiation import JSON
from adapters.http.problems import Problem, of_reply, to_json
from bot.messages import Author, IncomingMessage, Place, Reply

_PLACE = Place("http")

CONVERSATION_ID = re.compile("[0-9a-f]{32}")
"""How conversations are named."""


def _front(request: Request) -> Front:
    front: Front = request.app.state.front
    return front


def _author(request: Request) -> Author:
    author: Author = request.state.author
    return author


TheFront = Annotated[Front, Depends(_front)]
Caller = Annotated[Author, Depends(_author)]


def message_for(author: Author, command: str, conversation_id: str = "") -> IncomingMessage:
    """Make the message by which an author gives a command; its text is empty."""
    key = f"http:{uuid.uuid4().hex}"
    return IncomingMessage(key, _PLACE, author, "", command=command, conversation_id=conversation_id)


def data_of(reply: Reply) -> Response:
    """Give the response that a reply's data, or the problem it tells of, make."""
    return of_reply(reply).response() if reply.error else json_of(reply.data)


def json_of(document: object, status: int = 200) -> Response:
    """Give the response with a document."""
    return Response(to_json(document), status, media_type=JSON)


def no_conversation() -> Problem:
    """Give the problem of a conversation that is not there."""
    return Problem("conversation_not_found", "There is no such conversation.")
