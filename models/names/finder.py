"""Finds names of people off the event loop; the model is loaded when it is first needed."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from models.runtime import Job, Model, Runtime, RuntimeLimits

Texts = tuple[str, ...]
Names = frozenset[str]

_LIMITS = RuntimeLimits(queue=256, batch=8, wait=0.0, when_full="Ask again in a moment.")

_REMEMBERED = 4_096
"""Passages whose names are remembered."""


class NameFinder:
    """Finds the names of people in texts; for one event loop.

    Args:
        folder: gives the checkpoint's folder, blocking; it raises `ModelError`. Called in the runtime's thread.
        name: what messages call the model.
        limits: how much is taken on.
    """

    def __init__(self, folder: Callable[[], Path], name: str, limits: RuntimeLimits = _LIMITS) -> None:
        self._runtime: Runtime[Texts, Names] = Runtime(
            f"the names model {name}", lambda stopping: _load(folder(), name), limits, "names"
        )
        self._remembered: OrderedDict[bytes, Names] = OrderedDict()

    async def of(self, texts: Sequence[str], passages: Sequence[Texts] = ()) -> Names:
        """Give the names of people, as they are written in these texts.

        Args:
            texts: what people wrote; nothing of it is remembered.
            passages: texts of the knowledge base that belong together; their names are remembered.

        Raises:
            ModelError: the model cannot be loaded, or too many texts wait for it.
        """
        digests = [_digest(passage) for passage in passages]
        unread = {digest: passage for digest, passage in zip(digests, passages, strict=True) if not self._knows(digest)}
        written = tuple(filter(_has_letters, texts))
        asked = [*([written] if written else ()), *unread.values()]
        found = await self._runtime.run((one, sum(map(len, one))) for one in asked) if asked else []
        for digest, names in zip(unread, found[len(found) - len(unread) :], strict=True):
            self._remember(digest, names)
        return frozenset().union(*found, *(self._remembered.get(digest, frozenset()) for digest in digests))

    async def load(self) -> None:
        """Load the model now, unless it is there.

        Raises:
            ModelError: it cannot be loaded.
        """
        await self._runtime.load()

    async def close(self) -> None:
        """Let go of the model; who still waits is told so."""
        await self._runtime.close()

    def _knows(self, digest: bytes) -> bool:
        if digest in self._remembered:
            self._remembered.move_to_end(digest)
        return digest in self._remembered

    def _remember(self, digest: bytes, names: Names) -> None:
        self._remembered[digest] = names
        while len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)


def _digest(texts: Texts) -> bytes:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).digest()


def _has_letters(text: str) -> bool:
    return any(sign.isalpha() for sign in text)


def _load(folder: Path, name: str) -> Model[Texts, Names]:
    from models.names.tagger import load_tagger

    return _Finding(load_tagger(folder, name).names)


class _Finding:
    """Runs the model for all that waits at a time."""

    parallel = 1

    def __init__(self, find: Callable[[Sequence[str]], list[Names]]) -> None:
        self._find = find

    def compute(self, jobs: Sequence[Job[Texts, Names]]) -> None:
        wanted = [job for job in jobs if job.wanted]
        found: Iterator[Names] = iter(self._find([text for job in wanted for text in job.item]))
        for job in wanted:
            job.give(frozenset().union(*(next(found) for _ in job.item)))

    def close(self) -> None:
        """The tagger's memory goes with it."""
