"""How a sentence is quoted in an answer: valid CommonMark, of bearable length, with the number of its passage."""

from collections.abc import Sequence
from itertools import accumulate

from models.generation.blocks import ends_in_block
from models.generation.sentences import Sentence

LONGEST = 1_200
"""Characters; a longer sentence, code block or table is shortened."""


def cited(text: str, number: int) -> str:
    """Put the number of its passage behind a text: on its last line, or below where that is code or a table."""
    return f"{text}\n\n[{number}]" if ends_in_block(text) else f"{text} [{number}]"


def quoted(sentence: Sentence, number: int) -> str:
    """A sentence with its block and the number of its passage.

    What is longer than `LONGEST` ends in an ellipsis, a sentence after a word, a block after a line.
    """
    text = _shortened(sentence.text)
    if not sentence.block:
        return f"{text} [{number}]"
    block = _shortened_block(sentence.block)
    return f"{text}\n\n{block}\n\n[{number}]" if text else f"{block}\n\n[{number}]"


def _shortened(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    kept, _, _ = text[: LONGEST - 1].rpartition(" ")
    return (kept or text[: LONGEST - 1]) + "…"


def _shortened_block(block: str) -> str:
    if len(block) <= LONGEST:
        return block
    lines = block.splitlines()
    is_fenced = lines[0].startswith("```")
    kept = _first_lines(lines)
    if is_fenced:
        return "\n".join([*kept, "…", lines[-1]])
    return "\n".join(kept) + "\n\n…"


def _first_lines(lines: Sequence[str]) -> list[str]:
    lengths = accumulate(len(line) + 1 for line in lines)
    kept = [line for line, length in zip(lines, lengths, strict=False) if length <= LONGEST]
    return kept if len(kept) > 1 else [_shortened(line) for line in lines[:2]]
