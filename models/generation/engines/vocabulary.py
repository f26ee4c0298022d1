"""A model's tokens: text taken apart into them, and put together again as they come, never half a character."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import ModelUnusableError
from models.generation.contract import GroundingPassage, Turn

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# What a decoder shows for bytes that are no whole character (yet).
_INCOMPLETE = "\ufffd"
# Tokens that wait for the rest of their character at the most; with a blank before it, the longest one takes five.
_MOST_WAITING = 16
_MARKER = re.compile(r"[<\[].+[>\]]", re.DOTALL)


class Vocabulary:
    """The tokens of one model.

    Args:
        tokenizer: takes text apart.
    """

    def __init__(self, tokenizer: "Tokenizer") -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        added = tokenizer.get_added_tokens_decoder().values()
        markers = [token.content for token in added if token.special or _MARKER.fullmatch(token.content)]
        self._markers = re.compile("|".join(re.escape(marker) for marker in markers)) if markers else None

    @classmethod
    def from_folder(cls, folder: Path, name: str) -> "Vocabulary":
        """Read a model's ``tokenizer.json``.

        Raises:
            ModelUnusableError: it is damaged.
        """
        from tokenizers import Tokenizer

        try:
            return cls(Tokenizer.from_file(str(folder / "tokenizer.json")))
        except Exception as error:  # noqa: BLE001 - the library raises Exception itself
            raise ModelUnusableError(
                f"{name} is damaged: its tokenizer.json cannot be read ({error}).", "Get the model once more."
            ) from None

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return self._tokenizer.get_vocab_size()

    def count(self, text: str) -> int:
        """Give a text's tokens, without those that stand around a prompt."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def encode(self, text: str, special: bool = True) -> list[int]:
        """Take a text apart; `special` puts around it what the model expects, such as the end's token."""
        return self._tokenizer.encode(text, add_special_tokens=special).ids

    def decode(self, tokens: Sequence[int]) -> str:
        """Put tokens together; special ones are left out."""
        return self._tokenizer.decode(list(tokens), skip_special_tokens=True)

    def written(self, token: int) -> str:
        """Give a token as it stands in the vocabulary; empty where there is none of that number."""
        return self._tokenizer.id_to_token(token) or ""

    def without_markers(self, text: str) -> str:
        """Break up what would be read as a special token: whoever writes ``</s>`` must not end the prompt."""
        return self._markers.sub(lambda match: f"{match[0][:1]} {match[0][1:]}", text) if self._markers else text

    def disarmed(
        self, question: str, passages: Sequence[GroundingPassage], history: Sequence[Turn]
    ) -> tuple[str, list[GroundingPassage], list[Turn]]:
        """Give all texts of a prompt without special tokens."""
        clean = self.without_markers
        return (
            clean(question),
            [
                replace(one, text=clean(one.text), title=clean(one.title), question=clean(one.question))
                for one in passages
            ],
            [Turn(clean(turn.question), clean(turn.answer), clean(turn.topic)) for turn in history],
        )


class GrowingText:
    """Puts an answer together token by token: the pieces joined are what decoding it at once gives.

    A token alone does not tell its text (blanks, characters of several tokens), so the tokens since the last sure place
    are decoded with and without the new one; the window is that of Hugging Face's text-generation-inference.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._decode = vocabulary.decode
        self._tokens: list[int] = []
        self._context = 0
        self._shown = 0

    def add(self, token: int) -> str:
        """Take in the next token, and give what can be shown now; often nothing."""
        self._tokens.append(token)
        before, now = self._texts()
        waits = len(self._tokens) - self._shown <= _MOST_WAITING and now.endswith(_INCOMPLETE)
        if waits or len(now) <= len(before):
            return ""
        self._context, self._shown = self._shown, len(self._tokens)
        return now[len(before) :]

    def finish(self) -> str:
        """Give the rest; half a character is none."""
        before, now = self._texts()
        return now[len(before) :].rstrip(_INCOMPLETE)

    def _texts(self) -> tuple[str, str]:
        return self._decode(self._tokens[self._context : self._shown]), self._decode(self._tokens[self._context :])
