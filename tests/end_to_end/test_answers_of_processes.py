"""Written answers as the operator meets them: real processes, a server of the OpenAI protocol, a model in a folder."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PRECEPTOR = str(Path(sys.executable).with_name("preceptor"))
ROOT = Path(__file__).parents[2]
QUESTION = "When does the office open?"


@pytest.fixture
def folder(tmp_path: Path, handbook: Path) -> Path:
    """A working directory whose settings name the handbook as the knowledge base."""
    (tmp_path / "preceptor.toml").write_text(f'[knowledge]\nsources = ["{handbook.name}"]\n')
    return tmp_path


def _server(*arguments: str) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.models.loopback_openai", "--model", "llama3.2", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture
def server() -> Iterator[str]:
    yield from _server()


@pytest.fixture
def overloaded_server() -> Iterator[str]:
    yield from _server("--refuse", "503")


def _preceptor(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PRECEPTOR_")}
    command = [PRECEPTOR, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment | variables, capture_output=True, text=True, timeout=110, check=False
    )


def _openai(base_url: str) -> dict[str, str]:
    return {
        "PRECEPTOR_GENERATION__CHAIN": "openai",
        "PRECEPTOR_OPENAI__BASE_URL": base_url,
        "PRECEPTOR_OPENAI__MODEL": "llama3.2",
        "PRECEPTOR_OPENAI__RETRIES": "0",
    }


def test_an_answer_is_written_by_the_server_that_the_settings_name(folder: Path, server: str) -> None:
    done = _preceptor(folder, "ask", QUESTION, "--json", **_openai(server))
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    assert answer["answer"].startswith("The office is open from 8 in the morning until 6 in the evening. [1]")
    assert (answer["generator"], answer["note"]) == ("llama3.2", "Written by llama3.2.")
    assert answer["citations"][0]["title"] == "Office handbook › Opening hours"


def test_when_the_server_is_overloaded_the_passages_are_quoted_and_the_log_says_why(
    folder: Path, overloaded_server: str
) -> None:
    done = _preceptor(folder, "ask", QUESTION, "--json", **_openai(overloaded_server))
    assert json.loads(done.stdout)["generator"] == "extractive"
    assert "llama3.2" in done.stderr or "503" in done.stderr
    assert "office" not in done.stderr


def test_a_generator_without_its_key_is_refused_with_what_is_missing(folder: Path) -> None:
    done = _preceptor(folder, "ask", QUESTION, PRECEPTOR_GENERATION__CHAIN="gemini")
    assert done.returncode == 2
    assert "gemini.key" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_that_was_never_pulled_is_named_with_the_command_that_gets_it(folder: Path, tmp_path: Path) -> None:
    empty = {"HF_HOME": str(tmp_path / "hub"), "PRECEPTOR_GENERATION__CHAIN": "local"}
    done = _preceptor(folder, "ask", QUESTION, "--json", **empty)
    assert json.loads(done.stdout)["generator"] == "extractive"
    assert "preceptor models pull google/flan-t5-small" in " ".join(done.stderr.split())


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["tiny_t5", pytest.param("tiny_llama", marks=pytest.mark.slow)])
def test_a_model_in_a_folder_is_chosen_and_answers(
    folder: Path, handbook: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    model: Path = request.getfixturevalue(kind)
    places = "The lantern is kept in the cellar. The lantern has a mass of 40 kilograms."
    (handbook / "things.md").write_text(f"# Things\n\n## The lantern\n\n{places}\n", encoding="utf-8")
    chosen = _preceptor(folder, "models", "use", str(model))
    assert chosen.returncode == 0, chosen.stderr
    # What is tested is the answer; how long a busy machine takes to load a model is not.
    patient = {"PRECEPTOR_GENERATION__SECONDS": "90", "PRECEPTOR_ANSWERS__DEADLINE_SECONDS": "100"}
    local = {"PRECEPTOR_GENERATION__CHAIN": "local", "PRECEPTOR_GENERATION__FIRST_TOKEN_SECONDS": "60"}
    # One passage: so small a model loses its way among unrelated ones.
    done = _preceptor(folder, "ask", "Where is the lantern kept?", "--json", "--top", "1", **local, **patient)
    answer = json.loads(done.stdout)
    assert (answer["answer"], answer["generator"]) == ("The lantern is kept in the cellar. [1]", model.name)
    assert re.search(r"Written by \S+\.", answer["note"])
