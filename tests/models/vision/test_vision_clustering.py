"""Pictures that look alike come into one group, and the contact sheet shows it."""

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.errors import PictureError
from models.vision.clustering.album import THUMBNAIL, Album, Picture, Refused, look_at
from models.vision.clustering.clusters import Clusters, clusters_of
from models.vision.clustering.contact_page import contact_page
from models.vision.clustering.contact_sheet import draw_contact_sheet
from models.vision.clustering.grouping import grouped
from models.vision.clustering.near_identical import nearly_same
from models.vision.clustering.silhouette import silhouettes
from models.vision.clustering.words import notes, summary
from models.vision.clustering.writing import files_to_write, write
from models.vision.decoding.contract import View
from models.vision.decoding.decoder import Decoder
from models.vision.files import files_in

VIT_TINY = Path(__file__).parents[3].parent / "shared" / "models" / "vit-tiny-patch16-224"
COLOURS = ("red", "green", "blue")

Embeddings = NDArray[np.float32]


class ColourLabeller:
    """Tells pictures apart by their mean colour, and notes how many it was shown at once."""

    name = "colours"
    labels = ("red, as of blood", "green", "blue")
    view = View(8, 8)

    def __init__(self) -> None:
        self.batches: list[int] = []

    def probabilities(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self.batches.append(len(pixels))
        means = pixels.mean(axis=(1, 2)).astype(np.float32) + 1
        return means / means.sum(axis=1, keepdims=True), means / np.linalg.norm(means, axis=1, keepdims=True)

    def close(self) -> None:
        """There is nothing to let go of."""


def unit(points: NDArray[np.floating]) -> Embeddings:
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def groups_of_points(count: int, each: int, spread: float = 0.5, seed: int = 0) -> Embeddings:
    chance = np.random.default_rng(seed)
    centres = chance.normal(size=(count, 32))
    return unit(np.repeat(centres, each, axis=0) + spread * chance.normal(size=(count * each, 32)))


def thumbnail(colour: str = "grey") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (THUMBNAIL, THUMBNAIL // 2), colour).save(written, "JPEG")
    return written.getvalue()


def album_of(embeddings: Embeddings, refused: tuple[Refused, ...] = (), name: str = "p{}.png") -> Album:
    shown = thumbnail()
    pictures = tuple(Picture(name.format(at), "tabby, tabby cat", shown) for at in range(len(embeddings)))
    return Album(pictures, embeddings, refused, "model")


def clusters(embeddings: Embeddings, count: int | None = None, likeness: float = 0.999) -> Clusters:
    return clusters_of(album_of(embeddings), count, likeness, seed=0)


def draw(file: Path, colour: str, shade: int = 0) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", (60, 40), colour)
    ImageDraw.Draw(picture).rectangle((0, 0, 5 + shade, 5), fill="white")
    picture.save(file)


@given(st.integers(2, 6), st.integers(6, 40), st.integers(0, 1_000))
@settings(deadline=None, max_examples=40)
def test_the_silhouette_is_that_of_scikit_learn(count: int, number: int, seed: int) -> None:
    from sklearn.metrics import silhouette_samples

    chance = np.random.default_rng(seed)
    embeddings = unit(chance.normal(size=(number, 5)))
    groups = np.concatenate([np.arange(count), chance.integers(count, size=number - count)]).astype(np.intp)
    if count == number:
        return
    theirs = silhouette_samples(embeddings.astype(np.float64), groups, metric="cosine")
    assert silhouettes(embeddings, groups) == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize(("count", "each"), [(2, 10), (3, 5), (5, 40), (12, 15)])
def test_the_number_of_groups_is_found(count: int, each: int) -> None:
    grouping = grouped(groups_of_points(count, each))
    assert (grouping.count, grouping.is_clear) == (count, True)
    assert all(len(set(grouping.groups[at : at + each])) == 1 for at in range(0, count * each, each))


@pytest.mark.parametrize("directions", [2, 8, 32])
@pytest.mark.parametrize("number", [40, 300])
def test_one_shapeless_cloud_has_no_clear_groups(directions: int, number: int) -> None:
    chance = np.random.default_rng(directions)
    cloud = unit(3 + chance.normal(size=(number, directions)) @ chance.normal(size=(directions, 32)))
    found = clusters(cloud)
    assert not found.grouping.is_clear
    assert notes(found)[0].startswith("There are no clear groups")


def test_the_same_seed_gives_the_same_groups() -> None:
    embeddings = groups_of_points(4, 30, spread=1.5)
    assert clusters(embeddings).as_json() == clusters(embeddings).as_json()


def test_the_largest_group_comes_first_and_the_picture_in_its_middle_leads_it() -> None:
    embeddings = np.concatenate([groups_of_points(2, 8), groups_of_points(2, 8)[:8], groups_of_points(1, 8, seed=5)])
    found = clusters(embeddings, 3)
    assert [len(group.members) for group in found.groups] == [16, 8, 8]
    for group in found.groups:
        inside = embeddings[[one.picture for one in group.members]]
        centre = inside.mean(axis=0)
        assert int((inside @ centre).argmax()) == 0
        assert [one.likeness for one in group.members] == sorted((one.likeness for one in group.members), reverse=True)


def test_pictures_that_are_all_the_same_are_one_group() -> None:
    found = clusters(np.repeat(groups_of_points(1, 1), 6, axis=0))
    assert (len(found.groups), found.silhouette, found.near_identical_count) == (1, None, 15)
    assert summary(found) == "All 6 pictures are the same to model: there is one group."
    assert found.outliers == ()
    assert found.as_json()["k"] == 1


def test_there_are_no_more_groups_than_different_pictures() -> None:
    found = clusters(np.repeat(groups_of_points(3, 1), 10, axis=0), 5)
    assert len(found.groups) == 3
    assert notes(found)[0] == "There are no 5 groups: only 3 of the pictures differ from each other."


@pytest.mark.parametrize(("number", "said"), [(0, "None of the files is a picture"), (2, "There are two pictures")])
def test_of_fewer_than_three_pictures_no_groups_are_made(number: int, said: str) -> None:
    album = album_of(groups_of_points(1, max(1, number))[:number], (Refused("a.txt", "It is plain text."),))
    with pytest.raises(PictureError, match=f"{said}; groups take 3 or more. The first .* a.txt: It is plain text."):
        clusters_of(album, None, 0.98, 0)


def test_more_groups_than_pictures_are_refused() -> None:
    with pytest.raises(PictureError, match=r"9 groups cannot be made of 4 pictures\. Give --k 4 or less"):
        clusters(groups_of_points(2, 2), 9)


def test_as_many_groups_as_pictures_may_be_asked_for() -> None:
    found = clusters(groups_of_points(4, 1), 4)
    assert [len(group.members) for group in found.groups] == [1, 1, 1, 1]


def test_three_pictures_are_enough() -> None:
    found = clusters(np.concatenate([groups_of_points(1, 2, spread=0.01), groups_of_points(1, 1, seed=3)]))
    assert [len(group.members) for group in found.groups] == [2, 1]


def test_a_group_whose_pictures_are_not_mostly_of_one_label_says_so() -> None:
    embeddings = groups_of_points(2, 5)
    labels = ("cat", "cat", "cat", "dog", "dog", "cat", "cat", "dog", "fox", "pig")
    pictures = tuple(Picture(f"{at}.png", label, thumbnail()) for at, label in enumerate(labels))
    found = clusters_of(Album(pictures, embeddings, (), "model"), 2, 0.999, 0)
    assert [(group.title, group.named) for group in found.groups] == [("cat", 3), ("cat and others", 2)]


def test_a_picture_far_from_all_others_is_told() -> None:
    embeddings = groups_of_points(2, 30, spread=0.3)
    embeddings[7] = unit(embeddings[7:8] + 4 * groups_of_points(1, 1, seed=9))[0]
    found = clusters(embeddings, 2)
    assert [found.path(one.picture) for one in found.outliers] == ["p7.png"]
    assert any(note.startswith("One picture is alone in a group") and "p7.png" in note for note in notes(found))


@given(st.integers(2, 30), st.integers(0, 100), st.floats(0.2, 0.99))
@settings(deadline=None, max_examples=40)
def test_every_near_identical_pair_is_found_once(number: int, seed: int, likeness: float) -> None:
    embeddings = unit(1 + np.random.default_rng(seed).normal(size=(number, 4)))
    cosines = embeddings @ embeddings.T
    pairs = {(a, b) for a in range(number) for b in range(a + 1, number) if cosines[a, b] >= likeness}
    found = nearly_same(embeddings, likeness, most=1_000)
    assert {pair[:2] for pair in found.pairs} >= pairs
    assert len(found.pairs) == found.count == len({pair[:2] for pair in found.pairs})
    assert [pair[2] for pair in found.pairs] == sorted((pair[2] for pair in found.pairs), reverse=True)


def test_near_identical_pairs_far_apart_in_the_folder_are_found_and_the_most_alike_named() -> None:
    embeddings = unit(np.random.default_rng(1).normal(size=(2_500, 64)))
    embeddings[2_400] = embeddings[3]
    embeddings[2_401] = unit(embeddings[4:5] + 0.01 * embeddings[5:6])[0]
    found = nearly_same(embeddings, 0.99, most=1)
    assert (found.count, found.pairs[0][:2]) == (2, (3, 2_400))


def test_files_come_in_natural_order_without_hidden_ones_and_through_links(tmp_path: Path) -> None:
    for name in ("a10.png", "A2.png", "b/1.png", ".hidden.png", ".git/x.png", "out/sheet.png"):
        draw(tmp_path / name, "red")
    (tmp_path / "b" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "linked.png").symlink_to(tmp_path / "b" / "1.png")
    os.mkfifo(tmp_path / "pipe.png")
    found = [file.relative_to(tmp_path).as_posix() for file in files_in(tmp_path, but=tmp_path / "out")]
    assert found == ["A2.png", "a10.png", "b/1.png", "gone.png", "linked.png", "pipe.png"]


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", "red")
    for wrong in (tmp_path / "a.png", tmp_path / "nowhere"):
        with pytest.raises(PictureError, match=r"is no folder\. Name a folder of pictures"):
            files_in(wrong)


def test_every_picture_of_a_folder_is_looked_at_and_what_is_none_is_told(tmp_path: Path) -> None:
    for at in range(40):
        draw(tmp_path / f"{at}.png", COLOURS[at % 3], shade=at % 5)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "0-gone.png").symlink_to(tmp_path / "nowhere")
    (tmp_path / "large.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(2**20))
    labeller, told = ColourLabeller(), list[None]()
    with Decoder() as decoder:
        album = look_at(tmp_path, files_in(tmp_path), decoder, labeller, lambda: told.append(None))
    assert [picture.path for picture in album.pictures] == [f"{at}.png" for at in range(40)]
    assert [picture.label for picture in album.pictures[:3]] == ["red, as of blood", "green", "blue"]
    assert {Image.open(io.BytesIO(one.thumbnail)).format for one in album.pictures} == {"JPEG"}
    assert [one.path for one in album.refused] == ["0-gone.png", "large.png", "notes.txt"]
    assert album.refused[0].reason == "It cannot be read: No such file or directory."
    assert (len(told), labeller.batches) == (43, [16, 16, 8])
    found = clusters_of(album, None, 0.98, 0)
    assert [group.title for group in found.groups] == ["red", "green", "blue"]
    assert [group.named for group in found.groups] == [14, 13, 13]
    assert "3 files were refused. 0-gone.png: It cannot be read" in notes(found)[-1]


def test_the_sheet_of_a_thousand_pictures_can_still_be_opened(tmp_path: Path) -> None:
    found = clusters(groups_of_points(3, 334), 3)
    sheet = Image.open(io.BytesIO(draw_contact_sheet(found, "Pictures of cats")))
    assert sheet.format == "PNG"
    assert max(sheet.size) < 1_500
    many = clusters(groups_of_points(150, 2, spread=0.05), 150)
    assert Image.open(io.BytesIO(draw_contact_sheet(many, "Many"))).height < 15_000


def test_the_page_shows_each_group_names_the_rest_and_runs_nothing() -> None:
    embeddings = groups_of_points(2, 700)
    album = album_of(embeddings, (Refused("<b>.txt", "It is plain text."),), name="<script>alert({})</script>.png")
    found = clusters_of(album, 2, 0.999999, 0)
    page = contact_page(found, "Cats & dogs")
    assert "<h1>Cats &amp; dogs</h1>" in page
    assert page.count("data:image/jpeg") == 1_200 + len(found.outliers)
    assert page.count("<summary>and 100 more</summary>") == 2
    assert "<script" not in page
    assert "&lt;script&gt;alert(1399)&lt;/script&gt;.png" in page
    assert "&lt;b&gt;.txt: It is plain text." in page
    assert "Group 1: tabby</h2>" in page


def test_everything_is_written_and_the_json_names_every_picture(tmp_path: Path) -> None:
    found = clusters(groups_of_points(3, 6))
    files = files_to_write(tmp_path / "deep" / "out", force=False)
    write(found, "Cats", files)
    assert sorted(file.name for file in (tmp_path / "deep" / "out").iterdir()) == [
        "contact-sheet.html",
        "contact-sheet.png",
        "groups.json",
    ]
    document = json.loads((tmp_path / "deep" / "out" / "groups.json").read_text(encoding="utf-8"))
    assert document["title"] == "Cats"
    named = {picture["path"] for group in document["groups"] for picture in group["pictures"]}
    assert named == {f"p{at}.png" for at in range(18)}
    assert document["groups"][0]["medoid"] == document["groups"][0]["pictures"][0]["path"]


@pytest.mark.parametrize("name", ["sheet.PNG", "sheet.html", "groups.json"])
def test_one_file_may_be_asked_for(tmp_path: Path, name: str) -> None:
    write(clusters(groups_of_points(2, 3)), "Cats", files_to_write(tmp_path / name, force=False))
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_what_is_there_is_replaced_only_by_force(tmp_path: Path) -> None:
    (tmp_path / "groups.json").write_text("mine")
    (tmp_path / "other.txt").write_text("mine")
    with pytest.raises(PictureError, match=r"groups.json is there already. Choose another --output, or give --force"):
        files_to_write(tmp_path, force=False)
    write(clusters(groups_of_points(2, 3)), "Cats", files_to_write(tmp_path, force=True))
    assert (tmp_path / "groups.json").read_text() != "mine"
    assert (tmp_path / "other.txt").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_told_before_anything_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PictureError, match="cannot be written: Not a directory"):
        files_to_write(tmp_path / "file" / "out", force=False)


def test_a_name_that_is_no_text_does_not_break_the_sheet(tmp_path: Path) -> None:
    found = clusters_of(album_of(groups_of_points(2, 3), name="p\udcff\n{}.png"), None, 0.98, 0)
    write(found, "C\udcff", files_to_write(tmp_path, force=False))
    assert "p?" in (tmp_path / "contact-sheet.html").read_text(encoding="utf-8")


@pytest.mark.skipif(not VIT_TINY.is_dir(), reason="the weights of ViT-tiny are not here")
def test_a_real_model_puts_drawn_shapes_into_their_groups(tmp_path: Path) -> None:
    import torch

    from models.store.checkpoints import judged
    from models.vision.labels import load_labeller

    chance = np.random.default_rng(0)
    for at in range(10):
        x, y = (int(one) for one in chance.integers(60, 164, 2))
        box = (x - 45, y - 45, x + 45, y + 45)
        for shape in ("circle", "square", "cross"):
            picture = Image.new("RGB", (224, 224), "white")
            pen = ImageDraw.Draw(picture)
            if shape == "circle":
                pen.ellipse(box, fill="navy")
            elif shape == "square":
                pen.rectangle(box, fill="navy")
            else:
                pen.line(box, fill="navy", width=14)
                pen.line((box[0], box[3], box[2], box[1]), fill="navy", width=14)
            picture.save(tmp_path / f"{shape} {at}.png")
    torch.set_num_threads(1)
    labeller = load_labeller(judged(VIT_TINY, "tiny"), "tiny", threads=1)
    with Decoder() as decoder:
        album = look_at(tmp_path, files_in(tmp_path), decoder, labeller, lambda: None)
    asked, found = clusters_of(album, 3, 0.98, 0), clusters_of(album, None, 0.98, 0)
    assert sorted(map(sorted, _shapes(asked))) == [["circle"], ["cross"], ["square"]]
    # A shape may be parted once more, by where it lies; two are never together.
    assert {len(shapes) for shapes in _shapes(found)} == {1}
    assert 3 <= len(found.groups) <= 5
    assert found.grouping.is_clear


def _shapes(found: Clusters) -> list[set[str]]:
    return [{found.path(one.picture).split()[0] for one in group.members} for group in found.groups]
