"""Puts a diagnosis into words: what to do at once, what it may be and why, what to watch, and who says so."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.question_text import plain
from models.diagnosis import Diagnosis, PossibleCondition, RedFlag
from models.diagnosis.conditions import Condition

DISCLAIMER = (
    "I am a program, not a doctor, and this is no diagnosis. If you are worried, or it gets worse, see a doctor or a"
    " nurse, whatever I say."
)

_LIKELIHOODS = ((0.75, "likely"), (0.45, "possible"), (0.2, "less likely"), (0.0, "unlikely, but not ruled out"))

_SUREST = 0.95

_ABSTENTIONS = {
    "nothing likely": (
        "I can't tell from this what it may be: none of the conditions I know fits it well enough. More detail may"
        " help: where it is, since when, how it feels, what brings it on or eases it, whether you have a fever or a"
        " rash, which medicines you take."
    ),
    "too little": (
        "I can't tell from so few words. Describe how you feel in a sentence or two: what and where it is, since when,"
        " how it feels, and what else you have noticed."
    ),
    "language": (
        "I can't tell: what judges symptoms here does not know this language. Describe it in another one, or ask a"
        " doctor or a pharmacist."
    ),
    "unavailable": "I can't tell now what else it may be: what judges symptoms here does not work at the moment.",
}

_BAD = "If it is bad, began suddenly or frightens you, call the emergency services ({emergency}) or a doctor now."

_NOTHING_ELSE = "Beyond that I can't tell from this what it may be."

_GO_ON = 'Tell me what else you notice, beginning with "and" or "also" ("and now a fever"), and I look again.'


def in_words(diagnosis: Diagnosis, guide: Mapping[str, Condition], emergency: str, *, may_add: bool = False) -> str:
    """Write what the asker reads, as CommonMark.

    Args:
        diagnosis: what was found.
        guide: what is to be said of the conditions, by label; users' own labels may have nothing.
        emergency: the number of the emergency services, in words.
        may_add: whether what the asker says next may go on with it.
    """
    parts = [_alarm(flag, emergency) for flag in diagnosis.red_flags]
    if diagnosis.abstained:
        is_told = not parts or diagnosis.reason == "unavailable"
        parts.append(_ABSTENTIONS[diagnosis.reason] if is_told else _NOTHING_ELSE)
    else:
        told = [_condition(one, guide.get(one.label)) for one in diagnosis.conditions]
        listed = "\n".join(f"{number}. {text}" for number, text in enumerate(told, start=1))
        parts += ["What you describe may point to:", listed]
    if not diagnosis.red_flags:
        # Under an alarm nothing is said that could soothe.
        parts += [_addressed(_BAD, emergency)] if diagnosis.abstained else _more(diagnosis.conditions[0], guide)
        parts += [_GO_ON] if may_add else []
    return "\n\n".join((*parts, f"*{DISCLAIMER}*"))


def alarms(flags: Sequence[RedFlag], emergency: str) -> str:
    """Write the advice of red flags alone, as CommonMark."""
    return "\n\n".join(_alarm(flag, emergency) for flag in flags)


def document(diagnosis: Diagnosis, emergency: str) -> dict[str, Any]:
    """Give the diagnosis for machines: the same on the command line and in a chat."""
    return {
        "conditions": [
            {"label": one.label, "probability": round(one.probability, 4), "because": list(one.because)}
            for one in diagnosis.conditions
        ],
        "abstained": diagnosis.abstained,
        "red_flags": [
            {"name": flag.name, "advice": _addressed(flag.advice, emergency)} for flag in diagnosis.red_flags
        ],
        "model": diagnosis.model,
    }


def whole_document(diagnosis: Diagnosis, guide: Mapping[str, Condition], emergency: str) -> dict[str, Any]:
    """Give the same with what is to be said of each condition, and the disclaimer."""
    told = document(diagnosis, emergency)
    for entry in told["conditions"]:
        known = guide.get(entry["label"])
        entry |= {
            "likelihood": _likelihood(entry["probability"]),
            "sentence": known.what if known else "",
            "course": known.course if known else "",
            "urgent": list(known.urgent) if known else [],
        }
    return told | {"reason": diagnosis.reason, "disclaimer": DISCLAIMER}


def _alarm(flag: RedFlag, emergency: str) -> str:
    return f"⚠️ **{plain(flag.name)}**: {_addressed(flag.advice, emergency)}"


def _addressed(advice: str, emergency: str) -> str:
    return advice.replace("{emergency}", emergency)


def _condition(one: PossibleCondition, known: Condition | None) -> str:
    because = ", ".join(f"“{plain(phrase)}”" for phrase in one.because)
    parts = (
        f"**{plain(one.label)}**: {_likelihood(one.probability)} ({_in_percent(one.probability)}).",
        known.what if known else "",
        f"What spoke for it: {because}." if because else "",
    )
    return " ".join(filter(None, parts))


def _in_percent(probability: float) -> str:
    """Write a probability so that none is a certainty."""
    return f"{probability:.0%}" if probability < _SUREST else f"over {_SUREST:.0%}"


def _likelihood(probability: float) -> str:
    return next(word for least, word in _LIKELIHOODS if probability >= least)


def _more(first: PossibleCondition, guide: Mapping[str, Condition]) -> list[str]:
    """Tell of the likeliest one how it goes, when it is urgent, and what would tell it from others."""
    known = guide.get(first.label)
    if known is None:
        return []
    signs = "\n".join(f"- {sign}" for sign in known.urgent)
    return [f"**{known.label.capitalize()}**: {known.course}", f"When it is urgent:\n\n{signs}", known.ask]
