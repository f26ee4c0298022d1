"""The perplexity of right answers, beside transformers' own loss and what training must do to it."""

import math
from pathlib import Path

import pytest

from models.errors import ModelUnusableError
from models.evaluation.squad import Sample
from models.generation import GroundingPassage
from models.generation.prompting import chat, instruction
from models.store.model_store import ModelStore
from tests.models import tiny_models

pytest.importorskip("torch", reason="torch is not installed")


def _samples(count: int = 12) -> list[Sample]:
    return [
        Sample(str(at), one.question, (one.answer,), passages=one.passages)
        for at, one in enumerate(tiny_models.held_out(count))
    ]


def _measured(folder: Path, samples: list[Sample]) -> float | None:
    from models.evaluation.perplexity import gold_perplexity

    return gold_perplexity(ModelStore(folder.parent).find(str(folder)), samples)


def _mean_loss(folder: Path, samples: list[Sample]) -> float:
    """The loss as transformers computes it, one question at a time, weighed by its answer's tokens."""
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    causal = "llama" in folder.name
    model = (AutoModelForCausalLM if causal else AutoModelForSeq2SeqLM).from_pretrained(folder).eval()
    total = tokens = 0.0
    for sample in samples:
        answer = [*tokenizer(sample.golds[0], add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
        if causal:
            messages = [{"role": one.role, "content": one.text} for one in chat(sample.question, sample.passages)]
            prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
            read, labels = [*prompt, *answer], [*[-100] * len(prompt), *answer]
        else:
            read, labels = tokenizer(instruction(sample.question, sample.passages))["input_ids"], answer
        with torch.inference_mode():
            loss = model(input_ids=torch.tensor([read]), labels=torch.tensor([labels])).loss
        total += float(loss) * len(answer)
        tokens += len(answer)
    return total / tokens


@pytest.mark.parametrize("model", ["tiny_t5", "tiny_llama"])
def test_it_is_exp_of_transformers_own_loss_over_answers_of_any_length(
    model: str, request: pytest.FixtureRequest
) -> None:
    folder, samples = request.getfixturevalue(model), _samples()
    samples += [Sample("long", samples[0].question, (f"{samples[0].golds[0]} " * 3,), passages=samples[0].passages)]
    assert _measured(folder, samples) == pytest.approx(math.exp(_mean_loss(folder, samples)), rel=1e-4)


@pytest.mark.parametrize("model", ["tiny_t5", "tiny_llama"])
def test_a_trained_model_is_hardly_surprised_by_the_right_answer_and_much_by_a_wrong_one(
    model: str, request: pytest.FixtureRequest
) -> None:
    folder, samples = request.getfixturevalue(model), _samples()
    right = _measured(folder, samples)
    wrong = _measured(folder, [Sample(one.key, one.question, ("Twelve.",), passages=one.passages) for one in samples])
    assert right is not None
    assert wrong is not None
    assert 1.0 <= right < 1.5
    assert wrong > 5 * right


def test_without_a_right_answer_or_passages_there_is_none(tiny_t5: Path) -> None:
    passage = GroundingPassage(1, "The lantern is kept in the cellar.")
    silent = [Sample("a", "Where?", (), passages=(passage,)), Sample("b", "Where is the lantern kept?", ("cellar",))]
    assert _measured(tiny_t5, silent) is None


def test_a_model_that_cannot_be_loaded_is_named(tiny_t5: Path, tmp_path: Path) -> None:
    folder = tmp_path / "torn"
    folder.mkdir()
    for file in tiny_t5.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace('"d_model": 64', '"d_model": 96'))
    with pytest.raises(ModelUnusableError, match="cannot be loaded"):
        _measured(folder, _samples(1))
