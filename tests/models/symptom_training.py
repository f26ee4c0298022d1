"""What the tests of trainings for diagnosis share: a tiny encoder, and descriptions that are easily told apart."""

import csv
import random
from collections.abc import Iterable
from pathlib import Path

SIGNS = {
    "psoriasis": "itchy silvery scales plaques elbows knees scalp flaking cracked nails patches dry",
    "common cold": "runny nose sneezing sore throat tissues stuffy sniffles watery cough hoarse blocked",
    "migraine": "throbbing head light sound nausea aura zigzag temple dark pulsing blind side",
}
OTHERS = "train ticket recipe football garden bicycle invoice holiday window guitar paint kettle"
_FILLING = "since monday and my the with really again today very often when walking at night"
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def descriptions(each: int, seed: int = 0) -> list[tuple[str, str]]:
    """Make (label, text) rows, as many of each label."""
    chance = random.Random(seed)
    return [(label, _text(signs, chance)) for _ in range(each) for label, signs in SIGNS.items()]


def strangers(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """Make (kind, text) rows that describe nothing."""
    chance = random.Random(seed)
    return [("chat", _text(OTHERS, chance)) for _ in range(count)]


def _text(words: str, chance: random.Random) -> str:
    return " ".join(chance.sample(words.split(), 5) + chance.sample(_FILLING.split(), 4))


def written(file: Path, rows: Iterable[tuple[str, str]], head: tuple[str, str] = ("label", "text")) -> Path:
    """Write rows as CSV."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([head, *rows])
    return file


def tiny_encoder(folder: Path) -> Path:
    """Make a BERT of one layer with random weights that knows the words above."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = sorted({word for words in (*SIGNS.values(), OTHERS, _FILLING) for word in words.split()})
    vocabulary = {word: number for number, word in enumerate((*_SPECIAL, *words))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=64,
    )
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder
