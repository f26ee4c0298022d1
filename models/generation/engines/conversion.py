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

LOCK = ".lock"
"""Held by the process that converts."""

# Where a conversion is made before it is put in place.
_SCRATCH = ".converting-"
# Names the folder of the checkpoint, so that what was made of a model that is gone can be told.
_SOURCE = "source.txt"
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
    family = _family(checkpoint, precision)
    folder = directory / f"{family}-{_digest(_state(checkpoint))}"
    if _is_whole(folder):
        return folder
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _alone(directory, checkpoint.name, stopping):
            if not _is_whole(folder):
                require_memory(checkpoint.name, checkpoint.parameters * _MEMORY + _LIBRARIES, "be converted once")
                _require_disk(checkpoint.name, checkpoint.parameters * BYTES[precision] * 1.1, directory)
                _clear(directory, family)
                _convert(checkpoint, precision, folder, stopping)
    except OSError as error:
        raise ModelUnusableError(
            f"The conversion of {checkpoint.name} cannot be kept in {directory}: {error.strerror}.",
            "Let this user write there, or make room.",
        ) from error
    return folder


def is_converted(checkpoint: Checkpoint, precision: str, directory: Path) -> bool:
    """Tell whether `converted_folder` has nothing to do."""
    return _is_whole(directory / f"{_family(checkpoint, precision)}-{_digest(_state(checkpoint))}")


def conversions_of(folder: Path, directory: Path) -> list[Path]:
    """Give the conversions of the checkpoint in a folder; `directory` is where conversions lie."""
    return sorted(directory.glob(f"*-{_digest(str(folder))}-*"))


@contextlib.contextmanager
def _alone(directory: Path, name: str, stopping: threading.Event) -> Iterator[None]:
    """Wait until no other process converts; who waited for the same conversion finds it made."""
    from filelock import FileLock, Timeout

    lock = FileLock(directory / LOCK)
    while True:
        try:
            lock.acquire(timeout=_LOOK_SECONDS)
            break
        except Timeout:
            if stopping.is_set():
                raise _stopped(name) from None
    try:
        yield
    finally:
        lock.release()


def _clear(directory: Path, family: str) -> None:
    """Delete what is of no use any more; as long as nobody else converts, no scratch folder is in use."""
    for folder in directory.iterdir():
        source = _text(folder / _SOURCE)
        gone = bool(source) and not Path(source).is_dir()
        if gone or folder.name.startswith((_SCRATCH, f"{family}-")):
            shutil.rmtree(folder, ignore_errors=True)


def _convert(checkpoint: Checkpoint, precision: str, folder: Path, stopping: threading.Event) -> None:
    """Convert into a folder beside, and put it in place in one move."""
    log.info("converting model", model=checkpoint.name, precision=precision)
    # On the disk it is meant for, so that it can be moved.
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=folder.parent, ignore_cleanup_errors=True) as scratch:
        made = Path(scratch) / "model"
        _run(checkpoint, precision, made, stopping)
        (made / _SOURCE).write_text(str(checkpoint.folder), encoding="utf-8")
        sizes = {file.name: file.stat().st_size for file in made.iterdir()}
        for file in made.iterdir():
            _sync(file)
        (made / SIZES).write_text(json.dumps(sizes))
        _sync(made / SIZES)
        made.rename(folder)


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
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for us: a converter that it kills would look like one out of memory
    )
    with process:
        try:
            output, errors = _output(process, stopping)
        finally:
            process.kill()
    if stopping.is_set():
        raise _stopped(checkpoint.name)
    if process.returncode != 0:
        raise _failure(checkpoint.name, process.returncode, output, errors)


def _output(process: "subprocess.Popen[str]", stopping: threading.Event) -> tuple[str, str]:
    while True:
        try:
            return process.communicate(timeout=_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            if stopping.is_set():
                process.kill()


def _stopped(name: str) -> ModelError:
    return ModelUnusableError(f"The conversion of {name} was stopped.", "Start the bot again.")


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


def _family(checkpoint: Checkpoint, precision: str) -> str:
    return f"{_readable(checkpoint.name)}-{precision}-{_digest(str(checkpoint.folder))}"


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
    short = Path(name).absolute().name or "model"
    return "".join(sign if sign.isalnum() or sign in "._" else "_" for sign in short)[:60]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _sync(file: Path) -> None:
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
