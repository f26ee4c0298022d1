"""The library over HTTP: files handed in, looked at beforehand and taken back; answers taught; a search explained."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_serving import Serve
from sqlalchemy import select

from adapters.http.documents import ProblemDocument
from adapters.http.library_documents import Changed, Explanation, KnowledgeFiles, LibraryPreview, LibraryVersions
from bot.application import Application
from bot.tables import audit

PARKING = b"# Parking\n\nVisitors park on the north side of the building.\n"
OTHER_PARKING = b"# Parking\n\nVisitors park on the south side of the building.\n"
ADMIN, USER = "0123456789abcdef-admin", "0123456789abcdef-user"
KEYS = {"admin_keys": (ADMIN,), "user_keys": (USER,)}
AS_ADMIN, AS_USER = ({"Authorization": f"Bearer {key}"} for key in (ADMIN, USER))


def file(name: str, content: bytes) -> list[tuple[str, tuple[str, bytes]]]:
    return [("file", (name, content))]


def problem_of(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    document = ProblemDocument.model_validate(response.json(), extra="forbid")
    assert (document.status, document.type) == (status, f"urn:preceptor:error:{code}")
    assert document.detail.endswith(".")
    return dict(response.json())


async def hand_in(api: httpx.AsyncClient, name: str, content: bytes, **query: str) -> dict[str, Any]:
    response = await api.post("/v1/knowledge/files", files=file(name, content), params=query)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def answer_to(api: httpx.AsyncClient, question: str) -> str:
    answered = await api.post("/v1/ask", json={"question": question})
    return str(answered.json()["answer"])


async def names(api: httpx.AsyncClient) -> list[str]:
    listed = KnowledgeFiles.model_validate((await api.get("/v1/knowledge/files")).json())
    return [one.name for one in listed.files if one.is_managed]


async def audited(application: Application) -> list[tuple[str, str, str]]:
    columns = (audit.c.action, audit.c.argument, audit.c.outcome)
    query = select(*columns).order_by(audit.c.id)
    rows = await application._database.read(lambda connection: connection.execute(query).all())
    return [(row.action, row.argument, row.outcome) for row in rows]


async def test_a_file_that_is_handed_in_is_answered_from(serve: Serve) -> None:
    async with serve() as served:
        changed = Changed.model_validate(await hand_in(served.api, "parking.md", PARKING))
        assert (changed.added, changed.removed, changed.version_id) == (1, 0, 1)
        assert "north side" in await answer_to(served.api, "Where do visitors park?")
        assert await names(served.api) == ["parking.md"]


async def test_a_preview_tells_what_would_come_and_changes_nothing(serve: Serve) -> None:
    async with serve() as served:
        await hand_in(served.api, "parking.md", PARKING)
        lines = b'{"title": "Lunch", "context": "Lunch is served at noon."}\n{"context": }\n'
        files = file("parking.md", OTHER_PARKING) + file("lunch.jsonl", lines)
        response = await served.api.post("/v1/knowledge/files?preview=true", files=files)
        seen = LibraryPreview.model_validate(response.json(), extra="forbid")
        assert (seen.added, seen.removed) == (2, 1)
        assert [(one.name, one.replaces, one.passages, one.titles) for one in seen.files] == [
            ("parking.md", True, 1, ["Parking"]),
            ("lunch.jsonl", False, 1, ["Lunch"]),
        ]
        assert seen.files[1].problems[0]["line"] == 2
        assert seen.files[1].problems[0]["fix"]
        assert await names(served.api) == ["parking.md"]
        assert "north side" in await answer_to(served.api, "Where do visitors park?")
        assert not any((served.folder.parent / "data" / "incoming").iterdir())


async def test_a_preview_tells_which_file_would_be_refused_as_loading_does(serve: Serve) -> None:
    async with serve() as served:
        files = file("parking.md", PARKING) + file("bad.csv", b"colour\nred\n")
        preview = (await served.api.post("/v1/knowledge/files?preview=true", files=files)).json()
        good, bad = preview["files"]
        assert good["refused"] == ""
        refused = await served.api.post("/v1/knowledge/files", files=files)
        told = problem_of(refused, 422, "library_refused")
        assert bad["refused"].startswith("bad.csv is refused: ")
        assert bad["refused"] == f"{told['detail']} {told['fix']}"


async def test_a_taught_answer_is_given_to_just_its_question_where_a_passage_resembles_it_more(serve: Serve) -> None:
    question = "When is the office open?"
    async with serve() as served:
        hours = b"# When is the office open?\n\nThe office is open from nine to five. It is not open at night.\n"
        await hand_in(served.api, "hours.md", hours)
        taught = {"question": question, "answer": "From eight until six. " * 30}
        await served.api.post("/v1/knowledge/answers", json=taught)
        assert (await answer_to(served.api, "WHEN is the office open")).startswith("From eight until six.")
        talk = await served.api.post("/v1/ask", json={"question": "Where do visitors park at the office?"})
        again = {"question": "When is it open?", "conversation_id": talk.json()["conversation_id"]}
        await served.api.post("/v1/knowledge/answers", json={"question": again["question"], "answer": "Always."})
        found = (await served.api.post("/v1/ask", json=again)).json()
        assert found["answer"].startswith("Always.")
        assert found["citations"][0]["title"] == again["question"]


async def test_undo_brings_back_what_was_there_and_can_be_undone(serve: Serve) -> None:
    async with serve() as served:
        await hand_in(served.api, "parking.md", PARKING)
        await hand_in(served.api, "parking.md", OTHER_PARKING)
        undone = await served.api.post("/v1/knowledge/undo")
        assert undone.json()["version_id"] == 3
        assert "north side" in await answer_to(served.api, "Where do visitors park?")
        await served.api.post("/v1/knowledge/undo")
        assert "south side" in await answer_to(served.api, "Where do visitors park?")
        await served.api.post("/v1/knowledge/undo", params={"to": 0})
        assert await names(served.api) == []
        listed = LibraryVersions.model_validate((await served.api.get("/v1/knowledge/versions")).json())
        assert [(one.id, one.action) for one in listed.versions] == [
            (5, "went back to version 0"),
            (4, "went back to version 2"),
            (3, "went back to version 1"),
            (2, "added parking.md"),
            (1, "added parking.md"),
        ]


async def test_what_cannot_be_undone_is_told(serve: Serve) -> None:
    async with serve() as served:
        problem_of(await served.api.post("/v1/knowledge/undo"), 404, "not_in_library")
        await hand_in(served.api, "parking.md", PARKING)
        problem_of(await served.api.post("/v1/knowledge/undo?to=7"), 404, "not_in_library")
        problem_of(await served.api.post("/v1/knowledge/undo?to=1"), 422, "library_refused")
        problem_of(await served.api.post("/v1/knowledge/undo?to=x"), 422, "request_invalid")


async def test_a_taught_answer_is_given_as_it_stands_until_it_is_deleted(serve: Serve) -> None:
    teaching = {"question": "When is the office open?", "answer": "From 8 until **6**."}
    async with serve() as served:
        taught = await served.api.post("/v1/knowledge/answers", json=teaching)
        assert taught.status_code == 200
        assert (await answer_to(served.api, "when is the office open")).startswith("From 8 until **6**.")
        listed = (await served.api.get("/v1/knowledge/answers")).json()["answers"]
        assert listed == [{"id": taught.json()["id"], "title": "", **teaching}]
        again = await served.api.post("/v1/knowledge/answers", json=teaching | {"answer": "From 9."})
        assert again.json()["id"] == taught.json()["id"]
        assert (await answer_to(served.api, "when is the office open")).startswith("From 9.")
        deleted = await served.api.delete(f"/v1/knowledge/answers/{taught.json()['id']}")
        assert deleted.json()["removed"] == 1
        assert (await served.api.get("/v1/knowledge/answers")).json() == {"answers": []}
        gone = await served.api.delete(f"/v1/knowledge/answers/{taught.json()['id']}")
        problem_of(gone, 404, "not_in_library")


CANNOT_BE_TAUGHT: list[tuple[dict[str, str], str]] = [
    ({"question": " ", "answer": "Yes."}, "library_refused"),
    ({"question": "Who?", "answer": "…"}, "library_refused"),
    ({"question": "Who?" * 200, "answer": "Yes."}, "request_invalid"),
    ({"question": "Who?"}, "request_invalid"),
    ({"question": "Who?", "answer": "Me.", "colour": "red"}, "request_invalid"),
]


async def test_what_cannot_be_taught_is_refused(serve: Serve) -> None:
    async with serve() as served:
        for teaching, code in CANNOT_BE_TAUGHT:
            problem_of(await served.api.post("/v1/knowledge/answers", json=teaching), 422, code)


async def test_a_file_of_a_source_is_not_deleted_here(serve: Serve) -> None:
    async with serve() as served:
        refused = await served.api.delete("/v1/knowledge/files/physics.json")
        assert "not in the library" in problem_of(refused, 422, "library_refused")["detail"]
        problem_of(await served.api.delete("/v1/knowledge/files/nothing.md"), 404, "not_in_library")
        problem_of(await served.api.delete("/v1/knowledge/files/..%2F..%2Fetc%2Fpasswd"), 404, "not_in_library")
        assert (served.folder / "physics.json").exists()


async def test_a_file_of_the_library_is_deleted(serve: Serve) -> None:
    async with serve() as served:
        await hand_in(served.api, "straße & 50 %.md", PARKING)
        (name,) = await names(served.api)
        deleted = await served.api.delete(httpx.URL("/v1/knowledge/files/" + name.replace("%", "%25")))
        assert deleted.status_code == 200, deleted.text
        assert await names(served.api) == []


CANNOT_BE_TAKEN = [
    ("../../evil.md", PARKING, "slash"),
    (".hidden.md", PARKING, "dot"),
    ("program.exe", PARKING, "kind"),
    ("answers.jsonl", b'{"question": "Who?", "answer": "Me."}', "taught"),
    ("turned\u202edm.md", PARKING, "cannot be seen"),
    ("empty.md", b"", "empty"),
    ("latin.md", "Gr\u00fc\u00dfe".encode("latin-1"), "UTF-8"),
    ("picture.txt", bytes(range(256)) * 4, "refused"),
]


async def test_files_that_cannot_be_taken_are_refused_in_words(serve: Serve) -> None:
    async with serve() as served:
        for name, content, said in CANNOT_BE_TAKEN:
            files = file("good.md", PARKING) + file(name, content)
            problem = problem_of(await served.api.post("/v1/knowledge/files", files=files), 422, "library_refused")
            assert said in problem["detail"]
            assert problem["fix"]
        # Not even the good one of them: never half.
        assert await names(served.api) == []


NO_FORMS: list[tuple[dict[str, Any], str, int]] = [
    ({"files": {"picture": ("a.md", PARKING)}}, "request_invalid", 422),
    ({"files": {"file": (None, PARKING)}}, "request_invalid", 422),
    ({"files": {"file": ("", b"")}}, "request_invalid", 422),
    ({"json": {"file": "a"}}, "media_type_unsupported", 415),
    ({"content": b"--b", "headers": {"Content-Type": "multipart/form-data"}}, "body_malformed", 400),
    (
        {"content": b"--b\r\nx", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
        "body_malformed",
        400,
    ),
    ({"files": [("file", (f"{number}.md", b"x")) for number in range(101)]}, "request_invalid", 422),
]


async def test_a_form_that_does_not_fit_is_refused_in_words(serve: Serve) -> None:
    async with serve() as served:
        for request, code, status in NO_FORMS:
            problem_of(await served.api.post("/v1/knowledge/files", **request), status, code)


async def test_where_the_knowledge_base_does_not_load_the_library_stays_as_it_was(serve: Serve) -> None:
    async with serve() as served:
        await hand_in(served.api, "parking.md", PARKING)
        (served.folder / "physics.json").unlink()
        response = await served.api.post("/v1/knowledge/files", files=file("lunch.md", b"Lunch is at noon."))
        problem = problem_of(response, 503, "knowledge_unavailable")
        assert "The library is as it was." in problem["detail"]
        assert len((await served.api.get("/v1/knowledge/versions")).json()["versions"]) == 1
        assert "north side" in await answer_to(served.api, "Where do visitors park?")


def largest_memory() -> int:
    """Give this process's resident memory, in bytes."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) << 10 if found else 0


async def test_an_upload_of_200_megabytes_is_refused_before_it_is_sent(serve: Serve) -> None:
    head = "POST /v1/knowledge/files HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    async with serve() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.api.base_url.port)
        writer.write(f"{head}Content-Length: {200 << 20}\r\nConnection: close\r\n\r\n".encode())
        response = (await reader.read()).decode()
        writer.close()
        await writer.wait_closed()
    assert response.startswith("HTTP/1.1 413 ")
    assert "knowledge.upload_megabytes" in response


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="memory is looked up in /proc")  # noqa: PTH110
async def test_an_upload_without_end_is_refused_while_it_comes_and_memory_stays_flat(serve: Serve) -> None:
    most = 0

    async def _endless() -> AsyncIterator[bytes]:
        nonlocal most
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        for _ in range(200 << 4):
            yield b"some text\n" * 6_500
            most = max(most, largest_memory())

    async with serve() as served:
        before = largest_memory()
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        response = await served.api.post("/v1/knowledge/files", content=_endless(), headers=headers)
        problem_of(response, 413, "body_too_large")
        assert most - before < 24 << 20
        assert not any((served.folder.parent / "data" / "incoming").iterdir())


async def test_only_admins_reach_the_library_and_the_audit_has_what_they_did(serve: Serve) -> None:
    async with serve(http=KEYS) as served:
        api = served.api
        for method, path in (
            ("GET", "files"),
            ("GET", "versions"),
            ("GET", "answers"),
            ("GET", "search?q=law"),
            ("POST", "undo"),
            ("POST", "reload"),
            ("DELETE", "files/physics.json"),
            ("DELETE", "answers/0"),
        ):
            refused = await api.request(method, f"/v1/knowledge/{path}", headers=AS_USER)
            problem_of(refused, 403, "not_allowed")
        refused = await api.post("/v1/knowledge/files", files=file("a.md", PARKING), headers=AS_USER)
        problem_of(refused, 403, "not_allowed")
        # Not even to the disk did it come.
        assert not (served.folder.parent / "data" / "incoming").exists()
        secret = {"question": "Who is the mole?", "answer": "Nobody knows."}
        problem_of(await api.post("/v1/knowledge/answers", json=secret, headers=AS_USER), 403, "not_allowed")
        before = len(await audited(served.application))
        taught = await api.post("/v1/knowledge/answers", json=secret, headers=AS_ADMIN)
        await api.post("/v1/knowledge/files", files=file("a.md", PARKING), headers=AS_ADMIN)
        for path in ("files", "versions", "answers", "search?q=mole"):
            assert (await api.get(f"/v1/knowledge/{path}", headers=AS_ADMIN)).status_code == 200
        await api.delete("/v1/knowledge/files/nothing.md", headers=AS_ADMIN)
        entries = await audited(served.application)
        assert entries[before:] == [
            ("teach", f"add {taught.json()['id']}", "done"),
            ("library", "add a.md", "done"),
            ("library", "delete nothing.md", "refused"),
        ]
        assert "mole" not in str(entries)
        assert "Nobody" not in str(entries)


async def test_who_made_a_version_is_told_so_and_once_forgotten_named_in_none(serve: Serve) -> None:
    async with serve(http=KEYS) as served:
        await served.api.post("/v1/knowledge/files", files=file("a.md", PARKING), headers=AS_ADMIN)
        (version,) = (await served.api.get("/v1/knowledge/versions", headers=AS_ADMIN)).json()["versions"]
        assert version["by"].startswith("http:key-")
        kept = (await served.api.get("/v1/me", headers=AS_ADMIN)).json()
        assert kept["library_changes"] == [{"at": version["at"], "action": "added a.md"}]
        assert (await served.api.delete("/v1/me?confirm=yes", headers=AS_ADMIN)).status_code == 200
        (version,) = (await served.api.get("/v1/knowledge/versions", headers=AS_ADMIN)).json()["versions"]
        assert version["by"] == ""


async def test_a_search_is_explained(serve: Serve) -> None:
    async with serve(answers={"threshold": 0.25}) as served:
        response = await served.api.get("/v1/knowledge/search", params={"q": "what does Ohm's law state", "limit": 2})
        found = Explanation.model_validate(response.json())
        assert found.threshold == 0.25
        assert len(found.hits) == 2
        best = found.hits[0]
        assert (best.title, best.source, best.location) == ("Ohm's law", "physics.json", "item 1, line 1")
        assert {"ohm", "law"} <= {term.term for term in best.terms}
        assert [best.text[start:end] for start, end in best.matched][:2] == ["Ohm", "law"]
        assert (await served.api.get("/v1/knowledge/search", params={"q": ""})).json()["hits"] == []


async def events_of(api: httpx.AsyncClient) -> list[tuple[str, Any]]:
    request = api.stream("POST", "/v1/knowledge/reload", headers={"Accept": "text/event-stream"})
    async with request as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        text = (await response.aread()).decode()
    found = re.findall(r"event: (\w+)\ndata: (.*)\n", text)
    return [(name, json.loads(data)) for name, data in found]


async def test_a_reload_tells_how_far_it_is(serve: Serve) -> None:
    async with serve() as served:
        (served.folder / "lunch.md").write_text("# Lunch\n\nLunch is served at noon.\n")
        *steps, (last, report) = await events_of(served.api)
        assert [(name, step["stage"]) for name, step in steps] == [
            ("progress", "waiting"),
            ("progress", "looking"),
            ("progress", "reading"),
            ("progress", "indexing"),
            ("progress", "saving"),
        ]
        assert steps[2][1]["total"] == 2
        assert (last, report["added"]) == ("done", 1)


async def test_reloads_at_once_wait_for_each_other(serve: Serve) -> None:
    async with serve() as served:
        (served.folder / "lunch.md").write_text("# Lunch\n\nLunch is served at noon.\n")
        both = await asyncio.gather(events_of(served.api), events_of(served.api))
        assert sorted(events[-1][1]["added"] for events in both) == [0, 1]


async def test_a_reload_that_fails_ends_with_the_problem(serve: Serve) -> None:
    async with serve() as served:
        (served.folder / "physics.json").unlink()
        name, problem = (await events_of(served.api))[-1]
        assert name == "error"
        assert problem["type"] == "urn:preceptor:error:knowledge_unavailable"
        assert "is empty" in problem["detail"]


async def test_a_second_process_on_the_same_data_answers_from_what_the_first_was_taught(
    serve: Serve, tmp_path: Path
) -> None:
    async with serve() as first, serve() as second:
        await first.api.post("/v1/knowledge/answers", json={"question": "When is lunch?", "answer": "At noon."})
        async with asyncio.timeout(15):
            # Two processes have no event in common.
            while not (await answer_to(second.api, "When is lunch?")).startswith("At noon."):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert (await second.api.get("/v1/knowledge/answers")).json()["answers"][0]["answer"] == "At noon."
