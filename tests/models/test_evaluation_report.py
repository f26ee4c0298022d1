"""The report of an evaluation, as somebody reads it: complete in one file, and safe whatever was answered."""

import base64
import io
import json
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from models.errors import ModelExtraError
from models.evaluation.figures import Evaluation, GeneratorEvaluation, Outcome, figures_of
from models.evaluation.report import page, worst, write_report
from models.evaluation.squad import Sample
from models.evaluation.table import duration, rows


def _outcome(number: int, f1: float, answer: str = "It is the newton. [1]", **fields: object) -> Outcome:
    sample = Sample(f"q{number}", f"What is the unit of force, {number}?", ("newton",))
    known = Outcome(
        sample, answer, "tiny", "", True, 0.01 * (number + 1), 0.005, plain=answer, f1=f1, holds_gold=f1 > 0
    )
    return replace(known, **fields)  # type: ignore[arg-type]


def _evaluation(*outcomes: Outcome) -> Evaluation:
    def _one(name: str, model: str) -> GeneratorEvaluation:
        return GeneratorEvaluation(figures_of(name, model, outcomes, 0)[0], outcomes)

    return Evaluation((_one("extractive", "extractive"), _one("local", "tiny-t5")), 0.9, "nrefs:1", 0)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return _evaluation(*(_outcome(number, number / 40) for number in range(40)))


@pytest.fixture(scope="module")
def html(evaluation: Evaluation) -> str:
    return page(evaluation, "qa.json")


class _Page(HTMLParser):
    """What a browser would see: tags with their attributes, and texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_holds_its_pictures_for_light_and_dark_and_fetches_nothing(html: str) -> None:
    seen = _Page(html)
    sources = [fields.get("src") or fields.get("srcset") for tag, fields in seen.tags if tag in {"img", "source"}]
    assert len(sources) == len(set(sources)) == 6
    for source in sources:
        assert source is not None
        kind, _, encoded = source.partition(",")
        assert kind == "data:image/png;base64"
        assert Image.open(io.BytesIO(base64.b64decode(encoded))).width > 1_000
    policy = next(fields["content"] for tag, fields in seen.tags if "http-equiv" in fields)
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert not {"script", "link", "iframe", "a"} & {tag for tag, _ in seen.tags}


def test_the_page_says_what_was_asked_and_every_figure_of_the_table(evaluation: Evaluation, html: str) -> None:
    text = _Page(html).text
    assert "40 questions. A right answer stood in the passages of 90.0% of them." in text
    for row in rows(evaluation):
        assert row.label.strip() in text
        assert all(value in text for value in row.values)
    assert "tiny-t5" in text


def test_what_documents_and_models_wrote_is_text_and_nothing_else() -> None:
    bad = '</dd><script>alert(1)</script><img src="https://example.org/x">'
    outcome = _outcome(0, 0.0, bad)
    sample = Sample(bad, bad, (bad,))
    seen = _Page(page(_evaluation(replace(outcome, sample=sample, wrote=bad, fell_back=bad)), bad))
    assert "script" not in {tag for tag, _ in seen.tags}
    assert all((fields.get("src") or "data:").startswith("data:") for _, fields in seen.tags)
    assert seen.text.count("<script>alert(1)</script>") >= 8


def test_the_twenty_worst_answers_come_worst_first(evaluation: Evaluation, html: str) -> None:
    shown = worst(evaluation.generators[0].outcomes)
    assert [outcome.sample.key for outcome in shown] == [f"q{number}" for number in range(20)]
    missed = replace(_outcome(99, 0.4), holds_gold=False)
    assert worst([*evaluation.generators[0].outcomes, missed])[1] is missed
    assert html.count("<article>") == 40
    assert html.index("force, 0?") < html.index("force, 1?")


def test_an_answer_that_was_not_given_and_one_that_is_very_long_can_be_read() -> None:
    text = _Page(page(_evaluation(_outcome(0, 0.0, ""), _outcome(1, 0.0, "long " * 5_000)), "qa.json")).text
    assert "– (not answered)" in text
    assert "long …" in text
    assert len(text) < 12_000


def test_why_the_extractive_generator_had_to_answer_is_told() -> None:
    fallen = [_outcome(number, 0.0, fell_back="too slow") for number in range(3)]
    assert (
        "local: too slow 3, not reached 1"
        in _Page(page(_evaluation(*fallen, _outcome(3, 0.0, fell_back="not reached")), "qa.json")).text
    )


def test_questions_that_nobody_can_or_did_answer_make_a_page_too() -> None:
    silent = _outcome(0, 1.0, "", first_seconds=None, seconds=0.0, sample=Sample("q", "Who?", ()))
    evaluation = replace(_evaluation(silent), findable=None)
    text = _Page(page(replace(evaluation, notes=("It was not <measured>.",)), "qa.json")).text
    assert "It was not <measured>." in text
    assert "1 question, 1 of them without an answer." in text
    assert "– (there is none)" in text


def test_the_report_is_written_whole_beside_every_answer_as_json(evaluation: Evaluation, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "report"
    written = write_report(evaluation, folder, "qa.json")
    write_report(evaluation, folder, "qa.json")
    assert written == folder / "report.html"
    assert sorted(path.name for path in folder.iterdir()) == ["evaluation.json", "report.html"]
    document = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    assert document["data"] == "qa.json"
    assert document["generators"]["local"]["questions"] == 40
    assert document["answers"]["extractive"][3]["id"] == "q3"
    assert document["answers"]["extractive"][3]["answer"] == "It is the newton. [1]"


def test_a_folder_that_cannot_be_written_is_an_error_of_the_disks(evaluation: Evaluation, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OSError, match="taken"):
        write_report(evaluation, tmp_path / "taken", "qa.json")


def test_without_matplotlib_the_extra_is_named(
    evaluation: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModelExtraError, match="need matplotlib") as caught:
        write_report(evaluation, tmp_path / "report", "qa.json")
    assert "make plots" in caught.value.fix
    assert not (tmp_path / "report").exists()


def test_rows_are_left_out_where_nobody_has_a_value(evaluation: Evaluation) -> None:
    labels = {row.label.strip() for row in rows(evaluation)}
    assert not {"Tokens", "Cost", "Perplexity", "unanswerable: silent", "answerable: F1"} & labels
    one = evaluation.generators[1]
    measured = replace(one, figures=replace(one.figures, perplexity=12.3456, input_tokens=9_000, cost=0.25))
    values = {row.label: row.values for row in rows(replace(evaluation, generators=(measured,)))}
    assert (values["Perplexity"], values["Tokens"], values["Cost"]) == (("12.35",), ("9,000 / 0",), ("0.2500",))


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.00071, "0.7 ms"), (0.0123, "12 ms"), (0.9994, "999 ms"), (1.5, "1.50 s")]
)
def test_times_are_given_in_the_unit_that_suits_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_the_page_is_html_of_one_piece(html: str) -> None:
    for tag in ("html", "head", "body", "table", "tbody", "details", "article", "dl", "picture"):
        assert len(re.findall(rf"<{tag}[ >]", html)) == html.count(f"</{tag}>"), tag
