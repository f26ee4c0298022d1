"""Captioners of each family write of one picture what they write of it among others, in clean sentences."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.errors import ModelUnusableError
from models.store.checkpoints import Checkpoint, judged
from models.vision.caption_text import LONGEST, sentence
from models.vision.captions import MOST_TOKENS, CaptionWriter, load_captioner
from tests.models.vision.tiny_picture_models import WORDS, edit_json, tiny_blip, tiny_classifier, tiny_git, tiny_pair

Made = Callable[[Path], Path]

CAPTIONERS = {
    "git": tiny_git,
    "blip": tiny_blip,
    "vit with gpt-2": tiny_pair,
    "vit with bert": lambda folder: tiny_pair(folder, "bert"),
}


def loaded(folder: Path) -> CaptionWriter:
    return load_captioner(judged(folder, "tiny"), "tiny", threads=1)


def pictures(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8)


@pytest.fixture(params=CAPTIONERS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return CAPTIONERS[request.param](tmp_path)


def tokens(writer: CaptionWriter, pixels: NDArray[np.uint8]) -> list[str]:
    """What it writes before it is made a sentence: untrained models mostly stammer."""
    return list(writer._tokenizer.batch_decode(writer._written(pixels), skip_special_tokens=True))


def test_a_captioner_writes_the_same_alone_and_among_others(folder: Path) -> None:
    writer = loaded(folder)
    together = tokens(writer, pictures(3))
    assert together == [tokens(writer, one[None])[0] for one in pictures(3)]
    assert tokens(writer, pictures(3)) == together
    for text in together:
        assert set(text.split()) <= {*WORDS, "[UNK]"}
    for caption in writer.captions(pictures(3)):
        assert caption == "" or (caption[0].isupper() and caption.endswith("."))


@pytest.mark.parametrize("kind", ["git", "blip"])
def test_a_captioner_writes_what_its_bare_model_writes(tmp_path: Path, kind: str) -> None:
    import transformers

    family = transformers.GitForCausalLM if kind == "git" else transformers.BlipForConditionalGeneration
    writer = loaded(CAPTIONERS[kind](tmp_path))
    bare = family.from_pretrained(tmp_path).eval()
    values = torch.from_numpy(writer._preparation.values(pictures(2)))
    with torch.inference_mode():
        written = bare.generate(pixel_values=values, max_new_tokens=MOST_TOKENS, do_sample=False)
    assert written.tolist() == writer._written(pictures(2)).tolist()


def test_a_caption_has_some_dozens_of_tokens_at_the_most(folder: Path) -> None:
    edit_json(folder / "generation_config.json", max_length=500, eos_token_id=None, forced_eos_token_id=None)
    assert loaded(folder)._written(pictures(2)).shape[1] <= MOST_TOKENS + 1


def test_a_models_own_way_of_writing_is_kept_but_never_left_to_chance(folder: Path) -> None:
    edit_json(folder / "generation_config.json", max_new_tokens=5, num_beams=3, do_sample=True, temperature=9.0)
    writer = loaded(folder)
    assert writer._written(pictures(2)).shape[1] <= 6
    assert writer._generation.num_beams == 3
    assert all(tokens(writer, pictures(2)) == tokens(writer, pictures(2)) for _ in range(3))


def test_words_that_a_model_must_not_use_are_not_used(tmp_path: Path) -> None:
    folder = tiny_git(tmp_path)
    first = loaded(folder)._written(pictures(1))[0, 1].item()
    edit_json(folder / "generation_config.json", suppress_tokens=[first])
    assert first not in loaded(folder)._written(pictures(1))[0].tolist()


def test_another_model_than_a_captioner_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusableError, match=r"tiny \(vit\) writes no captions.*blip, git, vision-encoder-decoder"):
        loaded(tiny_classifier(tmp_path))


@pytest.mark.parametrize("lacking", ["tokenizer.json", "preprocessor_config.json"])
def test_a_captioner_needs_words_and_eyes(folder: Path, lacking: str) -> None:
    whole = judged(folder, "tiny")
    (folder / lacking).unlink()
    with pytest.raises(ModelUnusableError, match="tiny is incomplete"):
        judged(folder, "tiny")
    with pytest.raises(ModelUnusableError, match="tiny cannot be loaded"):
        load_captioner(whole, "tiny", threads=1)


def test_a_way_of_writing_that_takes_one_picture_alone_is_refused_while_it_is_loaded(tmp_path: Path) -> None:
    folder = tiny_git(tmp_path)
    edit_json(folder / "generation_config.json", prompt_lookup_num_tokens=3)
    with pytest.raises(ModelUnusableError, match="only supported for batch_size = 1"):
        loaded(folder)


def test_weights_that_are_only_a_pickle_are_never_loaded(tmp_path: Path) -> None:
    whole = judged(tiny_git(tmp_path), "tiny")
    (tmp_path / "model.safetensors").unlink()
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelUnusableError, match="cannot be loaded"):
        load_captioner(whole, "tiny", threads=1)


def test_missing_layers_are_never_made_up(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tiny_git(tmp_path)
    weights = load_file(folder / "model.safetensors")
    gone = next(name for name in weights if "visual_projection" in name)
    del weights[gone]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelUnusableError, match="1 of its layers have no fitting weights"):
        loaded(folder)


def test_a_closed_captioner_writes_nothing(tmp_path: Path) -> None:
    writer = loaded(tiny_git(tmp_path))
    writer.close()
    with pytest.raises(ModelUnusableError, match="tiny was closed"):
        writer.captions(pictures(1))


def test_tied_weights_need_not_be_there_twice(folder: Path) -> None:
    checkpoint: Checkpoint = judged(folder, "tiny")
    assert (checkpoint.kind, checkpoint.sight) == ("other", "captions")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("a cat on the grass", "A cat on the grass."),
        ("a cat on the grass .", "A cat on the grass."),
        ("  A cat\non\tthe\u202e grass. ", "A cat on the grass."),
        ("a man ' s hat, black - and - white .", "A man's hat, black-and-white."),
        ("a man 's hat isn 't red", "A man's hat isn't red."),
        ("Berlin - a view", "Berlin - a view."),
        ("is it a cat ?", "Is it a cat?"),
        ("ein Ölbild", "Ein Ölbild."),
        ("", ""),
        (" .,", ""),
        ("cat cat cat cat", ""),
        ("a dog a dog a dog a dog", ""),
        ("the cat on the grass on the grass on the grass", ""),
        ("a woman in a bed with a woman in a bed", "A woman in a bed with a woman in a bed."),
        ("a very very big dog", "A very very big dog."),
        ("a b a a b b a b a b b a a b a b", ""),
    ],
)
def test_what_was_written_becomes_one_clean_sentence(written: str, told: str) -> None:
    assert sentence(written) == told


def test_a_caption_that_is_too_long_ends_behind_a_word() -> None:
    told = sentence(" ".join(f"word{number}" for number in range(200)))
    assert len(told) <= LONGEST
    assert told.endswith("…")
    assert told.rstrip("…").split()[-1] in {f"word{number}" for number in range(200)}


@given(st.text())
def test_whatever_is_written_is_one_line_of_bounded_length(written: str) -> None:
    told = sentence(written)
    assert len(told) <= LONGEST
    assert told == " ".join(told.split())
    assert not told or told.endswith((".", "!", "?", "…"))
    assert all(sign.isprintable() or sign == " " for sign in told)


@given(st.text(alphabet="ab é.'-\n", max_size=60))
def test_a_sentence_stays_as_it_is(written: str) -> None:
    assert sentence(sentence(written)) == sentence(written)
