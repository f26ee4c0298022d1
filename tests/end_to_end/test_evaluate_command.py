"""`preceptor evaluate answers` as an operator meets it: a real process, its screen, its JSON, its report."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PRECEPTOR = str(Path(sys.executable).with_name("preceptor"))
SHARED = Path(__file__).parents[2].parent / "shared"

NEWTON = "The newton is the unit of force. It is named after Isaac Newton, who wrote in Latin."
LIGHT = "Light travels at 299,792,458 metres per second in a vacuum. Glass slows it down."

SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "Units",
            "paragraphs": [
                {
                    "context": NEWTON,
                    "qas": [
                        {"id": "1", "question": "What is the unit of force?", "answers": [{"text": "newton"}]},
                        {
                            "id": "2",
                            "question": "Whose name has the newton?",
                            "answers": [{"text": "Isaac Newton"}],
                        },
                        {"id": "3", "question": "Who painted the ceiling?", "answers": [], "is_impossible": True},
                    ],
                },
                {
                    "context": LIGHT,
                    "qas": [
                        {
                            "id": "4",
                            "question": "How fast does light travel in a vacuum?",
                            "answers": [{"text": "299,792,458 metres per second"}],
                        }
                    ],
                },
            ],
        }
    ],
}


@pytest.fixture
def folder(tmp_path: Path, handbook: Path) -> Path:
    """A working directory with settings, a knowledge base and a file of questions."""
    (tmp_path / "preceptor.toml").write_text(f'[knowledge]\nsources = ["{handbook.name}"]\n')
    (tmp_path / "qa.json").write_text(json.dumps(SQUAD), encoding="utf-8")
    return tmp_path


def _evaluated(folder: Path, *arguments: str, data: str = "qa.json") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PRECEPTOR_")}
    return subprocess.run(
        [PRECEPTOR, "evaluate", "answers", "--data", data, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def _figures(done: subprocess.CompletedProcess[str], generator: str = "extractive") -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout)["generators"][generator]
    return figures


def test_the_screen_shows_every_figure_within_100_columns_and_the_report_is_written(folder: Path) -> None:
    done = _evaluated(folder, "--report", "report")
    assert done.returncode == 0
    assert done.stderr == "The report is report/report.html.\n"
    assert "qa.json: 4 questions, 1 of them without an answer." in done.stdout
    for label in ("Exact match", "F1", "Gold contained", "ROUGE-L", "BLEU", "METEOR", "Grounded", "Whole answer"):
        assert label in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert "<title>Answers to qa.json</title>" in (folder / "report" / "report.html").read_text(encoding="utf-8")
    assert len(json.loads((folder / "report" / "evaluation.json").read_text())["answers"]["extractive"]) == 4


def test_the_json_is_one_document_and_holds_the_right_figures(folder: Path) -> None:
    done = _evaluated(folder, "--generator", "extractive", "--json")
    figures = _figures(done)
    assert done.stderr == ""
    assert (figures["questions"], figures["answerable"]) == (4, 3)
    assert (figures["gold_contained"], figures["grounded"], figures["fell_back"]) == (1.0, 1.0, 0.0)
    # The extractive generator always quotes something where it was given a passage.
    assert figures["unanswerable_f1"] == 0.0
    assert json.loads(done.stdout)["findable"] == 1.0


def test_with_retrieve_a_question_about_something_else_is_not_answered(folder: Path) -> None:
    figures = _figures(_evaluated(folder, "--retrieve", "--json"))
    assert (figures["abstained"], figures["unanswerable_f1"], figures["gold_contained"]) == (0.25, 1.0, 1.0)


@pytest.mark.slow
def test_questions_without_a_context_are_looked_up_in_the_knowledge_base(folder: Path) -> None:
    lines = (
        {"question": "When does the office open?", "answer": "8 in the morning"},
        {"question": "What is the unit of force?", "answer": "newton", "context": NEWTON},
    )
    (folder / "qa.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    figures = _figures(_evaluated(folder, "--json", data="qa.jsonl"))
    assert (figures["questions"], figures["gold_contained"]) == (2, 1.0)
    done = _evaluated(folder, "--retrieve", "--limit", "1", data="qa.jsonl")
    assert (done.returncode, "1 question." in done.stdout) == (0, True)


def test_bad_input_is_one_sentence_and_status_1(folder: Path) -> None:
    (folder / "bad.jsonl").write_text('{"question": "What?", "answer": "x"}\n{"question": "What?"}\n')
    done = _evaluated(folder, data="bad.jsonl")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: bad.jsonl, line 2: 'answer' is missing. Where nothing answers the question,")
    (folder / "no.jsonl").write_text('{"question": "When does the office open?", "answer": "at 8"}\n')
    done = _evaluated(folder, "--retrieve", data="no.jsonl")
    assert done.returncode == 1
    assert "There is nothing to search in: no question has a context." in done.stderr
    done = _evaluated(folder, "--report", "qa.json/report")
    assert done.returncode == 1
    assert "qa.json/report cannot be used" in done.stderr


def test_an_unknown_generator_is_used_wrongly_and_one_without_a_model_says_what_to_pull(
    folder: Path,
) -> None:
    assert _evaluated(folder, "--generator", "oracle").returncode == 2
    (folder / "preceptor.toml").write_text('[local]\nmodel = "nobody/nothing"\n')
    done = _evaluated(folder, "--generator", "local")
    assert done.returncode == 1
    assert "nobody/nothing" in done.stderr
    assert "preceptor models pull" in done.stderr


@pytest.mark.slow
def test_a_local_model_is_measured_beside_the_extractive_one_with_its_perplexity(folder: Path, tiny_t5: Path) -> None:
    (folder / "preceptor.toml").write_text(f'[local]\nmodel = "{tiny_t5}"\n[generation]\nchain = ["local"]\n')
    said = "The lantern is kept in the cellar."
    asked = {"question": "Where is the lantern kept?", "answer": said, "context": f"{said} The lantern is heavy."}
    (folder / "qa.jsonl").write_text(json.dumps(asked), encoding="utf-8")
    done = _evaluated(folder, "--json", data="qa.jsonl")
    local, floor = _figures(done, "local"), _figures(done, "extractive")
    assert local["exact_match"] == 1.0
    assert 1.0 <= local["perplexity"] < 2.0
    assert local["output_tokens"] > 0
    assert (local["fell_back"], floor["perplexity"]) == (0.0, None)


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not on this machine")
def test_the_extractive_generator_holds_the_answer_to_nine_in_ten_of_xquads_questions(folder: Path) -> None:
    figures = _figures(_evaluated(folder, "--json", data=str(SHARED / "data" / "xquad" / "xquad.en.json")))
    assert figures["questions"] == 1187
    assert figures["gold_contained"] > 0.85
    assert figures["grounded"] == 1.0
