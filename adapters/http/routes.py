"""The routes: each makes a message of a request and a document of the reply."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from adapters.http.conversation_documents import Conversation
from adapters.http.documents import (
    Answer,
    Description,
    Diagnosis,
    Forgotten,
    Health,
    Knowledge,
    PersonalData,
    Question,
    Readiness,
    Symptoms,
)
from adapters.http.forms import THE_FORM, PictureForm, picture_form
from adapters.http.front import Front
from adapters.http.inquiring import (
    CONVERSATION_ID,
    Caller,
    TheFront,
    data_of,
    json_of,
    message_for,
    no_conversation,
)
from adapters.http.negotiation import EVENTS, wants_events
from adapters.http.openapi import AN_ANSWER, described
from adapters.http.problems import Problem, of_reply
from adapters.http.streaming import events, too_late, whole_document
from bot.access_rules import known_person
from bot.messages import Author, IncomingMessage, Reply, description_document, diagnosis_document

_EVENT_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_NOBODY_READS_IT = 499
_CONFIRMED = "yes"


asking = APIRouter(prefix="/v1", tags=["asking"])
personal = APIRouter(prefix="/v1", tags=["personal data"])
knowledge = APIRouter(prefix="/v1", tags=["knowledge"])
health = APIRouter(tags=["health"])


@asking.post("/ask", summary="Ask a question", response_model=Answer, responses=AN_ANSWER)
async def ask(question: Question, request: Request, front: TheFront, author: Caller) -> Response:
    """Answer from the knowledge base, with sources, or say that it has no answer.

    With `Accept: text/event-stream` the answer is streamed: `token` events with the next piece of text (or `replace`
    with all of it), then `citations`, then `done` with the whole answer document; `error` with a problem document.
    Before the first of them, `status` may say what is waited for, as "Waking up the model …".
    """
    if question.conversation_id is not None and not CONVERSATION_ID.fullmatch(question.conversation_id):
        return no_conversation().response()
    streaming = wants_events(",".join(request.headers.getlist("accept")))
    message = replace(
        message_for(author, "ask", question.conversation_id or ""),
        text=question.question,
        opens_conversation=True,
        passages=question.top_k,
        generator=question.generator,
        source=question.source,
        streaming=streaming,
    )
    if streaming:
        stream = events(await front.post(message), front.patience, lambda: front.abandon(message))
        return StreamingResponse(stream, headers=_EVENT_HEADERS, media_type=EVENTS)
    return await _whole(front, message, whole_document)


@asking.post(
    "/diagnose",
    summary="Tell what symptoms may point to",
    response_model=Diagnosis,
    responses=described(400, 403, 404, 413, 415, 422, 429, 501, 504),
)
async def diagnose(symptoms: Symptoms, front: TheFront, author: Caller) -> Response:
    """Judge a description of symptoms: what it may point to, how likely, why, and what would be urgent.

    Nothing of it leaves the machine. This is no diagnosis by a doctor.
    """
    if symptoms.conversation_id is not None and not CONVERSATION_ID.fullmatch(symptoms.conversation_id):
        return no_conversation().response()
    message = replace(
        message_for(author, "diagnose", symptoms.conversation_id or ""), text=symptoms.symptoms, opens_conversation=True
    )
    return await _whole(front, message, diagnosis_document)


@asking.post(
    "/describe",
    summary="Say what is in pictures",
    response_model=Description,
    responses=described(400, 403, 404, 408, 413, 415, 422, 429, 501, 504),
    openapi_extra=THE_FORM,
)
async def describe(request: Request, front: TheFront, author: Caller) -> Response:
    """Look at pictures, or answer a question about them: `curl -F file=@cat.jpg -F question="What breed is it?"`.

    Pictures are known by their content, not by their names. Where some of them cannot be looked at, their `error` says
    why; where none can, that is a problem with all the reasons. They are kept in memory alone, and only until the
    answer is there.
    """
    announced = request.headers.get("content-length")
    try:
        with front.uploads.room(int(announced) if announced else None):
            form = await picture_form(request, front.most_files, front.text_bytes)
            if isinstance(form, Problem):
                return form.response()
            return await _unless_left(request, _described(form, front, author))
    except ClientDisconnect:
        return Response(status_code=_NOBODY_READS_IT)


async def _described(form: PictureForm, front: Front, author: Author) -> Response:
    if form.conversation_id is not None and not CONVERSATION_ID.fullmatch(form.conversation_id):
        return no_conversation().response()
    with front.uploads.kept(form.files) as attachments:
        message = replace(
            message_for(author, "describe", form.conversation_id or ""),
            text=form.question,
            attachments=attachments,
            opens_conversation=True,
        )
        return await _whole(front, message, description_document)


async def _unless_left(request: Request, work: Coroutine[Any, Any, Response]) -> Response:
    """Wait for a response as long as its client does.

    Raises:
        ClientDisconnect: the client has left; the work is given up.
    """
    working = asyncio.create_task(work, name="describe")
    leaving = asyncio.create_task(_left(request), name="describe: client leaves")
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


@asking.get(
    "/conversations/{conversation_id}",
    summary="Read a conversation",
    response_model=Conversation,
    responses=described(403, 404),
)
async def read_conversation(conversation_id: str, front: TheFront, author: Caller) -> Response:
    """Give what was asked and answered, and how it was judged; a user sees their own conversations only."""
    return await _about_conversation(conversation_id, "conversation", front, author)


@asking.delete(
    "/conversations/{conversation_id}",
    summary="Delete a conversation",
    status_code=204,
    response_class=Response,
    responses=described(403, 404),
)
async def delete_conversation(conversation_id: str, front: TheFront, author: Caller) -> Response:
    """Delete what was asked and answered, for good."""
    response = await _about_conversation(conversation_id, "forget", front, author)
    return Response(status_code=204) if response.status_code == 200 else response


@personal.get("/me", summary="Everything that is kept of you", response_model=PersonalData, responses=described(403))
async def export_me(front: TheFront, author: Caller) -> Response:
    """Give all that is kept of whoever asks with this key: conversations, verdicts, events."""
    return data_of(await front.inquire(message_for(author, "export")))


@personal.delete("/me", summary="Forget you", response_model=Forgotten, responses=described(403, 422))
async def forget_me(front: TheFront, author: Caller, confirm: str = "") -> Response:
    """Delete all that is kept of whoever asks with this key, for good; it takes `?confirm=yes`."""
    return await _forget("", confirm, front, author)


@personal.get(
    "/people/{person_id}",
    summary="Everything that is kept of a person",
    response_model=PersonalData,
    responses=described(403, 404, 422),
)
async def export_person(person_id: str, front: TheFront, author: Caller) -> Response:
    """Give all that is kept of a person, as `discord:81384788765712384`; for admins, on that person's behalf."""
    if not _is_person(person_id):
        return _nobody().response()
    return data_of(await front.inquire(replace(message_for(author, "export"), text=person_id)))


@personal.delete(
    "/people/{person_id}",
    summary="Forget a person",
    response_model=Forgotten,
    responses=described(403, 404, 422),
)
async def forget_person(person_id: str, front: TheFront, author: Caller, confirm: str = "") -> Response:
    """Delete all that is kept of a person, for good; for admins, on that person's behalf. It takes `?confirm=yes`."""
    if not _is_person(person_id):
        return _nobody().response()
    return await _forget(person_id, confirm, front, author)


async def _forget(person_id: str, confirm: str, front: Front, author: Author) -> Response:
    text = f"{person_id} {_CONFIRMED if confirm == _CONFIRMED else ''}".strip()
    reply = await front.inquire(replace(message_for(author, "forget"), text=text))
    if reply.error or not reply.data.get("asked_back"):
        return data_of(reply)
    number = reply.data["conversations"]
    return Problem(
        "request_invalid", f"This deletes what is kept, {number} conversations of it, for good.", "Add `?confirm=yes`."
    ).response()


@knowledge.get("/knowledge", summary="What the answers come from", response_model=Knowledge, responses=described(403))
async def describe_knowledge(front: TheFront, author: Caller) -> Response:
    """Give the figures of the knowledge base in use."""
    return data_of(await front.inquire(message_for(author, "knowledge")))


@health.get("/healthz", summary="Whether the process lives", response_model=Health)
async def live() -> Response:
    """Answer as long as the process does."""
    return json_of({"status": "ok"})


@health.get(
    "/readyz",
    summary="Whether questions are answered",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Not yet; `waiting_for` says why."}},
)
async def ready(front: TheFront) -> Response:
    """Say whether questions are answered now; what is asked before waits."""
    waiting_for = front.ready()
    if waiting_for:
        return json_of({"status": "starting", "waiting_for": waiting_for}, 503)
    return json_of({"status": "ready", "waiting_for": ""})


async def _about_conversation(conversation_id: str, command: str, front: Front, author: Author) -> Response:
    # Also a guard: a message that names no conversation is about all that the person ever said.
    if not CONVERSATION_ID.fullmatch(conversation_id):
        return no_conversation().response()
    return data_of(await front.inquire(message_for(author, command, conversation_id)))


async def _whole(front: Front, message: IncomingMessage, document: Callable[[Reply], Mapping[str, object]]) -> Response:
    """Hand a message in and give its whole reply as a document."""
    exchange = await front.post(message)
    try:
        async with asyncio.timeout(front.patience):
            reply = await exchange.complete()
    except TimeoutError:
        front.abandon(message)
        return too_late(front.patience).response()
    return of_reply(reply).response() if reply.error else json_of(document(reply))


def _is_person(person_id: str) -> bool:
    try:
        known_person(person_id)
    except ValueError:
        return False
    return True


def _nobody() -> Problem:
    return Problem("not_found", "That is no person's id.", "Write it as `discord:81384788765712384`.")
