"""Judges whether a folder holds a whole, safe model, by its files alone: neither torch nor transformers is imported."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.errors import ModelUnusableError
from models.store.weight_files import read_json_object, require_head, weights_in

Kind = Literal["seq2seq", "causal", "other"]
"""seq2seq: an encoder and a decoder (T5). causal: a decoder alone (Llama, Qwen). other: neither writes text."""

Sight = Literal["", "images", "captions"]
"""What a model does with pictures. images: tells labels. captions: writes a sentence. Empty: nothing that is used."""

CAPTIONERS = frozenset({"blip", "git", "vision-encoder-decoder"})
"""Model types that write captions, where the architecture is for that."""

TEXT_TO_TEXT = frozenset(
    {
        "bart",
        "bigbird_pegasus",
        "blenderbot",
        "blenderbot-small",
        "encoder-decoder",
        "fsmt",
        "led",
        "longt5",
        "m2m_100",
        "marian",
        "mbart",
        "mt5",
        "mvp",
        "nllb-moe",
        "pegasus",
        "pegasus_x",
        "plbart",
        "prophetnet",
        "switch_transformers",
        "t5",
        "t5gemma",
        "umt5",
    }
)
"""Model types whose encoder reads text: "…ForConditionalGeneration" is also what image and speech models are called."""

_TEXT_TO_TEXT_ENDINGS = ("ForConditionalGeneration", "EncoderDecoderModel", "MarianMTModel")
_CAUSAL_ENDINGS = ("ForCausalLM", "LMHeadModel")
_IMAGE_CLASSIFIER_ENDINGS = ("ForImageClassification", "ForImageClassificationWithTeacher")
_CAPTIONER_NAMES = ("BlipForConditionalGeneration", "GitForCausalLM", "VisionEncoderDecoderModel")
_TOKENIZERS = ("tokenizer.json", "spiece.model", "tokenizer.model", "sentencepiece.bpe.model", "vocab.txt")
_TOKENIZERS_IN_PAIRS = (("vocab.json", "merges.txt"), ("source.spm", "target.spm"))
_TAIL = 1_024
_PROCESSORS = ("preprocessor_config.json", "processor_config.json")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole, safe model on this machine: config, tokenizer or processor, weights as safetensors.

    Attributes:
        name: as it was asked for.
        folder: where it lies.
        kind: what kind of model it is, by the architectures in its config.
        model_type: the config's own word ("t5", "llama").
        revision: the commit of the hub's model; empty for folders of our own.
        weight_files: the safetensors, in the order of their index.
        weight_bytes: their size together.
        parameters: how many numbers the weights hold.
        sight: what it does with pictures.
    """

    name: str
    folder: Path
    kind: Kind
    model_type: str
    revision: str
    weight_files: tuple[Path, ...]
    weight_bytes: int
    parameters: int = 0
    sight: Sight = ""


def judged(folder: Path, name: str, revision: str = "", mend: str = "Copy the folder once more.") -> Checkpoint:
    """Look whether a folder holds a model that can be loaded safely.

    Args:
        folder: where the model lies.
        name: what it is called, in messages and in the result.
        revision: the commit of the hub's model; empty for folders of our own.
        mend: the sentence that says how a damaged or incomplete one is made whole again.

    Raises:
        ModelUnusableError: it is no model, is incomplete, damaged, or wants code of its own to be run.
    """
    try:
        config = _config(folder, name, mend)
        kind, sight = kind_of(config), sight_of(config)
        _refuse_adapter(folder, name)
        weights = weights_in(folder, name, mend)
        require_head(folder, name, mend)
        _look_for_processor(folder, name, sight, mend)
        if sight != "images":
            _look_for_tokenizer(folder, name, kind != "other" or sight == "captions", mend)
    except OSError as error:
        where = error.filename or folder
        raise ModelUnusableError(
            f"{name} cannot be read: {where}: {error.strerror}.", "Let this user read the folder and its files."
        ) from error
    return Checkpoint(
        name=name,
        folder=folder,
        kind=kind,
        model_type=str(config["model_type"]),
        revision=revision,
        weight_files=weights.files,
        weight_bytes=weights.size,
        parameters=weights.parameters,
        sight=sight,
    )


def judge_config(folder: Path, name: str, mend: str) -> Kind:
    """Judge a model by its config alone, as is done before its weights are downloaded; raises what `judged` does."""
    return kind_of(_config(folder, name, mend))


def kind_of(config: dict[str, object]) -> Kind:
    """Tell what kind of model a config describes, by its architectures."""
    names = _architectures(config)
    if config.get("model_type") in CAPTIONERS:
        return "other"
    if config.get("model_type") in TEXT_TO_TEXT and any(name.endswith(_TEXT_TO_TEXT_ENDINGS) for name in names):
        return "seq2seq"
    if any(name.endswith(_CAUSAL_ENDINGS) for name in names):
        return "causal"
    return "other"


def sight_of(config: dict[str, object]) -> Sight:
    """Tell what a model that a config describes does with pictures, by its architectures."""
    names = _architectures(config)
    if any(name.endswith(_IMAGE_CLASSIFIER_ENDINGS) for name in names):
        return "images"
    is_captioner = config.get("model_type") in CAPTIONERS and any(name in _CAPTIONER_NAMES for name in names)
    return "captions" if is_captioner else ""


def _architectures(config: dict[str, object]) -> list[str]:
    architectures = config.get("architectures")
    return [name for name in architectures if isinstance(name, str)] if isinstance(architectures, list) else []


def _config(folder: Path, name: str, mend: str) -> dict[str, object]:
    file = folder / "config.json"
    if not file.is_file():
        raise _no_config(folder, name, mend)
    config = read_json_object(file, name, mend)
    model_type = config.get("model_type")
    if not isinstance(model_type, str) or not model_type:
        raise ModelUnusableError(
            f"{name} is no model that transformers knows: its config.json has no model_type.",
            "Take a model that was saved by transformers.",
        )
    if config.get("auto_map") and not _transformers_has(model_type):
        raise ModelUnusableError(
            f"{name} brings code of its own that would have to be run (auto_map in its config.json), which is never"
            " done.",
            f'Take a model whose type transformers has itself; "{model_type}" is not one of them.',
        )
    return config


def _no_config(folder: Path, name: str, mend: str) -> ModelUnusableError:
    if (folder / "adapter_config.json").is_file():
        return ModelUnusableError(
            f"{name} is an adapter (LoRA), not a whole model.",
            "Merge it into its base (peft's merge_and_unload) and save that; `preceptor train answers --lora` does so.",
        )
    if (folder / "model_index.json").is_file():
        return ModelUnusableError(f"{name} is a diffusers pipeline, not a model of transformers.", "Take another one.")
    if any(folder.iterdir()):
        return ModelUnusableError(f"{name} is no model: it has no config.json.", mend)
    return ModelUnusableError(f"{name} is an empty folder.", mend)


def _refuse_adapter(folder: Path, name: str) -> None:
    # transformers would load the base that the adapter names, whatever and wherever it is, and not what was judged.
    if (folder / "adapter_config.json").exists():
        raise ModelUnusableError(
            f"{name} has an adapter beside its weights (adapter_config.json), which names another model as its base.",
            "Merge the two (peft's merge_and_unload) and save that; if it is merged, delete adapter_config.json.",
        )


def _transformers_has(model_type: str) -> bool:
    """Whether the installed transformers has this type, read from its table so that it need not be imported."""
    found = importlib.util.find_spec("transformers")
    if found is None or found.origin is None:
        return False
    tables = (Path(found.origin).parent / "models" / "auto").glob("*.py")
    return any(f'("{model_type}", ' in table.read_text(encoding="utf-8") for table in tables if "mapping" in table.name)


def _end_of(file: Path) -> bytes:
    """The last bytes of a file that may be large."""
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - _TAIL))
        return stream.read()


def _look_for_processor(folder: Path, name: str, sight: Sight, mend: str) -> None:
    if sight and not any((folder / file).is_file() for file in _PROCESSORS):
        raise ModelUnusableError(f"{name} is incomplete: it has no image processor ({_PROCESSORS[0]}).", mend)


def _look_for_tokenizer(folder: Path, name: str, is_needed: bool, mend: str) -> None:
    """See that there is a tokenizer, or where none is needed, at least an image processor."""
    fast = folder / "tokenizer.json"
    if fast.is_file() and not _end_of(fast).rstrip().endswith(b"}"):
        raise ModelUnusableError(f"{name} is damaged: tokenizer.json breaks off.", mend)
    alone = _TOKENIZERS if is_needed else _TOKENIZERS + _PROCESSORS
    if any((folder / file).is_file() for file in alone):
        return
    if any(all((folder / file).is_file() for file in pair) for pair in _TOKENIZERS_IN_PAIRS):
        return
    what = "tokenizer" if is_needed else "tokenizer or preprocessor"
    raise ModelUnusableError(f"{name} is incomplete: it has no {what} ({alone[0]}).", mend)
