"""Tiny encoders made from configs in a second, and texts of a few labels that they learn in seconds."""

import random
from pathlib import Path
from typing import Any

from models.diagnosis.contract import NO_MATCH, LabelledTexts

SIGNS = {
    "psoriasis": ("silvery scales", "plaques on my elbows", "flaky scalp", "pitted nails", "thick red patches"),
    "migraine": ("throbbing head", "bright light hurts", "zigzag lines", "one sided headache", "sick with the pain"),
    "impetigo": ("honey crusts", "weeping sores", "blisters by the mouth", "golden scabs", "sores that spread"),
}
OTHER = ("what time is it", "my dog limps", "thanks a lot", "how do vaccines work", "the bus was late")
FILLERS = ("for days now", "since last week", "and it will not stop", "it worries me", "my sister saw it", "hello")

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def labelled(each: int, seed: int = 0, no_match: bool = True) -> LabelledTexts:
    """Make so many texts of each label, and, if wanted, of none; other seeds make other texts."""
    chance = random.Random(seed)
    sources = {**SIGNS, NO_MATCH: OTHER} if no_match else dict(SIGNS)
    rows = [(label, _text(chance, signs)) for label, signs in sources.items() for _ in range(each)]
    chance.shuffle(rows)
    return LabelledTexts(tuple(text for _, text in rows), tuple(label for label, _ in rows))


def _text(chance: random.Random, signs: tuple[str, ...]) -> str:
    return " ".join([*chance.sample(signs, 2), *chance.sample(FILLERS, chance.randint(1, 3))])


def tiny_bert(folder: Path, **config: Any) -> Path:
    """Write an untrained BERT of two narrow layers that knows the words of the texts."""
    import torch
    from transformers import BertConfig, BertModel

    tokenizer = _tokenizer()
    settings = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 64,
        "pad_token_id": 0,
        **config,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BertModel(BertConfig(**settings)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    texts = [*OTHER, *FILLERS, *(sign for signs in SIGNS.values() for sign in signs)]
    words = sorted({word for text in texts for word in text.split()})
    vocabulary = {word: number for number, word in enumerate((*_SPECIAL, *words))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=64,
    )
