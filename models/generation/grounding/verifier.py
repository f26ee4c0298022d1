"""A model that judges whether a text bears out a statement: trained on entailment, or giving embeddings to compare."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import ModelExtraError, ModelMissingError, ModelUnusableError

if TYPE_CHECKING:
    from torch import Tensor

    from models.generation.grounding.review import Verifier

_BATCH = 16
_LONGEST = 512
"""Tokens of a pair that are read; a longer text is cut, the statement stays whole."""

_ENTAILS = ("entailment", "entails", "entail", "supported", "supports", "true", "yes")
# Cosines of sentence embeddings (all-MiniLM-L6-v2 and its kin) below the first say "unrelated", above the second "the
# same"; between them the probability rises in a line.
_UNRELATED = 0.2
_SAME = 0.85


def load_verifier(folder: Path) -> "Verifier":
    """Load a verifier from a checkpoint's folder; takes seconds, and nothing is downloaded.

    A model for sequence classification has to have a label for entailment, and judges text and statement together;
    any other encoder gives embeddings (mean of the last layer), whose cosine is taken.

    Raises:
        ModelMissingError: there is no such folder.
        ModelUnusableError: it holds no encoder, no label for entailment, or no weights as safetensors.
        ModelExtraError: the libraries for models are not installed.
    """
    config = _config(folder)
    if not any(folder.glob("*.safetensors")):
        raise ModelUnusableError(f"{folder} holds no weights as safetensors.", "Convert them, or use another model.")
    classifies = any(name.endswith("ForSequenceClassification") for name in config.get("architectures") or ())
    label = _entailment(config) if classifies else -1
    if classifies and label < 0:
        raise ModelUnusableError(
            f"The model in {folder} has no label for entailment.",
            "Use one that was trained on natural-language inference, or one for sentence embeddings.",
        )
    return EntailmentVerifier(folder, label) if classifies else EmbeddingVerifier(folder)


class EntailmentVerifier:
    """A cross-encoder trained on natural-language inference; the probability is its softmax's.

    Args:
        folder: the checkpoint.
        label: which of its labels stands for entailment; with one label only, its sigmoid is taken.
    """

    def __init__(self, folder: Path, label: int) -> None:
        self._tokenizer, self._model = _loaded(folder, "AutoModelForSequenceClassification")
        self._label = label

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """See `Verifier.support`."""
        return [sureness for batch in _batches(pairs) for sureness in self._judged(batch)]

    def _judged(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        import torch

        texts, statements = [text for text, _ in pairs], [statement for _, statement in pairs]
        inputs = self._tokenizer(
            texts,
            statements,
            padding=True,
            truncation="only_first",
            max_length=_window(self._model),
            return_tensors="pt",
        )
        with torch.inference_mode():
            logits = self._model(**inputs).logits.float()
        sureness = logits.sigmoid() if logits.shape[-1] == 1 else logits.softmax(-1)
        return [float(one) for one in sureness[:, self._label]]


class EmbeddingVerifier:
    """An encoder of sentences: the cosine of the two embeddings, brought to 0 to 1.

    It tells what is about the same thing, not what follows from it, so it is the weaker judge.
    """

    def __init__(self, folder: Path) -> None:
        self._tokenizer, self._model = _loaded(folder, "AutoModel")

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """See `Verifier.support`."""
        return [sureness for batch in _batches(pairs) for sureness in self._compared(batch)]

    def _compared(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        vectors = self._embedded([text for text, _ in pairs] + [statement for _, statement in pairs])
        cosines = (vectors[: len(pairs)] * vectors[len(pairs) :]).sum(-1)
        return [min(1.0, max(0.0, (float(cosine) - _UNRELATED) / (_SAME - _UNRELATED))) for cosine in cosines]

    def _embedded(self, texts: Sequence[str]) -> "Tensor":
        """Unit vectors, the mean over each text's tokens; [texts, width]."""
        import torch

        inputs = self._tokenizer(
            list(texts), padding=True, truncation=True, max_length=_window(self._model), return_tensors="pt"
        )
        with torch.inference_mode():
            states = self._model(**inputs).last_hidden_state.float()
        mask = inputs["attention_mask"].unsqueeze(-1)
        return torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1).clamp(min=1), dim=-1)


def _config(folder: Path) -> dict[str, Any]:
    file = folder / "config.json"
    if not folder.is_dir():
        raise ModelMissingError(f"There is no model in {folder}.", "Pull it with `preceptor models pull`.")
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelUnusableError(f"{file} is missing or damaged.", "Pull the model again.") from error
    if not isinstance(config, dict):
        raise ModelUnusableError(f"{file} is damaged.", "Pull the model again.")
    if config.get("is_encoder_decoder") or any("CausalLM" in name for name in config.get("architectures") or ()):
        raise ModelUnusableError(
            f"The model in {folder} writes text; it judges none.", "Use one for entailment or for embeddings."
        )
    return config


def _entailment(config: dict[str, Any]) -> int:
    """The place of the label for entailment; -1 where there is none."""
    labels = {int(place): str(name).casefold() for place, name in (config.get("id2label") or {}).items()}
    places = (place for word in _ENTAILS for place, name in labels.items() if name == word)
    return next(places, -1)


def _loaded(folder: Path, kind: str) -> tuple[Any, Any]:
    """Tokenizer and model.

    Raises:
        ModelUnusableError: they cannot be loaded.
        ModelExtraError: the libraries are not installed.
    """
    try:
        import torch
        import transformers
        from safetensors import SafetensorError
    except ImportError as error:
        raise ModelExtraError("A verifier needs transformers and torch.", "Install preceptor[models].") from error
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model = getattr(transformers, kind).from_pretrained(
            folder, local_files_only=True, use_safetensors=True, trust_remote_code=False, dtype=torch.float32
        )
    except (OSError, ValueError, RuntimeError, KeyError, ImportError, SafetensorError) as error:
        raise ModelUnusableError(
            f"The model in {folder} cannot be loaded.", "Pull it again, or use another."
        ) from error
    return tokenizer, model.eval()


def _window(model: Any) -> int:  # noqa: ANN401 - the libraries' models have no common type of their own
    return min(_LONGEST, int(getattr(model.config, "max_position_embeddings", _LONGEST) or _LONGEST))


def _batches(pairs: Sequence[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    for start in range(0, len(pairs), _BATCH):
        yield pairs[start : start + _BATCH]
