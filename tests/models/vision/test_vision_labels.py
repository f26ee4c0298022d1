"""A classifier of pictures says what the bare model says, of whatever kind it is; what is none says so."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification

from models.errors import ModelTooLargeError, ModelUnusableError
from models.store.checkpoints import judged
from models.vision.decoding.decoder import Decoder
from models.vision.image_processors import loaded_preparation
from models.vision.labels import ImageClassifier, load_labeller
from models.vision.loading import make_ready
from tests.models.vision.tiny_picture_models import CLASSIFIERS, PROCESSORS, edit_json, tiny_classifier, write_processor

VIT_TINY = Path(__file__).parents[3].parent / "shared" / "models" / "vit-tiny-patch16-224"
PHOTOGRAPHS = ("astronaut.png", "coffee.png", "chelsea.png", "camera.png", "motorcycle_left.png", "rocket.jpg")

needs_vit_tiny = pytest.mark.skipif(not VIT_TINY.is_dir(), reason="the weights of ViT-tiny are not here")


def loaded(folder: Path, name: str = "tiny") -> ImageClassifier:
    return load_labeller(judged(folder, name), name, threads=1)


def photographs() -> list[bytes]:
    """Real photographs from installed packages, as files."""
    import skimage
    from sklearn.datasets import load_sample_images

    files = [Path(skimage.__file__).parent / "data" / name for name in PHOTOGRAPHS]
    found = [file.read_bytes() for file in files if file.is_file()]
    for pixels in load_sample_images().images:
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, "PNG")
        found.append(content.getvalue())
    return found


def noise(width: int, height: int) -> Image.Image:
    chance = np.random.default_rng(width)
    return Image.fromarray(chance.integers(0, 256, (height, width, 3), np.uint8))


def as_png(picture: Image.Image) -> bytes:
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


@needs_vit_tiny
def test_a_decoded_photograph_has_the_bare_models_top_five() -> None:
    classifier = loaded(VIT_TINY, "vit-tiny")
    processor = AutoImageProcessor.from_pretrained(VIT_TINY, backend="pil")
    bare = AutoModelForImageClassification.from_pretrained(VIT_TINY).eval()
    contents = photographs()
    assert len(contents) >= 4
    with Decoder() as decoder:
        pixels = np.stack([decoder.decode(content, (classifier.view,)).views[0] for content in contents])
    probabilities, embeddings = classifier.probabilities(pixels)

    for content, row, embedding in zip(contents, probabilities, embeddings, strict=True):
        picture = Image.open(io.BytesIO(content)).convert("RGB")
        with torch.inference_mode():
            values = processor(picture, return_tensors="pt")
            likely = bare(**values).logits.softmax(-1)[0]
            state = bare.base_model(**values).last_hidden_state[0, 0]
        top = likely.topk(5)
        ours = np.argsort(-row)[:5]
        assert ours.tolist() == top.indices.tolist()
        assert [classifier.labels[index] for index in ours] == [bare.config.id2label[int(one)] for one in top.indices]
        np.testing.assert_allclose(row[ours], top.values, atol=1e-5)
        np.testing.assert_allclose(embedding, torch.nn.functional.normalize(state, dim=0), atol=1e-5)


@needs_vit_tiny
def test_imagenets_words_are_all_there() -> None:
    classifier = loaded(VIT_TINY, "vit-tiny")
    assert len(classifier.labels) == 1_000
    assert classifier.labels[:2] == ("tench", "goldfish")


def test_labels_are_told_as_the_model_has_them(tmp_path: Path) -> None:
    labels = ("junco, snowbird", "crane", "crane")
    assert loaded(tiny_classifier(tmp_path, labels=labels)).labels == labels


@pytest.mark.parametrize("processor", PROCESSORS)
def test_a_laid_out_picture_becomes_the_very_numbers_that_the_processor_makes_of_it(
    tmp_path: Path, processor: str
) -> None:
    folder = write_processor(tmp_path, processor)
    (folder / "config.json").write_text('{"model_type": "vit"}')
    preparation = loaded_preparation(folder, "tiny")
    own = AutoImageProcessor.from_pretrained(folder, backend="pil")
    with Decoder() as decoder:
        for width, height in ((640, 427), (31, 90), (33, 33), (7, 3), (32, 32)):
            picture = noise(width, height)
            pixels = decoder.decode(as_png(picture), (preparation.view,)).views[0]
            expected = own(picture, return_tensors="np")["pixel_values"]
            assert preparation.values(pixels[None]).tobytes() == np.asarray(expected, np.float32).tobytes()


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_every_kind_of_classifier_gives_what_its_bare_model_gives_alone_and_in_a_batch(
    tmp_path: Path, kind: str
) -> None:
    processor = "clip" if kind in ("clip", "siglip") else kind if kind in PROCESSORS else "vit"
    folder = tiny_classifier(tmp_path, kind, processor)
    classifier = loaded(folder)
    bare = AutoModelForImageClassification.from_pretrained(folder).eval()
    own = AutoImageProcessor.from_pretrained(folder, backend="pil")
    pictures = [noise(50, 40), noise(90, 200), noise(32, 32)]
    with Decoder() as decoder:
        pixels = np.stack([decoder.decode(as_png(one), (classifier.view,)).views[0] for one in pictures])
    with torch.inference_mode():
        expected = bare(**own(pictures, return_tensors="pt")).logits.softmax(-1).numpy()

    probabilities, embeddings = classifier.probabilities(pixels)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    for number in range(3):
        alone, embedding = classifier.probabilities(pixels[number : number + 1])
        np.testing.assert_allclose(alone[0], probabilities[number], atol=1e-5)
        np.testing.assert_allclose(embedding[0], embeddings[number], atol=1e-5)


def test_without_a_first_token_the_embedding_is_the_mean_of_all_states(tmp_path: Path) -> None:
    folder = tiny_classifier(tmp_path, "swin", "swin")
    classifier = loaded(folder)
    bare = AutoModelForImageClassification.from_pretrained(folder).eval()
    own = AutoImageProcessor.from_pretrained(folder, backend="pil")
    picture = noise(32, 32)
    with torch.inference_mode():
        state = bare.base_model(**own(picture, return_tensors="pt")).last_hidden_state[0].mean(0)
    embedding = classifier.probabilities(np.asarray(picture)[None])[1][0]
    np.testing.assert_allclose(embedding, torch.nn.functional.normalize(state, dim=0), atol=1e-5)


def test_a_temperature_beside_the_weights_makes_probabilities_milder(tmp_path: Path) -> None:
    folder = tiny_classifier(tmp_path)
    pixels = np.asarray(noise(32, 32))[None]
    logits = loaded(folder).logits(pixels).astype(np.float64)
    (folder / "images.json").write_text('{"temperature": 2.5}')
    mild = np.exp(logits / 2.5)
    np.testing.assert_allclose(loaded(folder).probabilities(pixels)[0], mild / mild.sum(), atol=1e-6)


@pytest.mark.parametrize(
    "stated",
    [
        '{"temperature": 0}',
        '{"temperature": 1e9}',
        f'{{"temperature": {10**400}}}',
        '{"temperature": "hot"}',
        '{"temperature": NaN}',
        "[]",
        "{",
    ],
)
def test_a_temperature_that_makes_no_sense_is_refused(tmp_path: Path, stated: str) -> None:
    folder = tiny_classifier(tmp_path)
    checkpoint = judged(folder, "mine")
    (folder / "images.json").write_text(stated)
    with pytest.raises(ModelUnusableError, match=r"mine is damaged: .*images\.json"):
        load_labeller(checkpoint, "mine", threads=1)


def test_labels_that_do_not_exclude_each_other_have_a_probability_each(tmp_path: Path) -> None:
    folder = tiny_classifier(tmp_path)
    edit_json(folder / "config.json", problem_type="multi_label_classification")
    pixels = np.asarray(noise(32, 32))[None]
    classifier = loaded(folder)
    expected = 1 / (1 + np.exp(-classifier.logits(pixels)))
    np.testing.assert_allclose(classifier.probabilities(pixels)[0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (None, "has no names for its labels"),
        ({"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}, "has no names for its labels"),
        ({"0": "cat", "1": "dog", "3": "red"}, "not numbered from 0 on"),
        ({"0": "cat", "1": "  ", "2": "red"}, "lack names"),
        ({"zero": "cat", "1": "dog"}, "cannot be loaded"),
        (["cat", "dog"], "cannot be loaded"),
        ({"0": "cat", "1": "dog"}, "cannot be loaded|tells no pictures apart"),
    ],
)
def test_a_classifier_without_right_labels_is_refused(tmp_path: Path, labels: Any, said: str) -> None:
    folder = tiny_classifier(tmp_path)
    edit_json(folder / "config.json", id2label=labels, label2id=None)
    with pytest.raises(ModelUnusableError, match=said):
        loaded(folder)


def test_an_encoder_without_a_head_is_no_classifier(tmp_path: Path) -> None:
    from transformers import ViTModel

    folder = tiny_classifier(tmp_path)
    ViTModel.from_pretrained(folder, add_pooling_layer=False).save_pretrained(folder)
    edit_json(folder / "config.json", id2label={"0": "cat", "1": "dog", "2": "red"})
    with pytest.raises(ModelUnusableError, match="tiny tells no pictures apart: 2 of its layers have no fitting"):
        loaded(folder)


def test_weights_that_are_only_a_pickle_are_never_loaded(tmp_path: Path) -> None:
    folder = tiny_classifier(tmp_path)
    whole = judged(folder, "tiny")
    model = AutoModelForImageClassification.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(ModelUnusableError, match="only as a pickle"):
        judged(folder, "tiny")
    with pytest.raises(ModelUnusableError, match="cannot be loaded"):
        load_labeller(whole, "tiny", threads=1)


@pytest.mark.parametrize(
    "changes",
    [
        {"do_resize": False},
        {"size": {"shortest_edge": 32}},
        {"size": {"shortest_edge": 32, "longest_edge": 40}},
        {"size": {"height": 32, "width": 32}, "do_pad": True, "pad_size": {"height": 40, "width": 40}},
        {"size": {"height": 9_000, "width": 9_000}},
        {"image_processor_type": "LevitImageProcessor", "size": {"shortest_edge": 32}, "crop_size": 32},
    ],
)
def test_a_processor_that_lays_pictures_out_in_another_way_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    folder = tiny_classifier(tmp_path)
    edit_json(folder / "preprocessor_config.json", **changes)
    with pytest.raises(ModelUnusableError, match="tiny wants pictures laid out in a way that is not known here"):
        loaded(folder)


@pytest.mark.parametrize("processor", ["{", "[]", '{"image_processor_type": "NoSuchProcessor"}', '{"size": "large"}'])
def test_a_damaged_processor_is_told_in_one_sentence(tmp_path: Path, processor: str) -> None:
    folder = tiny_classifier(tmp_path)
    (folder / "preprocessor_config.json").write_text(processor)
    with pytest.raises(ModelUnusableError, match=r"^tiny (cannot be loaded: |wants pictures laid out)"):
        loaded(folder)


def test_a_processor_for_other_sizes_than_the_models_is_found_while_loading(tmp_path: Path) -> None:
    folder = tiny_classifier(tmp_path)
    edit_json(folder / "preprocessor_config.json", size={"height": 64, "width": 64})
    with pytest.raises(ModelUnusableError, match="tiny cannot be loaded"):
        loaded(folder)


def test_weights_that_are_no_numbers_are_found_while_loading(tmp_path: Path) -> None:
    folder = tiny_classifier(tmp_path)
    model = AutoModelForImageClassification.from_pretrained(folder)
    model.classifier.weight.data.fill_(float("nan"))
    model.save_pretrained(folder)
    with pytest.raises(ModelUnusableError, match="what it says is no number"):
        loaded(folder)


def test_a_model_that_does_not_fit_into_memory_is_refused_with_both_figures(tmp_path: Path) -> None:
    whole = judged(tiny_classifier(tmp_path), "tiny")
    make_ready(whole, "tiny", threads=1, free=400_000_000)
    with pytest.raises(ModelTooLargeError, match=r"huge needs 5\.1 GB of memory, and 2\.0 GB are free"):
        make_ready(replace(whole, parameters=10**9), "huge", threads=1, free=2_000_000_000)


def test_a_closed_classifier_looks_at_nothing(tmp_path: Path) -> None:
    classifier = loaded(tiny_classifier(tmp_path))
    classifier.close()
    with pytest.raises(ModelUnusableError, match="tiny was closed"):
        classifier.probabilities(np.zeros((1, 32, 32, 3), np.uint8))


def test_a_processor_saved_inside_of_a_processor_is_found(tmp_path: Path) -> None:
    folder = tiny_classifier(tmp_path)
    own = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").unlink()
    (folder / "processor_config.json").write_text(json.dumps({"image_processor": own}))
    assert loaded(folder).view.height == 32


def test_a_config_that_speaks_of_a_billion_layers_fills_no_memory(tmp_path: Path) -> None:
    folder = tiny_classifier(tmp_path)
    edit_json(folder / "config.json", num_hidden_layers=10**9)
    with pytest.raises(ModelUnusableError, match=r"config\.json speaks of 1,000,000,000 layers"):
        loaded(folder)
