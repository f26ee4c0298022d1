"""A hub on this machine: it speaks as much of Hugging Face's API as a download asks for, and fails when told to.

Served as huggingface_hub 2.4 asks for it: ``/api/models/NAME[/revision/R]``, ``…/tree/R``, ``/NAME/resolve/R/PATH``
with its entity tags, and large files by a redirect to another host, as the hub's own network for files is one.
"""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

LARGE = 4_096
"""Bytes from which on a file is kept apart from git; safetensors always are."""


def git_sha1(content: bytes) -> str:
    """Compute what git calls a file's content by."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@dataclass
class Repository:
    """A model on the hub.

    Attributes:
        commits: the files of each commit.
        branches: the commit of each branch.
        licence: as its card states.
        gated: whether only those whose token is in `let_in` get its files.
        stated_sizes: sizes that the hub states of files, where they are not the true ones.
    """

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    licence: str = "apache-2.0"
    gated: bool = False
    let_in: set[str] = field(default_factory=set)
    stated_sizes: dict[str, int] = field(default_factory=dict)

    def commit(self, files: Mapping[str, bytes], branch: str = "main") -> str:
        """Add a commit with these files, and let a branch mean it."""
        listing = "".join(f"{name} {git_sha1(content)}\n" for name, content in sorted(files.items()))
        name = git_sha1(listing.encode())
        self.commits[name] = dict(files)
        self.branches[branch] = name
        return name


@dataclass
class Faults:
    """What goes wrong.

    Attributes:
        status: answered to everything, instead of what was asked for; 0 is none.
        error: the code that goes along with it, as the hub's X-Error-Code.
        message: the words that go along with it, as the hub's X-Error-Message.
        body: what is sent to every request for information, instead of that.
        break_off: files (by path) of which only so many bytes come, once; then the connection is cut.
        stall: files (by path) of which only so many bytes come, once; then nothing, until `resume` is set.
        altered: files (by path) of which other bytes come than were stored.
    """

    status: int = 0
    error: str = ""
    message: str = ""
    body: bytes = b""
    break_off: dict[str, int] = field(default_factory=dict)
    stall: dict[str, int] = field(default_factory=dict)
    altered: set[str] = field(default_factory=set)
    stalled: threading.Event = field(default_factory=threading.Event)
    resume: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Request:
    """A request as it came: its method, its path, the range it asked for and the token it brought."""

    method: str
    path: str
    range: str
    token: str


class LoopbackHub:
    """A hub with repositories; `address` is what HF_ENDPOINT is set to."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.faults = Faults()
        self.requests: list[Request] = []
        self._server = _Server(self)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def files_address(self) -> str:
        """Where it keeps large files: another host, in the eyes of who asks."""
        return f"http://localhost:{self._server.server_port}"

    def add(self, name: str, files: Mapping[str, bytes], **fields: Any) -> Repository:
        """Add a repository with one commit."""
        repository = self.repositories.setdefault(name, Repository(**fields))
        repository.commit(files)
        return repository

    def asked_for(self, ending: str, method: str = "GET") -> list[Request]:
        """Give the requests for a path with this ending, in their order."""
        return [request for request in self.requests if request.method == method and request.path.endswith(ending)]

    @contextmanager
    def running(self) -> Iterator["LoopbackHub"]:
        """Listen while the block runs."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self.faults.resume.set()
            self._server.shutdown()
            thread.join()
            self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, hub: LoopbackHub) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub = hub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the standard library has it
        """A test that fails says what was asked."""

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    @property
    def _hub(self) -> LoopbackHub:
        return cast(_Server, self.server).hub

    def _answer(self) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        path = unquote(urlsplit(self.path).path)
        self._hub.requests.append(Request(self.command, path, self.headers.get("Range", ""), token))
        faults = self._hub.faults
        if faults.status:
            self._refuse(faults.status, faults.error, faults.message)
        elif path.startswith("/api/models/"):
            self._inform(path.removeprefix("/api/models/"), parse_qs(urlsplit(self.path).query))
        elif path.startswith("/files/"):
            self._large_file(*path.removeprefix("/files/").split("/", 1))
        else:
            self._resolve(path.lstrip("/"), token)

    def _inform(self, rest: str, query: dict[str, list[str]]) -> None:
        if self._hub.faults.body:
            self._send(200, self._hub.faults.body, {"Content-Type": "text/html"})
            return
        name, _, tree_of = rest.partition("/tree/")
        name, _, revision = name.partition("/revision/")
        found = self._found(name, tree_of or revision or "main")
        if found is None:
            return
        repository, commit, files = found
        if tree_of:
            listed = [_in_tree(path, content) for path, content in sorted(files.items())]
            self._send_json(listed)
            return
        siblings = [_sibling(repository, path, content, "blobs" in query) for path, content in sorted(files.items())]
        self._send_json(
            {
                "_id": "0",
                "id": name,
                "modelId": name,
                "sha": commit,
                "private": False,
                "gated": "manual" if repository.gated else False,
                "tags": [],
                "downloads": 0,
                "likes": 0,
                "cardData": {"license": repository.licence} if repository.licence else None,
                "siblings": siblings,
            }
        )

    def _resolve(self, rest: str, token: str) -> None:
        name, _, rest = rest.partition("/resolve/")
        revision, _, path = rest.partition("/")
        found = self._found(name, revision)
        if found is None:
            return
        repository, commit, files = found
        if repository.gated and token not in repository.let_in:
            self._refuse(403 if token else 401, "GatedRepo", f"Access to model {name} is restricted.")
        elif path not in files:
            self._refuse(404, "EntryNotFound", "Entry not found", {"X-Repo-Commit": commit})
        elif _is_large(path, files[path]):
            content = files[path]
            self._send(
                302,
                b"",
                {
                    "Location": f"{self._hub.files_address}/files/{commit}/{path}",
                    "X-Repo-Commit": commit,
                    "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
                    "X-Linked-Size": str(len(content)),
                },
            )
        else:
            content = files[path]
            sent = _altered(content) if path in self._hub.faults.altered else content
            self._send(200, sent, {"X-Repo-Commit": commit, "ETag": f'"{git_sha1(content)}"'})

    def _large_file(self, commit: str, path: str) -> None:
        content = next(one.commits[commit] for one in self._hub.repositories.values() if commit in one.commits)[path]
        faults = self._hub.faults
        sent = _altered(content) if path in faults.altered else content
        asked = self.headers.get("Range", "")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(sent) - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(sent) - 1}/{len(sent)}")
        self.end_headers()
        if path in faults.break_off or path in faults.stall:
            stalls = path in faults.stall
            end = faults.stall.pop(path) if stalls else faults.break_off.pop(path)
            self.wfile.write(sent[start:end])
            self.wfile.flush()
            if stalls:
                faults.stalled.set()
                faults.resume.wait()
            self.close_connection = True
            return
        self.wfile.write(sent[start:])

    def _found(self, name: str, revision: str) -> tuple[Repository, str, dict[str, bytes]] | None:
        repository = self._hub.repositories.get(name)
        if repository is None:
            self._refuse(404, "RepoNotFound", "Repository not found")
            return None
        commit = repository.branches.get(revision, revision)
        if commit not in repository.commits:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return None
        return repository, commit, repository.commits[commit]

    def _refuse(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        named = {"X-Error-Code": code, "X-Error-Message": message}
        self._send(status, message.encode(), named | dict(headers or {}))

    def _send_json(self, document: object) -> None:
        self._send(200, json.dumps(document).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _is_large(path: str, content: bytes) -> bool:
    return path.endswith((".safetensors", ".bin")) or len(content) >= LARGE


def _altered(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def _sibling(repository: Repository, path: str, content: bytes, with_blobs: bool) -> dict[str, Any]:
    if not with_blobs:
        return {"rfilename": path}
    size = repository.stated_sizes.get(path, len(content))
    sibling: dict[str, Any] = {"rfilename": path, "size": size, "blobId": git_sha1(content)}
    if _is_large(path, content):
        sibling["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": size, "pointerSize": 134}
    return sibling


def _in_tree(path: str, content: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": git_sha1(content)}
    if _is_large(path, content):
        digest = hashlib.sha256(content).hexdigest()
        entry["lfs"] = {"oid": digest, "size": len(content), "pointerSize": 134}
    return entry
