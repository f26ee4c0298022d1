"""Calibrating a knowledge base from questions it can and cannot answer."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from test_knowledge_base import TIDES, write

from knowledge import KnowledgeBase, starter
from knowledge.calibration import CalibrationReport, calibrate, measure
from knowledge.calibration_plot import save_plot
from knowledge.confidence import Calibration
from knowledge.errors import CalibrationError, IndexUnwritableError
from knowledge.questions import Question, read_questions


@pytest.fixture(scope="module")
def physics(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    base = KnowledgeBase([starter.folder()], tmp_path_factory.mktemp("physics"))
    base.open()
    return base


@pytest.fixture(scope="module")
def report(physics: KnowledgeBase) -> CalibrationReport:
    unanswerable = [question.text for question in read_questions(starter.unanswerable())]
    return measure(physics, read_questions(starter.answerable()), unanswerable)


def test_the_starter_tells_what_it_can_answer_from_what_it_cannot(report: CalibrationReport) -> None:
    chosen = report.calibration
    assert chosen.answerable >= 150
    assert chosen.unanswerable >= 300
    assert chosen.auroc >= 0.95
    assert chosen.false_answers <= 0.10
    assert chosen.false_declines <= 0.10


def test_the_starter_ranks_the_right_passage_among_the_first(report: CalibrationReport) -> None:
    assert report.first >= 0.6
    assert report.among_five >= 0.85


def test_the_curve_runs_from_always_answering_to_always_declining(report: CalibrationReport) -> None:
    first, last = report.curve[0], report.curve[-1]
    assert (first.threshold, first.false_answers, first.false_declines) == (0, 1, 0)
    assert (last.threshold, last.false_answers, last.false_declines) == (1, 0, 1)
    for before, after in zip(report.curve, report.curve[1:], strict=False):
        assert before.threshold < after.threshold
        assert before.false_answers >= after.false_answers
        assert before.false_declines <= after.false_declines


def test_the_threshold_is_where_both_errors_together_are_least(report: CalibrationReport) -> None:
    chosen = report.calibration
    least = min(point.false_answers + point.false_declines for point in report.curve)
    assert chosen.false_answers + chosen.false_declines == least


def test_the_calibration_shipped_is_the_one_its_questions_give(report: CalibrationReport) -> None:
    shipped, made = Calibration.read(starter.calibration()), report.calibration
    assert shipped.threshold == pytest.approx(made.threshold, abs=0.05)
    assert shipped.auroc == pytest.approx(made.auroc, abs=0.01)


@pytest.mark.parametrize("question", ["What is Ohm's law?", "newton's third law", "torque", "why is the sky blue"])
def test_a_question_that_the_starter_answers_is_above_the_threshold(physics: KnowledgeBase, question: str) -> None:
    assert physics.search(question)[0].confidence >= physics.threshold


@pytest.mark.parametrize("question", ["Who won the cup final in 1998?", "How do I cook rice?", "what are you?"])
def test_a_question_outside_the_starter_is_below_it(physics: KnowledgeBase, question: str) -> None:
    assert all(hit.confidence < physics.threshold for hit in physics.search(question, 1))


def test_a_knowledge_base_keeps_its_calibration_through_rebuilds_and_restarts(tmp_path: Path) -> None:
    source = write(tmp_path / "source", *json.loads(starter.folder().read_text(encoding="utf-8"))[:300])
    base = KnowledgeBase([source], tmp_path / "index")
    base.open()
    answerable = list(map(Question, base.titles(limit=300)[:40]))
    away = [
        f"Who sold {thing} to my uncle in Perth?"
        for thing in ["rice", "hats", "cars", "boats", "dogs", "jam", "tea", "pies", "mugs", "oil"]
    ]
    made = calibrate(base, answerable, away).calibration
    assert base.threshold == made.threshold
    assert base.statistics().calibration.own
    assert base.statistics().calibration.of_this_version
    write(source, TIDES, name="b.json")
    base.reload()
    assert base.threshold == made.threshold
    assert not base.statistics().calibration.of_this_version
    later = KnowledgeBase([source], tmp_path / "index")
    later.open()
    assert later.threshold == made.threshold


def test_a_broken_calibration_is_told_and_the_starters_serves(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "calibration.json").write_text("{")
    base = KnowledgeBase([write(tmp_path / "source", TIDES)], tmp_path / "index")
    assert "calibration.json" in base.open().problems[0].source
    assert base.threshold == Calibration.read(starter.calibration()).threshold


def test_a_calibration_that_cannot_be_saved_leaves_the_old_one_in_use(
    tmp_path: Path, report: CalibrationReport
) -> None:
    base = KnowledgeBase([write(tmp_path / "source", TIDES)], tmp_path / "index")
    base.open()
    before = base.threshold
    (tmp_path / "index").rename(tmp_path / "gone")
    with pytest.raises(IndexUnwritableError):
        base.keep_calibration(report.calibration)
    assert base.threshold == before


def test_too_few_questions_are_refused(physics: KnowledgeBase) -> None:
    with pytest.raises(CalibrationError, match="10 questions of each kind"):
        measure(physics, [Question("What is torque?")], ["Who sings?"])


def test_questions_about_nothing_known_are_refused(physics: KnowledgeBase) -> None:
    strange = [f"qx{number}zj" for number in range(20)]
    with pytest.raises(CalibrationError, match="nothing at all is found"):
        measure(physics, list(map(Question, physics.titles())), strange)


def test_many_questions_about_one_passage_are_refused(physics: KnowledgeBase) -> None:
    same = [Question("What is torque?", "Torque")] * 20
    strange = [Question(f"qx{number}zj", f"title {number}") for number in range(9)]
    with pytest.raises(CalibrationError, match="nothing at all is found"):
        measure(physics, same + strange, [f"Who sold heat to my uncle {number}?" for number in range(20)])
    with pytest.raises(CalibrationError, match="nothing at all is found"):
        measure(
            physics,
            list(map(Question, physics.titles())),
            ["Who sold heat?"] * 20 + [question.text for question in strange],
        )


@pytest.mark.parametrize(
    "question", ["waht is torque", "Expalin Ohm's law", "desribe teh Doppler effect", "whta is entropy?"]
)
def test_a_slip_in_the_words_around_the_question_does_not_lower_the_confidence(
    physics: KnowledgeBase, question: str
) -> None:
    assert physics.search(question)[0].confidence >= physics.threshold


def test_questions_are_read_with_and_without_titles(tmp_path: Path) -> None:
    path = tmp_path / "questions.json"
    path.write_text('["a?", {"question": "b?"}, {"question": "c?", "title": "C"}]')
    assert read_questions(path) == [Question("a?"), Question("b?"), Question("c?", "C")]


@pytest.mark.parametrize("content", ["{", "{}", "[1]", '["a?", {"title": "no question"}]', '[" "]'])
def test_a_file_that_holds_no_questions_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "questions.json"
    path.write_text(content)
    with pytest.raises(CalibrationError, match=r"questions\.json"):
        read_questions(path)


def test_the_plot_is_a_picture_of_its_size(tmp_path: Path, report: CalibrationReport) -> None:
    save_plot(report, tmp_path / "curve.png")
    with Image.open(tmp_path / "curve.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (1500, 660))
        assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 50


def test_without_matplotlib_the_extra_is_named() -> None:
    program = """
import sys
sys.modules["matplotlib"] = None
sys.modules["matplotlib.backends.backend_agg"] = None
from pathlib import Path
from knowledge.calibration_plot import save_plot
from knowledge.errors import MissingExtraError
try:
    save_plot(None, Path("x.png"))
except MissingExtraError as error:
    print(error)
"""
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "`make plots`" in shown.stdout
