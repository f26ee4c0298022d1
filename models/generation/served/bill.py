"""What one answer of a server took: as it counts itself, and estimated where it broke off before it counted."""

from models.generation.contract import Usage

_CHARACTERS_A_TOKEN = 4
"""About; "Tokens" in the Gemini API's guide and in OpenAI's say the same of English."""
_PRICED = 1_000_000


class Bill:
    """Adds up.

    Args:
        input_price: of a million tokens read.
        output_price: of a million tokens written.
    """

    def __init__(self, input_price: float, output_price: float) -> None:
        self._prices = input_price, output_price
        self._read = 0
        self._seen = 0
        self._written = 0
        self._counted_read: int | None = None
        self._counted_written: int | None = None

    def asked(self, characters: int, picture_tokens: int = 0) -> None:
        """A prompt of so much text and pictures went out; one that went out before and came to nothing is left out."""
        self._read, self._seen, self._written = characters, picture_tokens, 0
        self._counted_read = self._counted_written = None

    def cancelled(self) -> None:
        """The server did not take it."""
        self.asked(0)

    def wrote(self, characters: int) -> None:
        """So many more characters came, seen or not."""
        self._written += characters

    def counted(self, read: int | None, written: int | None) -> None:
        """The server's own count of tokens so far; None where it gives none."""
        self._counted_read = self._counted_read if read is None else read
        self._counted_written = self._counted_written if written is None else written

    def usage(self) -> Usage:
        """Give what it took."""
        read = _tokens(self._read) + self._seen if self._counted_read is None else self._counted_read
        written = _tokens(self._written) if self._counted_written is None else self._counted_written
        cost = (read * self._prices[0] + written * self._prices[1]) / _PRICED
        return Usage(read, written, cost)


def _tokens(characters: int) -> int:
    return -(-characters // _CHARACTERS_A_TOKEN)
