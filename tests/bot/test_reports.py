"""Reports are listed from where they lie, and nothing else is ever opened."""

import os
from pathlib import Path

import pytest
from kept_questions import Person

from bot.errors import NotFoundError
from bot.reports import Reports

ANN = Person("ann")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with the report of an evaluation, and that of a trained model."""
    friday = tmp_path / "reports" / "friday"
    friday.mkdir(parents=True)
    (friday / "report.html").write_text("<p>fine</p>")
    (friday / "evaluation.json").write_text("{}")
    (friday / "notes.txt").write_text("mine")
    model = tmp_path / "models" / "images" / "birds"
    model.mkdir(parents=True)
    for name in ("README.md", "training.json", "confusion.png", "config.json", "model.safetensors"):
        (model / name).write_bytes(b"x")
    os.utime(model / "README.md", (1, 1))
    return tmp_path


def _reports(data: Path) -> Reports:
    return Reports(data / "reports", data / "models")


def test_reports_of_evaluations_and_of_models_are_listed_newest_first(data: Path) -> None:
    found = _reports(data).listed()
    assert [(one.id, one.kind, one.files) for one in found] == [
        ("evaluation-friday", "evaluation", ("evaluation.json", "report.html")),
        ("images-birds", "images", ("README.md", "confusion.png", "training.json")),
    ]


async def test_a_file_that_is_listed_is_found_with_its_media_type(data: Path) -> None:
    reply = await _reports(data).find(ANN.message("images-birds/confusion.png"))
    assert reply.data == {
        "path": str(data / "models" / "images" / "birds" / "confusion.png"),
        "media_type": "image/png",
    }


@pytest.mark.parametrize(
    "wanted",
    [
        "evaluation-friday/notes.txt",
        "images-birds/model.safetensors",
        "images-birds/config.json",
        "evaluation-../../etc/passwd",
        "evaluation-friday/../friday/report.html",
        "evaluation-thursday/report.html",
        "",
    ],
)
async def test_what_is_not_listed_is_not_found(data: Path, wanted: str) -> None:
    with pytest.raises(NotFoundError):
        await _reports(data).find(ANN.message(wanted))


async def test_links_are_not_followed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "report.html").write_text("secret")
    (data / "reports" / "linked").symlink_to(elsewhere)
    (data / "reports" / "friday" / "secret.png").symlink_to(elsewhere / "report.html")
    listed = {one.id: one.files for one in _reports(data).listed()}
    assert "evaluation-linked" not in listed
    assert "secret.png" not in listed["evaluation-friday"]


def test_where_there_is_nothing_nothing_is_listed(tmp_path: Path) -> None:
    assert _reports(tmp_path).listed() == []
