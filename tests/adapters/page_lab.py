"""Runs a page against an API on the loopback that answers with given documents, and notes what it was asked."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from adapters.web.page_settings import VARIABLE, PageSettings, of_this_process

Asked = tuple[str, str, dict[str, str], Any]
"""Method, path, query and body of a request."""


@dataclass
class Answers:
    """What the API answers with, and what it was asked.

    Attributes:
        documents: by method and path, as ``GET /v1/status``, or with the query behind it; in place of one, a media type
            and bytes that are sent as they are.
        asked: the requests, in their order.
    """

    documents: dict[str, Any] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def changes(self) -> list[Asked]:
        """Give the requests that change something."""
        return [one for one in self.asked if one[0] != "GET" and "preview" not in one[2]]


@contextmanager
def serving(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Serve the answers, and have pages ask there."""

    class _Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            url = urlsplit(self.path)
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            body = json.loads(content) if self.headers.get("content-type") == "application/json" else content
            path = unquote(url.path)
            answers.asked.append((self.command, path, dict(parse_qsl(url.query)), body))
            document = answers.documents.get(f"{self.command} {path}?{url.query}")
            document = document or answers.documents.get(f"{self.command} {path}")
            status, media_type, content = _response(document)
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - named by http.server

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv(VARIABLE, PageSettings(api=address).to_json())
        of_this_process.cache_clear()
        # AppTest has no browser behind it; its stand-in for one's cookies is no text.
        monkeypatch.setattr(ContextProxy, "cookies", property(lambda _: {}))
        try:
            yield
        finally:
            of_this_process.cache_clear()
            server.shutdown()
            thread.join()


def problem(status: int, code: str, detail: str, fix: str = "") -> Mapping[str, Any]:
    """Give a problem document, which is answered with its status."""
    return {"type": f"urn:preceptor:error:{code}", "status": status, "title": "", "detail": detail, "fix": fix}


def _response(document: Any) -> tuple[int, str, bytes]:
    if document is None:
        document = problem(404, "not_found", "There is no such thing.")
    if isinstance(document, tuple):
        return 200, *document
    status = document.get("status", 200) if "urn:" in str(document.get("type")) else 200
    return status, "application/json", json.dumps(document).encode()


def opened(page: str, **about: Any) -> AppTest:
    """Open a page of `adapters.web.views` as an admin does."""
    imports = f"from adapters.web import trouble\nfrom adapters.web.views import {page}"
    script = f"{imports}\nwith trouble.told():\n    {page}.show()"
    test = AppTest.from_string(script, default_timeout=20)
    test.session_state["about"] = {"needs_key": True, "is_admin": True} | about
    return test.run()


def html(test: AppTest) -> str:
    """Give all HTML of a page."""
    return "\n".join(element.proto.body for element in test.get("html"))


def words(shown: str) -> str:
    """Give a label or notice without what keeps its Markdown from being read."""
    return shown.replace("\\", "").replace("\u2060", "")
