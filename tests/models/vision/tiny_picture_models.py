"""Image models of every kind, so small that they are made in a moment; their weights are drawn by lot."""

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers.utils import logging

WORDS = ("a", "cat", "dog", "red", "blue", "circle", "square", "above", "on", "the", "grass", "sky")
_TINY = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
_SMALL = {"image_size": 32, "patch_size": 8}
_SWIN = {"embed_dim": 16, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4, "image_size": 32, "patch_size": 4}

CLASSIFIERS: dict[str, tuple[str, dict[str, Any]]] = {
    "vit": ("ViTForImageClassification", _TINY | _SMALL),
    "deit": ("DeiTForImageClassification", _TINY | _SMALL),
    "distilled deit": ("DeiTForImageClassificationWithTeacher", _TINY | _SMALL),
    "beit": ("BeitForImageClassification", _TINY | _SMALL | {"out_indices": [0]}),
    "swin": ("SwinForImageClassification", _SWIN),
    "swin 2": ("Swinv2ForImageClassification", _SWIN),
    "dinov2": ("Dinov2ForImageClassification", _TINY | {"image_size": 28, "patch_size": 14}),
    "clip": ("CLIPForImageClassification", {"vision_config": _TINY | _SMALL}),
    "siglip": ("SiglipForImageClassification", {"vision_config": _TINY | _SMALL}),
    "convnext": ("ConvNextForImageClassification", {"hidden_sizes": [8, 8, 8, 16], "depths": [1, 1, 1, 1]}),
}
"""A class for each kind of classifier, and its config."""

_SQUARE = {"size": {"height": 32, "width": 32}}
PROCESSORS: dict[str, dict[str, Any]] = {
    "vit": {"image_processor_type": "ViTImageProcessor", "resample": 3} | _SQUARE,
    "deit": {
        "image_processor_type": "DeiTImageProcessor",
        "size": {"height": 36, "width": 36},
        "crop_size": {"height": 32, "width": 32},
    },
    "beit": {"image_processor_type": "BeitImageProcessor", "do_center_crop": False} | _SQUARE,
    "swin": {"feature_extractor_type": "ViTFeatureExtractor", "size": 32, "resample": 3},
    "dinov2": {
        "image_processor_type": "BitImageProcessor",
        "size": {"shortest_edge": 32},
        "crop_size": {"height": 28, "width": 28},
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
        "do_convert_rgb": True,
    },
    "clip": {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 32}, "crop_size": 32},
    "padded": {
        "image_processor_type": "CLIPImageProcessor",
        "size": {"shortest_edge": 24},
        "crop_size": {"height": 33, "width": 32},
    },
    "convnext": {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 32}, "crop_pct": 0.875},
    "large convnext": {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 384}},
}
"""Processors as checkpoints of these kinds have them, for pictures of 32 x 32 pixels."""


def tiny_classifier(
    folder: Path, kind: str = "vit", processor: str = "vit", labels: tuple[str, ...] = ("cat", "dog", "red")
) -> Path:
    """Write a classifier."""
    name, settings = CLASSIFIERS[kind]
    model_class = getattr(transformers, name)
    named = {"id2label": dict(enumerate(labels)), "label2id": {label: index for index, label in enumerate(labels)}}
    return _saved(model_class, model_class.config_class(**settings, **named), folder, processor)


def tiny_git(folder: Path) -> Path:
    """Write a GIT with a tokenizer."""
    tokens = len(_tokenizer(folder))
    vision = _TINY | _SMALL | {"projection_dim": 32}
    text = _TINY | {"vocab_size": tokens, "bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}
    config = transformers.GitConfig(vision_config=vision, **text)
    return _saved(transformers.GitForCausalLM, config, folder, "clip")


def tiny_blip(folder: Path) -> Path:
    """Write a BLIP with a tokenizer."""
    tokens = len(_tokenizer(folder))
    ends = {"bos_token_id": 2, "eos_token_id": 3, "sep_token_id": 3, "pad_token_id": 0}
    text = _TINY | {"vocab_size": tokens, "encoder_hidden_size": 32, "projection_dim": 32} | ends
    config = transformers.BlipConfig(
        text_config=text, vision_config=_TINY | _SMALL, projection_dim=32, image_text_hidden_size=32
    )
    return _saved(transformers.BlipForConditionalGeneration, config, folder, "vit")


def tiny_pair(folder: Path, decoder: str = "gpt2") -> Path:
    """Write an image encoder with a text decoder (GPT-2 or BERT) and a tokenizer; how it begins is not said."""
    tokens = len(_tokenizer(folder))
    if decoder == "gpt2":
        text: Any = transformers.GPT2Config(
            vocab_size=tokens, n_embd=32, n_layer=1, n_head=2, bos_token_id=2, eos_token_id=3
        )
    else:
        text = transformers.BertConfig(vocab_size=tokens, **_TINY)
    encoder = transformers.ViTConfig(**_TINY, **_SMALL)
    config = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, text)
    return _saved(transformers.VisionEncoderDecoderModel, config, folder, "vit")


def write_processor(folder: Path, processor: str) -> Path:
    """Write an image processor's settings."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSORS[processor]))
    return folder


def edit_json(file: Path, **values: Any) -> None:
    """Set values in a file with a JSON object; None takes one away."""
    document = json.loads(file.read_text()) | values
    file.write_text(json.dumps({key: value for key, value in document.items() if value is not None}))


def _saved(model_class: Any, config: Any, folder: Path, processor: str) -> Path:
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = model_class(config)
        for parameter in model.parameters():  # as drawn, logits are all but equal
            parameter.data.mul_(4)
    model.save_pretrained(folder)
    return write_processor(folder, processor)


def _tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers

    special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
    vocabulary = {word: index for index, word in enumerate((*special, *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )
    fast.save_pretrained(folder)
    return fast
