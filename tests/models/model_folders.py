"""Models small enough to be written by hand: right in every byte that is looked at, with weights that mean nothing."""

import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

T5 = {"model_type": "t5", "architectures": ["T5ForConditionalGeneration"], "is_encoder_decoder": True}
LLAMA = {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}
VIT = {"model_type": "vit", "architectures": ["ViTForImageClassification"]}
TOKENIZER = b'{"version": "1.0", "model": {"type": "WordLevel", "vocab": {"<unk>": 0}, "unk_token": "<unk>"}}\n'
CARD = b"---\nlicense: apache-2.0\nlanguage: en\n---\n\n# A model\n"


def safetensors(tensors: Mapping[str, int]) -> bytes:
    """Write a safetensors file of float32 vectors: how long each is, by its name."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    start = 0
    for name, length in tensors.items():
        header[name] = {"dtype": "F32", "shape": [length], "data_offsets": [start, start + 4 * length]}
        start += 4 * length
    written = json.dumps(header).encode()
    written += b" " * (-len(written) % 8)
    numbers = b"".join(struct.pack("<f", index) for length in tensors.values() for index in range(length))
    return struct.pack("<Q", len(written)) + written + numbers


def model_files(config: Mapping[str, Any] = T5, **others: bytes) -> dict[str, bytes]:
    """Give a whole model as the contents of its files; more of them by name, with ``__`` for a dot."""
    files = {
        "config.json": json.dumps(config).encode(),
        "generation_config.json": b"{}",
        "tokenizer.json": TOKENIZER,
        "README.md": CARD,
        "model.safetensors": safetensors({"shared.weight": 4_000, "lm_head.weight": 1_000}),
    }
    return files | {name.replace("__", "."): content for name, content in others.items()}


def sharded(config: Mapping[str, Any] = LLAMA) -> dict[str, bytes]:
    """Give a model whose weights lie in two files, with their index."""
    first, second = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    files = model_files(config)
    del files["model.safetensors"]
    weight_map = {"embed.weight": first, "lm_head.weight": second}
    return files | {
        "model.safetensors.index.json": json.dumps({"metadata": {}, "weight_map": weight_map}).encode(),
        first: safetensors({"embed.weight": 1_000}),
        second: safetensors({"lm_head.weight": 500}),
    }


def cached(cache: Path, name: str, files: Mapping[str, bytes], commit: str = "a" * 40, branch: str = "main") -> Path:
    """Put a commit of a model into a cache as huggingface_hub lays it out; give the snapshot."""
    model = cache / ("models--" + name.replace("/", "--"))
    snapshot = model / "snapshots" / commit
    for path, content in files.items():
        blob = model / "blobs" / hashlib.sha256(content).hexdigest()
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(content)
        (snapshot / path).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / path).symlink_to(blob)
    if branch:
        write(model, {f"refs/{branch}": commit.encode()})
    return snapshot


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Put files into a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder
