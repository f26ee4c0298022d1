"""The model card of a trained model: what it was made of, how, and how well it answers."""

from collections.abc import Mapping
from typing import Any

from models.training.card_tables import shown, table, words
from models.training.scores import Scores

_HEAD = """\
---
library_name: transformers
pipeline_tag: text-generation
base_model: {base}
tags: [preceptor]
---

# {name}

Answers questions from passages, for Preceptor. Fine-tuned from `{base}`{revision}.

Use it with `preceptor models use {name}`.
"""

_PLOT = """
![The losses over the epochs](loss.png)

What is kept are the weights of the lowest loss on the held-out pairs. No question and no context of theirs was trained
on. The licence of the base applies; so may rights in the data.
"""


def model_card(record: Mapping[str, Any], before: Scores, after: Scores) -> str:
    """Write the card, as Markdown with the hub's metadata.

    Args:
        record: what `training.json` holds.
        before: the base's scores on the held-out pairs.
        after: the trained model's.
    """
    base, data = record["base"], record["data"]
    revision = f" at revision `{base['revision']}`" if base["revision"] else ""
    parts = [
        _HEAD.format(name=record["name"], base=base["name"], revision=revision),
        table("Scores on the held-out pairs", ("", "before", "after"), score_rows(before, after)),
        table("Data", ("", ""), [(words(key), shown(value)) for key, value in data.items()]),
        table("Settings", ("", ""), [(words(key), shown(value)) for key, value in record["settings"].items()]),
    ]
    return "\n".join(parts) + _PLOT


def score_rows(*scores: Scores) -> list[tuple[str, ...]]:
    """Give a row for each figure, with its name first and its value for each of the models."""
    return [
        ("loss (nats per token)", *(_decimal(one.loss, 3) for one in scores)),
        ("perplexity", *(_decimal(one.perplexity, 2) for one in scores)),
        ("exact match", *(f"{one.exact_match:.1%}" for one in scores)),
        ("F1", *(f"{one.f1:.1%}" for one in scores)),
    ]


def _decimal(value: float | None, places: int) -> str:
    return "–" if value is None else f"{value:,.{places}f}"
