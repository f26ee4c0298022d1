"""The routes of the pages for admins: each gives a command in the admin's name, and its data as the document."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from adapters.http.admin_documents import (
    AccessChange,
    AccessPolicy,
    AuditEntries,
    ChangedAccess,
    DoneCleaning,
    KeptFor,
    KnownPeople,
    PlaceChange,
    QuestionsToLookAt,
    ReportEntries,
    Retried,
    SetPlaces,
    Statistics,
    Status,
    UndeliveredReplies,
)
from adapters.http.front import Front
from adapters.http.inquiring import Caller, TheFront, data_of, json_of, message_for
from adapters.http.openapi import described
from adapters.http.problems import Problem, of_reply
from bot import known_people, questions
from bot.daily_statistics import MOST_DAYS
from bot.messages import Author, Reply

admin = APIRouter(prefix="/v1", tags=["admin"])

_DEFAULT_DAYS, _DEFAULT_ROWS, _MOST_ENTRIES = 30, 50, 1_000

_RUNS_NOTHING = "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'"
"""A report shows what documents and models wrote: whatever that is, a browser only shows it."""

_FILE = {"type": "string", "format": "binary"}

_MEDIA = ("text/html", "text/markdown", "application/json", "image/png")


def _no_report() -> Problem:
    return Problem("not_found", "There is no such report.", "`GET /v1/reports` lists them, with their files.")


async def _inquired(front: Front, author: Author, command: str, text: str = "") -> Reply:
    return await front.inquire(replace(message_for(author, command), text=text))


@admin.get("/status", summary="How the bot is now", response_model=Status, responses=described(403))
async def status(front: TheFront, author: Caller) -> Response:
    """Give what a page shows that is asked every few seconds; nothing is looked up elsewhere, or loaded, for it."""
    reply = await _inquired(front, author, "status")
    if reply.error:
        return of_reply(reply).response()
    return json_of({**reply.data, "loop_lag_ms": reply.data["loop_lag_ms"]["p99"]})


@admin.get("/statistics", summary="What was asked", response_model=Statistics, responses=described(403, 422))
async def statistics(
    front: TheFront,
    author: Caller,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="How many, today's (UTC) among them.")] = _DEFAULT_DAYS,
) -> Response:
    """Give the figures by day and workspace, and by who wrote the answers."""
    reply = await _inquired(front, author, "statistics", str(days))
    if reply.error:
        return of_reply(reply).response()
    document = {name: value for name, value in reply.data.items() if name not in ("daily", "generators")}
    return json_of({**document, **reply.data["daily"]})


@admin.get(
    "/questions", summary="Questions to look at", response_model=QuestionsToLookAt, responses=described(403, 422)
)
async def questions_to_look_at(
    front: TheFront,
    author: Caller,
    kind: Annotated[
        Literal["unanswered", "disliked"], Query(description="Those without an answer, or with a bad one.")
    ] = "unanswered",
    limit: Annotated[int, Query(ge=1, le=questions.MOST)] = _DEFAULT_ROWS,
    before: Annotated[str, Query(pattern="^[0-9]{0,18}$", description="`next` of the page before.")] = "",
) -> Response:
    """Give them newest first, without who asked, and without what was said of symptoms."""
    return data_of(await _inquired(front, author, "questions", f"{kind} {limit} {before}".strip()))


@admin.get("/access", summary="Who may do what", response_model=AccessPolicy, responses=described(403))
async def access(front: TheFront, author: Caller) -> Response:
    """Give the rules of access, of the settings and of admins, and who has paired."""
    return data_of(await _inquired(front, author, "rules"))


@admin.post(
    "/access",
    summary="Change who may do what",
    response_model=ChangedAccess,
    responses=described(400, 403, 413, 415, 422),
)
async def change_access(wish: AccessChange, front: TheFront, author: Caller) -> Response:
    """Add or remove a rule, make a code for pairing or end a pairing, in the words of the command `access`."""
    return data_of(await _inquired(front, author, "access", wish.change))


@admin.get("/audit", summary="What admins did", response_model=AuditEntries, responses=described(403, 422))
async def audit(
    front: TheFront, author: Caller, limit: Annotated[int, Query(ge=1, le=_MOST_ENTRIES)] = _DEFAULT_ROWS
) -> Response:
    """Give the last uses of admin commands. What pages only look at, but for what people wrote, is not among them."""
    return data_of(await _inquired(front, author, "uses", str(limit)))


@admin.get("/places", summary="What is set for places", response_model=SetPlaces, responses=described(403))
async def places(front: TheFront, author: Caller) -> Response:
    """Give what is set for places, by the settings and by admins; of two for one place, the one that counts."""
    return data_of(await _inquired(front, author, "places"))


@admin.post(
    "/places",
    summary="Set something for a place",
    response_model=SetPlaces,
    responses=described(400, 403, 413, 415, 422),
)
async def set_place(wish: PlaceChange, front: TheFront, author: Caller) -> Response:
    """Set whether what is said in a place is kept, redacted, and after how many days it is deleted."""
    return data_of(await _inquired(front, author, "set_place", f"{wish.place} {wish.name} {wish.value}"))


@admin.get("/retention", summary="How long things are kept", response_model=KeptFor, responses=described(403))
async def retention(front: TheFront, author: Caller) -> Response:
    """Give how long conversations are kept where, how many are due, and when the last cleaning was."""
    return data_of(await _inquired(front, author, "retention"))


@admin.post("/retention/clean", summary="Delete what is due", response_model=DoneCleaning, responses=described(403))
async def clean(front: TheFront, author: Caller) -> Response:
    """Delete what is kept no longer, as every night; what could not be deleted is in `failed`."""
    return data_of(await _inquired(front, author, "clean"))


@admin.get(
    "/undelivered", summary="Replies that were given up", response_model=UndeliveredReplies, responses=described(403)
)
async def undelivered(front: TheFront, author: Caller) -> Response:
    """Give the replies that a platform did not take, with the reason."""
    return data_of(await _inquired(front, author, "undelivered"))


@admin.post("/undelivered/retry", summary="Try them again", response_model=Retried, responses=described(403, 422))
async def retry(
    front: TheFront,
    author: Caller,
    key: Annotated[str, Query(max_length=500, description="Only this one; left out, all of them.")] = "",
) -> Response:
    """Have replies that were given up tried again; that takes some seconds."""
    return data_of(await _inquired(front, author, "delivery", f"retry {key}".strip()))


@admin.get(
    "/people", summary="People of whom something is kept", response_model=KnownPeople, responses=described(403, 422)
)
async def people(
    front: TheFront,
    author: Caller,
    search: Annotated[str, Query(max_length=200, description="A part of the name or id.")] = "",
    limit: Annotated[int, Query(ge=1, le=known_people.MOST)] = _DEFAULT_ROWS,
) -> Response:
    """Give the ids and names of people of whom conversations are kept."""
    return data_of(await _inquired(front, author, "known_people", f"{limit} {search}".strip()))


@admin.get("/reports", summary="Evaluations and trainings", response_model=ReportEntries, responses=described(403))
async def reports(front: TheFront, author: Caller) -> Response:
    """List the reports that lie under the data directory: of evaluations, and of models that were trained here."""
    return data_of(await _inquired(front, author, "reports"))


@admin.get(
    "/reports/{report_id}/{file}",
    summary="A file of a report",
    response_class=Response,
    responses={
        200: {
            "description": "The page, the figures or a plot",
            "content": {media: {"schema": _FILE} for media in _MEDIA},
        },
        **described(403, 404),
    },
)
async def report_file(report_id: str, file: str, front: TheFront, author: Caller) -> Response:
    """Give a file that `GET /v1/reports` lists, to be looked at: it runs nothing, and fetches nothing."""
    if "/" in report_id + file:
        return _no_report().response()
    reply = await _inquired(front, author, "report", f"{report_id}/{file}")
    if reply.error:
        return of_reply(reply).response()
    try:
        content = await asyncio.to_thread(Path(reply.data["path"]).read_bytes)
    except OSError:
        return _no_report().response()
    headers = {"Content-Security-Policy": _RUNS_NOTHING}
    return Response(content, media_type=reply.data["media_type"], headers=headers)
