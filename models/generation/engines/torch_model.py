"""Loads what torch runs of a checkpoint: the model, its tokens, and the form in which it is asked."""

from functools import partial
from typing import cast

from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from models.errors import ModelUnusableError
from models.generation.engines.choice import missing_extra
from models.generation.engines.contract import RenderTranslation
from models.generation.engines.loading import Loadable, whole_model
from models.generation.engines.prompts import (
    Message,
    chatted,
    chatted_translation,
    instructed,
    instructed_translation,
)
from models.generation.engines.vocabulary import Vocabulary
from models.generation.fitting import Render
from models.store.model_store import Checkpoint

# A longer prompt would take a processor so long to read that nobody waits for the answer.
_LONGEST_PROMPT = 4_096
_DEFAULT_WINDOW = 512
_LONGEST_REASON = 300


class TorchModel:
    """A seq2seq or causal model of transformers, ready to be asked.

    Args:
        checkpoint: what is loaded.
        precision: ``float32`` or ``bfloat16``.
        answer: tokens in the longest answer, which take their share of a causal model's window.

    Attributes:
        is_causal: whether it writes on where the prompt ends.
        model: the model itself.
        ends: the tokens that end an answer; none where the model knows none.
        pad: the token that fills up shorter rows.
        vocabulary: its tokens.
        window: tokens that a prompt may have.
        render: writes a prompt in the form it was trained on.
        render_translation: writes one that has a text translated.

    Raises:
        ModelUnusableError: the checkpoint cannot be loaded, or has no tokenizer that tells its tokens' text.
        ModelExtraError: it needs a library that is not installed.
    """

    def __init__(self, checkpoint: Checkpoint, precision: str, answer: int) -> None:
        # What the library prints while loading is for developers; what matters is raised.
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        self.is_causal = checkpoint.kind == "causal"
        tokenizer, self.model = _loaded(checkpoint, precision)
        self.vocabulary = Vocabulary(tokenizer.backend_tokenizer)
        own = self.model.generation_config
        self.ends = _ends(own.eos_token_id if own.eos_token_id is not None else tokenizer.eos_token_id)
        self.pad = next((one for one in (own.pad_token_id, tokenizer.pad_token_id, *self.ends) if one is not None), 0)
        self.window = _window(self.model.config, answer if self.is_causal else 0)
        talks = self.is_causal and getattr(tokenizer, "chat_template", None)
        template = partial(_templated, tokenizer)
        self.render: Render
        self.render_translation: RenderTranslation
        if talks:
            self.render = chatted(self.vocabulary, template, checkpoint.name)
            self.render_translation = chatted_translation(self.vocabulary, template, checkpoint.name)
        else:
            self.render = instructed(self.vocabulary)
            self.render_translation = instructed_translation(self.vocabulary)


def _loaded(checkpoint: Checkpoint, precision: str) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    family = cast(Loadable, AutoModelForCausalLM if checkpoint.kind == "causal" else AutoModelForSeq2SeqLM)
    folder = str(checkpoint.folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model = whole_model(family, folder, precision)
    except ModuleNotFoundError as error:
        raise missing_extra(error.name or str(error)) from error
    except Exception as error:
        # Files of any content are read here by libraries that raise whatever comes (KeyError, Exception itself).
        reason = " ".join(str(error).split())[:_LONGEST_REASON]
        raise ModelUnusableError(
            f"{checkpoint.name} cannot be loaded: {reason}.", "Get the model once more, or choose another."
        ) from error
    if getattr(tokenizer, "backend_tokenizer", None) is None:
        raise ModelUnusableError(
            f"{checkpoint.name} has no tokenizer.json, and none can be made of what it has.", "Choose another model."
        )
    return tokenizer, model


def _ends(named: int | list[int] | None) -> list[int]:
    return named if isinstance(named, list) else [] if named is None else [named]


def _window(config: PreTrainedConfig, answer: int) -> int:
    """Tokens for the prompt, where a causal model's answer takes its share of the window."""
    positions = getattr(config, "n_positions", None) or getattr(config, "max_position_embeddings", None)
    window = positions if isinstance(positions, int) and positions > 0 else _DEFAULT_WINDOW
    return max(1, min(window - answer, _LONGEST_PROMPT))


def _templated(tokenizer: PreTrainedTokenizerBase, messages: list[Message]) -> str:
    # Models that think aloud unless they are told not to would show their thoughts as the answer.
    return str(
        tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, enable_thinking=False)
    )
