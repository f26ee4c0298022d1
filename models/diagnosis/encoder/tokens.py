"""Turns texts into tokens for an encoder: cut in the middle where they are too long, in batches of a like length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import AutoTokenizer

if TYPE_CHECKING:
    from torch import Tensor

_LONGEST_TEXT = 40_000
"""Characters that are looked at: what lies beyond in the middle would be cut away as tokens all the same."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """A tokenizer, and how many of its tokens are read.

    Attributes:
        tokenizer: as transformers has it.
        longest: tokens of a text that are read, those at its ends included.
    """

    tokenizer: Any
    longest: int

    @classmethod
    def from_folder(cls, folder: Path, longest: int) -> "Tokens":
        """Load a checkpoint's tokenizer; raises what transformers raises where there is none.

        Args:
            folder: the checkpoint.
            longest: as in the class; never more than the tokenizer's own bound.
        """
        own = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        if own.pad_token is None:
            own.pad_token = own.sep_token or own.eos_token or own.unk_token
        own.padding_side = "right"
        return cls(own, min(longest, own.model_max_length))

    def of(self, texts: Sequence[str]) -> list[list[int]]:
        """Give each text's tokens, at the most `longest`: of a longer text the first and the last, as many of each.

        Who describes an illness begins with the complaint and ends with the question or the newest sign, and one
        window costs the same however long the text is.
        """
        short = [_shortened(text) for text in texts]
        encoded = self.tokenizer(short, truncation=False, padding=False, verbose=False)["input_ids"] if short else []
        return [self._cut(tokens) for tokens in encoded]

    def _cut(self, tokens: list[int]) -> list[int]:
        if len(tokens) <= self.longest:
            return tokens
        last = self.longest // 2
        return tokens[: self.longest - last] + tokens[-last:]

    def padded(self, rows: Sequence[Sequence[int]]) -> "dict[str, Tensor]":
        """Give rows as a batch: ``input_ids`` and ``attention_mask``, both shaped [rows, longest row]."""
        batch = self.tokenizer.pad({"input_ids": [list(row) for row in rows]}, return_tensors="pt")
        return {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}


def _shortened(text: str) -> str:
    half = _LONGEST_TEXT // 2
    return text if len(text) <= _LONGEST_TEXT else f"{text[:half]} {text[-half:]}"


def batches(rows: Sequence[Sequence[int]], tokens_at_once: int) -> Iterator[list[int]]:
    """Give the numbers of rows that are computed together: alike in length, the shortest first.

    Args:
        rows: tokens.
        tokens_at_once: that a batch may have, padding included; a longer row makes a batch of its own.
    """
    batch: list[int] = []
    for number in sorted(range(len(rows)), key=lambda one: len(rows[one])):
        if batch and len(rows[number]) * (len(batch) + 1) > tokens_at_once:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
