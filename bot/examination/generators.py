"""Examines who writes answers: whether each server takes the key and has the model, and each local model is there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

from bot.examination.findings import Examined, Finding
from bot.generators import make_generator, named
from bot.knowledge_desk import counted
from bot.settings import Settings
from models.errors import GeneratorSlowError, GeneratorUnreachableError, ModelError
from models.generation.chain import FLOOR
from models.generation.served.serving import ServedGenerator
from models.store.sizes import in_words

_NAME = "generators"
_PATIENCE_S = 8.0


async def examine(examined: Examined) -> AsyncIterator[Finding]:
    """Look at every generator that is named anywhere. Nothing is asked that costs anything, nothing is loaded."""
    settings: Settings = examined.settings
    yield _of_chain(settings)
    # Who translates captions alone writes no answers, and is asked for its key and model all the same.
    for name in dict.fromkeys((*named(settings), *filter(None, [settings.images.translator]))):
        yield await _of_local(settings) if name == "local" else await _of_served(settings, name)
    if settings.generation.verifier:
        yield _of_verifier(settings)
    if settings.privacy.names_model:
        yield _of_names_model(settings)


def _of_chain(settings: Settings) -> Finding:
    order = [name for name in settings.generation.chain if name != FLOOR]
    places = counted(len(settings.generation.places), "place")
    elsewhere = f" {places} with another order." if settings.generation.places else ""
    if not order:
        return Finding(_NAME, "ok", f"Answers quote the knowledge base; no model is asked.{elsewhere}")
    return Finding(_NAME, "ok", f"Asked in this order: {', '.join((*order, FLOOR))}.{elsewhere}")


def _of_verifier(settings: Settings) -> Finding:
    from models.store.model_store import ModelStore

    name = "verifier"
    try:
        found = ModelStore(settings.models_directory).find(settings.generation.verifier)
    except ModelError as error:
        return Finding(
            name, "failed", f"{error.message} Where anybody writes answers, the bot does not start.", error.fix
        )
    return Finding(name, "ok", f"{found.name} is here, and checks what is written.")


def _of_names_model(settings: Settings) -> Finding:
    from models.store.model_store import ModelStore

    name = "names model"
    try:
        found = ModelStore(settings.models_directory).find(settings.privacy.names_model)
    except ModelError as error:
        return Finding(name, "failed", f"{error.message} Servers from which it hides are not asked.", error.fix)
    return Finding(name, "ok", f"{found.name} is here, and finds names of people.")


async def _of_served(settings: Settings, section: str) -> Finding:
    name = f"generator {section}"
    try:
        generator = make_generator(settings, section)
    except ModelError as error:
        return Finding(name, "failed", error.message, error.fix)
    if not isinstance(generator, ServedGenerator):
        return Finding(name, "unknown", "There is nothing to ask it.")
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await generator.check()
    except (GeneratorUnreachableError, GeneratorSlowError) as error:
        return _unchecked(name, error.message, error.fix)
    except TimeoutError:
        return _unchecked(name, f"No answer within {_PATIENCE_S:g} s.", "Look at the network and the server.")
    except ModelError as error:
        return Finding(name, "failed", error.message, error.fix)
    finally:
        await generator.close()
    return Finding(name, "ok", f"It has the model {generator.name}. {_of_privacy(settings, section, generator)}")


def _unchecked(name: str, reason: str, fix: str) -> Finding:
    return Finding(name, "unknown", f"It could not be checked: {reason} Until it answers, the next one does.", fix)


def _of_privacy(settings: Settings, section: str, generator: ServedGenerator) -> str:
    host = urlsplit(getattr(settings, section).base_url).hostname
    pictures = " Pictures go there, too." if getattr(settings, section).pictures else ""
    if generator.redacts:
        names = ", names of people" if settings.privacy.names_model else ""
        hidden = f"with e-mail addresses, phone and card numbers{names} and keys hidden"
        return f"Questions and passages go to {host}, {hidden}.{pictures}"
    return f"Questions and passages go to {host} as they are.{pictures}"


async def _of_local(settings: Settings) -> Finding:
    name = "generator local"
    try:
        return Finding(name, "ok", await asyncio.to_thread(_local_model(settings)))
    except ModelError as error:
        return Finding(name, "failed", error.message, error.fix)


def _local_model(settings: Settings) -> Callable[[], str]:
    def look() -> str:
        """Find the model, the library that runs it and the memory that it needs.

        Raises:
            ModelError: one of them is not there.
        """
        from models.generation.engines.choice import BYTES, chosen, memory_to_run, require_memory
        from models.generation.engines.conversion import is_converted
        from models.store.model_store import DEFAULT_MODEL, ModelStore

        ours = settings.local
        store = ModelStore(settings.models_directory)
        checkpoint = store.find(ours.model or store.in_use("answers") or DEFAULT_MODEL, ours.revision)
        engine, precision = chosen(checkpoint, ours.execution, ours.precision)
        require_memory(checkpoint.name, memory_to_run(checkpoint, engine, precision), "run")
        size = in_words(checkpoint.parameters * BYTES[precision])
        told = f"{checkpoint.name} is here: {size} as {precision}, run by {engine}."
        if engine == "torch" or is_converted(checkpoint, precision, store.converted):
            return told
        return f"{told} The first start converts it; `preceptor models use {checkpoint.name}` does so ahead."

    return look
