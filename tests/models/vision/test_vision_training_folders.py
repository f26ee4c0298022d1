"""What a folder of classes may look like, and what is said where it does not."""

from pathlib import Path

import pytest
from drawn_shapes import shapes

from models.errors import TrainingError
from models.vision.training.folders import FEWEST_PICTURES, find_pictures


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shapes(tmp_path / "shapes", FEWEST_PICTURES)


def refusal(folder: Path) -> str:
    with pytest.raises(TrainingError) as refused:
        find_pictures(folder)
    assert refused.value.fix
    return str(refused.value)


def test_each_folder_is_a_class_and_its_files_come_by_name(folder: Path) -> None:
    found = find_pictures(folder)
    assert found.labels == ("circle", "square", "triangle")
    assert [one.label for one in found.files] == ["circle"] * 5 + ["square"] * 5 + ["triangle"] * 5
    assert [one.path.name for one in found.files[:2]] == ["000.png", "001.png"]
    assert (found.links, found.nested, found.loose) == (0, 0, 0)


def test_what_systems_put_into_folders_is_passed_over_and_what_people_do_is_counted(folder: Path) -> None:
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "circle" / "Thumbs.db").write_bytes(b"x")
    (folder / "circle" / ".hidden.png").write_bytes(b"x")
    (folder / ".git").mkdir()
    before = find_pictures(folder)
    assert (len(before.files), before.links, before.nested, before.loose) == (15, 0, 0, 0)
    (folder / "loose.png").write_bytes(b"x")
    (folder / "circle" / "more").mkdir()
    (folder / "circle" / "link.png").symlink_to(folder / "square" / "000.png")
    (folder / "linked").symlink_to(folder / "square")
    found = find_pictures(folder)
    assert (len(found.files), found.links, found.nested, found.loose) == (15, 2, 1, 1)


def test_another_file_makes_another_fingerprint_and_the_same_files_the_same(folder: Path) -> None:
    before = find_pictures(folder).fingerprint
    assert find_pictures(folder).fingerprint == before
    (folder / "circle" / "000.png").rename(folder / "circle" / "zzz.png")
    assert find_pictures(folder).fingerprint != before


def test_a_class_with_too_few_pictures_is_named_with_what_it_has(folder: Path) -> None:
    (folder / "square" / "000.png").unlink()
    assert "The class 'square' has 4 pictures that can be used" in refusal(folder)
    (folder / "empty").mkdir()
    assert "The class 'empty' has no picture that can be used" in refusal(folder)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "holds no folder of a class; nothing can be told apart."),
        (["alone"], "holds one class alone, 'alone'; nothing can be told apart."),
        (["a\x07b", "c"], "The folder 'a\\x07b' has signs in its name that cannot be shown."),
        (["x" * 101, "c"], "has a name of 101 characters; a class has 100 at the most."),
        (["Cat", "cat"], "The folders 'Cat' and 'cat' would be the same class."),
        (["caf\u00e9", "cafe\u0301"], "would be the same class."),
        (["two  blanks", "two blanks"], "would be the same class."),
    ],
)
def test_classes_that_cannot_be_told_apart_or_named_are_refused(tmp_path: Path, names: list[str], said: str) -> None:
    for name in names:
        (tmp_path / name).mkdir()
    assert said in refusal(tmp_path)


def test_a_path_that_is_no_folder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    assert f"{tmp_path / 'nowhere'} is not there." in refusal(tmp_path / "nowhere")
    (tmp_path / "file").write_bytes(b"")
    assert f"{tmp_path / 'file'} is no folder." in refusal(tmp_path / "file")


def test_more_classes_than_can_be_told_apart_are_refused(tmp_path: Path) -> None:
    for number in range(1_001):
        (tmp_path / str(number)).mkdir()
    assert "holds 1,001 classes; 1,000 can be told apart at the most." in refusal(tmp_path)


def test_classes_may_be_called_anything_that_can_be_shown(tmp_path: Path) -> None:
    for name in ("Bäume & Sträucher", "猫", "n02123045", "🐈 cat's"):
        shapes(tmp_path, FEWEST_PICTURES, names=("circle",)).joinpath("circle").rename(tmp_path / name)
    assert set(find_pictures(tmp_path).labels) == {"Bäume & Sträucher", "猫", "n02123045", "🐈 cat's"}
