"""`preceptor models` as a person meets it: real processes that download from a hub on this machine."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.vision.defaults import CAPTIONS, LABELS
from tests.models.loopback_hub import LoopbackHub
from tests.models.model_folders import LLAMA, VIT, cached, model_files, safetensors, write

PRECEPTOR = str(Path(sys.executable).with_name("preceptor"))
FLAN = "google/flan-t5-small"
GIT = {"model_type": "git", "architectures": ["GitForCausalLM"]}
PROCESSOR = {"preprocessor_config.json": b'{"image_processor_type": "ViTImageProcessor"}'}
CHUNK = 10 * 1024 * 1024
"""What huggingface_hub keeps in its hands before it writes."""

_NOT_OURS = ("PRECEPTOR_", "HF_", "HUGGINGFACE_", "HTTP", "http", "ALL_PROXY")
_WITHOUT_EXTRA = """
import sys
for name in ("huggingface_hub", "httpx2", "transformers", "torch", "safetensors"):
    sys.modules[name] = None
from bot.cli import main
main()
"""


class Machine:
    """A machine with a working directory, a cache and a hub that it reaches."""

    def __init__(self, folder: Path, hub: LoopbackHub) -> None:
        self.folder = folder
        self.hub = hub
        self.cache = folder / "hf" / "hub"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)} | {
            "HF_HOME": str(folder / "hf"),
            "HF_ENDPOINT": hub.address,
            "NO_PROXY": "127.0.0.1,localhost",
            # These models are of no use but to be looked at: CTranslate2 could not convert them.
            "PRECEPTOR_LOCAL__EXECUTION": "torch",
        }

    def models(self, *arguments: str, given: str = "", **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run `preceptor models …`."""
        return self.run([PRECEPTOR, "models", *arguments], given, **variables)

    def run(self, command: list[str], given: str = "", **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end; no screen may show a traceback."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | variables,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with LoopbackHub().running() as hub:
        yield Machine(tmp_path, hub)


def test_a_model_is_pulled_listed_chosen_and_removed(machine: Machine) -> None:
    machine.hub.add(FLAN, model_files())
    commit = machine.hub.repositories[FLAN].branches["main"]

    pulled = machine.models("pull", FLAN)
    assert pulled.returncode == 0
    assert f"{FLAN}, main, commit {commit}\n  licence    apache-2.0\n  size       20 kB" in pulled.stderr
    assert "free disk" in pulled.stderr
    assert f"{FLAN} is here and whole: 5 files, 20 kB, verified by checksum." in pulled.stdout
    assert f'local.revision = "{commit}"' in pulled.stdout
    assert f"preceptor models use {FLAN}" in pulled.stdout

    chosen = machine.models("use", FLAN)
    assert chosen.stdout == f"{FLAN} (seq2seq, t5) writes the answers from the next start on.\n"
    assert 'set generation.chain = ["local", "extractive"]' in chosen.stderr

    listed = machine.models("list").stdout
    assert f"{FLAN} (in use for answers)\n" in listed
    assert f"seq2seq (t5), 5.0k parameters, 20 kB, licence apache-2.0, commit {commit[:12]}\n" in listed
    assert str(machine.cache) in listed

    document = json.loads(machine.models("list", "--json").stdout)
    assert document["in_use"] == {"answers": FLAN, "diagnosis": "floor", "images": LABELS, "captions": CAPTIONS}
    (model,) = document["models"]
    assert (model["name"], model["revision"], model["in_use_for"]) == (FLAN, commit, ["answers"])

    kept = machine.models("remove", FLAN, "--yes")
    assert (kept.returncode, kept.stderr.split(". ")[0]) == (1, f"Error: {FLAN} is in use for answers")
    removed = machine.models("remove", FLAN, "--yes", "--force")
    assert removed.stdout.startswith(f"{FLAN} is deleted; 2")
    assert list(machine.cache.glob("models--*")) == []


def test_removing_asks_first(machine: Machine) -> None:
    cached(machine.cache, "org/llama", model_files(LLAMA))
    asked = machine.models("remove", "org/llama", given="n\n")
    assert asked.returncode == 1
    assert "Delete org/llama (" in asked.stderr
    assert "Nothing is deleted." in asked.stderr
    assert machine.models("remove", "org/llama", given="y\n").returncode == 0


def test_an_empty_machine_says_what_to_do(machine: Machine) -> None:
    listed = machine.models("list")
    assert listed.returncode == 0
    assert f"Get it with `preceptor models pull {FLAN}`." in listed.stdout


def test_an_interrupted_pull_goes_on_where_it_stopped(machine: Machine) -> None:
    machine.hub.add(FLAN, model_files(model__safetensors=safetensors({"w": 4_000_000})))
    machine.hub.faults.stall["model.safetensors"] = CHUNK + 5
    pulling = subprocess.Popen(
        [PRECEPTOR, "models", "pull", FLAN],
        cwd=machine.folder,
        env=machine.environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    with pulling:
        assert machine.hub.faults.stalled.wait(30)
        blobs = machine.cache / "models--google--flan-t5-small" / "blobs"
        while not any(file.stat().st_size == CHUNK for file in blobs.glob("*.incomplete")):
            assert pulling.poll() is None
        pulling.send_signal(signal.SIGINT)
        _, errors = pulling.communicate(timeout=30)
    machine.hub.faults.resume.set()
    assert pulling.returncode == 1
    assert f"Stopped. `preceptor models pull {FLAN}` goes on where it stopped." in errors

    assert f"{FLAN} is half-downloaded" in machine.models("list").stdout
    assert "10 MB are here already" in machine.models("pull", FLAN).stderr
    ranges = [request.range for request in machine.hub.requests if request.path.startswith("/files/")]
    assert ranges == ["", f"bytes={CHUNK}-"]


def test_the_progress_is_shown_to_whoever_looks_on(machine: Machine) -> None:
    machine.hub.add(FLAN, model_files())
    pulled = machine.models("pull", FLAN, FORCE_COLOR="1", COLUMNS="120")
    assert f"Downloading {FLAN}" in pulled.stderr
    assert "20.5/20.5 kB" in pulled.stderr
    assert "Downloading" not in pulled.stdout


def test_a_disk_that_fills_up_is_told(machine: Machine) -> None:
    machine.hub.add(FLAN, model_files(model__safetensors=safetensors({"w": 900_000})))
    full = machine.run(["bash", "-c", f"ulimit -f 1000; exec {PRECEPTOR} models pull {FLAN}"])
    assert full.returncode == 1
    assert f"{FLAN} needs more room, and " in full.stderr


def test_damage_is_found_and_named(machine: Machine) -> None:
    weights = cached(machine.cache, FLAN, model_files()) / "model.safetensors"
    weights.resolve().write_bytes(weights.read_bytes()[:-1] + b"?")
    checked = machine.models("check", "--json")
    assert checked.returncode == 1
    (report,) = json.loads(checked.stdout)
    assert (report["whole"], report["damaged"]) == (False, ["model.safetensors"])
    assert f"`preceptor models pull {FLAN}` gets it anew." in report["problem"]


def test_offline_what_is_here_is_used_and_what_is_not_is_told(machine: Machine) -> None:
    cached(machine.cache, "org/llama", model_files(LLAMA))
    here = machine.models("pull", "org/llama", HF_HUB_OFFLINE="1")
    assert here.returncode == 0
    assert f"org/llama is here and whole as it was pulled before: commit {'a' * 40}." in here.stdout
    absent = machine.models("pull", FLAN, HF_HUB_OFFLINE="1")
    assert absent.returncode == 1
    assert f"HF_HUB_OFFLINE is set, so {FLAN} is not downloaded." in absent.stderr
    assert "Here are: org/llama." in absent.stderr
    assert machine.hub.requests == []


def test_without_a_network_it_is_told_and_what_is_here_is_listed(machine: Machine) -> None:
    cached(machine.cache, "org/llama", model_files(LLAMA))
    alone = machine.models("pull", FLAN, HF_ENDPOINT="http://127.0.0.1:9")
    assert alone.returncode == 1
    assert "http://127.0.0.1:9 cannot be reached" in alone.stderr
    assert "Here are: org/llama." in alone.stderr


def test_the_proxy_in_the_environment_is_used(machine: Machine) -> None:
    machine.hub.add(FLAN, model_files())
    pulled = machine.models(
        "pull", FLAN, HF_ENDPOINT="http://hub.invalid", http_proxy=machine.hub.address, NO_PROXY="localhost"
    )
    assert f"{FLAN} is here and whole" in pulled.stdout


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("google/flan-t5-smal", f"Did you mean {FLAN}?"),
        ("org/gated", "1. Sign in and accept the terms on http://127.0.0.1:"),
    ],
)
def test_what_cannot_be_pulled_ends_as_one_sentence(machine: Machine, name: str, told: str) -> None:
    machine.hub.add("org/gated", model_files(), gated=True)
    pulled = machine.models("pull", name)
    assert (pulled.returncode, pulled.stdout) == (1, "")
    assert told in pulled.stderr


def test_an_offline_folder_is_as_good_as_a_name(machine: Machine) -> None:
    folder = write(machine.folder / "carried", model_files())
    assert machine.models("use", "./carried").returncode == 0
    assert f"For answers {folder} is used: {folder}." in machine.models("list").stdout


@pytest.mark.slow
def test_a_model_that_cannot_be_made_ready_is_not_chosen(machine: Machine) -> None:
    write(machine.folder / "carried", model_files())
    chosen = machine.models("use", "./carried", PRECEPTOR_LOCAL__EXECUTION="auto")
    assert chosen.returncode == 1
    assert chosen.stderr.startswith("Converting ./carried once, to int8")
    assert "cannot be converted" in chosen.stderr
    assert "carried" not in machine.models("list").stdout


def test_a_model_in_use_by_its_path_is_kept_too(machine: Machine) -> None:
    write(machine.folder / "data" / "models" / "answers" / "mine", model_files())
    assert machine.models("use", "./data/models/answers/mine").returncode == 0
    removed = machine.models("remove", "mine", "--yes")
    assert (removed.returncode, "mine is in use for answers" in removed.stderr) == (1, True)


def test_a_model_that_writes_no_text_is_not_chosen_for_answers(machine: Machine) -> None:
    write(machine.folder / "vit", model_files(VIT) | PROCESSOR)
    chosen = machine.models("use", "./vit")
    assert (chosen.returncode, "does not write text" in chosen.stderr) == (1, True)
    assert "`preceptor models use ./vit --for images`" in chosen.stderr
    assert machine.models("use", "./vit", "--for", "poems").returncode == 2


def test_models_of_pictures_are_chosen_listed_and_given_up_again(machine: Machine) -> None:
    write(machine.folder / "vit", model_files(VIT) | PROCESSOR)
    mine = write(machine.folder / "data" / "models" / "images" / "mine", model_files(VIT) | PROCESSOR)
    cached(machine.cache, CAPTIONS, model_files(GIT) | PROCESSOR)

    assert (
        machine.models("use", "./vit", "--for", "images").stdout
        == "./vit (vit) labels pictures from the next start on.\n"
    )
    assert f"For images {machine.folder / 'vit'} is used" in machine.models("list").stdout
    assert machine.models("use", "mine").stdout == "mine (vit) labels pictures from the next start on.\n"
    wrong = machine.models("use", "mine", "--for", "captions")
    assert (wrong.returncode, "mine (vit) writes no captions. It tells what is in pictures" in wrong.stderr) == (
        1,
        True,
    )
    assert machine.models("use", CAPTIONS, "--for", "captions").returncode == 0

    listed = machine.models("list").stdout
    assert "mine (in use for images)\n  labels pictures (vit), 5.0k parameters" in listed
    assert f"{CAPTIONS} (in use for captions)\n  captions pictures (git)" in listed
    kept = machine.models("remove", "mine", "--yes")
    assert (kept.returncode, "mine is in use for images" in kept.stderr, mine.is_dir()) == (1, True, True)

    back = machine.models("use", "floor", "--for", "images")
    assert back.stdout == f"Nothing is chosen for images any more: {LABELS} labels pictures from the next start on.\n"
    assert machine.models("remove", "mine", "--yes").returncode == 0


def test_a_setting_that_wins_over_a_model_of_pictures_is_told(machine: Machine) -> None:
    write(machine.folder / "vit", model_files(VIT) | PROCESSOR)
    settings = {"PRECEPTOR_MODELS__IMAGES__LABELS": "org/other"}
    chosen = machine.models("use", "./vit", "--for", "images", **settings)
    assert "the setting models.images.labels names org/other, and that wins; unset it." in chosen.stderr
    assert "For images org/other is meant to be used. There is no model" in machine.models("list", **settings).stdout


def test_what_is_meant_for_pictures_is_pulled_without_its_name(machine: Machine) -> None:
    machine.hub.add(LABELS, model_files(VIT) | PROCESSOR)
    pulled = machine.models("pull", "--for", "images")
    assert pulled.returncode == 0
    assert f"{LABELS} is here and whole" in pulled.stdout
    assert "nothing more to do: it is what is meant for images" in pulled.stdout
    assert "local.revision" not in pulled.stdout

    settings = {"PRECEPTOR_MODELS__IMAGES__CAPTIONS": "org/captioner"}
    machine.hub.add("org/captioner", model_files(GIT) | PROCESSOR)
    assert "org/captioner is here and whole" in machine.models("pull", "--for", "captions", **settings).stdout
    by_name = machine.models("pull", "org/captioner").stdout
    assert "preceptor models use org/captioner --for captions" in by_name


def test_nothing_is_pulled_where_a_folder_or_no_model_is_meant(machine: Machine) -> None:
    folder = write(machine.folder / "vit", model_files(VIT) | PROCESSOR)
    here = machine.models("pull", "--for", "images", PRECEPTOR_MODELS__IMAGES__LABELS="./vit")
    assert (here.returncode, f"./vit is what is meant for images, and is here: {folder}." in here.stdout) == (0, True)
    none = machine.models("pull", "--for", "captions", PRECEPTOR_MODELS__IMAGES__CAPTIONS="floor")
    assert (none.returncode, none.stdout) == (0, "No model is wanted for captions: there is nothing to download.\n")
    assert machine.models("pull").returncode == 2
    assert machine.hub.requests == []


def test_a_captioner_that_is_only_a_pickle_is_not_pulled(machine: Machine) -> None:
    machine.hub.add("nlpconnect/vit-gpt2-image-captioning", {"config.json": b"{}", "pytorch_model.bin": b"\x80"})
    pulled = machine.models("pull", "nlpconnect/vit-gpt2-image-captioning")
    assert (pulled.returncode, "has its weights only as a pickle" in pulled.stderr) == (1, True)


def test_a_setting_that_wins_over_the_choice_is_told(machine: Machine) -> None:
    write(machine.folder / "carried", model_files())
    (machine.folder / "preceptor.toml").write_text(f'[local]\nmodel = "{FLAN}"\n')
    assert f"the setting local.model names {FLAN}, and that wins" in machine.models("use", "./carried").stderr


def test_without_the_models_extra_everything_but_pulling_works(machine: Machine) -> None:
    cached(machine.cache, FLAN, model_files())
    bare = [sys.executable, "-c", _WITHOUT_EXTRA, "models"]
    assert f"{FLAN} (in use for answers)" in machine.run([*bare, "list"]).stdout
    chosen = machine.run([*bare, "use", FLAN])
    assert (chosen.returncode, "which is not installed. Run `make models`" in chosen.stderr) == (0, True)
    assert "5 files verified by checksum" in machine.run([*bare, "check"]).stdout
    pulled = machine.run([*bare, "pull", FLAN])
    assert pulled.returncode == 1
    assert "huggingface_hub, which is not installed. Run `make models`." in pulled.stderr
