"""Decodes pictures in processes of their own, which no picture can leave and the bot survives."""

import threading
from collections.abc import Sequence
from queue import LifoQueue
from types import TracebackType
from typing import Self

from models.vision.decoding.contract import Decoded, DecodingLimits, View
from models.vision.decoding.process import DecodingProcess
from models.vision.decoding.protocol import Request
from models.vision.decoding.refusals import require_picture


class Decoder:
    """Decodes pictures; blocking, for any number of threads, which share the processes.

    A process is started when the first picture comes, serves many, and is started anew after one that broke it.

    Args:
        limits: how much a picture may ask for.
        workers: how many are decoded at once, from 1.

    Attributes:
        limits: the same.
    """

    def __init__(self, limits: DecodingLimits | None = None, workers: int = 1) -> None:
        self.limits = limits or DecodingLimits()
        self._processes = [DecodingProcess() for _ in range(workers)]
        self._closing = threading.Lock()
        # The one that was used last comes first: the others may never be needed.
        self._idle: LifoQueue[DecodingProcess] = LifoQueue()
        for process in self._processes:
            self._idle.put(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def decode(self, content: bytes, views: Sequence[View] = (), preview: int = 0) -> Decoded:
        """Decode the first frame of a picture, upright, on white where it is transparent.

        Views hold the very bytes that Pillow and Transformers would have made of what is RGB, whatever its profile. The
        preview and the dominant colours are those that people see: what has another colour profile is brought to sRGB
        for them, and CMYK with a profile for views, too.

        Args:
            content: the file.
            views: how it is wanted.
            preview: the longest edge of the preview, in pixels; 0 for none.

        Raises:
            PictureError: it is no picture that can be looked at; the message says why.
        """
        request = Request(require_picture(content, self.limits), tuple(views), preview, self.limits)
        process = self._idle.get()  # no longer than the pictures before it may take
        try:
            return process.decode(request, content)
        finally:
            self._idle.put(process)

    def close(self) -> None:
        """End the processes; who waits is told so."""
        for process in self._processes:
            process.close()
        with self._closing:
            idle = [self._idle.get() for _ in self._processes]
            for process in idle:
                process.let_go()
                self._idle.put(process)
