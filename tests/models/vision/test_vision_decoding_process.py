"""The process that decodes: it dies, hangs and starves without harm, knows no secret, and ends with the bot."""

import io
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import sklearn
from PIL import Image
from structlog.testing import capture_logs

from models.errors import PictureError
from models.vision.contract import PictureFacts
from models.vision.decoding.contract import DecodingLimits, View
from models.vision.decoding.decoder import Decoder
from models.vision.decoding.protocol import GarbledError, Request, pack_facts, pack_refusal, unpack_answer

_CHINA = Path(sklearn.__file__).parent / "datasets" / "images" / "china.jpg"


def _saved(image: Image.Image, format_: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format_, **options)
    return out.getvalue()


_SMALL = _saved(Image.new("RGB", (9, 9), "red"))


@pytest.fixture(scope="module")
def large() -> bytes:
    """Give a picture that takes long to decode."""
    return _saved(Image.radial_gradient("L").resize((7_000, 7_000)), compress_level=1)


def _children() -> list[psutil.Process]:
    return [process for process in psutil.Process().children() if process.status() != psutil.STATUS_ZOMBIE]


def test_a_process_is_started_by_the_first_picture_and_ends_with_the_decoder() -> None:
    before = len(_children())
    with Decoder(workers=2) as decoder:
        decoder.decode(_SMALL)
        decoder.decode(_SMALL)
        assert len(_children()) == before + 1
    assert len(_children()) == before


def test_a_text_starts_no_process() -> None:
    before = len(_children())
    with Decoder() as decoder:
        with pytest.raises(PictureError, match="plain text"):
            decoder.decode(b"just a text")
        assert len(_children()) == before


def _killed_while_it_decodes(decoder: Decoder, content: bytes) -> PictureError:
    decoder.decode(_SMALL)
    (child,) = _children()
    rested = child.memory_info().rss
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(decoder.decode, content)
        while child.memory_info().rss < rested + (40 << 20) and not work.done():
            pass
        child.kill()
        error = work.exception()
    assert isinstance(error, PictureError)
    return error


def test_a_process_that_is_killed_costs_one_picture(large: bytes) -> None:
    with Decoder() as decoder:
        error = _killed_while_it_decodes(decoder, large)
        assert error.message == "Its decoding was broken off from outside, as a system does whose memory runs out."
        assert decoder.decode(_SMALL).facts.width == 9


def test_a_process_that_died_between_two_pictures_costs_none() -> None:
    with Decoder() as decoder:
        decoder.decode(_SMALL)
        (child,) = _children()
        child.kill()
        psutil.wait_procs([child], timeout=10)
        assert decoder.decode(_SMALL).facts.width == 9


def test_a_picture_that_takes_too_long_is_given_up(large: bytes) -> None:
    with Decoder(DecodingLimits(seconds=0.2)) as decoder:
        with pytest.raises(PictureError) as refusal:
            decoder.decode(large)
        assert refusal.value.message == "It took more than 0.2 seconds to decode."
        assert "images.seconds" in refusal.value.fix
        assert not _children()
        assert decoder.decode(_SMALL).facts.width == 9
        assert len(_children()) == 1


def test_a_picture_that_takes_too_much_memory_is_given_up(large: bytes) -> None:
    with Decoder(DecodingLimits(memory_megabytes=128)) as decoder:
        with pytest.raises(PictureError) as refusal:
            decoder.decode(large)
        assert refusal.value.message == "It takes more than 128 MiB of memory to decode."
        assert "images.memory_megabytes" in refusal.value.fix
        assert decoder.decode(_SMALL).facts.width == 9


def test_the_largest_picture_has_memory_enough() -> None:
    # As much as a picture may have, in the way that takes most: with transparency, and held on its side.
    exif = Image.Exif()
    exif[0x0112] = 6
    content = _saved(Image.new("LA", (8_000, 8_000), (0, 0)), exif=exif, compress_level=1)
    with Decoder(DecodingLimits(seconds=60)) as decoder:
        decoded = decoder.decode(content, (View(8, 8),))
    assert decoded.facts.width == 8_000
    assert (decoded.views[0] == 255).all()


def test_the_process_sees_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRECEPTOR_TEST_TOKEN", "a-secret-of-the-bot")
    with Decoder() as decoder:
        decoder.decode(_SMALL)
        (child,) = _children()
        environment = Path(f"/proc/{child.pid}/environ").read_bytes()
        assert b"secret" not in environment
        assert b"PRECEPTOR" not in environment
        assert {name.split(b"=")[0] for name in environment.split(b"\0") if name} <= {
            b"LD_LIBRARY_PATH",
            b"MALLOC_ARENA_MAX",
            b"MKL_NUM_THREADS",
            b"OMP_NUM_THREADS",
            b"OPENBLAS_NUM_THREADS",
        }


def test_the_process_holds_no_file_of_the_bot_and_cannot_write_any(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "open in the bot", os.O_CREAT | os.O_RDWR)
    with Decoder() as decoder:
        decoder.decode(_SMALL)
        (child,) = _children()
        names = {str(entry.readlink()) for entry in Path(f"/proc/{child.pid}/fd").iterdir()}
        limits = Path(f"/proc/{child.pid}/limits").read_text(encoding="ascii")
    os.close(descriptor)
    assert not [name for name in names if name.startswith("/") and name != os.devnull]
    assert [line.split()[-3:-1] for line in limits.splitlines() if line.startswith("Max file size")] == [["0", "0"]]


def test_the_process_has_no_models_and_no_front_doors() -> None:
    with Decoder() as decoder:
        decoder.decode(_SMALL)
        (child,) = _children()
        maps = Path(f"/proc/{child.pid}/maps").read_text(encoding="utf-8")
    assert "torch" not in maps
    assert "PIL" in maps


def test_many_threads_share_few_processes() -> None:
    content = _CHINA.read_bytes()
    sizes = [(number % 7 + 3, number % 5 + 3) for number in range(60)]
    with Decoder(workers=2) as decoder, ThreadPoolExecutor(12) as pool:
        decoded = list(pool.map(lambda size: decoder.decode(content, (View(*size),)), sizes))
        assert len(_children()) <= 2
    assert [picture.views[0].shape[:2] for picture in decoded] == sizes


def test_closing_tells_who_waits(large: bytes) -> None:
    decoder = Decoder()
    decoder.decode(_SMALL)
    errors: list[PictureError] = []

    def decode() -> None:
        try:
            decoder.decode(large)
        except PictureError as error:
            errors.append(error)

    threads = [threading.Thread(target=decode) for _ in range(3)]
    for thread in threads:
        thread.start()
    decoder.close()
    for thread in threads:
        thread.join()
    assert [error.message for error in errors] == ["Pictures are not looked at any more: the bot is shutting down."] * 3
    assert not _children()
    with pytest.raises(PictureError, match="shutting down"):
        decoder.decode(_SMALL)


def test_closing_what_was_never_used_and_closing_twice_do_nothing() -> None:
    decoder = Decoder()
    decoder.close()
    decoder.close()


def test_damaged_pictures_do_not_cost_the_process() -> None:
    with Decoder() as decoder:
        decoder.decode(_SMALL)
        (child,) = _children()
        for length in range(20, len(_SMALL) - 30, 5):
            with pytest.raises(PictureError):
                decoder.decode(_SMALL[:length])
        assert [process.pid for process in _children()] == [child.pid]


def test_memory_stays_flat() -> None:
    content = _CHINA.read_bytes()
    with Decoder() as decoder:
        for _ in range(30):
            decoder.decode(content, (View(224, 224),), preview=200)
        (child,) = _children()
        before = child.memory_info().rss
        for _ in range(120):
            decoder.decode(content, (View(224, 224),), preview=200)
        assert child.memory_info().rss - before < 4 << 20


_ASKED = Request("PNG", (View(4, 5), View(0, 0, 8, (6, 7))), 32, DecodingLimits(megapixels=1))
_FACTS = PictureFacts("PNG", 20, 10)


def test_an_answer_promises_exactly_what_was_asked_for() -> None:
    promise = unpack_answer(pack_facts(_FACTS, 11), _ASKED)
    assert promise.shapes == ((4, 5, 3), (6, 7, 3))
    assert promise.length == 4 * 5 * 3 + 6 * 7 * 3 + 11


def test_a_request_arrives_as_it_was_sent() -> None:
    assert Request.unpacked(_ASKED.packed()) == _ASKED


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no JSON",
        b"[]",
        b"{}",
        b'{"facts": {}}',
        b"\xff\xfe",
        pack_facts(PictureFacts("PNG", 0, 10), 1),
        pack_facts(PictureFacts("PNG", 2_000_000, 10), 1),
        pack_facts(PictureFacts("PNG", 20, 10, frames=5_000), 1),
        pack_facts(PictureFacts("PNG", 20, 10, camera="x" * 1_000), 1),
        pack_facts(PictureFacts("PNG", 20, 10, camera="a\nb"), 1),
        pack_facts(_FACTS, 1 << 40),
        pack_facts(_FACTS, -5),
        pack_refusal(PictureError("A\x1b[2Jcontrol sign.", "Fix.")),
        pack_refusal(PictureError("x" * 500, "Fix.")),
        b'{"refused": "text"}',
        b'{"refused": ["one"]}',
    ],
)
def test_an_answer_that_is_not_as_it_must_be_is_not_believed(answer: bytes) -> None:
    with pytest.raises(GarbledError):
        unpack_answer(answer, _ASKED)


def test_the_log_says_why_the_process_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/python")
    with Decoder() as decoder, capture_logs() as logs, pytest.raises(PictureError, match="does not start"):
        decoder.decode(_SMALL)
    assert [(entry["event"], entry["because"]) for entry in logs] == [
        ("decoder does not start", "[Errno 2] No such file or directory: '/no/python'")
    ]
