"""The command line as a person or a script meets it: real processes, real exit statuses."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

PRECEPTOR = str(Path(sys.executable).with_name("preceptor"))
HEAVY = {"torch", "transformers", "sklearn", "scipy", "matplotlib", "fastapi", "alembic", "discord", "slack_bolt"} | {
    *("ctranslate2", "huggingface_hub", "openai", "google", "httpx2", "py3langid", "nltk"),
}


@pytest.fixture
def folder(tmp_path: Path, handbook: Path) -> Path:
    """A working directory whose settings name the handbook as the knowledge base."""
    (tmp_path / "preceptor.toml").write_text(f'[knowledge]\nsources = ["{handbook.name}"]\n')
    return tmp_path


def _preceptor(
    folder: Path, *arguments: str, given: str | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PRECEPTOR_")}
    return subprocess.run(
        [PRECEPTOR, *arguments],
        cwd=folder,
        env=environment | variables,
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_ask_answers_and_exits_0(folder: Path) -> None:
    done = _preceptor(folder, "ask", "When does the office open?")
    assert (done.returncode, done.stderr) == (0, "")
    assert "8 in the morning" in done.stdout
    assert "[1] Office handbook › Opening hours · handbook.md" in done.stdout


def test_ask_gives_json_with_every_field(folder: Path) -> None:
    document = json.loads(_preceptor(folder, "ask", "When does the office open?", "--json").stdout)
    assert list(document) == [
        "question",
        "answer",
        "abstained",
        "confidence",
        "generator",
        "note",
        "citations",
        "offers_diagnosis",
        "answer_id",
        "conversation_id",
        "elapsed_ms",
    ]
    assert list(document["citations"][0]) == ["title", "text", "source", "location", "url", "score", "matched"]
    assert document["abstained"] is False
    assert document["generator"] == "extractive"


def test_ask_declines_and_exits_3(folder: Path) -> None:
    done = _preceptor(folder, "ask", "Who won the chess championship in Reykjavik?", "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["abstained"] is True
    assert json.loads(done.stdout)["citations"] == []


@pytest.mark.parametrize("question", ["", "   ", "?!", "🤷", "x" * 100_000])
def test_ask_without_a_question_exits_2_with_a_sentence(folder: Path, question: str) -> None:
    done = _preceptor(folder, "ask", question)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().endswith(("?", "."))
    assert "Traceback" not in done.stderr


def test_ask_takes_bytes_that_are_no_utf8(folder: Path) -> None:
    done = subprocess.run(
        [PRECEPTOR, "ask", b"When does the \xff\xfe office open?"], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0


def test_top_bounds_the_passages_an_answer_rests_on(folder: Path) -> None:
    done = _preceptor(folder, "ask", "What do Newton's laws say?", "--json", "--top", "1")
    assert len(json.loads(done.stdout)["citations"]) <= 1
    assert _preceptor(folder, "ask", "What?", "--top", "0").returncode == 2


def test_chat_answers_piped_questions_in_one_conversation(folder: Path) -> None:
    done = _preceptor(folder, "chat", given="What is Newton's first law?\n\nand the third one?\n/halp\n")
    assert done.returncode == 0
    assert "at rest" in done.stdout
    assert "equal and opposite" in done.stdout
    assert "Did you mean /help?" in done.stderr


def test_chat_once_leaves_after_the_first_answer(folder: Path) -> None:
    done = _preceptor(folder, "chat", "--once", given="When does the office open?\nWhere do visitors park?\n")
    assert done.returncode == 0
    assert "8 in the morning" in done.stdout
    assert "north side" not in done.stdout


def test_chat_reads_a_file_and_the_void(folder: Path) -> None:
    (folder / "questions").write_text("When does the office open?\n")
    with (folder / "questions").open() as questions:
        done = subprocess.run(
            [PRECEPTOR, "chat"], cwd=folder, stdin=questions, capture_output=True, text=True, check=True
        )
    assert "8 in the morning" in done.stdout
    subprocess.run([PRECEPTOR, "chat"], cwd=folder, stdin=subprocess.DEVNULL, check=True)


def test_chat_answers_while_the_pipe_stays_open_and_stops_when_told_to(folder: Path) -> None:
    process = subprocess.Popen(
        [PRECEPTOR, "chat"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("When does the office open?\n")
    process.stdin.flush()
    assert "8 in the morning" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=15) == 0
    process.stdin.close()
    process.stdout.close()
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


def test_nobody_listening_ends_quietly(folder: Path) -> None:
    for command in ("knowledge stats", "ask 'When does the office open?'", "ask /help"):
        piped = f"{PRECEPTOR} {command} | true"
        done = subprocess.run(piped, shell=True, cwd=folder, capture_output=True, text=True, timeout=30, check=False)
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [["--help"], ["ask", "When does the office open?"], ["knowledge", "search", "office"]]
)
def test_nothing_heavy_is_imported(folder: Path, arguments: list[str]) -> None:
    _preceptor(folder, "ask", "When does the office open?")
    script = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(*sorted({m.partition('.')[0] for m in sys.modules}), file=sys.stderr))\n"
        f"sys.argv = ['preceptor', *{arguments!r}]\n"
        "from bot.cli import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    loaded = set(done.stderr.split())
    assert not loaded & HEAVY
    if arguments == ["--help"]:
        assert not loaded & {"sqlalchemy", "pydantic", "numpy", "structlog"}


def test_running_imports_nothing_that_answers_do_not_need(folder: Path) -> None:
    _preceptor(folder, "ask", "When does the office open?")
    port = _free_port()
    variables = {"PRECEPTOR_HTTP__PORT": str(port), "PYTHONPROFILEIMPORTTIME": "1"}
    with (folder / "imports").open("w") as imports:
        process = subprocess.Popen(
            [PRECEPTOR, "run"], cwd=folder, env=os.environ | variables, stdout=subprocess.DEVNULL, stderr=imports
        )
        try:
            assert _get(f"http://127.0.0.1:{port}/readyz")["status"] == "ready"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)
    lines = (folder / "imports").read_text().splitlines()
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    assert "fastapi" in imported
    assert not imported & (HEAVY - {"fastapi"})


def test_every_command_teaches(folder: Path) -> None:
    for command in ([], ["ask"], ["chat"], ["run"], ["knowledge"], ["knowledge", "check"], ["database"], ["settings"]):
        done = _preceptor(folder, *command, "--help")
        assert done.returncode == 0
        assert "Usage: preceptor" in done.stdout


def test_a_misspelt_setting_stops_every_command_with_its_fix(folder: Path) -> None:
    done = _preceptor(folder, "ask", "x", PRECEPTOR_HTPP__PORT="1")
    assert done.returncode == 2
    assert "Did you mean PRECEPTOR_HTTP__PORT?" in done.stderr


def test_settings_show_masks_secrets_and_tells_where_values_come_from(folder: Path) -> None:
    done = _preceptor(folder, "settings", "show", "--json", PRECEPTOR_HTTP__ADMIN_KEYS="hunter2-hunter2-hunter2")
    shown = json.loads(done.stdout)
    assert "hunter2" not in done.stdout
    assert shown["http.admin_keys"]["origin"] == "environment (PRECEPTOR_HTTP__ADMIN_KEYS)"
    assert shown["knowledge.sources"]["origin"].endswith("preceptor.toml:2")
    assert shown["http.port"] == {"value": 8321, "origin": "default"}


def test_knowledge_check_names_every_problem_with_its_place_and_exits_1(folder: Path) -> None:
    (folder / "bad.json").write_text('[{"context": "good"},\n {"context": 3}]')
    (folder / "worse.jsonl").write_bytes(b'{"context": "ok"}\n{"context": "caf\xe9"}\n')
    done = _preceptor(folder, "knowledge", "check", "bad.json", "worse.jsonl", "handbook")
    assert done.returncode == 1
    assert "bad.json:2" in done.stdout
    assert "worse.jsonl:2" in done.stdout
    assert _preceptor(folder, "knowledge", "check", "handbook").returncode == 0


def test_knowledge_check_of_nothing_is_no_success(folder: Path) -> None:
    assert _preceptor(folder, "knowledge", "check", "nowhere").returncode == 1


def test_knowledge_search_tells_why(folder: Path) -> None:
    hits = json.loads(_preceptor(folder, "knowledge", "search", "office opens", "--json").stdout)["hits"]
    assert hits[0]["passage"]["title"].endswith("Opening hours")
    assert {term["query_word"] for term in hits[0]["terms"]} == {"office", "opens"}


def test_knowledge_evaluate_measures_a_collection(folder: Path) -> None:
    (folder / "corpus.jsonl").write_text(
        '{"_id": "a", "title": "Apples", "text": "Apples are red."}\n'
        '{"_id": "b", "title": "", "text": "Pears are green."}\n'
    )
    (folder / "queries.jsonl").write_text('{"_id": "1", "text": "red apples"}\n{"_id": "2", "text": "green pears"}\n')
    (folder / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\ta\t1\n2\ta\t1\n")
    files = ("--corpus", "corpus.jsonl", "--queries", "queries.jsonl", "--qrels", "test.tsv")
    figures = json.loads(_preceptor(folder, "knowledge", "evaluate", *files, "--json").stdout)
    assert figures["queries"] == 2
    assert figures["mrr@10"] in (0.5, 0.75)
    (folder / "queries.jsonl").write_text('{"_id": "1"\n')
    broken = _preceptor(folder, "knowledge", "evaluate", *files)
    assert broken.returncode == 1
    assert "queries.jsonl" in broken.stderr


def test_a_backup_is_taken_and_restored(folder: Path) -> None:
    _preceptor(folder, "ask", "When does the office open?")
    assert _preceptor(folder, "database", "backup", "copy.sqlite3").returncode == 0
    assert _preceptor(folder, "database", "backup", "copy.sqlite3").returncode == 1
    (folder / "data" / "preceptor.sqlite3").unlink()
    assert _preceptor(folder, "database", "restore", "copy.sqlite3").returncode == 0
    with sqlite3.connect(folder / "data" / "preceptor.sqlite3") as connection:
        assert connection.execute("SELECT count(*) FROM messages").fetchone() == (2,)
    connection.close()


def test_a_source_that_is_missing_is_named(folder: Path) -> None:
    done = _preceptor(folder, "ask", "x y", PRECEPTOR_KNOWLEDGE__SOURCES="nowhere")
    assert done.returncode == 1
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_read_only_data_folder_is_named(folder: Path) -> None:
    done = _preceptor(folder, "ask", "x y", PRECEPTOR_DATA_DIRECTORY="/proc/preceptor")
    assert done.returncode == 1
    assert "/proc/preceptor" in done.stderr
    assert "Traceback" not in done.stderr


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _start(folder: Path, port: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [PRECEPTOR, "run"],
        cwd=folder,
        env=os.environ | {"PRECEPTOR_HTTP__PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _get(url: str) -> dict[str, object]:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return dict(json.load(response))
        except OSError:
            if time.monotonic() > deadline:
                raise


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_says_where_to_ask_answers_and_stops_cleanly(folder: Path, number: signal.Signals) -> None:
    port = _free_port()
    process = _start(folder, port)
    try:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}" in process.stdout.readline()
        assert _get(f"http://127.0.0.1:{port}/readyz")["status"] == "ready"
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/ask",
            data=json.dumps({"question": "When does the office open?"}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            assert "8 in the morning" in json.load(response)["answer"]
    finally:
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in errors
    assert "When does the office open" not in errors


def test_a_port_in_use_is_named_with_the_setting(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = _start(folder, taken.getsockname()[1])
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "http.port" in errors
    assert "Traceback" not in errors
