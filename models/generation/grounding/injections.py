"""Takes out of a text what speaks to the model instead of to the reader, before it is prompted or counts as support."""

import re

from models.generation.grounding.hidden_text import visible
from models.generation.grounding.model_instructions import without_instructions

# Each round may lay bare what was wrapped in something else; nobody wraps so often who means well.
_MOST_ROUNDS = 6

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_UNSEEN_STYLE = (
    r"\bhidden\b|display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d])"
    r"|color\s*:\s*(?:white|transparent|#fff(?:fff)?)\b"
)
_UNSEEN = re.compile(
    rf"<(span|div|p|a|b|i|em|font|section|td|small|sub|sup)\b(?=[^>]{{0,400}}(?:{_UNSEEN_STYLE}))[^>]{{0,400}}>"
    r".*?(?:</\1\s*>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_PROGRAM = re.compile(r"<(script|style|template|noscript|iframe)\b[^>]*>.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)

_ROLE = r"(?:system|user|assistant|model|tool|developer|human|ai|bot)"
# A turn of a chat as a model's template writes it, with all that it says.
_TEMPLATE_TURN = re.compile(
    rf"<\|im_start\|>\s*{_ROLE}?\b.*?(?:<\|im_end\|>|\n\s*\n|\Z)"
    rf"|<start_of_turn>\s*{_ROLE}?\b.*?(?:<end_of_turn>|\n\s*\n|\Z)"
    rf"|<\|start_header_id\|>\s*{_ROLE}?\b.*?(?:<\|eot_id\|>|\Z)"
    rf"|<\|{_ROLE}\|>.*?(?:<\|[a-z_]+\|>|\n\s*\n|\Z)"
    r"|<<SYS>>.*?(?:<</SYS>>|\n\s*\n|\Z)"
    r"|\[INST\].*?(?:\[/INST\]|\n\s*\n|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_TEMPLATE_TOKEN = re.compile(
    r"<[|｜][^\s|｜<>]{1,40}[|｜]>|\[/?INST\]|<</?SYS>>|\[/?(?:SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]"
    r"|</?(?:start|end)_of_turn>|</?(?:s|bos|eos|pad|unk|mask|sep|cls)>|<extra_id_\d+>"
    r"|</?(?:tool_call|tool_response|function_calls?|think|system|assistant|developer)>",
    re.IGNORECASE,
)
# "System:" and its kin where a line starts, however decorated; what follows on the line is kept.
_LABEL = re.compile(
    r"^([ \t>]*)(?:#{1,6}[ \t]*|\*\*|__|\[|\()?"
    r"(?:system(?:[ \t]+(?:prompt|message|note|instruction)s?)?|assistant|developer|human|user|ai|chatgpt|instruction"
    r"|response|input)s?(?:\*\*|__|\]|\))?[ \t]*[:：](?:\*\*|__)?[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)

_IMAGE = re.compile(r"!\[([^\[\]]*)\](?:\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+[^()]*)?\)|\[[^\[\]]*\])")
_LINK = re.compile(r"(?<!!)\[([^\[\]]+)\]\(\s*<?([^()\s<>]*(?:\([^()\s]*\)[^()\s<>]*)*)>?(?:\s+[^()]*)?\)")
_HARMLESS_ADDRESS = re.compile(
    r"(?:https?://[^\s/?#@{}\[\]<>$%]+)?(?:[/#.\w~+,;=:%-]*)\Z|mailto:[^?\s]+\Z", re.IGNORECASE
)
_HTML_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_ALTERNATIVE = re.compile(r"\balt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
# A bare address that waits for something to be put into it.
_OPEN_QUERY = re.compile(
    r"(https?://[^\s?<>()\"']+)\?[^\s<>()\"']*?(?:=(?=[\s)\"'.,]|\Z)|[{\[$%]\w*[}\]]?)[^\s<>()\"']*"
)


def disarmed(text: str) -> str:
    """Give a passage without what a model must not be told by it.

    Taken out: sentences that instruct a model ("ignore the previous instructions", in a dozen languages), turns and
    tokens of chat templates, the labels of faked turns, characters and HTML that nobody sees, images (their
    description stays), and the addresses of links that could carry something away (their text stays). All other text
    stays as it is, character for character. Takes linear time.
    """
    for _ in range(_MOST_ROUNDS):
        before = text
        text = _LABEL.sub(r"\1", without_instructions(_without_addresses(_without_turns(_seen(visible(text))))))
        if text == before:
            return text
    return ""


def neutralised(text: str) -> str:
    """Give what a user wrote without hidden characters and the tokens of chat templates; all else stays."""
    return _TEMPLATE_TOKEN.sub(" ", visible(text))


def _seen(text: str) -> str:
    """Without HTML that no reader sees."""
    if "<" not in text:
        return text
    for pattern in (_COMMENT, _PROGRAM, _UNSEEN):
        text = pattern.sub("", text)
    return text


def _without_turns(text: str) -> str:
    if "<" not in text and "[" not in text:
        return text
    return _TEMPLATE_TOKEN.sub(" ", _TEMPLATE_TURN.sub(" ", text))


def _without_addresses(text: str) -> str:
    if "](" in text or "][" in text:
        text = _LINK.sub(_link, _IMAGE.sub(r"\1", text))
    if "<" in text:
        text = _HTML_IMAGE.sub(_alternative, text)
    return _OPEN_QUERY.sub(r"\1", text) if "?" in text else text


def _link(match: re.Match[str]) -> str:
    return match[0] if _HARMLESS_ADDRESS.match(match[2]) else match[1]


def _alternative(match: re.Match[str]) -> str:
    found = _ALTERNATIVE.search(match[0])
    return (found[1] or found[2] or "") if found else ""
