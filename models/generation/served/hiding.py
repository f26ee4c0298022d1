"""Whether anything is hidden from a server, as its settings or the place has it, and which names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from models.generation.redacting import is_redacted
from models.generation.served.redaction import PatternRedactor, Redactor


@dataclass(frozen=True, slots=True)
class Told:
    """What a prompt tells a server.

    Attributes:
        texts: what people wrote, and what models said of their pictures.
        passages: texts of the knowledge base; those of one passage together.
    """

    texts: Sequence[str]
    passages: Sequence[tuple[str, ...]] = ()


class Names(Protocol):
    """Finds names of people; see `models.names.finder.NameFinder`."""

    async def of(self, texts: Sequence[str], passages: Sequence[tuple[str, ...]] = ()) -> frozenset[str]:
        """Give the names in these texts, as they are written there. Raises `ModelError`."""

    async def load(self) -> None:
        """Load what it needs. Raises `ModelError`."""

    async def close(self) -> None:
        """Let go of it."""


class Hiding:
    """What one generator hides.

    Args:
        by_default: whether it hides anything where no place says otherwise (`models.generation.redacting`).
        names: finds names; None where no model is set. Where it cannot, nothing is sent.
    """

    def __init__(self, *, by_default: bool = True, names: Names | None = None) -> None:
        self.by_default = by_default
        self._names = names

    async def redactor(self, told: Told) -> Redactor | None:
        """Give what hides in the prompt for these texts; None where nothing is hidden.

        Raises:
            ModelError: names are to be hidden, and cannot be found.
        """
        if not is_redacted(self.by_default):
            return None
        return PatternRedactor(await self._names.of(told.texts, told.passages) if self._names else ())

    async def load(self) -> None:
        """Load what finds names, where anything is hidden as a rule.

        Raises:
            ModelError: it cannot be loaded.
        """
        if self._names and self.by_default:
            await self._names.load()

    async def close(self) -> None:
        """Let go of what finds names."""
        if self._names:
            await self._names.close()
