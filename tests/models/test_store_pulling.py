"""Downloading from a hub on this machine: what is told, what arrives, and what happens when it breaks."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models.errors import ModelError, ModelMissingError, ModelTooLargeError, ModelUnusableError
from models.store.hub import Offer, fetch, offer
from models.store.model_store import ModelStore
from tests.models.loopback_hub import LoopbackHub
from tests.models.model_folders import LLAMA, model_files, safetensors, sharded

FLAN = "google/flan-t5-small"
CHUNK = 10 * 1024 * 1024
"""What huggingface_hub keeps in its hands before it writes: so much can be lost in a break."""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    with LoopbackHub().running() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        yield running


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "data" / "models")


def _pull(name: str, revision: str = "") -> Offer:
    offered = offer(name, revision)
    fetch(offered)
    return offered


def _told(name: str, revision: str = "") -> str:
    with pytest.raises(ModelError) as caught:
        _pull(name, revision)
    return str(caught.value)


def test_what_is_pulled_is_found_by_its_name(hub: LoopbackHub, store: ModelStore) -> None:
    hub.add(FLAN, model_files())
    found = fetch(offer(FLAN))
    assert found.revision == hub.repositories[FLAN].branches["main"]
    assert store.find(FLAN) == found


def test_size_licence_and_commit_are_told_before_anything_is_downloaded(hub: LoopbackHub) -> None:
    files = model_files(pytorch_model__bin=b"x" * 9_000)
    hub.add(FLAN, files, licence="mit")
    offered = offer(FLAN)
    size = sum(len(content) for name, content in files.items() if name != "pytorch_model.bin")
    assert (offered.licence, offered.commit) == ("mit", hub.repositories[FLAN].branches["main"])
    assert (offered.size, offered.to_fetch) == (size, size)
    assert [request.path for request in hub.requests] == [f"/api/models/{FLAN}"]


def test_only_what_is_loaded_is_downloaded(hub: LoopbackHub) -> None:
    unwanted = {
        "pytorch_model.bin": b"x" * 9_000,
        "tf_model.h5": b"x",
        "flax_model.msgpack": b"x",
        "onnx/model.onnx": b"x",
        "onnx/config.json": b"{}",
        "modeling_own.py": b"print('run me')",
        "training_args.bin": b"x",
        "model.fp16.safetensors": safetensors({"a": 2}),
        "consolidated.safetensors": safetensors({"a": 2}),
    }
    wanted = {"chat_template.jinja": b"{{ messages }}", "spiece.model": b"s", "LICENSE.txt": b"free"}
    hub.add(FLAN, model_files() | wanted | unwanted)
    paths = {file.path for file in _pull(FLAN).files}
    assert paths == set(model_files()) | wanted.keys()
    asked = {request.path.rpartition("/resolve/")[2].partition("/")[2] for request in hub.requests}
    assert not asked & unwanted.keys()


def test_weights_in_several_files_are_pulled(hub: LoopbackHub, store: ModelStore) -> None:
    hub.add("org/llama", sharded())
    _pull("org/llama")
    assert len(store.find("org/llama").weight_files) == 2


def test_what_is_here_is_not_downloaded_again(hub: LoopbackHub) -> None:
    hub.add(FLAN, model_files())
    _pull(FLAN)
    hub.requests.clear()
    offered = _pull(FLAN)
    assert (offered.missing, offered.to_fetch) == ((), 0)
    assert not [request for request in hub.requests if "/resolve/" in request.path or "/files/" in request.path]


def test_the_bytes_that_are_told_add_up_to_what_was_announced(hub: LoopbackHub) -> None:
    hub.add(FLAN, model_files())
    offered, told = offer(FLAN), list[int]()
    fetch(offered, told.append)
    assert sum(told) == offered.to_fetch


def test_a_revision_is_pulled_beside_the_main_one(hub: LoopbackHub, store: ModelStore) -> None:
    hub.add(FLAN, model_files())
    pinned = hub.repositories[FLAN].commit(model_files(model__safetensors=safetensors({"a": 7})), "refs/pr/3")
    _pull(FLAN)
    _pull(FLAN, "refs/pr/3")
    assert store.find(FLAN, "refs/pr/3").revision == pinned
    assert store.find(FLAN, pinned).parameters == 7
    assert store.find(FLAN).parameters == 5_000


def test_a_new_commit_takes_the_old_ones_place_only_when_it_is_whole(hub: LoopbackHub, store: ModelStore) -> None:
    hub.add(FLAN, model_files())
    old = _pull(FLAN).commit
    new = hub.repositories[FLAN].commit(model_files(model__safetensors=safetensors({"a": 7})))
    hub.faults.altered.add("model.safetensors")
    assert "arrived damaged" in _told(FLAN)
    assert store.find(FLAN).revision == old
    hub.faults.altered.clear()
    _pull(FLAN)
    assert store.find(FLAN).revision == new


def test_a_pickle_is_refused_before_any_download(hub: LoopbackHub) -> None:
    hub.add("org/old", {"config.json": b"{}", "pytorch_model.bin": b"x" * 9_000})
    assert "has its weights only as a pickle (pytorch_model.bin)" in _told("org/old")
    assert [request.path for request in hub.requests] == ["/api/models/org/old"]


def test_a_repository_without_weights_is_refused_before_any_download(hub: LoopbackHub) -> None:
    hub.add("org/empty", {"config.json": b"{}", "README.md": b"soon"})
    assert "has no weights on the hub that are loaded here" in _told("org/empty")


def test_code_of_its_own_is_refused_before_the_weights_and_leaves_nothing(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.add("org/code", model_files({"model_type": "own_thing", "auto_map": {"AutoModel": "own.Thing"}}))
    assert "brings code of its own" in _told("org/code")
    assert not hub.asked_for("model.safetensors")
    assert not list((tmp_path / "hf" / "hub").glob("models--*"))


def test_a_model_larger_than_the_disk_is_refused_with_both_figures(hub: LoopbackHub) -> None:
    hub.add("org/vast", model_files(), stated_sizes={"model.safetensors": 3 * 10**15})
    with pytest.raises(ModelTooLargeError, match=r"needs 3,000 TB more, and .*B are free in .*hub"):
        offer("org/vast")


def test_a_name_the_hub_does_not_know_is_said_to_be_unknown(hub: LoopbackHub) -> None:
    assert _told("org/none").startswith(f"There is no model org/none on {hub.address}, or it is private")


def test_a_revision_the_hub_does_not_know_is_said_to_be_unknown(hub: LoopbackHub) -> None:
    hub.add(FLAN, model_files())
    assert f"{FLAN} has no revision 'v9'" in _told(FLAN, "v9")


@pytest.mark.parametrize(("name", "revision"), [("a b", ""), ("../up", ""), ("a/b/c", ""), (FLAN, "../main")])
def test_what_can_be_no_name_is_not_asked_for(hub: LoopbackHub, name: str, revision: str) -> None:
    with pytest.raises(ModelUnusableError, match="can be called"):
        offer(name, revision)
    assert hub.requests == []


def test_a_gated_model_comes_with_its_page_and_the_steps(hub: LoopbackHub) -> None:
    hub.add("org/gated", model_files(), gated=True)
    assert offer("org/gated").gated
    told = _told("org/gated")
    assert f"1. Sign in and accept the terms on {hub.address}/org/gated." in told
    assert f"2. Make a token of the kind “read” on {hub.address}/settings/tokens." in told
    assert "3. Put it into the environment as HF_TOKEN" in told


def test_a_token_that_was_not_let_in_is_told_apart(hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add("org/gated", model_files(), gated=True, let_in={"hf_right"})
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    assert "your account has not been let in" in _told("org/gated")
    assert "hf_other" not in _told("org/gated")


def test_the_token_opens_a_gated_model_and_never_leaves_the_hub(
    hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch, store: ModelStore
) -> None:
    hub.add("org/gated", model_files(), gated=True, let_in={"hf_right"})
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    _pull("org/gated")
    assert store.find("org/gated")
    assert {request.token for request in hub.requests if "/resolve/" in request.path} == {"hf_right"}
    assert {request.token for request in hub.requests if request.path.startswith("/files/")} == {""}


@pytest.mark.parametrize(
    ("status", "message", "told"),
    [
        (401, "Invalid credentials in Authorization header", "does not take the token in HF_TOKEN"),
        (403, "", "does not give"),
        (407, "", "The proxy does not let us"),
        (429, "", "lets nobody ask so often"),
        (500, "", "is out of order (500)"),
        (503, "", "is out of order (503)"),
    ],
)
def test_a_hub_that_refuses_is_told_in_a_sentence(hub: LoopbackHub, status: int, message: str, told: str) -> None:
    hub.faults.status, hub.faults.message = status, message
    assert told in _told(FLAN)


def test_a_sign_in_page_in_the_hubs_place_is_recognised(hub: LoopbackHub) -> None:
    hub.faults.body = b"<html>Welcome to the hotel's network</html>"
    assert "is not what a hub answers" in _told(FLAN)


def test_a_hub_out_of_reach_is_told_in_a_sentence(hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://user:secret@127.0.0.1:9")
    told = _told(FLAN)
    assert told.startswith("http://127.0.0.1:9 cannot be reached (ConnectError)")
    assert "secret" not in told


def test_a_broken_connection_is_taken_up_where_it_broke(hub: LoopbackHub, store: ModelStore) -> None:
    weights = safetensors({"w": 4_000_000})
    hub.add(FLAN, model_files(model__safetensors=weights))
    hub.faults.break_off["model.safetensors"] = CHUNK + 5
    told = list[int]()
    offered = offer(FLAN)
    fetch(offered, told.append)
    ranges = [request.range for request in hub.requests if request.path.startswith("/files/")]
    assert ranges == ["", f"bytes={CHUNK}-"]
    assert sum(told) == offered.to_fetch
    assert store.find(FLAN).weight_bytes == len(weights)


def test_the_next_pull_goes_on_where_the_last_one_ended(hub: LoopbackHub, store: ModelStore, tmp_path: Path) -> None:
    weights = safetensors({"w": 4_000_000})
    hub.add(FLAN, model_files(model__safetensors=weights))
    blobs = tmp_path / "hf" / "hub" / "models--google--flan-t5-small" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{hashlib.sha256(weights).hexdigest()}.incomplete").write_bytes(weights[:1_000_000])
    with pytest.raises(ModelUnusableError, match="half-downloaded"):
        store.find(FLAN)
    offered = offer(FLAN)
    assert offered.to_fetch == offered.size - 1_000_000
    fetch(offered)
    assert [request.range for request in hub.requests if request.path.startswith("/files/")] == ["bytes=1000000-"]
    assert [file.suffix for file in blobs.iterdir()] == [""] * len(offered.files)


def test_a_beginning_that_belongs_to_something_else_is_thrown_away(hub: LoopbackHub, tmp_path: Path) -> None:
    weights = safetensors({"w": 4_000})
    hub.add(FLAN, model_files(model__safetensors=weights))
    blobs = tmp_path / "hf" / "hub" / "models--google--flan-t5-small" / "blobs"
    blobs.mkdir(parents=True)
    partial = blobs / f"{hashlib.sha256(weights).hexdigest()}.incomplete"
    partial.write_bytes(b"x" * 100)
    assert "model.safetensors has not the checksum that the hub states" in _told(FLAN)
    _pull(FLAN)
    partial.with_suffix("").unlink()
    partial.write_bytes(b"x" * 100_000)
    _pull(FLAN)


@pytest.mark.parametrize("path", ["model.safetensors", "config.json", "tokenizer.json"])
def test_what_arrives_altered_is_refused_and_right_the_next_time(
    hub: LoopbackHub, store: ModelStore, path: str
) -> None:
    hub.add(FLAN, model_files())
    hub.faults.altered.add(path)
    assert f"{FLAN} arrived damaged: {path} has not the checksum that the hub states." in _told(FLAN)
    with pytest.raises(ModelUnusableError):
        store.find(FLAN)
    hub.faults.altered.clear()
    _pull(FLAN)
    assert store.find(FLAN)


@pytest.mark.parametrize("path", ["model.safetensors", "tokenizer.json"])
def test_a_pull_mends_what_was_damaged_on_the_disk(hub: LoopbackHub, store: ModelStore, path: str) -> None:
    hub.add(FLAN, model_files())
    _pull(FLAN)
    damaged = store.find(FLAN).folder / path
    right = damaged.read_bytes()
    damaged.resolve().write_bytes(right[:-1] + b"?")
    offered = _pull(FLAN)
    assert [file.path for file in offered.missing] == [path]
    assert damaged.read_bytes() == right


def test_two_pulls_at_once_end_with_one_whole_model(hub: LoopbackHub, store: ModelStore) -> None:
    hub.add("org/llama", model_files(LLAMA, model__safetensors=safetensors({"w": 500_000})))
    together = threading.Barrier(2)

    def _pulled() -> None:
        together.wait(10)
        _pull("org/llama")

    with ThreadPoolExecutor(2) as pool:
        for pulled in [pool.submit(_pulled) for _ in range(2)]:
            pulled.result(30)
    assert store.find("org/llama").parameters == 500_000
    assert len([request for request in hub.requests if request.path.startswith("/files/")]) == 1


def test_a_cache_that_cannot_be_written_is_told_in_a_sentence(
    hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add(FLAN, model_files())
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "file"))
    with pytest.raises((ModelMissingError, ModelUnusableError), match=f"{FLAN} cannot be stored"):
        _pull(FLAN)


def test_a_commit_that_is_none_leads_to_no_folder(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.add(FLAN, model_files())
    own = tmp_path / "own" / "config.json"
    own.parent.mkdir()
    own.write_text("{}")
    repository = hub.repositories[FLAN]
    odd = "../../../../own"
    repository.commits[odd] = repository.commits[repository.branches["main"]]
    repository.branches["main"] = odd
    assert "is not what a hub answers" in _told(FLAN)
    assert own.read_text() == "{}"
