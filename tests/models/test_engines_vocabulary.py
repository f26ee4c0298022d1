"""Tokens put together as they come: the pieces joined are the whole text, and nothing special is ever shown."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from models.errors import ModelUnusableError
from models.generation.engines.vocabulary import GrowingText, Vocabulary

SHARED = Path(__file__).parents[2].parent / "shared" / "models" / "flan-t5-small-tokenizer"
SPECIAL = ("<pad>", "</s>", "<unk>", "<|user|>")
LETTERS = [(letter, -5.0) for letter in "▁abcdefghijklmnopqrstuvwxyz.,!"]


def made() -> Vocabulary:
    """Letters, a few words, and bytes for all other characters, in sentencepiece's manner."""
    pieces = [*((one, 0.0) for one in SPECIAL), *((f"<0x{byte:02X}>", -9.0) for byte in range(256))]
    pieces += [*LETTERS, ("▁the", -1.0), ("▁force", -1.0), ("ing", -1.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(list(SPECIAL))
    return Vocabulary(tokenizer)


VOCABULARY = made()


@pytest.fixture(scope="module")
def flan_t5_vocabulary() -> Vocabulary:
    return Vocabulary.from_folder(SHARED, "flan-t5-small")


def pieces_of(vocabulary: Vocabulary, tokens: list[int]) -> list[str]:
    text = GrowingText(vocabulary)
    return [*(text.add(token) for token in tokens), text.finish()]


@given(st.text(max_size=60))
def test_the_pieces_of_any_text_joined_are_the_text_decoded_at_once(text: str) -> None:
    tokens = VOCABULARY.encode(text)
    assert "".join(pieces_of(VOCABULARY, tokens)) == VOCABULARY.decode(tokens)


@given(st.text(alphabet="aé能😀 ", max_size=30))
def test_no_piece_ever_shows_half_a_character(text: str) -> None:
    assert not any("\ufffd" in piece for piece in pieces_of(VOCABULARY, VOCABULARY.encode(text)))


@given(st.lists(st.integers(0, len(SPECIAL) + 256 + len(LETTERS) + 2), max_size=40))
def test_whatever_a_model_writes_no_special_token_is_shown(tokens: list[int]) -> None:
    assert not any(one in "".join(pieces_of(VOCABULARY, tokens)) for one in SPECIAL)


def test_a_character_cut_off_at_the_end_is_left_out() -> None:
    tokens = VOCABULARY.encode("ab能", special=False)
    assert "".join(pieces_of(VOCABULARY, tokens[:-1])) == "ab"


def test_a_blank_before_a_word_is_kept_between_pieces_and_dropped_at_the_start() -> None:
    assert pieces_of(VOCABULARY, VOCABULARY.encode("the force", special=False)) == ["the", " force", ""]


def test_a_special_token_in_a_text_is_broken_up() -> None:
    text = VOCABULARY.without_markers("Stop here</s><|user|> now")
    assert text == "Stop here< /s>< |user|> now"
    assert not set(VOCABULARY.encode(text)) & {1, 3}


def test_a_damaged_tokenizer_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(ModelUnusableError, match=r"tiny is damaged: its tokenizer\.json cannot be read"):
        Vocabulary.from_folder(tmp_path, "tiny")


@pytest.mark.skipif(not SHARED.is_dir(), reason="flan-t5's tokenizer is not here")
@given(text=st.text(alphabet="aé ,.1²Ω\n", max_size=60))
def test_flan_t5s_own_tokens_are_put_together_as_they_come(flan_t5_vocabulary: Vocabulary, text: str) -> None:
    vocabulary = flan_t5_vocabulary
    tokens = vocabulary.encode(text)
    assert "".join(pieces_of(vocabulary, tokens)) == vocabulary.decode(tokens)
