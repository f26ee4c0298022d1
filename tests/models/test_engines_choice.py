"""Which engine runs a checkpoint, and what is refused before anything is loaded."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from models.errors import ModelTooLargeError, ModelUnusableError
from models.generation.engines.choice import chosen, opened, require_memory
from models.generation.engines.contract import EngineOptions
from models.store.model_store import Checkpoint, Kind

# What follows runs in a process in which some libraries cannot be found, as where they are not installed.
_WITHOUT = """
import importlib.machinery, sys
absent = sys.argv[1].split(",")
class Hiding(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name in absent else super().find_spec(name, path, target)
sys.meta_path = [Hiding if finder is importlib.machinery.PathFinder else finder for finder in sys.meta_path]
from pathlib import Path
from models.errors import ModelError
from models.generation.engines.choice import chosen
from models.store.model_store import Checkpoint
try:
    print(chosen(Checkpoint("tiny", Path(), "seq2seq", "t5", "", (), 0), sys.argv[2], "auto"))
except ModelError as error:
    print(type(error).__name__, error)
"""


def checkpoint(kind: Kind = "seq2seq", model_type: str = "t5", parameters: int = 0) -> Checkpoint:
    return Checkpoint("tiny", Path(), kind, model_type, "", (), 0, parameters)


def without(libraries: str, execution: str) -> str:
    command = [sys.executable, "-c", _WITHOUT, libraries, execution]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_the_t5_family_is_run_by_ctranslate2_in_int8_unless_set_otherwise() -> None:
    assert chosen(checkpoint(), "auto", "auto") == ("ctranslate2", "int8")
    assert chosen(checkpoint(model_type="mt5"), "auto", "float32") == ("ctranslate2", "float32")
    assert chosen(checkpoint(), "torch", "auto") == ("torch", "float32")
    assert chosen(checkpoint(), "auto", "bfloat16") == ("torch", "bfloat16")


def test_all_other_models_are_run_by_torch() -> None:
    assert chosen(checkpoint("causal", "llama"), "auto", "auto") == ("torch", "float32")
    assert chosen(checkpoint("seq2seq", "bart"), "auto", "bfloat16") == ("torch", "bfloat16")


def test_a_model_that_writes_no_text_is_refused() -> None:
    with pytest.raises(ModelUnusableError, match=r"tiny \(vit\) does not write text"):
        chosen(checkpoint("other", "vit"), "auto", "auto")


def test_an_engine_that_cannot_run_the_model_is_refused_with_what_to_set() -> None:
    with pytest.raises(ModelUnusableError, match=r"not run by CTranslate2 here.*Set local\.execution to auto"):
        chosen(checkpoint("causal", "llama"), "ctranslate2", "auto")
    with pytest.raises(ModelUnusableError, match=r"ctranslate2, which has no bfloat16"):
        chosen(checkpoint(), "ctranslate2", "bfloat16")
    with pytest.raises(ModelUnusableError, match=r"torch, which has no int8"):
        chosen(checkpoint("causal", "llama"), "auto", "int8")


def test_a_model_larger_than_the_free_memory_is_refused_before_loading_with_both_figures(tmp_path: Path) -> None:
    options = EngineOptions("float32", 8, 1, 1)
    with pytest.raises(ModelTooLargeError, match=r"tiny needs 4,800,?\d* TB of memory to run, and .+ (MB|GB) are free"):
        opened(checkpoint(parameters=10**15), "torch", options, tmp_path, threading.Event())


def test_where_nobody_knows_what_is_free_nothing_is_refused() -> None:
    require_memory("tiny", 1_000, "run", free=1_000)
    with pytest.raises(ModelTooLargeError, match=r"tiny needs 1\.0 kB of memory to run, and 999 bytes are free"):
        require_memory("tiny", 1_001, "run", free=999)


def test_without_ctranslate2_the_t5_family_is_run_by_torch() -> None:
    assert without("ctranslate2", "auto") == "('torch', 'float32')"


def test_a_library_that_is_not_installed_is_named_with_the_command_that_gets_it() -> None:
    assert without("torch", "torch") == (
        "ModelExtraError Local models need torch, which is not installed. Run `make models`, then start the bot again."
    )
