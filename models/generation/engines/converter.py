"""The process that converts one checkpoint for CTranslate2: ``python -m … FOLDER OUTPUT PRECISION``.

On failure its last line is ``{"kind": …, "reason": …}``, with the kinds ``extra``, ``disk`` and ``unusable``.
"""

import errno
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from models.generation.engines.loading import Loadable


def main(folder: str, output: str, precision: str) -> None:
    """Convert; ends the process with 1 when it cannot be done."""
    try:
        _convert(folder, output, precision)
    except ImportError as error:
        _fail("extra", error.name or str(error))
    except OSError as error:
        _fail("disk" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "unusable", error)
    except Exception as error:  # noqa: BLE001 - the process's boundary: who started it tells the reader
        _fail("unusable", error)


def _convert(folder: str, output: str, precision: str) -> None:
    from ctranslate2.converters import TransformersConverter
    from transformers import AutoTokenizer, logging

    from models.generation.engines.loading import whole_model

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]

    class _Converter(TransformersConverter):  # type: ignore[misc]
        """The library's, from safetensors only and without layers made up where weights are missing."""

        def load_model(self, model_class: "Loadable", model_name_or_path: str, **options: object) -> "PreTrainedModel":
            options.pop("dtype", None)
            return whole_model(model_class, model_name_or_path, dtype="float32", **options)

    _Converter(folder).convert(output, quantization=precision)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        backend.save(f"{output}/tokenizer.json")


def _fail(kind: str, reason: object) -> None:
    sys.stdout.write("\n" + json.dumps({"kind": kind, "reason": " ".join(str(reason).split())}) + "\n")
    sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:4])
