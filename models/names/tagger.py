"""A model for token classification that tells which words of a text are a person's name."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors import SafetensorError
from transformers import AutoModelForTokenClassification, AutoTokenizer
from transformers.utils import logging

from models.errors import ModelUnusableError
from models.generation.engines.loading import whole_model

if TYPE_CHECKING:
    from models.generation.engines.loading import Loadable

_UNLOADABLE = (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, ImportError, SafetensorError)
"""What loading a damaged or odd checkpoint raises, besides the libraries' own."""

_PERSONS = frozenset({"PER", "PERSON", "PERS", "NAME", "FIRSTNAME", "MIDDLENAME", "LASTNAME", "GIVENNAME", "SURNAME"})
"""What models call a person's name, without signs for its beginning and end (CoNLL-2003, OntoNotes, AI4Privacy)."""

_LONGEST = 384
_OVERLAP = 48
"""Tokens of a window, and how many of them the next one reads once more, so that no name is cut."""

_WINDOWS_AT_ONCE = 16
_SURE = 0.5
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019.-][^\W\d_]+)*")
_OWNS = re.compile(r"['\u2019]s$")
_BETWEEN = re.compile(r"[.]?[ \u00a0]|[-]")
"""What stands between the words of one name."""


class Tagger:
    """Tells names of people, whatever scheme of tags the model has.

    A word is one where the probabilities that one of its tokens is any part of a person's name sum up to a half.

    Args:
        tokenizer: a fast one, as it tells where in the text its tokens stand.
        model: gives ``logits``, shaped [windows, tokens, labels].
        persons: the columns of labels that mean a person.
    """

    def __init__(self, tokenizer: Any, model: Any, persons: Sequence[int]) -> None:  # noqa: ANN401 - as the library has it
        self._tokenizer = tokenizer
        self._model = model
        self._persons = list(persons)
        self._longest = min(_LONGEST, tokenizer.model_max_length, _positions(model.config))

    def names(self, texts: Sequence[str]) -> list[frozenset[str]]:
        """Give the names of people in each text, as they are written there."""
        sure: list[set[int]] = [set() for _ in texts]
        for text, start, end in self._tokens(texts):
            sure[text].update(range(start, end))
        return [frozenset(_joined(text, places)) for text, places in zip(texts, sure, strict=True)]

    def _tokens(self, texts: Sequence[str]) -> Iterator[tuple[int, int, int]]:
        """Yield the number of the text, the start and the end of each token that belongs to a name."""
        encoded = self._tokenizer(
            list(texts),
            truncation=True,
            max_length=self._longest,
            stride=min(_OVERLAP, self._longest // 4),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        offsets, origin = encoded["offset_mapping"], encoded["overflow_to_sample_mapping"]
        for first in range(0, len(origin), _WINDOWS_AT_ONCE):
            rows = range(first, min(first + _WINDOWS_AT_ONCE, len(origin)))
            for row, is_name in zip(rows, self._judged([encoded["input_ids"][row] for row in rows]), strict=True):
                for (start, end), one in zip(offsets[row], is_name, strict=False):
                    if one and end > start:
                        yield origin[row], start, end

    def _judged(self, windows: list[list[int]]) -> list[list[bool]]:
        batch = self._tokenizer.pad({"input_ids": windows}, return_tensors="pt")
        with torch.inference_mode():
            logits = self._model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        sureness = logits.float().softmax(-1)[..., self._persons].sum(-1)
        return cast("list[list[bool]]", (sureness >= _SURE).tolist())


def load_tagger(folder: Path, name: str) -> Tagger:
    """Load a model for token classification from its folder; takes a second or more.

    Args:
        folder: where it lies; the weights as safetensors.
        name: what it is called.

    Raises:
        ModelUnusableError: it holds none that tells people's names, or a damaged one.
    """
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        tokenizer.padding_side = "right"
        tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token or tokenizer.unk_token
        model = whole_model(cast("Loadable", AutoModelForTokenClassification), str(folder), "float32")
    except _UNLOADABLE as error:
        raise ModelUnusableError(
            f"{name} cannot be loaded as a model for names: {type(error).__name__}.",
            "Pull it again, or set privacy.names_model to a model for token classification (NER).",
        ) from error
    if not tokenizer.is_fast:
        raise ModelUnusableError(
            f"{name} has no fast tokenizer, which tells where a name stands.", "Use one with a tokenizer.json."
        )
    persons = _columns_of_persons(model.config.id2label or {})
    if not persons:
        raise ModelUnusableError(f"{name} has no label for people.", "Use one for named entities, with PER or PERSON.")
    return Tagger(tokenizer, model, persons)


def _columns_of_persons(labels: Mapping[Any, str]) -> list[int]:
    bare = {column: re.sub(r"^[BIESLU]-|[\W_]", "", label.upper()) for column, label in labels.items()}
    return [int(column) for column, label in bare.items() if label in _PERSONS]


def _positions(config: Any) -> int:  # noqa: ANN401 - each model has its own
    # RoBERTa counts its positions from two on.
    return int(getattr(config, "max_position_embeddings", 0) or _LONGEST + 2) - 2


def _joined(text: str, places: set[int]) -> Iterator[str]:
    """Yield the names of a text: words with a place in `places`, and those next to each other as one."""
    start = end = -1
    for word in _WORD.finditer(text):
        if places.isdisjoint(range(*word.span())):
            continue
        if end >= 0 and _BETWEEN.fullmatch(text, end, word.start()):
            end = word.end()
            continue
        if end >= 0:
            yield _OWNS.sub("", text[start:end])
        start, end = word.span()
    if end >= 0:
        yield _OWNS.sub("", text[start:end])
