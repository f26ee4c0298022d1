"""Trains a classifier of pictures as the settings describe: which folder, which base, what it is compared with."""

from dataclasses import dataclass
from pathlib import Path
from threading import Event

from bot.describers import FLOOR, chosen, decoder_of
from bot.settings import Settings
from models.errors import ModelMissingError, TrainingError
from models.store.model_store import Checkpoint, ModelStore
from models.training.naming import folder_for, name_for
from models.vision.defaults import LABELS
from models.vision.training.folders import find_pictures
from models.vision.training.options import ImageTrainingOptions
from models.vision.training.order import Order, Outcome, Told
from models.vision.training.run import require_possible, train


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator asks for.

    Attributes:
        data: the folder that holds one folder for each class.
        base: a name or folder; empty: `LABELS`.
        name: of the result; empty: made of those of the base and the data.
        options: how it is trained.
        resume: whether to go on with an interrupted training.
        force: whether a model of that name may be replaced, and with `use` whether a worse one is used all the same.
        compare: whether the result is compared with what tells pictures apart now, where both tell the same classes.
        use: whether it tells pictures apart from now on, if it is not worse.
    """

    data: Path
    base: str
    name: str
    options: ImageTrainingOptions
    resume: bool = False
    force: bool = False
    compare: bool = True
    use: bool = False


def train_images(settings: Settings, wish: Wish, told: Told, stopping: Event) -> Outcome:
    """Train a classifier, and have it look at pictures from now on where that was wished and it is not worse.

    Raises:
        ModelError: the data, the base or the machine will not do, or it was stopped.
    """
    if wish.use and settings.models.images.labels:
        raise TrainingError(
            f"models.images.labels says that {settings.models.images.labels} looks at pictures, which is stronger than"
            " --use.",
            "Unset it, or leave --use out.",
        )
    store = ModelStore(settings.models_directory)
    pictures = find_pictures(wish.data)
    base = _base(store, wish.base or LABELS)
    order = Order(
        pictures=pictures,
        base=base,
        name=wish.name or name_for(base, wish.data.absolute()),
        options=wish.options,
        sure=settings.images.threshold,
        resume=wish.resume,
        replace=wish.force,
        compared_with=_in_use(settings, store) if wish.compare or wish.use else None,
    )
    require_possible(order, store)
    _require_another(order, store, wish)
    with decoder_of(settings) as decoder:
        outcome = train(order, store, decoder, told, stopping)
    if wish.use and (wish.force or not outcome.is_worse):
        store.use("images", outcome.name)
    return outcome


def _base(store: ModelStore, name: str) -> Checkpoint:
    """The model that is trained; where the usual one is missing, the fix says how it is got and that others do."""
    try:
        return store.find(name, task="images")
    except ModelMissingError as error:
        if name != LABELS:
            raise
        fix = f"{error.fix} Or name another encoder of pictures, or its folder, with --base."
        raise ModelMissingError(error.message, fix) from None


def _in_use(settings: Settings, store: ModelStore) -> Checkpoint | None:
    """What looks at pictures now; None where nothing that is here was chosen.

    Raises:
        ModelError: it was chosen, and is not here.
    """
    if settings.models.images.labels == FLOOR or not (settings.models.images.labels or store.in_use("images")):
        return None
    name = chosen(settings, "images")
    try:
        return store.find(name, task="images")
    except ModelMissingError as error:
        raise ModelMissingError(
            f"{name} is chosen to look at pictures, but is not here, so that nothing can be compared with it.",
            "Choose what is here with `preceptor models use NAME --for images`, or give --no-compare.",
        ) from error


def _require_another(order: Order, store: ModelStore, wish: Wish) -> None:
    """See that the model in use is not replaced by one that may turn out to be worse, but where that is wanted."""
    in_use = order.compared_with
    if in_use and in_use.folder == folder_for(store, "images", order.name) and not (wish.use and wish.force):
        raise TrainingError(
            f"{order.name} looks at pictures now, and would be replaced even if the new one is worse.",
            "Choose another --name, or give --no-compare.",
        )
