"""Finds pictures that show nearly the same: copies that were resized, compressed anew, made lighter or darker.

Two pictures are near-duplicates where their perceptual hashes (pHash, by ImageHash: the signs of the 64 lowest
frequencies of a picture of 32 x 32 pixels) differ in ten bits at the most, and their thumbnails of 16 x 16 pixels, in
colour, correlate to .97 at least. Measured on 29 photographs and textures: copies at half the size, at a quarter of the
JPEG quality or 30 % lighter differ in ten bits at the most in 97 to 100 % of the cases, copies at a third of the size
compressed to half the quality in 90 %; different photographs differ in twenty or more. The hash alone takes drawings
and digits, which are alike in their lowest frequencies, for copies of each other, and does not see colour: that is what
the thumbnails are for. Cutting off more than a narrow edge, turning and mirroring make another picture.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.groups import in_order, joined
from models.vision.contract import Pixels
from models.vision.decoding.contract import View

SMALL = View(32, 32, resample=1)
"""How a picture is laid out to be compared: stretched, by Pillow's Lanczos filter."""

MOST_BITS = 10
LEAST_CORRELATION = 0.97
STRICTER = (0.98, 0.99, 0.995, 0.999)
"""Correlations that are asked for where groups are too large."""

_FLAT = 2.0
"""Standard deviation of values from 0 to 255 below which a picture is of one colour, and its hash is noise."""
_SAME_COLOUR = 8
_EDGE = 16
_ROWS_AT_ONCE = 128
_PAIRS_AT_ONCE = 16_384

Told = Callable[[int, int], None]
"""Told how many pictures were compared, and how many there are."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a picture is compared by: its hash of 64 bits, and its thumbnail, shaped [16, 16, 3]."""

    hash: int
    thumbnail: Pixels


def signature_of(small: Pixels) -> Signature:
    """Make the signature of a picture that is laid out as `SMALL` says."""
    import imagehash
    from PIL import Image

    picture = Image.fromarray(small)
    bits = np.packbits(imagehash.phash(picture).hash.ravel())
    thumbnail = np.asarray(picture.resize((_EDGE, _EDGE), Image.Resampling.BOX))
    return Signature(int.from_bytes(bits.tobytes()), thumbnail)


class Likeness:
    """Pictures, ready to be compared.

    Args:
        hashes: shaped [pictures].
        thumbnails: shaped [pictures, 16, 16, 3].
    """

    def __init__(self, hashes: NDArray[np.uint64], thumbnails: NDArray[np.uint8]) -> None:
        self._hashes = hashes
        self._standardised, deviation = _standardised(thumbnails)
        self._flat = deviation < _FLAT
        self._colour = thumbnails.mean(axis=(1, 2))

    def groups(
        self, rows: NDArray[np.int64], least: float = LEAST_CORRELATION, told: Told | None = None
    ) -> NDArray[np.int64]:
        """Number the groups of pictures that are linked as near-duplicates, directly or in a chain.

        Every picture is compared with every other one; the memory is bounded.

        Args:
            rows: numbers of the pictures to group, from 0.
            least: correlation of the thumbnails of near-duplicates.
            told: told how far it is.

        Returns:
            For each of `rows` the number of its group, from 0 in the order of their first pictures.
        """
        found = np.arange(len(rows))
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            first, second = self._candidates(rows, start)
            for at in range(0, len(first), _PAIRS_AT_ONCE):
                one, other = first[at : at + _PAIRS_AT_ONCE], second[at : at + _PAIRS_AT_ONCE]
                apart = found[one] != found[other]
                one, other = one[apart], other[apart]
                near = self._near(rows[one], rows[other], least)
                found = joined(found, one[near], other[near])
            if told:
                told(min(len(rows), start + _ROWS_AT_ONCE), len(rows))
        return in_order(found)

    def _candidates(self, rows: NDArray[np.int64], start: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The pairs of a block with the pictures behind it that may be near-duplicates, as numbers in `rows`."""
        block, behind = rows[start : start + _ROWS_AT_ONCE], rows[start:]
        bits = np.bitwise_count(self._hashes[block][:, None] ^ self._hashes[behind][None])
        both_flat = self._flat[block][:, None] & self._flat[behind][None]
        first, second = np.nonzero((bits <= MOST_BITS) | both_flat)
        wanted = first < second
        return first[wanted] + start, second[wanted] + start

    def _near(self, first: NDArray[np.int64], second: NDArray[np.int64], least: float) -> NDArray[np.bool_]:
        """Which pairs are near-duplicates: by their thumbnails, or, where there is nothing to see, by their colour."""
        alike = np.einsum("ij,ij->i", self._standardised[first], self._standardised[second])
        same_colour = np.abs(self._colour[first] - self._colour[second]).max(axis=1, initial=0) <= _SAME_COLOUR
        both, either = self._flat[first] & self._flat[second], self._flat[first] | self._flat[second]
        # A hair below, as the correlation of equal pictures comes out at 1 give or take a rounding.
        near: NDArray[np.bool_] = np.where(either, both & same_colour, alike >= least - 1e-5)
        return near


def _standardised(thumbnails: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rows of mean 0 and length 1, whose products are correlations, and the standard deviation that each had."""
    values: NDArray[np.float32] = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    lengths = np.sqrt(np.einsum("ij,ij->i", values, values))
    values /= np.maximum(lengths, 1e-6)[:, None]
    return values, lengths / np.sqrt(values.shape[1])
