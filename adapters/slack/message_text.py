"""Reads Slack's mrkdwn as people write it, and says whom it names."""

import re
from collections.abc import Mapping
from functools import partial

from adapters.rendering.incoming import own_lines, translated
from adapters.rendering.links import is_reachable, names_itself

_SPAN = re.compile(r"(?P<fence>```.+?```)|(?P<code>`[^`\n]+`)|<(?P<token>[^<>\n]+)>", re.DOTALL)
_TOKEN = re.compile(r"<([^<>\n]+)>")
_BOLD = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])")
_ITALIC = re.compile(r"(?<![\w_])_(?=[^\s_])([^_\n]*[^\s_])_(?![\w_])")
_STRUCK = re.compile(r"(?<![\w~])~(?=[^\s~])([^~\n]*[^\s~])~(?![\w~])")
_BULLET = re.compile("^([ \t]*)[•◦▪■‣]\ufe0e?[ \t]+", re.MULTILINE)
_MENTION = re.compile(r"<(?:@(?P<user>[UW]\w+)|!subteam\^(?P<group>\w+)|#(?P<channel>[CDG]\w+))(?:\|[^<>\n]*)?>")
_IN_DESTINATION = str.maketrans({"(": "%28", ")": "%29", " ": "%20", "\\": "%5C"})
_IN_LABEL = str.maketrans({"[": r"\[", "]": r"\]"})


def commonmark(text: str, names: Mapping[str, str]) -> str:
    """Read a message's text: mentions become names, links and emphases those of CommonMark, entities what they name.

    Args:
        text: the text as Slack sends it, with ``&``, ``<`` and ``>`` as entities.
        names: what users, groups and channels are called, by id; for one that is missing the label that Slack sent
            along stands in, or else a word.

    Signs that people typed and Slack does not read as markup stay as they are: the words are searched, and a
    backslash before each would not be found.
    """
    return translated(text, _SPAN, partial(_read, names=names), _plain)


def mentions(text: str) -> tuple[str, ...]:
    """Give what a message's text names, each once, in order: ``("user:U1", "group:S1", "channel:C1")``."""
    return tuple(dict.fromkeys(f"{match.lastgroup}:{match[match.lastgroup or 0]}" for match in _MENTION.finditer(text)))


def without_labels(text: str) -> str:
    """Take out of a text as Slack sends it how those whom it names are called."""
    return _MENTION.sub(lambda match: match[0].partition("|")[0].rstrip(">") + ">", text)


def _plain(text: str) -> str:
    text = _BULLET.sub(r"\1- ", text)
    text = _ITALIC.sub(r"*\1*", _BOLD.sub(r"**\1**", text))  # what is bold first has two asterisks, and stays
    return _unescaped(_STRUCK.sub(r"~~\1~~", text))


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _read(match: re.Match[str], names: Mapping[str, str]) -> str:
    if match["token"]:
        return _token(match["token"], names)
    # Slack links addresses in code too; there they are words.
    code = _unescaped(_TOKEN.sub(lambda token: token[1].rpartition("|")[2], match[0]))
    return own_lines(match, code[3:-3]) if match["fence"] else code


def _token(token: str, names: Mapping[str, str]) -> str:
    target, _, label = token.partition("|")
    label = " ".join(_unescaped(label).split())
    if target.startswith("!"):
        return _special(target[1:], label, names)
    if target.startswith("@"):
        return "@" + _name(target[1:], label, names, "someone")
    if target.startswith("#"):
        return "#" + _name(target[1:], label, names, "channel")
    return _link(_unescaped(target), label)


def _special(target: str, label: str, names: Mapping[str, str]) -> str:
    kind, _, rest = target.partition("^")
    if kind == "subteam":
        return "@" + _name(rest, label, names, "group")
    if kind == "date":
        return label or rest.partition("^")[0]
    return "@" + (label or kind).removeprefix("@")


def _name(key: str, label: str, names: Mapping[str, str], unknown: str) -> str:
    return " ".join(names.get(key, "").split()) or label.lstrip("@#") or unknown


def _link(url: str, label: str) -> str:
    if url.lower().startswith("mailto:") and names_itself(label, url):
        return label or url[len("mailto:") :]
    if not is_reachable(url):
        return label or url
    if not label or label == url:
        return f"<{url}>"
    if names_itself(label, url):  # "example.com", which Slack made a link of
        return label
    return f"[{label.translate(_IN_LABEL)}]({url.translate(_IN_DESTINATION)})"
