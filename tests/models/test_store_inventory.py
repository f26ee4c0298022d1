"""What is listed, verified and removed of the models on this machine."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import ModelMissingError, ModelUnusableError
from models.store.inventory import entries, licence_of
from models.store.model_store import ModelStore
from models.store.removal import folders_of, remove
from models.store.sizes import in_words, parameters_in_words
from models.store.verification import examine
from tests.models.loopback_hub import git_sha1
from tests.models.model_folders import LLAMA, cached, model_files, safetensors, write

FLAN = "google/flan-t5-small"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "hub"


@pytest.fixture
def store(cache: Path, tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def _conversion(store: ModelStore, folder: Path) -> Path:
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return write(store.directory / "converted" / f"flan_t5_small-int8-{digest}-0123456789ab", {"model.bin": b"x" * 500})


def test_an_empty_machine_has_no_models(store: ModelStore) -> None:
    assert entries(store) == []


def test_what_was_trained_comes_first_and_everything_is_told(store: ModelStore, cache: Path) -> None:
    files = model_files()
    snapshot = cached(cache, FLAN, files)
    _conversion(store, snapshot)
    write(store.directory / "answers" / "physics-1", model_files(LLAMA))
    trained, pulled = entries(store)
    assert (trained.name, trained.origin, trained.kind, trained.revision) == ("physics-1", "trained", "causal", "")
    assert (pulled.name, pulled.origin, pulled.kind, pulled.model_type) == (FLAN, "hub", "seq2seq", "t5")
    assert (pulled.revision, pulled.main, pulled.licence) == ("a" * 40, True, "apache-2.0")
    assert (pulled.parameters, pulled.converted, pulled.problem) == (5_000, 500, "")
    assert pulled.size == sum(map(len, files.values()))


def test_each_commit_is_listed_by_itself(store: ModelStore, cache: Path) -> None:
    cached(cache, FLAN, model_files(), commit="a" * 40)
    cached(cache, FLAN, model_files(extra__json=b"{}"), commit="b" * 40, branch="v2")
    assert {entry.revision[0]: entry.main for entry in entries(store)} == {"a": True, "b": False}


def test_what_is_not_whole_is_listed_with_the_reason(store: ModelStore, cache: Path) -> None:
    write(cache / "models--org--begun", {"blobs/0123.incomplete": b"x" * 70})
    write(store.directory / "answers" / "torn", model_files(model__safetensors=safetensors({"a": 3})[:-1]))
    torn, begun = entries(store)
    assert (begun.kind, begun.size) == ("", 70)
    assert begun.problem.startswith("org/begun is half-downloaded.")
    assert "truncated or damaged" in torn.problem


def test_a_folder_in_the_cache_without_any_file_is_no_model(store: ModelStore, cache: Path) -> None:
    write(cache / "models--org--asked", {"trees/0.json": b"{}"})
    write(cache / "datasets--org--data" / "snapshots", {"x": b""})
    assert entries(store) == []


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: mit\n---\n", "mit"),
        ('---\ntags: [a]\nlicense: "mit"  # yes\n---\ntext', "mit"),
        ("---\nlicense: other\nlicense_name: llama3.2\n---\n", "llama3.2"),
        ("---\nlanguage: en\n---\nlicense: mit\n", ""),
        ("license: mit", ""),
        ("", ""),
    ],
)
def test_the_licence_is_read_from_the_cards_head_alone(tmp_path: Path, card: str, licence: str) -> None:
    assert licence_of(write(tmp_path, {"README.md": card.encode()})) == licence


def test_a_model_without_a_card_states_no_licence(tmp_path: Path) -> None:
    assert licence_of(tmp_path) == ""


def test_every_file_from_the_hub_is_verified(store: ModelStore, cache: Path) -> None:
    cached(cache, FLAN, model_files())
    (report,) = examine(store, [])
    assert report.whole
    assert str(report) == f"{FLAN} (aaaaaaaaaaaa) is whole: 5 files verified by checksum."


def test_an_altered_file_is_named_though_its_size_is_right(store: ModelStore, cache: Path) -> None:
    snapshot = cached(cache, FLAN, model_files())
    weights = (snapshot / "model.safetensors").resolve()
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    (report,) = examine(store, [FLAN])
    assert (report.whole, report.damaged, report.verified) == (False, ("model.safetensors",), 4)
    assert str(report) == (
        f"{FLAN} is damaged: model.safetensors is not as it arrived. `preceptor models pull {FLAN}` gets it anew."
    )


def test_a_file_that_is_gone_is_named(store: ModelStore, cache: Path) -> None:
    snapshot = cached(cache, FLAN, model_files())
    (snapshot / "tokenizer.json").resolve().unlink()
    (report,) = examine(store, [FLAN])
    assert report.damaged == ("tokenizer.json",)


def test_a_copied_snapshot_is_verified_by_what_was_recorded_beside_it(store: ModelStore, tmp_path: Path) -> None:
    files = model_files()
    folder = write(tmp_path / "carried", files)
    for name, content in files.items():
        digest = hashlib.sha256(content).hexdigest() if name.endswith("safetensors") else git_sha1(content)
        record = f"{'a' * 40}\n{digest}\n1700000000.0\n".encode()
        write(folder / ".cache" / "huggingface" / "download", {f"{name}.metadata": record})
    (report,) = examine(store, [str(folder)])
    assert (report.whole, report.verified) == (True, 5)
    write(folder, {"config.json": files["config.json"] + b" "})
    (report,) = examine(store, [str(folder)])
    assert report.damaged == ("config.json",)
    assert "Copy the folder once more." in report.problem


def test_a_folder_without_records_is_judged_by_its_headers(store: ModelStore, tmp_path: Path) -> None:
    write(tmp_path / "mine", model_files())
    (report,) = examine(store, ["./mine"])
    assert str(report) == "./mine is whole: no checksums were recorded."
    write(tmp_path / "mine", {"model.safetensors": safetensors({"a": 3})[:-1]})
    (report,) = examine(store, ["./mine"])
    assert "truncated or damaged" in str(report)


def test_a_name_that_is_not_here_is_a_problem(store: ModelStore) -> None:
    (report,) = examine(store, ["org/none"])
    assert not report.whole
    assert "There is no model 'org/none' on this machine." in str(report)


def test_the_bytes_that_are_verified_are_told(store: ModelStore, cache: Path) -> None:
    files, told = model_files(), list[int]()
    cached(cache, FLAN, files)
    examine(store, [], told.append)
    assert sum(told) == sum(map(len, files.values()))


def test_removing_frees_what_it_says_conversions_included(store: ModelStore, cache: Path) -> None:
    files = model_files()
    snapshot = cached(cache, FLAN, files)
    other = cached(cache, "org/other", files)
    ours, others = _conversion(store, snapshot), _conversion(store, other)
    assert remove(store, FLAN) == sum(map(len, files.values())) + 500 + len("a" * 40)
    assert not ours.exists()
    assert others.exists()
    assert [entry.name for entry in entries(store)] == ["org/other"]


def test_a_half_downloaded_model_can_be_removed(store: ModelStore, cache: Path) -> None:
    write(cache / "models--org--begun", {"blobs/0123.incomplete": b"x" * 70})
    assert remove(store, "org/begun") == 70
    assert list(cache.glob("models--*")) == []


def test_removing_a_trained_model_removes_its_unfinished_training(store: ModelStore) -> None:
    answers = store.directory / "answers"
    write(answers / "physics-1", model_files())
    write(answers / ".training" / "physics-1", {"checkpoint-9/model.safetensors": b"x"})
    remove(store, "physics-1")
    assert [file for file in answers.rglob("*") if file.is_file()] == []


def test_a_folder_of_ones_own_is_not_removed(store: ModelStore, tmp_path: Path) -> None:
    folder = write(tmp_path / "mine", model_files())
    with pytest.raises(ModelUnusableError, match="is a folder of your own"):
        remove(store, str(folder))
    assert (folder / "config.json").exists()


@pytest.mark.parametrize("name", ["org/none", "../models", "", "none"])
def test_what_is_not_here_is_not_removed(store: ModelStore, name: str) -> None:
    with pytest.raises((ModelMissingError, ModelUnusableError)):
        folders_of(store, name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=40) | st.sampled_from(["~nobody", "x" * 9_000, "/", "a/" * 3_000]))
def test_whatever_is_asked_for_is_answered(store: ModelStore, name: str) -> None:
    (report,) = examine(store, [name])
    assert not report.whole
    with pytest.raises((ModelMissingError, ModelUnusableError)):
        folders_of(store, name)


@pytest.mark.slow
def test_a_real_conversion_is_removed_with_its_model(store: ModelStore, tmp_path: Path) -> None:
    import threading

    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    from models.generation.engines.conversion import converted_folder

    folder = store.directory / "answers" / "tiny"
    write(folder, {"tokenizer.json": model_files()["tokenizer.json"]})
    config = T5Config(vocab_size=8, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)
    T5ForConditionalGeneration(config).save_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_file=str(folder / "tokenizer.json"), pad_token="<unk>"
    )
    tokenizer.save_pretrained(folder)
    made = converted_folder(store.find("tiny"), "int8", store.directory / "converted", threading.Event())
    assert made in folders_of(store, "tiny")


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1.0 kB"),
        (307_867_048, "308 MB"),
        (999_999, "1.0 MB"),
        (9_960_000_000, "10 GB"),
        (2_500 * 10**12, "2,500 TB"),
    ],
)
def test_sizes_are_written_as_people_read_them(size: int, words: str) -> None:
    assert in_words(size) == words


@pytest.mark.parametrize(
    ("count", "words"), [(12, "12"), (5_000, "5.0k"), (76_961_152, "77M"), (1_100_048_384, "1.1B")]
)
def test_parameters_are_written_as_their_makers_do(count: int, words: str) -> None:
    assert parameters_in_words(count) == words
