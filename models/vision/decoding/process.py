"""One process that decodes, as the bot sees it: started when it is needed, and anew when it is gone."""

import os
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic

import structlog

from models.errors import PictureError
from models.vision.decoding.contract import Decoded
from models.vision.decoding.protocol import LENGTHS, MOST_HEADER, READY, GarbledError, Request, unpack_answer
from models.vision.decoding.refusals import broke_the_decoder, no_decoder, shutting_down, too_slow

log = structlog.get_logger(__name__)

_START_SECONDS = 60.0
_ENDING_SECONDS = 0.5
_ROOT = str(Path(__file__).parents[3])
_START = "import sys; sys.path[:] = sys.argv[1:]; from models.vision.decoding.worker import main; main()"
_PASSED_ON = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""What a Python may need to find its own libraries. Nothing else of the bot's environment, which holds its tokens."""

_SET = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}


class DecodingProcess:
    """Decodes one picture at a time; for one thread at a time, but for `close`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._is_clean = True

    def decode(self, request: Request, content: bytes) -> Decoded:
        """Have a file decoded.

        Raises:
            PictureError: it cannot be, or broke the process, which is started anew for the next one.
        """
        connection = self._started()
        # Whoever leaves an exchange half-way, and be it by Ctrl-C, leaves a connection that is of no use any more.
        self._is_clean = False
        try:
            decoded = _exchange(connection, request, content, monotonic() + request.limits.seconds)
        except TimeoutError as error:
            self._end()
            raise too_slow(request.limits) from error
        except (OSError, EOFError, GarbledError) as error:
            status = self._end(patience=_ENDING_SECONDS)
            log.warning("decoder broke off", status=status, format=request.format)
            raise self._why(request, status) from error
        except PictureError:
            self._is_clean = True
            raise
        self._is_clean = True
        return decoded

    def close(self) -> None:
        """End the process, from any thread; what it decodes just now is given up."""
        with self._lock:
            self._closed = True
            process = self._process
        if process is not None:
            process.kill()

    def let_go(self) -> None:
        """Wait for the process's end and close the connection, once nothing is decoded any more."""
        self._end()

    def _why(self, request: Request, status: int) -> PictureError:
        return shutting_down() if self._closed else broke_the_decoder(request.format, status, request.limits)

    def _started(self) -> socket.socket:
        if self._is_clean and self._socket is not None and self._process is not None and self._process.poll() is None:
            return self._socket
        self._end()
        try:
            with self._lock:
                if self._closed:
                    raise shutting_down()
                self._process, self._socket = _start()
            _receive(self._socket, len(READY), monotonic() + _START_SECONDS)
        except (OSError, EOFError) as error:
            status = self._end(patience=_ENDING_SECONDS)
            log.warning("decoder does not start", status=status, because=str(error))
            raise (shutting_down() if self._closed else no_decoder()) from error
        return self._socket

    def _end(self, patience: float = 0.0) -> int:
        """End the process, if there is one, and give how it ended.

        Args:
            patience: seconds that it has to end by itself: one that breaks off has a status of its own to leave.
        """
        if self._socket is not None:
            self._socket.close()
        if self._process is None:
            return 0
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        self._process.kill()
        return self._process.wait()


def _start() -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, its = socket.socketpair()
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | _SET
    with its, ExitStack() as if_it_fails:
        if_it_fails.callback(ours.close)
        process = subprocess.Popen(  # noqa: S603 — our own code
            [sys.executable, "-I", "-S", "-c", _START, *(path for path in sys.path if path), _ROOT],
            stdin=its.fileno(),
            stdout=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            close_fds=True,
            start_new_session=True,
        )
        if_it_fails.pop_all()
    return process, ours


def _exchange(connection: socket.socket, request: Request, content: bytes, due: float) -> Decoded:
    header = request.packed()
    _set_timeout(connection, due)
    _send(connection, (LENGTHS.pack(len(header), len(content)) + header, content), due)
    header_length, length = LENGTHS.unpack(_receive(connection, LENGTHS.size, due))
    if header_length > MOST_HEADER:
        raise GarbledError
    promise = unpack_answer(bytes(_receive(connection, header_length, due)), request)
    if length != promise.length:
        raise GarbledError
    return promise.kept(_receive(connection, length, due))


def _send(connection: socket.socket, parts: tuple[bytes, bytes], due: float) -> None:
    """Send both parts in as few pieces as they go, for each wakes the process once."""
    first, second = parts
    sent = connection.sendmsg(parts)
    _set_timeout(connection, due)
    connection.sendall(first[sent:])
    connection.sendall(memoryview(second)[max(0, sent - len(first)) :])


def _receive(connection: socket.socket, length: int, due: float) -> bytearray:
    received = bytearray(length)
    rest = memoryview(received)
    while rest:
        _set_timeout(connection, due)
        count = connection.recv_into(rest)
        if not count:
            raise EOFError
        rest = rest[count:]
    return received


def _set_timeout(connection: socket.socket, due: float) -> None:
    seconds = due - monotonic()
    if seconds <= 0:
        raise TimeoutError
    connection.settimeout(seconds)
