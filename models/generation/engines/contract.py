"""The contract every engine keeps: prompts as tokens in, tokens out as they are written."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from models.generation.engines.vocabulary import Vocabulary
from models.generation.fitting import Render
from models.runtime import Job

Prompt = tuple[int, ...]
"""A prompt's tokens."""

RenderTranslation = Callable[[str, str], Sequence[int]]
"""Gives the tokens of the prompt that has a text translated into the language of that name."""

TokenJob = Job[Prompt, int]
"""A prompt that is to be answered, token by token."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How an engine computes.

    Attributes:
        precision: ``float32``, ``bfloat16`` or ``int8``.
        max_tokens: tokens in the longest answer, from 1.
        threads: threads that compute, from 1.
        batch: answers that are written at once at the most, from 1.
    """

    precision: str
    max_tokens: int
    threads: int
    batch: int


class Engine(ABC):
    """Writes the likeliest token, again and again (greedy decoding); runs in a `Runtime`.

    Attributes:
        kind: what it is called in the settings.
        parallel: batches it computes side by side.
        vocabulary: the model's tokens.
        window: tokens that a prompt may have.
        render: writes a prompt in the form the model was trained on.
        render_translation: writes one that has a text translated.
    """

    kind: ClassVar[str]
    parallel: int
    vocabulary: Vocabulary
    window: int
    render: Render
    render_translation: RenderTranslation

    @abstractmethod
    def compute(self, jobs: Sequence[TokenJob]) -> None:
        """Give each job its answer's tokens, without the one that ends it; a job that is not wanted stops there."""

    @abstractmethod
    def close(self) -> None:
        """Let go of memory and threads."""
