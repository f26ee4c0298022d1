"""All of PngSuite: what is broken is refused with a sentence, what is not is seen as its specification says."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import png_by_hand
import pytest
from PIL import Image

from models.errors import PictureError
from models.vision.decoding.contract import View
from models.vision.decoding.decoder import Decoder

_FOLDER = Path(__file__).parents[4] / "shared" / "data" / "pngsuite" / "png"
_ALL = sorted(_FOLDER.glob("*.png"))
_BROKEN = [path for path in _ALL if path.name.startswith("x")]
_GOOD = [path for path in _ALL if not path.name.startswith("x")]

pytestmark = pytest.mark.skipif(not _ALL, reason="PngSuite is not at hand")


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as decoder:
        yield decoder


@pytest.mark.parametrize("path", _BROKEN, ids=lambda path: path.stem)
def test_a_broken_one_is_refused_with_a_sentence(decoder: Decoder, path: Path) -> None:
    with pytest.raises(PictureError) as refusal:
        decoder.decode(path.read_bytes())
    assert refusal.value.message.endswith(".")
    assert refusal.value.fix.endswith(".")
    assert path.name not in str(refusal.value)


@pytest.mark.parametrize("path", _GOOD, ids=lambda path: path.stem)
def test_a_good_one_is_seen_as_it_is_meant(decoder: Decoder, path: Path) -> None:
    content = path.read_bytes()
    expected = png_by_hand.on_white(content)
    height, width, _ = expected.shape
    decoded = decoder.decode(content, (View(height, width),))
    assert (decoded.facts.format, decoded.facts.width, decoded.facts.height) == ("PNG", width, height)
    # One level for rounding, and one for sixteen bits, of which Pillow takes the upper eight.
    assert np.abs(decoded.views[0] - expected).max() <= 2


def test_an_opaque_one_in_eight_bits_is_to_the_byte_what_pillow_makes_of_it(decoder: Decoder) -> None:
    for path in _GOOD:
        if path.stem[4:8] in {"2c08", "3p08", "0g08"} and not path.stem.startswith("t"):
            bare = Image.open(io.BytesIO(path.read_bytes())).convert("RGB")
            (seen,) = decoder.decode(path.read_bytes(), (View(bare.height, bare.width),)).views
            assert seen.tobytes() == bare.tobytes(), path.name
