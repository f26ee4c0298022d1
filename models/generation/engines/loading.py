"""Loads a transformers model from a folder: safetensors only, no code of its own, every weight accounted for."""

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Loadable(Protocol):
    """A model class of transformers, or one that finds the right class by the config."""

    def from_pretrained(self, folder: str, /, **options: Any) -> Any:  # noqa: ANN401 - as the library has it
        """Load a checkpoint; with ``output_loading_info``, together with what was missing."""


class IncompleteWeightsError(ValueError):
    """Layers of the model have no weights in its files; the library would make them up at random."""


def whole_model(model_class: Loadable, folder: str, dtype: str, **options: object) -> "PreTrainedModel":
    """Load a model for use, not for training.

    Args:
        model_class: which kind of model it is.
        folder: where the checkpoint lies.
        dtype: what the weights are made: ``float32`` or ``bfloat16``.
        options: further ones of `from_pretrained`.

    Raises:
        IncompleteWeightsError: some weights are missing, or have another shape than the config says.
        OSError: a file is missing or cannot be read.
        RuntimeError: it does not fit what its config says.
        ValueError: the same.
    """
    model, found = model_class.from_pretrained(
        folder,
        dtype=dtype,
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        output_loading_info=True,
        **options,
    )
    absent = sorted(map(str, [*found["missing_keys"], *found.get("mismatched_keys", ())]))
    if absent:
        raise IncompleteWeightsError(f"{len(absent)} of its layers have no fitting weights ({absent[0]} first)")
    whole: PreTrainedModel = model.eval()
    return whole
