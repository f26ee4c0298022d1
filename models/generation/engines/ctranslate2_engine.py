"""Runs models of the T5 family through CTranslate2; torch and transformers are needed once, for the conversion."""

import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import ctranslate2
import structlog

from models.errors import ModelUnusableError
from models.generation.engines.choice import read_config
from models.generation.engines.contract import Engine, EngineOptions, TokenJob
from models.generation.engines.conversion import converted_folder
from models.generation.engines.prompts import instructed, instructed_translation
from models.generation.engines.vocabulary import Vocabulary
from models.store.model_store import Checkpoint

log = structlog.get_logger(__name__)

# What the library raises for files that hold no model.
_UNREADABLE = (RuntimeError, ValueError, LookupError)
# Relative attention reads on beyond it, but T5 was trained on no more.
_WINDOW = 512
# Parameters from which one thread takes too long for one answer.
_LARGE = 400_000_000


class CTranslate2Engine(Engine):
    """Writes several batches side by side, each in a thread of its own, over the same weights.

    A question that comes while a batch is being written is begun at once where a thread is free.

    Args:
        checkpoint: of the T5 family.
        options: how it computes; precision float32 or int8.
        converted: the folder where conversions are kept.
        stopping: when it is set, a conversion ends.

    Raises:
        ModelTooLargeError: memory or disk would not suffice.
        ModelUnusableError: the checkpoint cannot be converted or loaded.
        ModelExtraError: a library for the conversion is missing.
    """

    kind: ClassVar[str] = "ctranslate2"

    def __init__(
        self, checkpoint: Checkpoint, options: EngineOptions, converted: Path, stopping: threading.Event
    ) -> None:
        config = read_config(checkpoint, "config.json")
        self.window = _positive(config.get("n_positions"), _WINDOW)
        self.parallel, self._threads_each = shape(options, checkpoint.parameters)
        self._max_tokens = options.max_tokens
        self._translator = self._opened(checkpoint, options, converted, stopping)
        folder = checkpoint.folder if (checkpoint.folder / "tokenizer.json").is_file() else self._folder
        self.vocabulary = Vocabulary.from_folder(folder, checkpoint.name)
        self.render = instructed(self.vocabulary)
        self.render_translation = instructed_translation(self.vocabulary)
        # With a token beyond the model's the library would read beyond its memory.
        size = min(_positive(config.get("vocab_size"), 0), self.vocabulary.size)
        self._ends = _ends(size, read_config(checkpoint, "generation_config.json"), config)
        self._translator.translate_batch([self._pieces(self._ends)], beam_size=1, max_decoding_length=2)

    def compute(self, jobs: Sequence[TokenJob]) -> None:
        """See `Engine.compute`; the threads of the library call back for each token."""
        self._translator.translate_batch(
            [self._pieces(job.item) for job in jobs],
            beam_size=1,
            max_input_length=0,
            max_decoding_length=self._max_tokens,
            end_token=list(self._ends),
            callback=_reader(jobs, frozenset(self._ends)),
        )

    def close(self) -> None:
        """Let go of the weights."""
        self._translator.unload_model()

    def _pieces(self, tokens: Sequence[int]) -> list[str]:
        return [self.vocabulary.written(token) for token in tokens]

    def _opened(
        self, checkpoint: Checkpoint, options: EngineOptions, converted: Path, stopping: threading.Event
    ) -> "ctranslate2.Translator":
        """Load the conversion; one that is damaged is thrown away and made anew, once."""
        self._folder = converted_folder(checkpoint, options.precision, converted, stopping)
        try:
            return self._translator_of(options)
        except _UNREADABLE:
            log.warning("conversion is damaged", model=checkpoint.name)
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = converted_folder(checkpoint, options.precision, converted, stopping)
        try:
            return self._translator_of(options)
        except _UNREADABLE as error:
            raise ModelUnusableError(
                f"{checkpoint.name} cannot be loaded by CTranslate2 ({error}).", "Set local.execution to torch."
            ) from error

    def _translator_of(self, options: EngineOptions) -> "ctranslate2.Translator":
        return ctranslate2.Translator(
            str(self._folder),
            device="cpu",
            compute_type=options.precision,
            inter_threads=self.parallel,
            intra_threads=self._threads_each,
        )


def _reader(jobs: Sequence[TokenJob], ends: frozenset[int]) -> Callable[["ctranslate2.GenerationStepResult"], bool]:
    """Give what is told each token and says whether the row is to end.

    It must not hold the engine: the library's threads let go of it last, and none of them can end itself.
    """

    def _read(step: "ctranslate2.GenerationStepResult") -> bool:
        job = jobs[step.batch_id]
        if job.wanted and step.token_id not in ends:
            job.give(step.token_id)
        return not job.wanted

    return _read


def shape(options: EngineOptions, parameters: int) -> tuple[int, int]:
    """Give how many batches are written side by side, and the threads of each.

    One batch for each thread makes the most of the cores, since matrices of so few rows gain little from more. In
    float32 an answer alone is half as fast again with a second thread, and many at once are no slower for it (measured
    on two cores); int8 gains nothing. A large model reads so much memory for each token that one answer needs several.

    Args:
        options: threads in all, and answers at once.
        parameters: how many the model has.
    """
    if parameters >= _LARGE:
        each = min(options.threads, 4)
        return max(1, min(options.threads // each, options.batch)), each
    each = min(options.threads, 2) if options.precision == "float32" else 1
    return min(options.threads, options.batch), each


def _ends(size: int, *configs: Mapping[str, object]) -> tuple[int, ...]:
    """The tokens that end an answer, of a vocabulary so large, by the first config that names any; else T5's own."""
    for config in configs:
        named = config.get("eos_token_id")
        tokens = named if isinstance(named, list) else [named]
        ends = tuple(token for token in tokens if isinstance(token, int) and 0 <= token < size)
        if ends:
            return ends
    return (1,)


def _positive(value: object, default: int) -> int:
    return value if isinstance(value, int) and value > 0 else default
