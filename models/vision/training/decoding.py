"""Decodes the files of a folder one after the other, a few at a time, in bounded memory."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from models.errors import PictureError
from models.vision.decoding.contract import Decoded, View
from models.vision.decoding.decoder import Decoder

_THREADS = 2
_AHEAD = 32
_MOST_READ = 512 << 20
"""Bytes of a file, so that a film by mistake does not fill the memory; the decoder refuses less than that."""


def decoded_files(
    decoder: Decoder, files: Sequence[Path], views: Sequence[View], preview: int = 0
) -> Iterator[Decoded | PictureError]:
    """Decode files; what is no picture is given as the error that says why.

    Args:
        decoder: decodes them.
        files: any number; of each no more is read than a decoder takes.
        views: how they are laid out.
        preview: the longest edge of a preview; 0 for none.

    Returns:
        For each file what came of it, in their order.
    """

    def _decoded(file: Path) -> Decoded | PictureError:
        try:
            with file.open("rb") as stream:
                content = stream.read(_MOST_READ)
            return decoder.decode(content, views, preview)
        except OSError as error:
            return PictureError(f"It cannot be read: {error.strerror}.", "Let this user read it.")
        except PictureError as error:
            return error

    with ThreadPoolExecutor(_THREADS, thread_name_prefix="decoding") as pool:
        for start in range(0, len(files), _AHEAD):
            yield from pool.map(_decoded, files[start : start + _AHEAD])
