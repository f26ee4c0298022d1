"""What a server may say instead of an answer, turned into our errors; nothing of its own words is passed on."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from models.errors import GenerationError, GeneratorRefusedError, GeneratorUnreachableError

LONGEST_DELAY = 10.0
"""Seconds; a server that asks for more patience than people have is not asked again."""

_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Statuses after which the same request may well be answered a moment later; 529 is what some gateways call 503."""

_LONGEST_WORDS = 4_000
"""Characters of an error that are looked at; a page of a proxy may be long."""
_CODE = re.compile(r"[A-Za-z][\w.-]{2,60}")
_USED_UP = re.compile(
    r"insufficient[_ ]quota|perday|per day|billing_hard_limit|exceeded your current quota, please check your plan"
)
_TOO_LONG = re.compile(
    r"context[_ ](?:length|size|window)|maximum context|token count .{0,40}exceeds|too many tokens|prompt is too long"
)
_EXPIRED = re.compile(r"expired")
_WRONG_KEY = re.compile(r"api[_ ]key[_ ](?:invalid|not valid)|invalid[_ ]api[_ ]key|incorrect api key")
_NO_SUCH_MODEL = re.compile(
    r"model.{0,120}(?:not found|not exist|no longer available|not supported)|model_not_found", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Server:
    """How our messages speak of a server.

    Attributes:
        name: what it is called.
        section: the section of the settings that it is set up in.
        keys: how to get a key, as part of a sentence.
        models: how to see which models there are, as part of a sentence.
    """

    name: str
    section: str
    keys: str
    models: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is none.

    Attributes:
        status: of HTTP; where the stream itself told of an error, the one that comes closest.
        codes: the error's names for machines, as ``API_KEY_INVALID``.
        words: what it says for people, in any form; looked at, never shown: it may hold the key or the question.
        headers: by name in lower case.
        delay: seconds until it wants to be asked again, where the body says so.
    """

    status: int
    codes: tuple[str, ...] = ()
    words: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float | None = None


class AttemptError(Exception):
    """An attempt failed.

    Attributes:
        error: what to tell.
        is_passing: whether it makes sense to ask again.
        delay: seconds that the server wants to be left alone; None where it says nothing.
        is_billed: whether the server may have worked, and count it.
    """

    def __init__(
        self, error: GenerationError, *, is_passing: bool = False, delay: float | None = None, is_billed: bool = False
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.is_passing = is_passing
        self.delay = delay
        self.is_billed = is_billed


def usable_key(server: Server, key: str) -> str:
    """Give back a key that can stand in a header.

    Raises:
        GeneratorRefusedError: it cannot.
    """
    if not key.isascii() or not key.isprintable():
        raise GeneratorRefusedError(f"{server.section}.key holds signs that no key has.", "Copy it once more.")
    return key


def of_refusal(server: Server, refusal: Refusal, model: str) -> AttemptError:
    """Tell what an error status means and which setting mends it."""
    words = " ".join((*refusal.codes, refusal.words))[:_LONGEST_WORDS].lower()
    if refusal.status == 429 and _USED_UP.search(words):
        return _refused(
            server, refusal, "its quota is used up", "Wait for the next day, or raise the quota of the key's account."
        )
    if refusal.status in _PASSING:
        return _overloaded(server, refusal)
    meaning, fix = _meaning(server, refusal, words, model)
    return _refused(server, refusal, meaning, fix)


def _meaning(server: Server, refusal: Refusal, words: str, model: str) -> tuple[str, str]:
    section = server.section
    new_key = f"Set {section}.key to a new one: {server.keys}."
    about_key = _WRONG_KEY.search(words) is not None or "api key" in words
    if about_key and _EXPIRED.search(words):
        return "the key has expired", new_key
    if refusal.status == 401 or _WRONG_KEY.search(words):
        return "the key is wrong", f"Set {section}.key to a valid one: {server.keys}."
    if refusal.status == 403:
        return "the key may not do this, or is blocked", f"Look at what the key is allowed to do, or: {new_key}"
    if refusal.status == 402:
        return "the account has no credit left", "Top it up, or set another key."
    if refusal.status == 413 or _TOO_LONG.search(words):
        return "the prompt is longer than the model's window", f"Set {section}.window to at most what the model takes."
    if _NO_SUCH_MODEL.search(words) or (refusal.status == 404 and _code(refusal)):
        # A name with a control sign in it would tear the line in a log.
        return f"it has no model {model!a}", f"Set {section}.model to one that it has: {server.models}."
    if refusal.status in {404, 405, 501} or 300 <= refusal.status < 400:
        return "at this address there is no such API", f"Look at {section}.base_url."
    if "location is not supported" in words:
        return "it is not offered in this country", "Use another generator, or an account with billing."
    return (
        "it takes the request for malformed",
        f"Look at {section}.model, temperature and max_tokens: the model must know them.",
    )


def _refused(server: Server, refusal: Refusal, meaning: str, fix: str) -> AttemptError:
    return AttemptError(GeneratorRefusedError(f"{server.name} refuses: {meaning} ({_named(refusal)}).", fix))


def _overloaded(server: Server, refusal: Refusal) -> AttemptError:
    delay = refusal.delay if refusal.delay is not None else delay_of(refusal.headers)
    wish = f" and wants to be left alone for {delay:.0f} s" if delay is not None and delay >= 1 else ""
    error = GeneratorUnreachableError(
        f"{server.name} is overloaded, or allows no more requests for now ({_named(refusal)}){wish}.",
        "It is asked again with the next question; where that goes on, raise its limits or put another one first.",
    )
    return AttemptError(error, is_passing=delay is None or delay <= LONGEST_DELAY, delay=delay)


def _named(refusal: Refusal) -> str:
    return f"{refusal.status} {_code(refusal)}".strip()


def _code(refusal: Refusal) -> str:
    return first_code(refusal.codes)


def first_code(words: Iterable[str]) -> str:
    """Give the first word that can be a name for machines, or nothing; what isn't one might be somebody's text."""
    return next((word for word in words if _CODE.fullmatch(word)), "")


def delay_of(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Give the seconds of ``Retry-After`` (RFC 9110, 10.2.3: seconds or a date) or ``retry-after-ms``, or None.

    Args:
        headers: by name in lower case.
        now: this moment; unset, the clock's.
    """
    milliseconds = seconds_of(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "").strip()
    seconds = seconds_of(text)
    if seconds is not None or not text:
        return seconds
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


def seconds_of(text: str) -> float | None:
    """Read a number of seconds, also as protobuf's JSON has durations, ``12.5s``; None where it is none."""
    match = re.fullmatch(r"(\d{1,18}(?:\.\d{1,9})?)s?", text.strip(), re.ASCII)
    return float(match[1]) if match else None
