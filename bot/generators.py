"""Makes the generators that the settings name, and the chain of them."""

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from bot.messages import Place
from bot.settings import Settings
from bot.settings.generators import BudgetSettings, GeminiSettings, OpenAISettings
from models.generation import Generator, Usage
from models.generation.chain import FLOOR, Attempted, Chain, ChainLimits
from models.generation.extractive import ExtractiveGenerator

if TYPE_CHECKING:
    from models.generation.grounding.review import Verifier
    from models.names.finder import NameFinder

Options = TypeVar("Options")

IN_HOUSE = ("local", FLOOR)
"""Generators that send nothing to anybody else's machine."""

_LIKELY_PROMPT = 1_500
"""Tokens of the instructions and five passages."""

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def make_chain(
    settings: Settings, threads: Executor, tell: Callable[[str, Attempted], None] = lambda name, outcome: None
) -> Chain:
    """Make the chain; what is heavy is imported for generators that are named somewhere, and for no other.

    `tell` is told of each generator's turn.
    """
    names = names_finder(settings)
    limits = settings.generation
    return Chain(
        {name: make_generator(settings, name, threads, names) for name in (*named(settings), FLOOR)},
        ChainLimits(
            limits.first_token_seconds,
            limits.seconds,
            limits.failures,
            limits.pause_seconds,
            withholds_uncited=limits.uncited == "withhold",
        ),
        threads,
        verifier(settings),
        tell,
    )


def named(settings: Settings) -> list[str]:
    """Give the generators that are named in any chain, besides the floor, in the order of their mention."""
    chains = (settings.generation.chain, *settings.generation.places.values())
    return list(dict.fromkeys(name for chain in chains for name in chain if name != FLOOR))


def warmed_up(settings: Settings) -> list[str]:
    """Give the generators that are made ready at the start, in the background."""
    return [name for name in named(settings) if name != "local" or settings.local.warm_up]


def seeing(settings: Settings) -> frozenset[str]:
    """Give the generators that are shown pictures themselves, by their names in the settings."""
    served = {"gemini": settings.gemini, "openai": settings.openai}
    return frozenset(name for name, section in served.items() if section.pictures)


def translates(settings: Settings) -> Callable[[Place], bool]:
    """Give what tells whether captions may be translated in a place.

    Not by a generator on somebody else's machine where the place's own chain does without it.
    """
    name, in_order = settings.images.translator, order(settings)

    def _in(place: Place) -> bool:
        has_own = any(one in settings.generation.places for one in place.names)
        return bool(name) and (name in IN_HOUSE or not has_own or name in in_order(place))

    return _in


def order(settings: Settings) -> Callable[[Place], Sequence[str]]:
    """Give what tells a place's chain: that of its thread, channel, workspace or platform, or the one for all."""
    places, everywhere = settings.generation.places, settings.generation.chain

    def _of(place: Place) -> Sequence[str]:
        return tuple(dict.fromkeys(next((places[name] for name in place.names if name in places), everywhere)))

    return _of


def budgets(settings: Settings) -> dict[str, BudgetSettings]:
    """Give the budgets, by generator."""
    return {"gemini": settings.gemini.budget, "openai": settings.openai.budget}


def expected(settings: Settings) -> dict[str, Usage]:
    """Give what an answer may take, by generator, as long as none was written."""
    return {name: _likely(section) for name, section in (("gemini", settings.gemini), ("openai", settings.openai))}


def _likely(section: GeminiSettings | OpenAISettings) -> Usage:
    read, written = _LIKELY_PROMPT, section.max_tokens // 2
    return Usage(read, written, (read * section.input_price + written * section.output_price) / 1e6)


def make_generator(
    settings: Settings, name: str, threads: Executor | None = None, names: "NameFinder | None" = None
) -> Generator:
    """Make one generator by its name in the settings; nothing is loaded or asked yet.

    Args:
        settings: how it is set.
        name: which one.
        threads: as in `make_chain`.
        names: what finds names of people, where it is shared; it is closed with the generator.

    Raises:
        ModelError: a library it needs is not installed.
    """
    makers: dict[str, Callable[[], Generator]] = {
        "local": lambda: _local(settings),
        "gemini": lambda: _gemini(settings, names or names_finder(settings)),
        "openai": lambda: _openai(settings, names or names_finder(settings)),
        FLOOR: lambda: ExtractiveGenerator(settings.answers.sentences, threads=threads),
    }
    return makers[name]()


def make_translator(
    settings: Settings, threads: Executor | None = None, chain: Chain | None = None
) -> Generator | None:
    """Make the generator that translates captions, where one is set; nothing is loaded or asked yet.

    Args:
        settings: name it in ``images.translator``.
        threads: as in `make_chain`.
        chain: who is in it is taken from there, so that no model is loaded twice; closing it once more does no harm.

    Raises:
        ModelError: a library it needs is not installed.
    """
    name = settings.images.translator
    if not name:
        return None
    return (chain.generator(name) if chain else None) or make_generator(settings, name, threads)


def verifier(settings: Settings) -> "Verifier | None":
    """Make the model that checks what is written, where one is configured.

    Raises:
        ModelError: it is not there, or is none.
    """
    if not (settings.generation.verifier and named(settings)):
        return None
    from models.generation.grounding.verifier import load_verifier
    from models.store.model_store import ModelStore

    return load_verifier(ModelStore(settings.models_directory).find(settings.generation.verifier).folder)


def _local(settings: Settings) -> Generator:
    from models.generation.local import LocalGenerator, LocalOptions
    from models.store.model_store import ModelStore

    return LocalGenerator(_options(LocalOptions, settings.local), ModelStore(settings.models_directory))


def _gemini(settings: Settings, names: "NameFinder | None") -> Generator:
    from models.generation.gemini import GeminiGenerator, GeminiOptions
    from models.generation.served.hiding import Hiding

    hiding = Hiding(by_default=settings.gemini.redact, names=names)
    return GeminiGenerator(_options(GeminiOptions, settings.gemini), hiding)


def _openai(settings: Settings, names: "NameFinder | None") -> Generator:
    from models.generation.openai_compatible import OpenAIGenerator, OpenAIOptions
    from models.generation.served.hiding import Hiding

    leaves = urlsplit(settings.openai.base_url).hostname not in _THIS_MACHINE
    redact = leaves if settings.openai.redact is None else settings.openai.redact
    return OpenAIGenerator(_options(OpenAIOptions, settings.openai), Hiding(by_default=redact, names=names))


def names_finder(settings: Settings) -> "NameFinder | None":
    """Make what finds names of people, where a model for it is set; nothing is loaded yet."""
    model = settings.privacy.names_model
    if not model:
        return None
    from models.names.finder import NameFinder
    from models.store.model_store import ModelStore

    return NameFinder(lambda: ModelStore(settings.models_directory).find(model).folder, model)


def _options(kind: type[Options], section: BaseModel) -> Options:
    """Give the options that a generator takes from its section of the settings; the two name them alike."""
    names = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    values = {name: value for name, value in section if name in names}
    secrets = {name: value.get_secret_value() for name, value in values.items() if isinstance(value, SecretStr)}
    return kind(**values | secrets)
