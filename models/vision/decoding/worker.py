"""The process that decodes: takes files from the bot over one socket, one at a time, until the bot is gone."""

import os
import signal
import sys
import warnings
from io import BufferedReader, BufferedWriter, FileIO

from models.errors import PictureError
from models.vision.decoding import colours, confinement, reading
from models.vision.decoding.looking import look_at
from models.vision.decoding.protocol import LENGTHS, READY, Request, pack_facts, pack_refusal
from models.vision.decoding.refusals import OUT_OF_MEMORY


def main() -> None:
    """Answer requests that come over standard input, which is a socket, until it ends."""
    requests, answers = BufferedReader(FileIO(0, closefd=False)), BufferedWriter(FileIO(0, "wb", closefd=False))
    _prepare()
    taken = confinement.address_space()
    answers.write(READY)
    answers.flush()
    while lengths := requests.read(LENGTHS.size):
        header, content = (requests.read(length) for length in LENGTHS.unpack(lengths))
        for part in _answer(Request.unpacked(header), content, taken):
            answers.write(part)
        answers.flush()


def _prepare() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who interrupts the bot means the bot
    warnings.simplefilter("ignore")
    sys.dont_write_bytecode = True
    reading.prepare()
    colours.warm_up()
    confinement.confine()
    # The libraries beneath Pillow write to it what is of no use to anybody.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _answer(request: Request, content: bytes, taken: int) -> list[bytes]:
    confinement.allow(request.limits, taken)
    try:
        seen = look_at(content, request.format, request.views, request.preview, request.limits)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except PictureError as error:
        header = pack_refusal(error)
        return [LENGTHS.pack(len(header), 0), header]
    header = pack_facts(seen.facts, len(seen.preview))
    body = [*seen.views, seen.preview]
    return [LENGTHS.pack(len(header), sum(map(len, body))), header, *body]
