"""Two tiny language models that answer right: a T5 and a Llama, trained here on the prompts that Preceptor asks with.

What they can: say where a thing is kept, or what its mass is, when a passage says so, in the passage's own sentence.
They are trained once, in about a minute each, and kept under pytest's cache until this module or the prompts change.
"""

import hashlib
import json
import os
import random
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from models.generation import GroundingPassage, prompting


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


THINGS = _words(
    "lantern kettle anchor ladder compass violin telescope saddle hammer carpet mirror barrel"
    " teapot candle blanket basket drum clock shovel bucket trumpet wagon chisel globe"
)
PLACES = _words(
    "cellar attic kitchen harbour stable library chapel garden tower workshop barn bakery"
    " museum school theatre castle mill forge market station"
)
MASSES = _words("12 15 24 30 35 40 48 55 60 72 80 90 110 120 150 200 250 300 400 500")

_CACHE = Path(__file__).parents[2] / ".pytest_cache" / "tiny_models"
_SECONDS_TO_WAIT = 600
_SPECIAL = ("<pad>", "</s>", "<unk>", "<|system|>", "<|user|>", "<|assistant|>")
_PAD, _END = 0, 1
_TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A question that one of the passages answers, and the right answer."""

    question: str
    passages: tuple[GroundingPassage, ...]
    answer: str


def samples(count: int, seed: int) -> list[Sample]:
    """Make questions; those of a seed other than the training's were never seen in training."""
    chance = random.Random(seed)
    return [_sample(chance) for _ in range(count)]


def held_out(count: int = 100) -> list[Sample]:
    """Questions that no training has seen."""
    return samples(count, seed=-1)


def _sample(chance: random.Random) -> Sample:
    things = chance.sample(THINGS, chance.randint(1, 4))
    facts = [_facts(chance, thing) for thing in things]
    passages = [
        GroundingPassage(number, " ".join(fact.values()), thing.capitalize() if chance.random() < 0.5 else "")
        for number, (thing, fact) in enumerate(zip(things, facts, strict=True), start=1)
    ]
    question, answer = chance.choice([item for fact in facts for item in fact.items()])
    return Sample(question, tuple(passages), answer)


def _facts(chance: random.Random, thing: str) -> dict[str, str]:
    """One or two facts about a thing: what asks for them, and the sentence that says them."""
    where = (f"Where is the {thing} kept?", f"The {thing} is kept in the {chance.choice(PLACES)}.")
    mass = (f"What is the mass of the {thing}?", f"The {thing} has a mass of {chance.choice(MASSES)} grams.")
    both = chance.sample((where, mass), 2)
    return dict(both[: chance.randint(1, 2)])


def tiny_t5() -> Path:
    """The folder of a tiny T5 of flan-t5's make: gated GELU, its output layer apart from its embeddings."""
    return _kept("tiny-t5", _train_t5)


def tiny_llama() -> Path:
    """The folder of a tiny Llama with a chat template."""
    return _kept("tiny-llama", _train_llama)


@pytest.fixture(scope="session", name="tiny_t5")
def tiny_t5_fixture() -> Path:
    """The folder of a trained tiny T5; not to be written to."""
    return tiny_t5()


@pytest.fixture(scope="session", name="tiny_llama")
def tiny_llama_fixture() -> Path:
    """The folder of a trained tiny Llama; not to be written to."""
    return tiny_llama()


@pytest.fixture(scope="session")
def flan_t5() -> Path:
    """The folder of the real flan-t5, where somebody has its weights."""
    folder = os.environ.get("PRECEPTOR_TEST_FLAN_T5", "")
    if not folder:
        pytest.skip("the weights of flan-t5 are not here; PRECEPTOR_TEST_FLAN_T5=folder names where they lie")
    return Path(folder)


def _kept(name: str, train: Callable[[Path], None]) -> Path:
    asked = "".join(f"{_instruction(one)}{prompting.chat(one.question, one.passages)}" for one in samples(20, seed=1))
    key = hashlib.sha256(Path(__file__).read_bytes() + asked.encode()).hexdigest()[:16]
    folder = _CACHE / key / name
    if (folder / "config.json").exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock", timeout=_SECONDS_TO_WAIT):
        if not (folder / "config.json").exists():
            making = folder.with_name(f"{name}.making")
            shutil.rmtree(making, ignore_errors=True)
            _train_apart(train, making)
            making.rename(folder)
    return folder


def _train_apart(train: Callable[[Path], None], folder: Path) -> None:
    """Train on one thread, with a seed of its own, and leave torch as it was."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            train(folder)
    finally:
        torch.set_num_threads(threads)


def _tokenizer(prompts: Sequence[str], lines: Sequence[str] = ()) -> Any:
    """A tokenizer in T5's manner: a piece for each word of the task, single characters and bytes for the rest.

    `lines` become one token each, since every prompt holds them and they need not be read word by word.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    splitter = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(), pre_tokenizers.Split(Regex(r"\n|[^\w▁\s]|\w+"), "isolated")]
    )
    words = [*THINGS, *(thing.capitalize() for thing in THINGS), *PLACES, *MASSES]
    words += [piece.strip("▁") for prompt in prompts for piece, _ in splitter.pre_tokenize_str(prompt)]
    words = sorted({word for word in words if word.isalnum()})
    characters = [chr(code) for code in (10, *range(33, 127))]
    pieces = [(piece, 0.0) for piece in _SPECIAL]
    pieces += [(f"<0x{byte:02X}>", -20.0) for byte in range(256)]
    pieces += [("▁", -8.0), *((character, -10.0) for character in characters)]
    pieces += [(f"▁{word}", -4.0) for word in words]
    pieces += [(word, -4.0) for word in words if len(word) > 1]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=_SPECIAL.index("<unk>"), byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        additional_special_tokens=list(_SPECIAL[3:]),
        model_max_length=512,
        clean_up_tokenization_spaces=False,
    )
    fast.add_tokens([AddedToken(line, normalized=False) for line in lines])
    return fast


_WIDTH = 32
"""Numbers in each part of a hidden state: the token itself, and what is known of the tokens before it."""


def _train_t5(folder: Path) -> None:
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    known = samples(200, seed=1)
    tokenizer = _tokenizer([_instruction(sample) + sample.answer for sample in known])
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=2 * _WIDTH,
        d_kv=_WIDTH,
        d_ff=4 * _WIDTH,
        num_layers=2,
        num_decoder_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        dropout_rate=0.0,
        initializer_factor=0.3,
        decoder_start_token_id=_PAD,
        pad_token_id=_PAD,
        eos_token_id=_END,
    )
    model = T5ForConditionalGeneration(config)
    _wire_t5(model)

    def batch(drawn: Sequence[Sample]) -> dict[str, Any]:
        read = tokenizer([_instruction(sample) for sample in drawn], padding=True, return_tensors="pt")
        answers = tokenizer([sample.answer for sample in drawn])["input_ids"]
        labels = [[*answer, _END] for answer in answers]
        return {
            "input_ids": read["input_ids"],
            "attention_mask": read["attention_mask"],
            "labels": torch.tensor(_padded(labels, -100)),
        }

    _train(model, batch, steps=300)
    _save(model, tokenizer, folder)


def _instruction(sample: Sample) -> str:
    return prompting.instruction(sample.question, sample.passages)


def _padded(rows: Sequence[list[int]], value: int) -> list[list[int]]:
    longest = max(map(len, rows))
    return [row + [value] * (longest - len(row)) for row in rows]


def _wire_t5(model: Any) -> None:
    """Give the model a head start at looking things up, which small models take thousands of steps to find."""
    import torch

    token, past = torch.eye(2 * _WIDTH)[:_WIDTH], torch.eye(2 * _WIDTH)[_WIDTH:]
    first = slice(0, _WIDTH)
    with torch.no_grad():
        model.shared.weight.zero_()[:, :_WIDTH] = torch.randn(model.config.vocab_size, _WIDTH)
        model.lm_head.weight = torch.nn.Parameter(model.shared.weight.clone() * 0.5)
        # A value and its thing stand five tokens apart; who is about to write the value has the thing four before.
        for stack, distance in ((model.encoder, 5), (model.decoder, 4)):
            looks_back = stack.block[0].layer[0].SelfAttention
            looks_back.relative_attention_bias.weight[distance, 0] = 10.0
            looks_back.v.weight[first] = token
            looks_back.o.weight[:, first] = past.T
        finds = model.decoder.block[1].layer[1].EncDecAttention
        finds.q.weight[first] = past * 0.7
        finds.k.weight[first] = past * 0.7
        finds.v.weight[first] = token
        finds.o.weight[:, first] = token.T


def _train_llama(folder: Path) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    known = samples(200, seed=1)
    system = prompting.chat(known[0].question, known[0].passages)[0].text
    texts = [message.text for sample in known for message in prompting.chat(sample.question, sample.passages)[1:]]
    tokenizer = _tokenizer([*texts, *(sample.answer for sample in known)], system.splitlines())
    tokenizer.chat_template = _TEMPLATE
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=3 * _WIDTH,
        intermediate_size=4 * _WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        head_dim=_WIDTH,
        attention_bias=True,
        tie_word_embeddings=False,
        max_position_embeddings=512,
        rope_parameters={"rope_type": "default", "rope_theta": _THETA},
        bos_token_id=None,
        pad_token_id=_PAD,
        eos_token_id=_END,
    )
    model = LlamaForCausalLM(config)
    _wire_llama(model)

    def batch(drawn: Sequence[Sample]) -> dict[str, Any]:
        prompts = [_chat_tokens(tokenizer, sample) for sample in drawn]
        answers = [[*answer, _END] for answer in tokenizer([sample.answer for sample in drawn])["input_ids"]]
        rows = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
        labels = [[-100] * len(prompt) + answer for prompt, answer in zip(prompts, answers, strict=True)]
        # Padding stands behind; what reads only what stands before never sees it.
        return {"input_ids": torch.tensor(_padded(rows, _PAD)), "labels": torch.tensor(_padded(labels, -100))}

    _train(model, batch, steps=150)
    _save(model, tokenizer, folder)


def _chat_tokens(tokenizer: Any, sample: Sample) -> list[int]:
    messages = [
        {"role": message.role, "content": message.text} for message in prompting.chat(sample.question, sample.passages)
    ]
    return list(tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False))


_THETA = 1e6


def _wire_llama(model: Any) -> None:
    """The same head start as the T5's; here rotary positions have to be told how far to look back."""
    import torch

    token, query, key = torch.eye(3 * _WIDTH).split(_WIDTH)
    first, second = slice(0, _WIDTH), slice(_WIDTH, 2 * _WIDTH)
    looks_back, finds = (layer.self_attn for layer in model.model.layers)
    with torch.no_grad():
        model.model.embed_tokens.weight.zero_()[:, :_WIDTH] = torch.randn(model.config.vocab_size, _WIDTH)
        model.lm_head.weight.copy_(model.model.embed_tokens.weight * 0.5)
        for head, distance, part in ((first, 4, query), (second, 5, key)):
            asked, offered = _position_biases(distance)
            looks_back.q_proj.bias[head], looks_back.k_proj.bias[head] = asked, offered
            looks_back.v_proj.weight[head] = token
            looks_back.o_proj.weight[:, head] = part.T
        finds.q_proj.weight[first] = query * 1.7
        finds.k_proj.weight[first] = key * 1.7
        finds.v_proj.weight[first] = token
        finds.o_proj.weight[:, first] = token.T


def _position_biases(distance: int) -> tuple[Any, Any]:
    """Biases of queries and keys whose product is greatest where a key stands so many tokens before its query."""
    import torch

    angles = distance * _THETA ** (-torch.arange(_WIDTH // 2) / (_WIDTH // 2))
    fast = (torch.arange(_WIDTH // 2) < 4) * 7.0
    return torch.cat((fast, 0 * fast)), torch.cat((fast * angles.cos(), fast * angles.sin()))


def _train(model: Any, batch: Callable[[Sequence[Sample]], dict[str, Any]], steps: int) -> None:
    """Train on as many batches, with a rate that falls to nothing; the global state of torch stays as it was."""
    import torch

    highest, warm_up, size, chance = 4e-3, 30, 16, random.Random(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=highest, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    model.train()
    for step in range(1, steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = highest * min(step / warm_up, 1.05 - step / steps)
        loss = model(**batch([_sample(chance) for _ in range(size)])).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.eval()


def _save(model: Any, tokenizer: Any, folder: Path) -> None:
    from transformers.utils import logging

    logging.disable_progress_bar()
    model.generation_config.max_new_tokens = 48
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if model.config.is_encoder_decoder:
        # Transformers 5 writes that the output layer is tied, whatever it is; flan-t5's own config tells the truth.
        file = folder / "config.json"
        config = {**json.loads(file.read_text()), "tie_word_embeddings": False}
        file.write_text(json.dumps(config, indent=2))


def _train_both() -> None:
    """Train what is not there yet, side by side: a test's time limit has no room for it."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        for trained in [processes.submit(make) for make in (tiny_t5, tiny_llama)]:
            trained.result()


if __name__ == "__main__":
    _train_both()
