"""How an encoder is fine-tuned, and what that needs of base and machine; imports nothing heavy."""

import re
from dataclasses import dataclass
from importlib.util import find_spec

from models.errors import ModelExtraError, ModelTooLargeError, TrainingError
from models.machine import free_memory
from models.store.model_store import Checkpoint
from models.store.sizes import in_words
from models.training.options import LoraOptions

ENCODERS = frozenset(
    {
        "albert",
        "bert",
        "camembert",
        "convbert",
        "data2vec-text",
        "deberta",
        "deberta-v2",
        "distilbert",
        "electra",
        "ernie",
        "eurobert",
        "gte",
        "ibert",
        "jina_embeddings_v3",
        "longformer",
        "megatron-bert",
        "mobilebert",
        "modernbert",
        "mpnet",
        "mra",
        "nomic_bert",
        "nystromformer",
        "rembert",
        "roberta",
        "roberta-prelayernorm",
        "roformer",
        "squeezebert",
        "xlm-roberta",
        "xlm-roberta-xl",
        "xmod",
        "yoso",
    }
)
"""The model types of transformers that read a text from both sides and give a vector for each of its tokens."""

METHODS = ("full", "last:N", "frozen", "lora", "few-shot")
"""How an encoder is trained, as they are written; N is a number of layers."""

DEFAULT_BASE = "sentence-transformers/all-MiniLM-L6-v2"

_LORA = LoraOptions(16, 32, ("all-linear",))
_METHOD = re.compile(r"full|frozen|lora|few-shot|last:[1-9][0-9]{0,2}")
_LIBRARIES = ("torch", "transformers", "accelerate", "safetensors", "matplotlib")

# Bytes for a parameter: its weight, and what training keeps of it besides (gradient, two moments of AdamW).
_WEIGHT = 4
_TRAINED_WHOLE = 12
_OVERHEAD = 1.4
_LIBRARIES_BYTES = 700_000_000


@dataclass(frozen=True, slots=True)
class EncoderOptions:
    """How an encoder is fine-tuned.

    Attributes:
        method: ``full``: every weight; ``last:N``: the last N layers; ``frozen``: a head alone, on the encoder as it
            is; ``lora``: small matrices beside its layers, merged in the end; ``few-shot``: the encoder by pairs of
            texts of one label or of two, then a head (SetFit; Tunstall et al., 2022).
        epochs: how often each text is seen at most, from 1.
        batch: texts in a step, from 1.
        learning_rate: the highest of the encoder's, above 0; 0: the usual one for its size and the method.
        seed: the same one, on the same machine, gives the same weights.
        patience: epochs without a lower loss on the validation texts after which the training ends, from 1.
        longest: tokens of a text that are read, from 8; of a longer one its first and its last.
        masked_epochs: how often the texts are first read with words masked (masked-language-model warm-up); 0: never.
        lora: the matrices where the method is ``lora``; without targets they stand beside every linear layer.
        pairs: pairs for each text in an epoch where the method is ``few-shot``, from 1; half of them of one label.
        threads: that compute; 0: one for each core this process may use.
    """

    method: str = "full"
    epochs: int = 8
    batch: int = 32
    learning_rate: float = 0.0
    seed: int = 0
    patience: int = 3
    longest: int = 256
    masked_epochs: int = 0
    lora: LoraOptions = _LORA
    pairs: int = 4
    threads: int = 0

    @property
    def last_layers(self) -> int:
        """How many layers are trained where the method is ``last:N``; else 0."""
        return int(self.method.removeprefix("last:")) if self.method.startswith("last:") else 0

    @property
    def trains_head_alone(self) -> bool:
        """Whether the encoder is left as it is while the classifier learns the labels."""
        return self.method in ("frozen", "few-shot")


def require_encoder(checkpoint: Checkpoint, options: EncoderOptions, free: int | None = None) -> None:
    """See, before anything is loaded, that a model can be fine-tuned here.

    Args:
        checkpoint: the base.
        options: how.
        free: bytes of memory that are free; None asks the machine.

    Raises:
        TrainingError: it is no text encoder, or the method is none.
        ModelExtraError: a library is not installed.
        ModelTooLargeError: there is not memory enough; the message has both figures.
    """
    if not _METHOD.fullmatch(options.method):
        raise TrainingError(f"There is no method {options.method!r}.", f"Choose one of {', '.join(METHODS)}.")
    if checkpoint.kind != "other" or checkpoint.model_type not in ENCODERS:
        raise TrainingError(
            f"{checkpoint.name} ({checkpoint.model_type}) is not a text encoder.",
            f"Give --base an encoder, such as {DEFAULT_BASE}, distilbert-base-uncased or FacebookAI/xlm-roberta-base.",
        )
    by_method = {"lora": ("peft",), "few-shot": ("sentence_transformers",)}
    missing = [one for one in (*_LIBRARIES, *by_method.get(options.method, ())) if find_spec(one) is None]
    if missing:
        name = missing[0].replace("_", "-")
        raise ModelExtraError(f"Training needs {name}, which is not installed.", "Add it with `make models`.")
    _require_memory(checkpoint, options, free_memory() if free is None else free)


def _require_memory(checkpoint: Checkpoint, options: EncoderOptions, free: int | None) -> None:
    is_whole = options.method in ("full", "few-shot") or options.masked_epochs > 0
    each = _WEIGHT + _TRAINED_WHOLE * is_whole
    needed = int(checkpoint.parameters * each * _OVERHEAD) + _LIBRARIES_BYTES
    if free is not None and needed > free:
        smaller = "Train with --method lora or frozen, or choose a smaller --base."
        raise ModelTooLargeError(
            f"{checkpoint.name} needs {in_words(needed)} of memory to be trained, and {in_words(free)} are free.",
            smaller if is_whole else "Choose a smaller --base.",
        )
