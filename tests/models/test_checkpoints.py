"""What is a whole, safe model, and what is told of one that is not."""

import json
import re
import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ModelUnusableError
from models.store.checkpoints import TEXT_TO_TEXT, judged, kind_of
from tests.models.model_folders import LLAMA, T5, TOKENIZER, VIT, model_files, safetensors, sharded, write


def _refusal(folder: Path) -> str:
    with pytest.raises(ModelUnusableError) as caught:
        judged(folder, "the-model", mend="Mend it.")
    return str(caught.value)


def _headed(header: dict[str, Any]) -> bytes:
    written = json.dumps(header).encode()
    return struct.pack("<Q", len(written)) + written


def test_a_whole_model_is_told_with_its_size_and_kind(tmp_path: Path) -> None:
    files = model_files()
    found = judged(write(tmp_path, files), "the-model", "c0ffee")
    assert (found.name, found.folder, found.revision) == ("the-model", tmp_path, "c0ffee")
    assert (found.kind, found.model_type) == ("seq2seq", "t5")
    assert found.weight_files == (tmp_path / "model.safetensors",)
    assert found.weight_bytes == len(files["model.safetensors"])
    assert found.parameters == 5_000


def test_weights_in_several_files_come_in_the_order_of_their_index(tmp_path: Path) -> None:
    found = judged(write(tmp_path, sharded()), "the-model")
    assert [file.name for file in found.weight_files] == [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ]
    assert found.parameters == 1_500


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        (T5, "seq2seq"),
        ({"model_type": "marian", "architectures": ["MarianMTModel"]}, "seq2seq"),
        ({"model_type": "t5", "architectures": ["T5EncoderModel"]}, "other"),
        (LLAMA, "causal"),
        ({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}, "causal"),
        (VIT, "other"),
        ({"model_type": "whisper", "architectures": ["WhisperForConditionalGeneration"]}, "other"),
        ({"model_type": "llava", "architectures": ["LlavaForConditionalGeneration"]}, "other"),
        ({"model_type": "bert", "architectures": None}, "other"),
        ({"model_type": "bert", "architectures": [7, None]}, "other"),
    ],
)
def test_the_kind_is_told_by_the_architectures(config: dict[str, Any], kind: str) -> None:
    assert kind_of(config) == kind


def test_every_text_to_text_type_is_one_that_transformers_loads_as_such() -> None:
    transformers = find_spec("transformers")
    if transformers is None or transformers.origin is None:
        pytest.skip("transformers is not installed (the models extra)")
    table = (Path(transformers.origin).parent / "models" / "auto" / "modeling_auto.py").read_text(encoding="utf-8")
    rows = table.partition("MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES = ")[2].partition("\n)")[0]
    known = dict(re.findall(r'\("(.+)", "(.+)"\)', rows))
    assert known.keys() >= TEXT_TO_TEXT
    for model_type in TEXT_TO_TEXT:
        assert kind_of({"model_type": model_type, "architectures": [known[model_type]]}) == "seq2seq"


def test_the_real_picture_model_is_judged_as_one() -> None:
    folder = Path(__file__).parents[2].parent / "shared" / "models" / "vit-tiny-patch16-224"
    if not folder.is_dir():
        pytest.skip("the shared models are not here")
    found = judged(folder, "vit-tiny")
    assert (found.kind, found.model_type) == ("other", "vit")
    assert 5_000_000 < found.parameters < 6_500_000


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"config.json": None}, "the-model is no model: it has no config.json. Mend it."),
        ({"config.json": b"{"}, "the-model is damaged: config.json is not JSON"),
        ({"config.json": b"\xff\xfe\x00"}, "the-model is damaged: config.json is not JSON"),
        ({"config.json": b"[" * 100_000}, "the-model is damaged: config.json is not JSON"),
        ({"config.json": b"[]"}, "config.json is not a JSON object"),
        ({"config.json": b"{}"}, "its config.json has no model_type"),
        ({"tokenizer.json": None}, "the-model is incomplete: it has no tokenizer (tokenizer.json). Mend it."),
        ({"tokenizer.json": TOKENIZER[:20]}, "the-model is damaged: tokenizer.json breaks off. Mend it."),
        ({"model.safetensors": None}, "the-model is incomplete: it has no weights (model.safetensors). Mend it."),
        ({"model.safetensors": b""}, "0 bytes are too few"),
        ({"model.safetensors": b"\x00" * 7}, "7 bytes are too few"),
        ({"model.safetensors": struct.pack("<Q", 2**63) + b"{}"}, "are too few for its own header"),
        ({"model.safetensors": struct.pack("<Q", 2) + b"[]"}, "its header is not safetensors'"),
        ({"model.safetensors": _headed({"a": {"shape": ["ab"], "data_offsets": [0, 0]}})}, "is not safetensors'"),
        ({"model.safetensors": _headed({"a": {"shape": [[1]], "data_offsets": [0, 0]}})}, "is not safetensors'"),
        ({"model.safetensors": _headed({"a": {"shape": [0.5], "data_offsets": [0, 0]}})}, "is not safetensors'"),
        ({"adapter_config.json": b"{}"}, "has an adapter beside its weights"),
        ({"model.safetensors": b"\x80\x02}q\x00." + b"x" * 90}, "truncated or damaged"),
        (
            {"model.safetensors": safetensors({"a": 9})[:-4]},
            "its header promises 36 bytes of tensors, and there are 32",
        ),
        (
            {"model.safetensors": b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n"},
            "is only Git LFS's pointer to the weights. Run `git lfs pull`",
        ),
    ],
)
def test_what_is_missing_or_torn_is_named(tmp_path: Path, change: dict[str, bytes | None], told: str) -> None:
    files = {name: content for name, content in (model_files() | change).items() if content is not None}
    assert told in _refusal(write(tmp_path, files))


def test_a_pickle_is_refused_with_the_reason_and_the_way_out(tmp_path: Path) -> None:
    files = model_files(pytorch_model__bin=b"\x80\x02")
    del files["model.safetensors"]
    told = _refusal(write(tmp_path, files))
    assert "only as a pickle (pytorch_model.bin)" in told
    assert "can run any code" in told
    assert "--revision refs/pr/" in told


def test_a_pickle_beside_safetensors_is_left_alone(tmp_path: Path) -> None:
    folder = write(tmp_path, model_files(pytorch_model__bin=b"\x80\x02", training_args__bin=b"\x80"))
    assert judged(folder, "the-model").weight_files == (folder / "model.safetensors",)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"model.gguf": b"GGUF"}, "the-model is no model: it has no config.json"),
        ({"config.json": json.dumps(LLAMA).encode(), "m.gguf": b"GGUF"}, "served by Ollama or llama.cpp"),
        ({"config.json": json.dumps(T5).encode(), "tf_model.h5": b"x"}, "only as tf_model.h5"),
        ({"adapter_config.json": b"{}", "adapter_model.safetensors": safetensors({"a": 1})}, "Merge it into its base"),
        ({"model_index.json": b"{}"}, "is a diffusers pipeline"),
        (
            {"config.json": json.dumps(T5).encode(), "weights.safetensors": safetensors({"a": 1})},
            "its weights lie in weights.safetensors",
        ),
        ({}, "the-model is an empty folder"),
    ],
)
def test_what_is_something_else_is_called_by_its_name(tmp_path: Path, files: dict[str, bytes], told: str) -> None:
    assert told in _refusal(write(tmp_path, files))


def test_a_model_with_code_of_its_own_is_refused(tmp_path: Path) -> None:
    config = {"model_type": "own_thing", "architectures": ["OwnForCausalLM"], "auto_map": {"AutoModel": "own.Thing"}}
    told = _refusal(write(tmp_path, model_files(config)))
    assert "brings code of its own" in told
    assert '"own_thing"' in told


def test_a_model_with_code_of_its_own_is_taken_where_transformers_has_its_type(tmp_path: Path) -> None:
    config = LLAMA | {"auto_map": {"AutoModelForCausalLM": "modeling_llama.LlamaForCausalLM"}}
    assert judged(write(tmp_path, model_files(config)), "the-model").kind == "causal"


def test_a_missing_part_of_the_weights_is_named(tmp_path: Path) -> None:
    files = sharded()
    del files["model-00002-of-00002.safetensors"]
    told = _refusal(write(tmp_path, files))
    assert "1 of its 2 weight files are missing (model-00002-of-00002.safetensors first)" in told


def test_a_tensor_that_the_index_promises_and_no_file_holds_is_named(tmp_path: Path) -> None:
    files = sharded()
    files["model-00002-of-00002.safetensors"] = safetensors({"other.weight": 500})
    assert "model-00002-of-00002.safetensors lacks the tensor lm_head.weight" in _refusal(write(tmp_path, files))


@pytest.mark.parametrize("index", [b"{}", b'{"weight_map": {}}', b'{"weight_map": []}', b'{"weight_map": {"a": 7}}'])
def test_an_index_without_a_map_is_damage(tmp_path: Path, index: bytes) -> None:
    assert "the-model is damaged" in _refusal(write(tmp_path, sharded() | {"model.safetensors.index.json": index}))


def test_an_index_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    index = json.dumps({"weight_map": {"a": "../../secret.safetensors"}}).encode()
    assert "names a file outside" in _refusal(write(tmp_path, sharded() | {"model.safetensors.index.json": index}))


def test_an_index_that_names_a_pickle_is_refused(tmp_path: Path) -> None:
    files = sharded() | {"pytorch_model.bin": safetensors({"a": 1})}
    files["model.safetensors.index.json"] = json.dumps({"weight_map": {"a": "pytorch_model.bin"}}).encode()
    assert "pytorch_model.bin, which is no safetensors file" in _refusal(write(tmp_path, files))


def test_a_model_for_pictures_needs_no_tokenizer(tmp_path: Path) -> None:
    files = model_files(VIT, preprocessor_config__json=b"{}")
    del files["tokenizer.json"]
    assert judged(write(tmp_path, files), "the-model").kind == "other"


@pytest.mark.parametrize("tokenizer", [("spiece.model",), ("vocab.json", "merges.txt"), ("source.spm", "target.spm")])
def test_older_tokenizers_are_tokenizers(tmp_path: Path, tokenizer: tuple[str, ...]) -> None:
    files = model_files() | dict.fromkeys(tokenizer, b"x")
    del files["tokenizer.json"]
    assert judged(write(tmp_path, files), "the-model").kind == "seq2seq"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path, model_files())
    (folder / "config.json").unlink()
    (folder / "config.json").symlink_to("config.json")
    assert "the-model is no model: it has no config.json" in _refusal(folder)


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(min_value=0, max_value=len(safetensors({"a": 20, "b": 5})) - 1))
def test_weights_that_break_off_anywhere_are_never_taken(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("torn")
    write(folder, model_files(model__safetensors=safetensors({"a": 20, "b": 5})[:cut]))
    _refusal(folder)


@settings(max_examples=40, deadline=None)
@given(noise=st.binary(max_size=200))
def test_no_bytes_at_all_make_the_judging_break(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    folder = tmp_path_factory.mktemp("noise")
    _refusal(write(folder, model_files(model__safetensors=struct.pack("<Q", len(noise)) + noise + b"x")))
