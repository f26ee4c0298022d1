"""Weights as they lie on the disk: which files a model has, and whether each safetensors file is whole by its header.

The format is that of safetensors' README: eight bytes that give the header's length (little-endian), the header as
JSON, then the tensors' bytes without a gap. So a file that was cut off, or is none of the kind, is told by its size,
without reading it through and without torch.
"""

import json
import math
import operator
from dataclasses import dataclass
from pathlib import Path

from models.errors import ModelUnusableError

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
DIAGNOSIS_FILE = "diagnosis.json"
"""Stands in the folder of a model that was trained here to diagnose; says its labels and its calibration."""
HEAD = "head.safetensors"
"""Holds such a model's linear head, beside the encoder's own weights."""
IMAGES_FILE = "images.json"
"""Stands in the folder of a model that was trained here to tell pictures apart; says its calibration."""
OTHER_FORMATS = (".gguf", ".h5", ".msgpack", ".onnx", ".tflite")

_LENGTH_BYTES = 8
_LONGEST_HEADER = 100_000_000  # safetensors' own bound
_LFS_POINTER = b"version https://git-lfs"


@dataclass(frozen=True, slots=True)
class Weights:
    """The safetensors of a model.

    Attributes:
        files: in the order of their index.
        size: bytes together.
        parameters: how many numbers they hold.
    """

    files: tuple[Path, ...]
    size: int
    parameters: int


def weights_in(folder: Path, name: str, mend: str) -> Weights:
    """Find a folder's weights and look whether they are whole.

    Args:
        folder: the model's folder.
        name: what messages call the model.
        mend: the sentence that says how a damaged model is made whole again.

    Raises:
        ModelUnusableError: there are none, only such as are never loaded, or not all of them.
        OSError: a file cannot be read.
    """
    shards = _shards(folder, name, mend)
    parameters = 0
    for shard, tensors in shards.items():
        held = _parameters_by_tensor(shard, name, mend)
        absent = tensors - held.keys()
        if absent:
            raise ModelUnusableError(f"{name} is damaged: {shard.name} lacks the tensor {min(absent)}.", mend)
        parameters += sum(held.values())
    return Weights(tuple(shards), sum(shard.stat().st_size for shard in shards), parameters)


def require_head(folder: Path, name: str, mend: str) -> None:
    """See that what was written beside the weights of a model that was trained here is whole; others have nothing.

    One for diagnosis has its head and its labels there, one for pictures its calibration.

    Raises:
        ModelUnusableError: one of them is missing or damaged.
        OSError: a file cannot be read.
    """
    if (folder / IMAGES_FILE).is_file():
        read_json_object(folder / IMAGES_FILE, name, mend)
    if not (folder / DIAGNOSIS_FILE).is_file():
        return
    read_json_object(folder / DIAGNOSIS_FILE, name, mend)
    if not (folder / HEAD).is_file():
        raise ModelUnusableError(f"{name} is incomplete: it has no head ({HEAD}).", mend)
    _parameters_by_tensor(folder / HEAD, name, mend)


def read_json_object(file: Path, name: str, mend: str) -> dict[str, object]:
    """Read a file that must hold one JSON object.

    Raises:
        ModelUnusableError: it holds something else.
        OSError: it cannot be read.
    """
    try:
        document = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ModelUnusableError(f"{name} is damaged: {file.name} is not JSON ({error}).", mend) from None
    if not isinstance(document, dict):
        raise ModelUnusableError(f"{name} is damaged: {file.name} is not a JSON object.", mend)
    return document


def _shards(folder: Path, name: str, mend: str) -> dict[Path, frozenset[str]]:
    """Give the weight files, each with the tensors its index promises; transformers looks in this order, too."""
    single = folder / SINGLE
    if single.is_file():
        return {single: frozenset()}
    index = folder / INDEX
    if not index.is_file():
        raise _no_weights(folder, name, mend)
    weight_map = read_json_object(index, name, mend).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise ModelUnusableError(f"{name} is damaged: {INDEX} has no weight_map.", mend)
    shards: dict[Path, set[str]] = {}
    for tensor, file in weight_map.items():
        if not isinstance(file, str) or Path(file).name != file:
            raise ModelUnusableError(f"{name} is damaged: {INDEX} names a file outside its folder.", mend)
        if not file.endswith(".safetensors"):
            raise ModelUnusableError(f"{name} is damaged: {INDEX} names {file}, which is no safetensors file.", mend)
        shards.setdefault(folder / file, set()).add(tensor)
    missing = [shard.name for shard in shards if not shard.is_file()]
    if missing:
        raise ModelUnusableError(
            f"{name} is incomplete: {len(missing)} of its {len(shards)} weight files are missing ({missing[0]} first).",
            mend,
        )
    return {shard: frozenset(tensors) for shard, tensors in shards.items()}


def _no_weights(folder: Path, name: str, mend: str) -> ModelUnusableError:
    files = sorted(file.name for file in folder.iterdir() if file.is_file())
    refusal = refused_weights(name, files)
    if refusal is not None:
        return refusal
    odd = [file for file in files if file.endswith(".safetensors")]
    if odd:
        return ModelUnusableError(
            f"{name} cannot be loaded: its weights lie in {odd[0]}, and {SINGLE} is looked for.",
            f"Save it with transformers' save_pretrained, or name the file {SINGLE}.",
        )
    return ModelUnusableError(f"{name} is incomplete: it has no weights ({SINGLE}).", mend)


def refused_weights(name: str, files: list[str]) -> ModelUnusableError | None:
    """Say why weights in these files are not loaded, where they are only in forms that never are; else None."""
    if any(file in (SINGLE, INDEX) for file in files):
        return None
    pickles = [file for file in files if file.endswith(PICKLES) and not file.startswith("training_args")]
    if pickles:
        return ModelUnusableError(
            f"{name} has its weights only as a pickle ({pickles[0]}). Loading a pickle can run any code, so that is"
            " never done.",
            "Take a revision with safetensors (many have one under --revision refs/pr/NUMBER; its page lists them), or"
            " convert it where nothing else is at stake and use the folder.",
        )
    others = [file for file in files if file.endswith(OTHER_FORMATS)]
    if others:
        return ModelUnusableError(
            f"{name} has its weights only as {others[0]}; safetensors is what is loaded here.",
            "Take the model's safetensors repository; GGUF files are served by Ollama or llama.cpp through the openai"
            " generator.",
        )
    return None


def _parameters_by_tensor(file: Path, name: str, mend: str) -> dict[str, int]:
    """Read a header and hold it against the file's size."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        opening = stream.read(_LENGTH_BYTES)
        length = int.from_bytes(opening, "little")
        if (opening + stream.read(64)).startswith(_LFS_POINTER):
            raise ModelUnusableError(
                f"{name} is incomplete: {file.name} is only Git LFS's pointer to the weights.",
                "Run `git lfs pull` in its folder.",
            )
        if size < _LENGTH_BYTES or length > min(_LONGEST_HEADER, size - _LENGTH_BYTES):
            raise _torn(file, name, mend, f"{size:,} bytes are too few for its own header")
        stream.seek(_LENGTH_BYTES)
        header = stream.read(length)
    try:
        tensors = json.loads(header)
        tensors.pop("__metadata__", None)
        spans = [tensor["data_offsets"] for tensor in tensors.values()]
        parameters = {key: math.prod(map(operator.index, tensor["shape"])) for key, tensor in tensors.items()}
        promised = sum(end - start for start, end in spans)
        last = max((end for _, end in spans), default=0)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _torn(file, name, mend, "its header is not safetensors'") from None
    held = size - _LENGTH_BYTES - length
    if not promised == last == held:
        raise _torn(file, name, mend, f"its header promises {last:,} bytes of tensors, and there are {held:,}")
    return parameters


def _torn(file: Path, name: str, mend: str, reason: str) -> ModelUnusableError:
    return ModelUnusableError(f"{name} is truncated or damaged: {file.name}: {reason}.", mend)
