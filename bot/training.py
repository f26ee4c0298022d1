"""Trains a model on pairs as the settings describe: which base, which passages, which model to be compared with."""

from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from bot.evaluation_passages import with_passages
from bot.settings import Settings
from models.errors import TrainingError
from models.store.model_store import DEFAULT_MODEL, ModelStore
from models.training.data import read_pairs
from models.training.naming import folder_for, name_for
from models.training.options import TrainingOptions
from models.training.run import Order, Outcome, Told, require_possible, train


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator asks for.

    Attributes:
        data: the file of pairs.
        base: a name or folder; empty: what answers now.
        name: of the result; empty: made of those of the base and the data.
        options: how it is trained.
        share: of the pairs that is held out.
        resume: whether to go on with an interrupted training.
        replace: whether a model of that name may be replaced.
        compare: whether the result is compared with what answers now.
        use: whether it answers from now on, if it is not worse.
    """

    data: Path
    base: str
    name: str
    options: TrainingOptions
    share: float
    resume: bool = False
    replace: bool = False
    compare: bool = False
    use: bool = False


def train_answers(settings: Settings, wish: Wish, told: Told, stopping: Event) -> Outcome:
    """Train a model, and have it answer from now on where that was wished and it is not worse than what does now.

    Raises:
        ModelError: the data, the base or the machine will not do, or it was stopped.
        KnowledgeError: pairs without a context cannot be looked up.
    """
    if wish.use and settings.local.model:
        raise TrainingError(
            f"local.model says that {settings.local.model} answers, which is stronger than --use.",
            "Unset it, or give --compare in the place of --use.",
        )
    store = ModelStore(settings.models_directory)
    answering = settings.local.model or store.in_use("answers") or DEFAULT_MODEL
    file = read_pairs(wish.data)
    base = store.find(wish.base or answering, "" if wish.base else settings.local.revision)
    compares = (wish.compare or wish.use) and bool(settings.local.model or store.in_use("answers"))
    rival = store.find(answering, settings.local.revision) if compares else None
    options = replace(wish.options, longest_answer=settings.local.max_tokens, threads=settings.local.threads)
    order = Order(
        file=file,
        base=base,
        name=wish.name or name_for(base, wish.data),
        share=wish.share,
        options=options,
        resume=wish.resume,
        replace=wish.replace,
        compared_with=rival if rival and rival.folder != base.folder else None,
    )
    require_possible(order, store)
    if rival and rival.folder == folder_for(store, "answers", order.name):
        raise TrainingError(
            f"{order.name} answers now, and would be replaced even if the new one is worse.",
            "Choose another --name, or leave --compare and --use out.",
        )
    samples = tuple(with_passages(file.samples, settings))
    outcome = train(replace(order, file=replace(file, samples=samples)), store, told, stopping)
    if wish.use and not outcome.is_worse:
        store.use("answers", outcome.name)
    return outcome
