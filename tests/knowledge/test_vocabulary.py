"""Words are found by hash."""

from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from knowledge.index.vocabulary import Vocabulary, hash_order


def vocabulary_of(words: list[str]) -> Vocabulary:
    return Vocabulary.of([words[number] for number in hash_order(words).tolist()])


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), unique=True), st.text(max_size=8))
def test_every_word_is_found_and_no_other(words: list[str], other: str) -> None:
    vocabulary = vocabulary_of(words)
    assert len(vocabulary) == len(words)
    assert all(vocabulary.word(vocabulary.find(word)) == word for word in words)
    if other not in words and other.isascii():
        assert vocabulary.find(other) == -1


def test_words_with_one_hash_are_told_apart() -> None:
    # These two have the same CRC-32.
    vocabulary = vocabulary_of(["plumless", "energy", "buckeroo"])
    assert vocabulary.word(vocabulary.find("plumless")) == "plumless"
    assert vocabulary.word(vocabulary.find("buckeroo")) == "buckeroo"


def test_words_whose_hashes_lie_close_together_are_found() -> None:
    words = sorted((f"w{number}" for number in range(100_000)), key=lambda word: crc32(word.encode()))[:300]
    vocabulary = vocabulary_of(words)
    assert [vocabulary.word(vocabulary.find(word)) for word in words] == words
