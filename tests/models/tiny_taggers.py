"""A model for named entities, trained here in seconds on sentences made of a few words."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LABELS = ("O", "B-PER", "I-PER", "B-LOC")
FIRST = ("Ada", "Grace", "Alan", "Emmy", "Marie", "Niels", "Lise", "Max", "Rosalind", "Carl")
LAST = ("Lovelace", "Hopper", "Turing", "Noether", "Curie", "Bohr", "Meitner", "Planck", "Franklin", "Gauss")
TOWNS = ("London", "Berlin", "Paris", "Vienna", "Oslo")
TEMPLATES = (
    "Please tell PERSON what TOPIC is .",
    "PERSON asked why TOPIC matters in TOWN .",
    "My name is PERSON and I live in TOWN .",
    "What is TOPIC ?",
    "Who is PERSON ?",
    "Is PERSON from TOWN ?",
    "TOPIC was found in TOWN by PERSON .",
    "According to PERSON , TOPIC is defined by light .",
    "The library in TOWN opens at 9 .",
)
TOPICS = ("resonance", "a metre", "gravity", "light", "Resonance", "Gravity", "entropy")


def trained_tagger(folder: Path, labels: Sequence[str] = LABELS, steps: int = 60) -> Path:
    """Train a small BERT from nothing into a folder, on one thread."""
    import torch
    from transformers import BertConfig, BertForTokenClassification

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            tokenizer, chance = _tokenizer(), random.Random(0)
            config = BertConfig(
                vocab_size=len(tokenizer),
                hidden_size=32,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=64,
                max_position_embeddings=66,
                num_labels=len(labels),
                id2label=dict(enumerate(labels)),
                hidden_dropout_prob=0.0,
                attention_probs_dropout_prob=0.0,
            )
            model = BertForTokenClassification(config)
            _train(model, tokenizer, chance, steps)
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
    finally:
        torch.set_num_threads(threads)
    return folder


def sentence(chance: random.Random) -> tuple[list[str], list[str]]:
    """Give the words of a sentence with their tags; some names are words that nobody knows."""
    words: list[str] = []
    tags: list[str] = []
    for word in chance.choice(TEMPLATES).split():
        match word:
            case "PERSON":
                name = [chance.choice(FIRST), chance.choice(LAST)][: chance.choice((1, 2))]
                words += [one if chance.random() < 0.8 else "Zyx" for one in name]
                tags += ["B-PER", "I-PER"][: len(name)]
            case "TOWN":
                words.append(chance.choice(TOWNS))
                tags.append("B-LOC")
            case "TOPIC":
                topic = chance.choice(TOPICS).split()
                words += topic
                tags += ["O"] * len(topic)
            case _:
                words.append(word)
                tags.append("O")
    return words, tags


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    known = {word for text in (*TEMPLATES, *TOPICS) for word in text.split()} | {*FIRST, *LAST, *TOWNS}
    vocabulary = {word: at for at, word in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", *sorted(known)))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=64,
    )


def _train(model: Any, tokenizer: Any, chance: random.Random, steps: int) -> None:
    import torch

    columns = {name: number for number, name in model.config.id2label.items()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=6e-3)
    model.train()
    for _ in range(steps):
        drawn = [sentence(chance) for _ in range(24)]
        batch = tokenizer([words for words, _ in drawn], is_split_into_words=True, padding=True, return_tensors="pt")
        labels = torch.full(batch["input_ids"].shape, -100)
        for row, (_, tags) in enumerate(drawn):
            labels[row, 1 : len(tags) + 1] = torch.tensor([columns.get(tag, 0) for tag in tags])
        loss = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
