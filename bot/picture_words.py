"""Puts pictures into words: captions and labels, honest about how sure they are, the file's own facts, alt text."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.question_text import plain, shortened
from models.vision import ImageDescription, Label, PictureFacts

ALT_TEXT = "Alt text: "
"""Begins the line that can be copied; behind it the text stands as code, so that no sign of it is lost."""

_LEAST = 0.01
"""Labels less likely than this are not told of, but for the first."""

_PAGES = frozenset({"TIFF"})
_MOST_COLOURS = 3
_LONGEST_NAME = 60
_HEADING = re.compile(r"\d+\. \*\*.+\*\*")
_ALT_LINE = re.compile(rf"{ALT_TEXT}`+ ?(.*?) ?`+$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Seen:
    """When a picture was shown before, and the address of the message; empty where it has none."""

    at: datetime
    link: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What came of looking at one file: a description, or why there is none.

    Attributes:
        name: the file's.
        description: what is in it.
        caption: the description's, in the language of the place; empty where there is none.
        seen: when it was shown before, where it was.
        refusal: why there is no description; empty where there is one.
        fix: what to do about that.
    """

    name: str
    description: ImageDescription | None = None
    caption: str = ""
    seen: Seen | None = None
    refusal: str = ""
    fix: str = ""


def in_words(looks: Sequence[Look], threshold: float, most: int) -> str:
    """Write what the asker reads, as CommonMark; several pictures are numbered.

    Args:
        looks: at least one.
        threshold: the probability below which the likeliest label is told as what it may be.
        most: how many labels are told of each.
    """
    if len(looks) == 1:
        return _one(looks[0], threshold, most)
    told = [f"**{_name(look.name)}**\n\n{_one(look, threshold, most)}" for look in looks]
    return "\n\n".join(_numbered(number, text) for number, text in enumerate(told, start=1))


def refused(looks: Sequence[Look]) -> tuple[str, str]:
    """Give the sentence and the fix where no file could be looked at."""
    if len(looks) == 1:
        return f"{_name(looks[0].name)}: {looks[0].refusal}", looks[0].fix
    told = [f"{_name(look.name)}: {look.refusal} {look.fix}".strip() for look in looks]
    listed = "\n".join(f"{number}. {text}" for number, text in enumerate(told, start=1))
    return f"I can look at none of these {len(looks)} files.\n\n{listed}\n\n", ""


def gist(look: Look, threshold: float) -> str:
    """Say in one sentence what a picture shows, or what it is."""
    description = look.description
    if description is None:
        return f"{look.refusal} {look.fix}".strip()
    return " ".join(part for part in (plain(look.caption), _likeliest(description.labels, threshold, 1)) if part) or (
        _facts(description.facts)
    )


def gists(looks: Sequence[Look], threshold: float) -> str:
    """Say the same of all pictures, as CommonMark; several are numbered, in paragraphs that no list can run on from."""
    if len(looks) == 1:
        return gist(looks[0], threshold)
    each = enumerate(looks, start=1)
    return "\n\n".join(f"**{number}. {_name(look.name)}**: {gist(look, threshold)}" for number, look in each)


def first_told(text: str) -> str:
    """Give what an answer written by `in_words` says first of the first picture."""
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if line and not _HEADING.fullmatch(line)), "")


def topic(look: Look, threshold: float) -> str:
    """Give the words to search by: the likeliest label where it is likely enough, else the caption."""
    labels = look.description.labels if look.description else ()
    return labels[0].label if labels and labels[0].score >= threshold else look.caption


def alt_text(look: Look, threshold: float) -> str:
    """Give a text that can stand for a picture; empty where no model said what it shows."""
    if look.caption or look.description is None:
        return look.caption
    labels = look.description.labels
    if not labels or labels[0].score < threshold:
        return ""
    return f"A picture, most likely of: {labels[0].label}."


def alt_texts(text: str) -> list[str]:
    """Give the alt texts that an answer written by `in_words` holds."""
    return _ALT_LINE.findall(text)


def missing(looks: Sequence[Look]) -> list[str]:
    """Give what is not installed, each once, as sentences."""
    return list(dict.fromkeys(one for look in looks if look.description for one in look.description.missing))


def described_by(looks: Sequence[Look]) -> list[str]:
    """Name the models that looked, each once."""
    described = [look.description for look in looks if look.description]
    named = [name for one in described for name in (one.captioned_by, one.labelled_by)]
    return list(dict.fromkeys(filter(None, named)))


def document(look: Look, threshold: float) -> dict[str, Any]:
    """Give the JSON form of one picture."""
    return {
        "name": look.name,
        **description_of(look),
        **_further(look.description),
        "alt_text": alt_text(look, threshold),
        "seen_before": {"at": look.seen.at.isoformat(), "link": look.seen.link} if look.seen else None,
    }


def description_of(look: Look) -> dict[str, Any]:
    """Give what the command line prints of one picture, besides its path."""
    description = look.description
    facts = description.facts if description else None
    labels = description.labels if description else ()
    return {
        "caption": look.caption or None,
        "labels": [{"label": one.label, "index": one.index, "score": round(one.score, 6)} for one in labels],
        "width": facts.width if facts else None,
        "height": facts.height if facts else None,
        "format": facts.format if facts else None,
        "error": f"{look.refusal} {look.fix}".strip() or None,
    }


def _further(description: ImageDescription | None) -> Mapping[str, Any]:
    if description is None:
        return {"frames": None, "orientation": None, "camera": "", "taken": "", "colours": []}
    facts = description.facts
    colours = [{"name": one.name, "code": one.code, "share": round(one.share, 3)} for one in facts.colours]
    return {
        "frames": facts.frames,
        "orientation": facts.orientation,
        "camera": facts.camera,
        "taken": facts.taken,
        "colours": colours,
    }


def _one(look: Look, threshold: float, most: int) -> str:
    description = look.description
    if description is None:
        return plain(f"{look.refusal} {look.fix}".strip())
    parts = [plain(look.caption), _likeliest(description.labels, threshold, most)]
    if not any(parts):
        parts = [_facts(description.facts)]
    alternative = alt_text(look, threshold)
    parts += [
        _frames(description.facts),
        ALT_TEXT + _code(alternative) if alternative else "",
        _seen(look.seen) if look.seen else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _likeliest(labels: Sequence[Label], threshold: float, most: int) -> str:
    told = [one for number, one in enumerate(labels[:most]) if not number or one.score >= _LEAST]
    if not told:
        return ""
    each = [f"{plain(one.label)} ({_percent(one.score)})" for one in told]
    if told[0].score < threshold:
        return f"I'm not sure, it may be: {'; '.join(each)}."
    rest = f"; less likely: {'; '.join(each[1:])}" if each[1:] else ""
    return f"Most likely: **{plain(told[0].label)}** ({_percent(told[0].score)}){rest}."


def _percent(score: float) -> str:
    """A probability is rounded, but never to certainty."""
    if score < _LEAST:
        return "under 1 %"
    return f"{min(99, round(100 * score))} %"


def _facts(facts: PictureFacts) -> str:
    """Say what the file itself tells."""
    article = "an" if facts.format[:1] in "AEIOU" else "a"
    told = f"This is {article} {plain(facts.format)} picture of {facts.width:,} × {facts.height:,} pixels"
    told += f", {facts.orientation}"
    camera = f" with a {plain(facts.camera)}" if facts.camera else ""
    taken = f" on {plain(facts.taken)}" if facts.taken else ""
    told += f", taken{camera}{taken}" if camera or taken else ""
    colours = [f"{one.name} ({round(100 * one.share)} %)" for one in facts.colours[:_MOST_COLOURS]]
    return f"{told}. Mostly {', '.join(colours)}." if colours else f"{told}."


def _frames(facts: PictureFacts) -> str:
    if facts.frames < 2:
        return ""
    kind = "pages" if facts.format in _PAGES else "frames"
    return f"It has {facts.frames:,} {kind}; I looked at the first."


def _seen(seen: Seen) -> str:
    day = f"{seen.at.day} {seen.at:%B %Y}"
    return f"This picture was shown here before: {f'[{day}]({seen.link})' if seen.link else day}."


def _code(text: str) -> str:
    """Give a text as a code span, which takes every sign as it is."""
    line = " ".join(text.split())
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    return f"{fence} {line} {fence}" if "`" in line else f"{fence}{line}{fence}"


def _numbered(number: int, text: str) -> str:
    """Give an item of a list with all its paragraphs in it."""
    first, *rest = text.split("\n")
    indent = " " * (len(str(number)) + 2)
    return "\n".join([f"{number}. {first}", *(f"{indent}{line}" if line else "" for line in rest)])


def _name(name: str) -> str:
    return plain(shortened(re.sub(r"[^\w .()+-]", "_", name), _LONGEST_NAME)) or "The file"
