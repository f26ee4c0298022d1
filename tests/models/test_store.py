"""Finding a model by folder, by trained name or by hub name; and choosing the one that is used."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import ModelMissingError, ModelUnusableError
from models.store.hub_cache import is_hub_name, is_revision
from models.store.model_store import ModelStore
from tests.models.model_folders import LLAMA, VIT, cached, model_files, safetensors, write

FLAN = "google/flan-t5-small"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and an empty working directory."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "hf" / "hub"


@pytest.fixture
def store(cache: Path, tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "data" / "models")


def test_a_folder_is_found_by_its_path(store: ModelStore, tmp_path: Path) -> None:
    folder = write(tmp_path / "mine", model_files())
    assert store.find(str(folder)).folder == folder
    assert store.find("../mine").folder.resolve() == folder
    assert store.find("../mine").revision == ""


def test_a_folder_is_found_from_the_home_directory(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "mine", model_files())
    assert store.find("~/mine").folder == tmp_path / "mine"


def test_a_folder_in_the_working_directory_comes_before_the_hubs_model(store: ModelStore, cache: Path) -> None:
    cached(cache, FLAN, model_files())
    assert store.find(FLAN).revision == "a" * 40
    write(Path(FLAN), model_files())
    assert store.find(FLAN).folder == Path(FLAN).absolute()


def test_a_folder_that_is_no_model_does_not_hide_one_that_is(store: ModelStore, cache: Path) -> None:
    Path("gpt2").mkdir()
    cached(cache, "gpt2", model_files(LLAMA))
    assert store.find("gpt2").kind == "causal"


def test_a_trained_model_is_found_by_its_name(store: ModelStore) -> None:
    folder = write(store.directory / "answers" / "physics-1", model_files())
    assert store.find("physics-1").folder == folder


def test_a_trained_name_never_leads_out_of_its_folder(store: ModelStore) -> None:
    write(store.directory / "secret", model_files())
    assert store.trained("../secret") == []
    write(store.directory / "answers" / ".training", model_files())
    assert store.trained() == []


@pytest.mark.parametrize(
    "name", ["", " ", "x" * 5_000, "a//b", "a/b/c", "../up", "~nobody-of-this-name/x", "a--b", "é"]
)
def test_a_name_that_nothing_can_have_is_answered_with_a_sentence(store: ModelStore, name: str) -> None:
    with pytest.raises(ModelMissingError) as caught:
        store.find(name)
    assert str(caught.value).endswith(".")


def test_a_path_without_a_folder_is_named(store: ModelStore) -> None:
    with pytest.raises(ModelMissingError, match="There is no folder /nowhere/at/all"):
        store.find("/nowhere/at/all")


def test_what_was_never_pulled_comes_with_the_command_that_gets_it(store: ModelStore) -> None:
    with pytest.raises(ModelMissingError) as caught:
        store.find("org/new", "v2")
    assert caught.value.fix == "Get it with `preceptor models pull org/new --revision v2`."


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("google/flan-t5-smal", FLAN),
        ("flan-t5-small", FLAN),
        ("Google/Flan-T5-Small", FLAN),
        ("gogle/flan-t5-base", "google/flan-t5-base"),
        ("phisics-1", "physics-1"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_one_that_was_meant(store: ModelStore, misspelt: str, meant: str) -> None:
    write(store.directory / "answers" / "physics-1", model_files())
    with pytest.raises(ModelMissingError, match=f"Did you mean {meant}?"):
        store.find(misspelt)


def test_the_hubs_model_is_found_by_branch_tag_commit_and_the_commits_beginning(store: ModelStore, cache: Path) -> None:
    cached(cache, FLAN, model_files(), commit="a" * 40)
    cached(cache, FLAN, model_files(extra__json=b"{}"), commit="b" * 40, branch="refs/pr/7")
    assert store.find(FLAN).revision == "a" * 40
    assert store.find(FLAN, "main").revision == "a" * 40
    for revision in ("b" * 40, "b" * 8, "refs/pr/7"):
        assert store.find(FLAN, revision).revision == "b" * 40


@pytest.mark.parametrize("revision", ["v9", "c" * 40, "aaa", "../../refs/main", "main/../main", "", "/etc/passwd"])
def test_a_revision_that_is_not_here_is_named(store: ModelStore, cache: Path, revision: str) -> None:
    cached(cache, FLAN, model_files(), commit="a" * 40)
    if not revision:
        assert store.find(FLAN, revision).revision == "a" * 40
        return
    with pytest.raises(ModelMissingError, match="is not on this machine"):
        store.find(FLAN, revision)


def test_the_only_commit_is_found_without_its_name(store: ModelStore, cache: Path) -> None:
    cached(cache, FLAN, model_files(), branch="")
    assert store.find(FLAN).revision == "a" * 40


def test_several_commits_without_a_main_one_have_to_be_named(store: ModelStore, cache: Path) -> None:
    cached(cache, FLAN, model_files(), commit="a" * 40, branch="")
    cached(cache, FLAN, model_files(extra__json=b"{}"), commit="b" * 40, branch="")
    with pytest.raises(ModelMissingError, match=r"in 2 revisions.*local\.revision"):
        store.find(FLAN)


def test_a_half_downloaded_model_is_called_so(store: ModelStore, cache: Path) -> None:
    files = model_files()
    weights = files.pop("model.safetensors")
    snapshot = cached(cache, FLAN, files)
    write(snapshot.parents[1], {"blobs/0123.incomplete": weights[:9]})
    with pytest.raises(ModelUnusableError) as caught:
        store.find(FLAN)
    assert str(caught.value) == (
        f"{FLAN} is half-downloaded. Run `preceptor models pull {FLAN}`: it fetches what is missing or damaged."
    )


def test_a_download_that_brought_no_file_yet_is_half_downloaded(store: ModelStore, cache: Path) -> None:
    write(cache / "models--google--flan-t5-small", {"refs/main": b"a" * 40, "blobs/0123.incomplete": b""})
    with pytest.raises(ModelUnusableError, match="half-downloaded"):
        store.find(FLAN)


def test_a_link_that_leads_nowhere_is_a_missing_file(store: ModelStore, cache: Path) -> None:
    snapshot = cached(cache, FLAN, model_files())
    (snapshot / "model.safetensors").resolve().unlink()
    with pytest.raises(ModelUnusableError, match="incomplete: it has no weights"):
        store.find(FLAN)


def test_the_cache_is_where_huggingface_hub_has_it(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(tmp_path / "elsewhere", FLAN, model_files())
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "elsewhere"))
    assert store.find(FLAN).folder.is_relative_to(tmp_path / "elsewhere")
    monkeypatch.delenv("HF_HUB_CACHE")
    monkeypatch.delenv("HF_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    cached(tmp_path / "xdg" / "huggingface" / "hub", FLAN, model_files())
    assert store.find(FLAN).folder.is_relative_to(tmp_path / "xdg")


def test_finding_imports_no_heavy_library(store: ModelStore, cache: Path) -> None:
    import subprocess
    import sys

    cached(cache, FLAN, model_files())
    program = (
        "import sys; from pathlib import Path; from models.store.model_store import ModelStore;"
        f"ModelStore(Path('data')).find({FLAN!r});"
        "print({'torch', 'transformers', 'huggingface_hub', 'numpy', 'safetensors'} & sys.modules.keys())"
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == "set()"


def test_nothing_is_in_use_at_first(store: ModelStore) -> None:
    assert store.in_use("answers") == ""


def test_the_chosen_model_is_remembered(store: ModelStore, cache: Path) -> None:
    cached(cache, FLAN, model_files())
    assert store.use("answers", FLAN).kind == "seq2seq"
    assert ModelStore(store.directory).in_use("answers") == FLAN
    assert store.in_use("images") == ""


def test_a_chosen_folder_is_remembered_by_its_whole_path(store: ModelStore, tmp_path: Path) -> None:
    folder = write(tmp_path / "work" / "mine", model_files())
    store.use("answers", "./mine")
    assert store.in_use("answers") == str(folder)
    store.use("answers", "mine")
    assert store.in_use("answers") == str(folder)


def test_what_cannot_be_used_changes_nothing(store: ModelStore, cache: Path) -> None:
    cached(cache, FLAN, model_files())
    cached(cache, "org/torn", model_files(model__safetensors=safetensors({"a": 2})[:-1]))
    cached(cache, "org/vit", model_files(VIT, preprocessor_config__json=b"{}"))
    store.use("answers", FLAN)
    for name, told in (("org/torn", "truncated or damaged"), ("org/vit", "does not write text")):
        with pytest.raises(ModelUnusableError, match=told):
            store.use("answers", name)
    with pytest.raises(ModelMissingError):
        store.use("answers", "org/none")
    assert store.in_use("answers") == FLAN


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"answers": 7}', b"\xff"])
def test_a_damaged_choice_is_told_and_mended_by_choosing_again(store: ModelStore, cache: Path, content: bytes) -> None:
    cached(cache, FLAN, model_files())
    write(store.directory, {"in_use.json": content})
    with pytest.raises(ModelUnusableError, match=r"cannot be read.*preceptor models use NAME"):
        store.in_use("answers")
    store.use("answers", FLAN)
    assert store.in_use("answers") == FLAN


def test_a_choice_leaves_the_other_tasks_alone_and_no_file_behind(store: ModelStore, cache: Path) -> None:
    cached(cache, FLAN, model_files())
    write(store.directory, {"in_use.json": b'{"images": "org/vit"}'})
    store.use("answers", FLAN)
    assert json.loads((store.directory / "in_use.json").read_text()) == {"images": "org/vit", "answers": FLAN}
    assert [file.name for file in store.directory.iterdir()] == ["in_use.json"]


def test_a_choice_that_cannot_be_written_is_a_sentence(store: ModelStore, cache: Path) -> None:
    cached(cache, FLAN, model_files())
    store.directory.parent.mkdir(parents=True)
    store.directory.write_bytes(b"a file where the folder should be")
    with pytest.raises(ModelUnusableError, match=r"The choice cannot be written to .*in_use\.json"):
        store.use("answers", FLAN)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=60), revision=st.text(max_size=30))
def test_whatever_is_asked_for_is_answered_with_an_error_of_ours(store: ModelStore, name: str, revision: str) -> None:
    with pytest.raises((ModelMissingError, ModelUnusableError)):
        store.find(name, revision)


@given(name=st.text(alphabet="ab./-_~\\ :", max_size=12))
def test_no_name_and_no_revision_leads_out_of_the_cache(name: str) -> None:
    if is_hub_name(name) or is_revision(name):
        assert not name.startswith("/")
        assert ".." not in name
