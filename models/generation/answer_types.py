"""What kind of answer a question asks for (a number, a name, a reason …), and which sentences hold one."""

import re
from collections.abc import Collection
from dataclasses import dataclass

_NUMERALS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|eighteen|twenty|thirty"
    "|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|trillion|dozen|half|quarter|third"
    "|first|second|twice|double|triple"
)
_YEAR = r"(?:1[5-9]|20)\d\d"


@dataclass(frozen=True, slots=True)
class AnswerType:
    """A kind of answer.

    Attributes:
        name: what it is called.
        asked_by: found in lower-case questions that ask for it.
        given_by: finds the words that would answer such a question.
        is_new: whether only words that the question doesn't hold itself can be the answer.
    """

    name: str
    asked_by: re.Pattern[str]
    given_by: re.Pattern[str]
    is_new: bool = True

    def is_given(self, sentence: str, asked: Collection[str]) -> bool:
        """Whether a sentence holds such an answer, beyond the words of the question (`asked`, lower-case)."""
        matches = self.given_by.finditer(sentence)
        return any(not self.is_new or match[0].lower() not in asked for match in matches)


def _type(name: str, asked_by: str, given_by: str, is_new: bool = True) -> AnswerType:
    return AnswerType(name, re.compile(asked_by), re.compile(given_by), is_new)


_NAME = r"(?<!^)(?<![.!?] )\b[A-Z][\w’'-]+"
ANSWER_TYPES = (
    _type(
        "number",
        r"\bhow (?:many|much|far|long|old|tall|high|large|big|fast|deep|heavy|often|wide|hot|cold|strong)\b"
        r"|\b(?:what|which) (?:percent|number|percentage|amount|fraction|proportion|value|size)\b"
        r"|\b(?:percentage|population|value|speed|numerical)\b",
        rf"(?<![\d,.])(?!{_YEAR}(?![\d,.]\d|\s?%))\d[\d,.]*|\b(?:{_NUMERALS})\b",
    ),
    _type("value", r"\bvalue\b|\bconstant\b|\bhow (?:big|large|strong|much) is\b", r"[=≈]\s?[+−-]?\d|\d\s?×\s?10"),
    _type(
        "date",
        r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|century|decade|time|period|era)\b",
        r"\b(?:1\d{3}|20\d\d)s?\b|\b\d{1,4} (?:BC|AD|BCE|CE)\b|\b\d+(?:st|nd|rd|th)[ -]centur"
        r"|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b",
    ),
    _type(
        "person",
        r"\bwho(?:se|m)?\b|\b(?:what|which) (?:person|man|woman|king|emperor|leader|author|scientist|ruler)\b",
        _NAME,
    ),
    _type(
        "place",
        r"\bwhere\b|\b(?:what|which) (?:city|country|place|state|region|area|river|continent|town|nation)\b",
        _NAME,
    ),
    _type(
        "reason",
        r"\bwhy\b|\bwhat (?:causes?|caused|reason)\b|\bhow come\b|\breason\b",
        r"(?i)\b(?:because|since|due to|so that|in order to|as a result|therefore|caused? by|led to|leads to|thus|hence"
        r"|reason|explains?|which is why|so (?:the|a|it|they)|makes?)\b",
        is_new=False,
    ),
    _type(
        "formula",
        r"\b(?:formulas?|formulae|equations?|calculate|compute|work out|expression for|find the)\b",
        r"[=≈∝≥≤]",
        is_new=False,
    ),
    _type(
        "unit",
        r"\bunits?\b|\bmeasured? in\b",
        r"(?i)\bunits?\b|\bmeasured in\b|\bin (?:newton|joule|watt|volt|ampere|ohm|metre|kilogram|second|kelvin)s?\b",
        is_new=False,
    ),
    _type(
        "quantity of length, time or money",
        r"\bhow (?:far|long|tall|high|wide|deep|old|big|large|fast)\b|\b(?:distance|size|area|age|cost|price|money)\b",
        r"\d[\d,.]*\s?(?:km|kilomet\w+|miles?|met(?:er|re)s?|m|m/s|km/h|mph|feet|ft|cm|mm|years?|hours?|minutes?|days?"
        r"|weeks?|months?|square|acres?|hectares?)\b|[$£€¥]\s?\d|\d\s(?:million )?(?:dollars?|pounds?|euros?)\b",
    ),
    _type(
        "share",
        r"\bpercent(?:age)?\b|\bproportion\b|\bfraction\b",
        r"\d\s?%|\bper ?cent\b|\bpercentage\b|\bhalf\b",
    ),
    _type(
        "name of a thing",
        r"\b(?:name|called|term|known as|another word|referred to)\b",
        r"\b(?:called|known as|termed|named|referred to as|refers to)\b|[\"“]",
        is_new=False,
    ),
)


def expected_types(question: str) -> tuple[AnswerType, ...]:
    """The kinds of answer a question asks for; often none. Takes linear time."""
    lowered = question.lower()
    return tuple(kind for kind in ANSWER_TYPES if kind.asked_by.search(lowered))
