"""Tells whether a text says enough, in a known language, and of somebody's present state, to be judged at all."""

import re
from collections.abc import Collection, Sequence

from models.diagnosis.contract import Reason
from models.diagnosis.phrases import content_words
from models.diagnosis.red_flags import cues
from models.diagnosis.red_flags.tokens import words_of

FEWEST_WORDS = 2
"""Words of substance that a description must have."""

_SURE = 0.99
_FEWEST_OF_LANGUAGE = 6
# Words that only English has; typos and slang between them make the guess of a language unsure.
_ENGLISH = frozenset(
    "the and my with have has is it's its been when feel feels hurts pain i'm im ive i've for of that this very".split()  # noqa: SIM905
)
_ENGLISH_SHARE = 0.2
_LATIN = re.compile(r"[a-zA-Z\u00c0-\u024f]")
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_UNPRINTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")

_LONGEST_OF_ANIMAL = 600
_OPENING = 3
_OF_ANIMAL = frozenset(
    ["hair", "fur", "dander", "walk", "bite", "scratch", "allergy", "allergies", "litter", "saliva", "bed"]
)
_HAVING = frozenset(["have", "had", "got", "get", "feel", "felt", "itch", "cough", "caught", "hurt", "ache", "vomit"])
_RELATIVES = cues.PEOPLE - {"i", "me", "my", "mine", "we", "us", "our", "someone", "friend", "neighbour", "neighbor"}
_SOMEBODY = re.compile(
    r"\b(?:i|i['’]?m|i['’]?ve|im|me|my|mine|myself|we|our|us)\b"
    r"|\b(?:he|she|they)(?:['’]s|['’]re|['’]ve| is| has| are| have| had| keeps| feels| can['’]?t| won['’]?t)\b",
    re.IGNORECASE,
)
_KNOWLEDGE = re.compile(
    r"^\W*(?:(?:hi|hello|hey|please|so|ok|okay)\b\W*)*(?:"
    r"what(?:['’]?s| is| are| does| do| was| were| causes?| kinds? of| types? of)\b"
    r"(?!.{0,20}\b(?:wrong|this|happening)\b)"
    r"|who\b|when (?:was|were|did|is|are)\b|where (?:is|are|was|do|does|did)\b"
    r"|why (?:do|does|is|are|did)\b(?! (?:i|my)\b)"
    r"|how (?:do|does|is|are|to|long|many|much|common|often|can (?:you|one|we|people))\b(?! (?:i|my)\b)"
    r"|(?:can|could|does|do|is|are) (?:you|a|an|the|people|someone|somebody|it|there|we|\w+s)\b"
    r"|define\b|explain\b|tell me (?:about|what|how)\b|describe\b|list\b|give me\b|difference between\b"
    r"|symptoms? of\b|signs? of\b|treatments?\b|write\b|translate\b|summari[sz]e\b"
    r")",
    re.IGNORECASE,
)
_MINE = re.compile(r"\b(?:i|my|i['’]?m|i['’]?ve|im|ive|me)\b", re.IGNORECASE)


def cleaned(text: str, longest: int) -> str:
    """Give a text without characters that nobody sees, cut at a word to so many characters."""
    text = _UNPRINTED.sub(" ", text).strip()
    if len(text) <= longest:
        return text
    return text[:longest].rsplit(maxsplit=1)[0]


def unfit(text: str, languages: Collection[str]) -> Reason:
    """Give why a text cannot be judged; empty where it can.

    Args:
        text: cleaned.
        languages: ISO 639-1 codes that the classifier was trained on; none means that it takes any.
    """
    if not content_words(text):
        return "too little"
    if languages and _is_foreign(text, languages):
        return "language"
    if len(content_words(text)) < FEWEST_WORDS:
        return "too little"
    return "nothing likely" if is_of_animal_or_thing(text) else ""


def speaks_of_somebody(text: str) -> bool:
    """Whether a text tells of its writer or of somebody near, and does not merely ask what is known."""
    if asks_for_knowledge(text):
        return False
    # Who lists complaints often leaves the "I" out: "throat sore, nose runny since Monday".
    return bool(_SOMEBODY.search(text)) or "?" not in text


def asks_for_knowledge(text: str) -> bool:
    """Whether a text asks what is known of something, and tells nothing of its writer."""
    return bool(_KNOWLEDGE.search(text)) and not _MINE.search(text)


def is_of_animal_or_thing(text: str) -> bool:
    """Whether a text begins with an animal or a thing ("our dog", "the printer"), and tells of no person's illness.

    A classifier takes a dog's itch for a person's: the words are the same.
    """
    words = words_of(text[:_LONGEST_OF_ANIMAL]).words
    start = next((place for place, word in enumerate(words[:_OPENING]) if _is_animal_or_thing(word)), None)
    if start is None or (start and not cues.OWNERS.intersection(words[:start])):
        return False
    if _OF_ANIMAL.intersection(words[start + 1 : start + 2]):
        return False
    return not any(
        _tells_of_person(words, place) for place in range(len(words)) if place > start or words[place] != "my"
    )


def _is_animal_or_thing(word: str) -> bool:
    return bool({word, word.removesuffix("s")} & (cues.ANIMALS | cues.THINGS))


def _tells_of_person(words: Sequence[str], place: int) -> bool:
    word, following = words[place], words[place + 1 : place + 4]
    if word in {"i", "we"}:
        return bool(_HAVING.intersection(following[:2]))
    if word == "me":
        return words[place - 1] not in {"tell", "help", "worries", "advise"}
    if word in {"my", "our"}:
        return bool(following) and not any(map(_is_animal_or_thing, following))
    return word in _RELATIVES


def _is_foreign(text: str, languages: Collection[str]) -> bool:
    letters = _LETTER.findall(text)
    if len(_LATIN.findall(text)) * 2 < len(letters):
        return not _other_scripts(languages)
    words = [word.casefold() for word in _WORD.findall(text)]
    if "en" in languages and sum(word in _ENGLISH for word in words) >= _ENGLISH_SHARE * len(words):
        return False
    # Only here, since it takes a second to load.
    from models.generation.grounding.languages import language_of

    language = language_of(text, _FEWEST_OF_LANGUAGE, _SURE)
    return bool(language) and language not in languages


def _other_scripts(languages: Collection[str]) -> bool:
    """Whether one of the languages is not written in Latin letters."""
    return bool(set(languages) & _NOT_LATIN)


_NOT_LATIN = frozenset(
    """
    am ar as be bg bn dz el fa gu he hi hy ja ka kk km kn ko ky lo mk ml mn mr my ne or pa ps ru si sr ta te th ug uk
    ur zh
    """.split()  # noqa: SIM905
)
