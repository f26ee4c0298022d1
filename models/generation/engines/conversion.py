"""Keeps what CTranslate2 needs to have converted: once for each checkpoint and precision, whole or not at all."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import structlog

from models.errors import ModelError, ModelTooLargeError, ModelUnusableError
from models.generation.engines.choice import BYTES, missing_extra, require_memory
from models.store.model_store import Checkpoint
from models.store.sizes import in_words

log = structlog.get_logger(__name__)

SIZES = "sizes.json"
"""Names the files of a conversion with their bytes; written last."""

_CONVERTER = "models.generation.engines.converter"
# Bytes for each parameter: the weights as torch has them and as CTranslate2 writes them, both in float32; measured.
_MEMORY = 10
_LIBRARIES = 600_000_000
_LOOK_SECONDS = 0.2
_LONGEST_REASON = 300


def converted_folder(checkpoint: Checkpoint, precision: str, directory: Path, stopping: threading.Event) -> Path:
    """Give the folder of a checkpoint's conversion, made now unless it is there and whole.

    Args:
        checkpoint: what is converted; another conversion is made when its files have changed.
        precision: float32 or int8.
        directory: where conversions lie.
        stopping: when it is set, the conversion ends.

    Raises:
        ModelTooLargeError: memory or disk would not suffice, or did not.
        ModelUnusableError: it cannot be converted.
        ModelExtraError: a library is missing.
    """
    family = f"{_readable(checkpoint.name)}-{precision}-{_digest(str(checkpoint.folder))}"
    folder = directory / f"{family}-{_digest(_state(checkpoint))}"
    if _is_whole(folder):
        return folder
    needed = checkpoint.parameters * BYTES[precision] * 1.1
    require_memory(checkpoint.name, checkpoint.parameters * _MEMORY + _LIBRARIES, "be converted once")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _require_disk(checkpoint.name, needed, directory)
        for outdated in directory.glob(f"{family}-*"):
            shutil.rmtree(outdated, ignore_errors=True)
        _convert(checkpoint, precision, folder, stopping)
    except OSError as error:
        raise ModelUnusableError(
            f"The conversion of {checkpoint.name} cannot be kept in {directory}: {error.strerror}.",
            "Let this user write there, or make room.",
        ) from error
    return folder


def _convert(checkpoint: Checkpoint, precision: str, folder: Path, stopping: threading.Event) -> None:
    """Convert into a folder beside, and put it in place in one move."""
    log.info("converting model", model=checkpoint.name, precision=precision)
    with _scratch(folder.parent) as scratch:
        made = scratch / "model"
        _run(checkpoint, precision, made, stopping)
        sizes = {file.name: file.stat().st_size for file in made.iterdir()}
        for file in made.iterdir():
            _sync(file)
        (made / SIZES).write_text(json.dumps(sizes))
        _sync(made / SIZES)
        # Another process may have been faster: what it made is as good.
        with contextlib.suppress(OSError):
            made.rename(folder)
        if not _is_whole(folder):
            raise ModelUnusableError(f"The conversion of {checkpoint.name} was disturbed.", "Start the bot again.")


def _run(checkpoint: Checkpoint, precision: str, made: Path, stopping: threading.Event) -> None:
    """Run the converter in a process of its own: what torch takes of memory, and of the interpreter, ends with it."""
    ours = str(Path(__file__).parents[3])
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(part for part in (ours, os.environ.get("PYTHONPATH", "")) if part),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    command = [sys.executable, "-P", "-m", _CONVERTER, str(checkpoint.folder), str(made), precision]
    process = subprocess.Popen(  # noqa: S603 - our own module, and paths
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            output, errors = _output(process, stopping)
        finally:
            process.kill()
    if stopping.is_set():
        raise ModelUnusableError(f"The conversion of {checkpoint.name} was stopped.", "Start the bot again.")
    if process.returncode != 0:
        raise _failure(checkpoint.name, process.returncode, output, errors)


def _output(process: "subprocess.Popen[str]", stopping: threading.Event) -> tuple[str, str]:
    while True:
        try:
            return process.communicate(timeout=_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            if stopping.is_set():
                process.kill()


def _failure(name: str, code: int, output: str, errors: str) -> ModelError:
    """What the converter said of its failure; a process that was killed said nothing."""
    if code < 0:
        return ModelTooLargeError(
            f"The conversion of {name} was killed (signal {-code}), most likely for lack of memory.",
            "Choose a smaller model, or give the bot more memory.",
        )
    try:
        said = json.loads(output.strip().rpartition("\n")[2])
        kind, reason = str(said["kind"]), str(said["reason"])[:_LONGEST_REASON]
    except (ValueError, KeyError, TypeError):
        log.warning("conversion failed", model=name, errors=errors[-2000:])
        return ModelUnusableError(
            f"{name} cannot be converted; the log holds the reason.", "Set local.execution to torch."
        )
    if kind == "extra":
        return missing_extra(reason)
    if kind == "disk":
        return ModelTooLargeError(
            f"The disk is full: the conversion of {name} does not fit.", "Make room, and try again."
        )
    return ModelUnusableError(f"{name} cannot be converted: {reason}.", "Get the model once more, or choose another.")


def _require_disk(name: str, needed: float, directory: Path) -> None:
    free = shutil.disk_usage(directory).free
    if needed > free:
        raise ModelTooLargeError(
            f"The conversion of {name} needs {in_words(int(needed))} in {directory}, and {in_words(free)} are free.",
            "Make room, or set local.execution to torch.",
        )


@contextlib.contextmanager
def _scratch(directory: Path) -> Iterator[Path]:
    # On the disk it is meant for, so that it can be moved; those that a crash left behind are cleared away.
    for left in directory.glob(".converting-*"):
        if not _is_alive(left.name.split("-")[1]):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f".converting-{os.getpid()}-", dir=directory))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except OSError:
        return True
    return True


def _is_whole(folder: Path) -> bool:
    try:
        sizes = json.loads((folder / SIZES).read_text())
        return bool(sizes) and all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False


def _state(checkpoint: Checkpoint) -> str:
    """What a conversion depends on: the checkpoint's files as they are, and CTranslate2's version."""
    files = [*checkpoint.weight_files, *checkpoint.folder.glob("*.json")]
    looks = sorted((file.name, (status := file.stat()).st_size, status.st_mtime_ns) for file in files)
    return json.dumps([version("ctranslate2"), looks])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _readable(name: str) -> str:
    short = Path(name).name or "model"
    return "".join(sign if sign.isalnum() or sign in "._" else "_" for sign in short)[:60]


def _sync(file: Path) -> None:
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
