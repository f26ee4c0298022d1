"""Which models are in memory now, and what becomes of each generator; nothing is loaded or asked to find out."""

from collections.abc import Mapping

from bot.generators import named
from bot.settings import Settings
from models.diagnosis.diagnosing import Diagnoser
from models.generation.chain import FLOOR, Chain
from models.vision.describing import Describer

CIRCUITS: Mapping[str, str] = {
    "closed": "in order",
    "open": "left alone after failures",
    "half-open": "about to be tried again",
    "over budget": "over its budget until 00:00 UTC",
}
"""What a generator's state means."""


def models(settings: Settings, chain: Chain, diagnoser: Diagnoser, describer: Describer) -> list[dict[str, str]]:
    """Give the models that run on this machine: what each is for, its name as far as known, and whether it is there.

    States are "loaded", "not loaded" (nobody needed it yet), "unavailable" (it could not be loaded), and "off".
    """
    found = []
    local = chain.generator("local")
    if local is not None:
        found.append(_model("answers", local.name, "not loaded" if local.waking else "loaded"))
    if not settings.diagnosis.enabled:
        found.append(_model("symptoms", "", "off"))
    elif diagnoser.is_loaded:
        found.append(_model("symptoms", diagnoser.model_name, "loaded"))
    else:
        found.append(_model("symptoms", settings.diagnosis.model, "not loaded"))
    chosen = {"labels": settings.models.images.labels, "captions": settings.models.images.captions}
    found += [_model(what, name or chosen[what], state) for what, (state, name) in describer.states.items()]
    return found


def generators(settings: Settings, states: Mapping[str, str]) -> list[dict[str, str]]:
    """Give the generators that are named in any chain, the one that quotes last: state, the reason in words, model.

    Args:
        settings: name them.
        states: by the generator's name: of its circuit breaker, or "over budget".
    """
    served = {"gemini": settings.gemini.model, "openai": settings.openai.model, "local": settings.local.model}
    return [
        {
            "name": name,
            "state": state,
            "reason": "" if state == "closed" else CIRCUITS[state],
            "model": served.get(name, ""),
        }
        for name in (*named(settings), FLOOR)
        for state in (states.get(name, "closed"),)
    ]


def _model(what: str, name: str, state: str) -> dict[str, str]:
    return {"what": what, "name": name, "state": state}
