"""Teaches an encoder by pairs of texts, of one label or of two, so that few texts of each suffice (SetFit).

Tunstall et al., 2022 ("Efficient few-shot learning without prompts"): the vectors of texts of one label are drawn
together and those of different labels driven apart, by sentence-transformers' `CosineSimilarityLoss`; a head is fitted
to the vectors then.
"""

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from models.diagnosis.encoder.network import EncoderNetwork
from models.diagnosis.encoder.phases import Row, Steps, Workspace, trained_phase
from models.diagnosis.encoder.tokens import Tokens
from models.training.trainer import Pace

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_NAME = "contrastive"
_MOST_PAIRS = 20_000
"""In an epoch; more texts than a fifth of that are no longer few."""

_SIDES = ("first", "second")


def pairs_of(targets: Sequence[int], each: int, seed: int) -> list[tuple[int, int, float]]:
    """Pair texts by chance: half of the pairs with one of the same label, where there is another, half with any other.

    Args:
        targets: the class of each text.
        each: pairs for each text; fewer where that were more than 20,000.
        seed: the same one gives the same pairs.

    Returns:
        The numbers of both texts, and 1 where their label is the same, else 0.
    """
    chance = random.Random(seed)  # noqa: S311 - chance, no secret
    by_class: dict[int, list[int]] = defaultdict(list)
    for number, target in enumerate(targets):
        by_class[target].append(number)
    each = max(1, min(each, _MOST_PAIRS // max(1, len(targets))))
    found = []
    for number, target in enumerate(targets):
        for turn in range(each):
            pool: Sequence[int] = by_class[target] if turn % 2 == 0 else range(len(targets))
            other = chance.choice(pool)
            if other != number:
                found.append((number, other, float(targets[other] == target)))
    return found


def steps_of(texts: int, each: int, batch: int, epochs: int) -> int:
    """Give about how many steps the pairs take."""
    return math.ceil(min(texts * each, max(texts, _MOST_PAIRS)) / batch) * epochs


def contrasted(
    network: EncoderNetwork,
    tokens: Tokens,
    training: tuple[Sequence[str], Sequence[int]],
    validation: tuple[Sequence[str], Sequence[int]],
    each: int,
    pace: Pace,
    workspace: Workspace,
    steps: Steps,
) -> int:
    """Teach a network's encoder by pairs. Gives the steps it took.

    Args:
        network: whose encoder is taught.
        tokens: takes the texts apart.
        training: texts and their classes.
        validation: the same, to judge by.
        each: pairs for each text in an epoch.
        pace: how fast and how long.
        workspace: where the state is kept.
        steps: counts.

    Raises:
        StoppedError: it was stopped.
        TrainingError: the state cannot be written, or the loss is no number any more.
    """
    rows = tuple(_rows(tokens, texts, targets, each, pace.seed) for texts, targets in (training, validation))
    exact = Pace(len(rows[0]), pace.epochs, pace.batch, pace.learning_rate, pace.seed, pace.patience)
    around = workspace.phase(_NAME, steps)
    _, taken = trained_phase(_Pairs(network), cast(Any, rows), exact, around, data_collator=_Collator(tokens))
    return taken


def _rows(tokens: Tokens, texts: Sequence[str], targets: Sequence[int], each: int, seed: int) -> list[Row]:
    read = tokens.of(texts)
    return [
        {"first_input_ids": read[first], "second_input_ids": read[second], "labels": same}
        for first, second, same in pairs_of(targets, each, seed)
    ]


class _Collator:
    """Puts pairs into a batch."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def __call__(self, rows: Sequence[Row]) -> Mapping[str, Tensor]:
        batch = {"labels": torch.tensor([float(row["labels"]) for row in rows])}
        for side in _SIDES:
            padded = self._tokens.padded([row[f"{side}_input_ids"] for row in rows])
            batch |= {f"{side}_{key}": value for key, value in padded.items()}
        return batch


class _Embedder(nn.Module):
    """A network's encoder as sentence-transformers' losses ask it."""

    def __init__(self, network: EncoderNetwork) -> None:
        super().__init__()
        self._network = network

    def forward(self, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"sentence_embedding": self._network.vectors(**features)}


class _Pairs(nn.Module):
    """Gives the loss of a batch of pairs."""

    def __init__(self, network: EncoderNetwork) -> None:
        from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss

        super().__init__()
        self._loss = CosineSimilarityLoss(cast("SentenceTransformer", _Embedder(network)))

    def forward(
        self,
        first_input_ids: Tensor,
        first_attention_mask: Tensor,
        second_input_ids: Tensor,
        second_attention_mask: Tensor,
        labels: Tensor,
    ) -> dict[str, Tensor]:
        sides = [(first_input_ids, first_attention_mask), (second_input_ids, second_attention_mask)]
        features = [{"input_ids": tokens, "attention_mask": mask} for tokens, mask in sides]
        return {"loss": cast(Tensor, self._loss(features, labels))}
