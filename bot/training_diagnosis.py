"""Trains a classifier of symptoms as the settings describe: which data, which base, what it is compared with."""

from dataclasses import dataclass
from pathlib import Path
from threading import Event

from bot.classifiers import named, require_libraries
from bot.settings import Settings
from models.diagnosis import starter
from models.diagnosis.contract import FLOOR
from models.diagnosis.data.reading import read_labelled, read_no_match, require_labels
from models.diagnosis.encoder.options import DEFAULT_BASE, EncoderOptions
from models.diagnosis.training.order import InUse, Order, Outcome, Told
from models.diagnosis.training.run import require_possible, train
from models.errors import ModelMissingError, TrainingError
from models.store.model_store import Checkpoint, ModelStore
from models.training.naming import folder_for, name_for


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator asks for.

    Attributes:
        data: the file of labelled texts; None: the starter data.
        base: a name or folder; empty: `DEFAULT_BASE`.
        name: of the result; empty: made of those of the base and the data.
        options: how it is trained.
        text_column: the column of the texts; empty: found by its name.
        label_column: the column of the labels; empty: found by its name.
        no_match: the file of texts that match nothing; None: that of the starter data.
        without_no_match: whether no such texts are trained on.
        random_split: whether the figures of a split by chance are found out, too.
        resume: whether to go on with an interrupted training.
        force: whether a model of that name may be replaced, and with `use` whether a worse one is used all the same.
        compare: whether the result is compared with what judges now.
        use: whether it judges from now on, if it is not worse.
    """

    data: Path | None
    base: str
    name: str
    options: EncoderOptions
    text_column: str = ""
    label_column: str = ""
    no_match: Path | None = None
    without_no_match: bool = False
    random_split: bool = True
    resume: bool = False
    force: bool = False
    compare: bool = False
    use: bool = False


def train_diagnosis(settings: Settings, wish: Wish, told: Told, stopping: Event) -> Outcome:
    """Train a classifier, and have it judge from now on where that was wished and it is not worse than what does now.

    Raises:
        ModelError: the data, the base or the machine will not do, or it was stopped.
    """
    if wish.use and settings.diagnosis.model:
        raise TrainingError(
            f"diagnosis.model says that {settings.diagnosis.model} judges symptoms, which is stronger than --use.",
            "Unset it, or give --compare in the place of --use.",
        )
    require_libraries()
    store = ModelStore(settings.models_directory)
    data = wish.data or starter.SYMPTOMS
    file = read_labelled(
        data, wish.text_column, wish.label_column, lambda done, all_: told("reading", done, all_, None)
    )
    require_labels(file)
    base = _base(store, wish.base or DEFAULT_BASE)
    order = Order(
        file=file,
        no_match=() if wish.without_no_match else read_no_match(wish.no_match or starter.NOT_A_MATCH),
        base=base,
        name=wish.name or name_for(base, data),
        options=wish.options,
        random_split=wish.random_split,
        resume=wish.resume,
        replace=wish.force,
        compared_with=_in_use(settings, store) if wish.compare or wish.use else None,
    )
    require_possible(order, store)
    _require_another(order, store, wish)
    outcome = train(order, store, told, stopping)
    if wish.use and (wish.force or not outcome.is_worse):
        store.use("diagnosis", outcome.name)
    return outcome


def _base(store: ModelStore, name: str) -> Checkpoint:
    """The model that is trained; where the usual one is missing, the fix says how it is got and that others do."""
    try:
        return store.find(name, task="diagnosis")
    except ModelMissingError as error:
        if name != DEFAULT_BASE:
            raise
        fix = f"{error.fix} Or name another text encoder, or its folder, with --base."
        raise ModelMissingError(error.message, fix) from None


def _in_use(settings: Settings, store: ModelStore) -> InUse:
    """What judges now.

    Raises:
        ModelError: it was chosen, and is not here.
    """
    name = named(settings, store)
    if name == FLOOR:
        return InUse(FLOOR)
    try:
        return InUse(name, store.find(name, task="diagnosis").folder)
    except ModelMissingError as error:
        raise ModelMissingError(
            f"{name} is chosen to judge symptoms, but is not here, so that nothing can be compared with it.",
            "Choose what is here with `preceptor models use floor --for diagnosis`, or leave --compare and --use out.",
        ) from error


def _require_another(order: Order, store: ModelStore, wish: Wish) -> None:
    """See that the model in use is not replaced by one that may turn out to be worse, but where that is wanted."""
    in_use = order.compared_with
    if in_use and in_use.folder == folder_for(store, "diagnosis", order.name) and not (wish.use and wish.force):
        raise TrainingError(
            f"{order.name} judges symptoms now, and would be replaced even if the new one is worse.",
            "Choose another --name, or leave --compare out.",
        )
