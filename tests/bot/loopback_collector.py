"""A collector of traces on this machine: it takes OTLP over HTTP and reads the protobuf."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Span:
    """One step, as it was sent."""

    name: str
    trace: bytes
    id: bytes
    parent: bytes
    attributes: dict[str, Any]
    seconds: float
    error: str


@dataclass
class LoopbackCollector:
    """What was sent. While it `hangs`, nothing is answered; with a `status` besides 200 everything is refused."""

    origin: str = ""
    status: int = 200
    bodies: list[bytes] = field(default_factory=list)
    services: set[str] = field(default_factory=set)
    spans: list[Span] = field(default_factory=list)
    hangs: threading.Event = field(default_factory=threading.Event)
    freed: threading.Event = field(default_factory=threading.Event)

    def take(self, path: str, body: bytes) -> int:
        if self.hangs.is_set():
            self.freed.wait(30)
        if path != "/v1/traces":
            return 404
        if self.status == 200:
            self.bodies.append(body)
            self._read(ExportTraceServiceRequest.FromString(body))
        return self.status

    def _read(self, request: ExportTraceServiceRequest) -> None:
        for sender in request.resource_spans:
            self.services |= {one.value.string_value for one in sender.resource.attributes if one.key == "service.name"}
            self.spans += [_read(span) for scope in sender.scope_spans for span in scope.spans]

    def of(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]


def _read(span: Any) -> Span:
    attributes = {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}
    seconds = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
    error = span.status.message if span.status.code == 2 else ""
    return Span(span.name, span.trace_id, span.span_id, span.parent_span_id, attributes, seconds, error)


@contextmanager
def collecting() -> Iterator[LoopbackCollector]:
    """Listen for the while of the body."""
    collector = LoopbackCollector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status = collector.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    collector.origin = f"http://127.0.0.1:{server.server_port}"
    try:
        yield collector
    finally:
        collector.freed.set()
        server.shutdown()
        thread.join()
        server.server_close()
