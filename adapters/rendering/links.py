"""What a link may show: which addresses become links, and which labels would hide where they lead."""

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

_REACHABLE = re.compile(r"(?:https?://[^\s/]|mailto:[^\s@]+@)[^\s<>|]*\Z", re.IGNORECASE)
# Full stops and brackets of East Asian writing end an address; so does what either platform reads as markup.
_BARE = re.compile(r"(?<![^\W_])https?://[^\s<>|\"`\\^{}\[\]*\u200b\u3000-\u303f\uff00-\uff65]+", re.IGNORECASE)
_AFTER_AN_ADDRESS = ".,:;!?'"
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
# A name that ends in one of these is a file's: no such domain exists.
_FILE = re.compile(
    r"bat|cfg|conf|cpp|css|csv|docx|exe|gif|gz|html?|ini|ipynb|jpe?g|jsx?|json|lock|log|pdf|php|png|pptx|rst|sql|svg"
    r"|toml|tsx?|txt|xlsx|xml|ya?ml"
)
_HOST = re.compile(r"(?<![\w.@-])(?:[\w-]+\.)+(?P<last>[^\W\d_]{2,24})(?![\w-])")


def is_reachable(url: str) -> bool:
    """Whether a chat can follow it: a whole http, https or mailto address."""
    try:
        return bool(_REACHABLE.match(url)) and bool(urlsplit(url).hostname or url[:7].lower() == "mailto:")
    except ValueError:  # a host in square brackets that is no address
        return False


def names_itself(label: str, url: str) -> bool:
    """Whether a label says no more than the address it leads to."""
    return not label or _bare(label) == _bare(url)


def misleads(label: str, url: str) -> bool:
    """Whether a label reads like an address other than the one it leads to."""
    seen = unicodedata.normalize("NFKC", _INVISIBLE.sub("", label)).lower()
    if "://" in seen:
        return True
    host = (urlsplit(url).hostname or url.rpartition("@")[2]).lower()
    named = (match for match in _HOST.finditer(seen) if not _FILE.fullmatch(match["last"]))
    return any(not f".{host}".endswith("." + match[0].removeprefix("www.")) for match in named)


def bare_addresses(text: str) -> Iterator[tuple[str, bool]]:
    """Take words apart into (text, whether it is an http or https address), leaving nothing out."""
    end = 0
    for match in _BARE.finditer(text):
        address = _without_punctuation(match[0])
        if not is_reachable(address):
            continue
        if match.start() > end:
            yield text[end : match.start()], False
        yield address, True
        end = match.start() + len(address)
    if end < len(text):
        yield text[end:], False


def _bare(address: str) -> str:
    bare = re.sub(r"\A(?:https?://|mailto:)", "", address.strip(), flags=re.IGNORECASE)
    return unquote(bare).removesuffix("/")


def _without_punctuation(address: str) -> str:
    """Leave out what belongs to the sentence, as a closing bracket does that the address never opened."""
    surplus = address.count(")") - address.count("(")
    end = len(address)
    while end and (address[end - 1] in _AFTER_AN_ADDRESS or (address[end - 1] == ")" and surplus > 0)):
        surplus -= address[end - 1] == ")"
        end -= 1
    return address[:end]
