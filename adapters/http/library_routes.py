"""The routes to the library: files and answers that admins hand in, looked at beforehand, and taken back."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from adapters.http.documents import Reload
from adapters.http.front import Front
from adapters.http.inquiring import Caller, TheFront, data_of, message_for
from adapters.http.library_documents import (
    Changed,
    Explanation,
    KnowledgeFiles,
    LibraryPreview,
    LibraryVersions,
    Taught,
    TaughtAnswers,
    Teaching,
)
from adapters.http.library_form import LIBRARY_FORM, library_form
from adapters.http.negotiation import EVENTS, wants_events
from adapters.http.openapi import described
from adapters.http.problems import Problem, of_reply, to_json
from bot.library_desk import answer_id
from bot.messages import Author, IncomingMessage, Reply
from bot.reload_progress import steps

library = APIRouter(prefix="/v1/knowledge", tags=["knowledge"])

_EVENT_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_QUIET_SECONDS = 15.0
_NOBODY_READS_IT = 499
_STREAM = 'event: progress\ndata: {"stage":"reading","done":3,"total":12}\n\nevent: done\ndata: {"version":…}\n\n'
_NAMES_SHOWN = 300


@library.post(
    "/reload",
    summary="Read the knowledge base again",
    response_model=Reload,
    responses={
        200: {
            "description": "What it changed",
            "content": {EVENTS: {"schema": {"type": "string"}, "example": _STREAM}},
        },
        **described(403),
    },
)
async def reload_knowledge(request: Request, front: TheFront, author: Caller) -> Response:
    """Read the sources again and say what changed; for admins. If nothing could be loaded the old stays in use.

    With `Accept: text/event-stream` it tells how far it is: `progress` events with `stage` (waiting, looking, reading,
    indexing, saving), `done` and `total` (of files); then `done` with the whole document, or `error` with a problem.
    """
    message = message_for(author, "reload")
    if wants_events(",".join(request.headers.getlist("accept"))):
        return StreamingResponse(_told(front, message), headers=_EVENT_HEADERS, media_type=EVENTS)
    return data_of(await front.inquire(message))


@library.get("/files", summary="The files that are read", response_model=KnowledgeFiles, responses=described(403))
async def files(front: TheFront, author: Caller) -> Response:
    """Name every file of the sources and of the library, with what came of it; for admins."""
    return data_of(await front.inquire(message_for(author, "library")))


@library.post(
    "/files",
    summary="Hand files in",
    response_model=Changed | LibraryPreview,
    responses=described(400, 403, 408, 413, 415, 422),
    openapi_extra={**LIBRARY_FORM},
)
async def hand_in(
    request: Request,
    front: TheFront,
    author: Caller,
    preview: Annotated[bool, Query(description="Only say what they would bring, and change nothing.")] = False,
) -> Response:
    """Add files to the library, or replace those of the same name: `curl -F file=@handbook.md`; for admins.

    Then the knowledge base is read again. Where one of them holds nothing that can be used, or nothing would be left
    to answer from, nothing is changed at all.
    """
    message = message_for(author, "library")
    # Before the body is read: who may not do this is not let onto the disk.
    allowed = await front.inquire(replace(message, text="may"))
    if allowed.error:
        return of_reply(allowed).response()
    try:
        async with front.staging.batch() as batch:
            attachments = await library_form(request, batch)
            if isinstance(attachments, Problem):
                return attachments.response()
            names = ", ".join(one.name for one in attachments)[:_NAMES_SHOWN]
            text = "preview" if preview else f"add {names}"
            return data_of(await front.inquire(replace(message, text=text, attachments=attachments)))
    except ClientDisconnect:
        return Response(status_code=_NOBODY_READS_IT)
    except OSError:
        return Problem("knowledge_unavailable", "The disk does not take the files.", "Free some space.").response()


@library.delete(
    "/files/{name:path}",
    summary="Delete a file of the library",
    response_model=Changed,
    responses=described(403, 404, 422),
)
async def delete_file(name: str, front: TheFront, author: Caller) -> Response:
    """Take a file out of the library and read the knowledge base again; for admins. `undo` brings it back."""
    return await _do(front, author, "library", f"delete {name}")


@library.get("/versions", summary="What was changed", response_model=LibraryVersions, responses=described(403))
async def versions(front: TheFront, author: Caller) -> Response:
    """List the versions of the library that are kept, newest first; for admins."""
    return await _do(front, author, "library", "versions")


@library.post("/undo", summary="Take a change back", response_model=Changed, responses=described(403, 404, 422))
async def undo(
    front: TheFront,
    author: Caller,
    to: Annotated[int | None, Query(ge=0, le=10**9, description="The version wanted; 0: before the first.")] = None,
) -> Response:
    """Bring back what the library held before its last change, or in the version `to`; for admins.

    That is a change of its own: undone once more, all is as it was.
    """
    return await _do(front, author, "library", "undo" if to is None else f"undo {to}")


@library.get("/answers", summary="The answers that were taught", response_model=TaughtAnswers, responses=described(403))
async def answers(front: TheFront, author: Caller) -> Response:
    """List them, oldest first; for admins."""
    return await _do(front, author, "teach", "")


@library.post(
    "/answers",
    summary="Teach an answer",
    response_model=Taught,
    responses=described(400, 403, 413, 415, 422),
)
async def teach(teaching: Teaching, front: TheFront, author: Caller) -> Response:
    """Give the answer to a question, in place of an earlier one to the same; for admins.

    It is kept in the library as a ready answer, and given as it stands.
    """
    form = {"question": teaching.question, "answer": teaching.answer, "title": teaching.title}
    message = replace(message_for(author, "teach"), text=f"add {answer_id(teaching.question)}", form=form)
    return data_of(await front.inquire(message))


@library.delete(
    "/answers/{answer}", summary="Forget a taught answer", response_model=Changed, responses=described(403, 404)
)
async def delete_answer(answer: str, front: TheFront, author: Caller) -> Response:
    """Delete an answer that was taught; for admins. `undo` brings it back."""
    return await _do(front, author, "teach", f"delete {answer}")


@library.get("/search", summary="Explain a search", response_model=Explanation, responses=described(403, 422))
async def explain(
    front: TheFront,
    author: Caller,
    q: Annotated[str, Query(max_length=2_000, description="What to look for.")],
    limit: Annotated[int, Query(ge=1, le=50, description="How many passages at the most.")] = 10,
) -> Response:
    """Show what is found, and why: score, confidence and the words that matched with their weights; for admins."""
    message = replace(message_for(author, "explain"), form={"q": q, "limit": str(limit)})
    return data_of(await front.inquire(message))


async def _do(front: Front, author: Author, command: str, text: str) -> Response:
    return data_of(await front.inquire(replace(message_for(author, command), text=text)))


async def _told(front: Front, message: IncomingMessage) -> AsyncIterator[bytes]:
    async with contextlib.aclosing(steps(lambda: front.inquire(message), _QUIET_SECONDS)) as told:
        async for step in told:
            if step is None:
                yield KEEPALIVE_COMMENT
            elif isinstance(step, Reply):
                yield _ended(step)
            else:
                yield format_sse_event(event="progress", data_str=to_json(asdict(step)))


def _ended(reply: Reply) -> bytes:
    if not reply.error:
        return format_sse_event(event="done", data_str=to_json(reply.data))
    problem = of_reply(reply)
    problem.note()
    return format_sse_event(event="error", data_str=to_json(problem.document()))
