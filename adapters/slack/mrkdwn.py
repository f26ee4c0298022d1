"""Renders CommonMark as Slack's mrkdwn; whatever the text says, nothing of it pings anybody.

Slack has no escape for its marks, only for ``&``, ``<`` and ``>`` (Slack API, "Formatting message text"). An emphasis
opens after a boundary and before a character that is no space, and closes the other way round. So a zero-width space
does both: outside a mark it makes the boundary that an emphasis within a word lacks, inside it keeps a mark that
stands in the text from being read as one. It reads the same, and is put only where Slack could take the text wrongly.
For a backtick, within which a space counts too, there is a letter that looks like it.
"""

import re
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import replace

from adapters.rendering import Dialect, Kind, Mark, Run, Style, emphasised, without_breaks
from adapters.rendering import render as render_in
from adapters.rendering.links import is_reachable, misleads, names_itself

_SPACE = "\u200b"
_BACKTICK_ALIKE = "ˋ"
_SIGNS = {Style.BOLD: "*", Style.ITALIC: "_", Style.STRUCK: "~"}
_MARKS = frozenset("*_~`")
_MARK = re.compile(r"[*_~`]")
# Names that Slack makes mentions of where a message is sent with `link_names` or `parse=full`: not by us, but a
# gateway or a workflow that passes the text on may.
_CROWD = re.compile(r"@(?=channel|here|everyone|group)", re.IGNORECASE)
_ADDRESS_JOINTS = re.compile(r"(?<=\w)(?=[.@]\w)|:(?=//)|(?<=mailto):", re.IGNORECASE)
_BOUNDARIES = frozenset(".,:;!?()[]{}\"'-/–—…")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_BULLETS = "•◦▪"


def render(text: str) -> str:
    """Render a CommonMark text for a section, a context or a message.

    Links have the form ``<url|label>``, bare addresses ``<url>``, so that the result may be sent with `verbatim`.
    Never raises; takes time in proportion to the text.
    """
    return render_in(text, _Mrkdwn())


def escape(text: str) -> str:
    """Make a plain string, a title for instance, one line of mrkdwn that shows it and nothing else.

    Nothing of it is formatted, linked or notified. Of a title that begins or ends with a mark it may be the marks put
    around it that are shown instead of heeded. For a link's label see `link`.
    """
    line = " ".join(text.split())
    return _escaped(_ADDRESS_JOINTS.sub(lambda match: match[0] + _SPACE, line), _MARKS, at_line_start=True)


def link(label: str, url: str) -> str:
    """Link a plain label; an address that cannot be followed is left out, one that the label hides is shown."""
    if not is_reachable(url):
        return escape(label)
    if names_itself(label, url):
        return _address(url, url)
    if misleads(label, url):
        return f"{escape(label)} ({_address(url, url)})"
    return _link(label, url)


class _Mrkdwn(Dialect):
    code_at_margin = True

    def inline(self, runs: Sequence[Run]) -> str:
        # A span that is closed before code and opened after it is read alike everywhere.
        row = emphasised([replace(run, styles=()) if run.kind is Kind.CODE else run for run in runs], "*_~`")
        return _Line(_marks_to_fear(row)).put(row)

    def heading(self, runs: Sequence[Run], level: int, *, in_list: bool) -> str:
        bold = [replace(run, styles=tuple(dict.fromkeys((Style.BOLD, *run.styles)))) for run in runs]
        return self.inline(without_breaks(bold))

    def code(self, text: str, language: str) -> str:
        inner = text.translate(_ENTITIES).replace("```", f"`{_SPACE}`{_SPACE}`")
        return f"```\n{inner if inner.strip() else _SPACE}\n```"

    def marker(self, depth: int, number: int | None) -> tuple[str, int]:
        bullet = _BULLETS[min(depth, len(_BULLETS) - 1)] if number is None else f"{number}."
        return f"{bullet} ", 4


def _marks_to_fear(row: Sequence[Run | Mark]) -> Set[str]:
    """A mark that stands alone in a paragraph has no partner and may stay as it is, to be copied as it is."""
    counts = Counter(_SIGNS[part.style] for part in row if isinstance(part, Mark))
    for part in row:
        if isinstance(part, Run):
            counts.update("`" * 2 if part.kind is Kind.CODE else _MARK.findall(part.text))
    return {mark for mark, count in counts.items() if count > 1}


class _Line:
    """Puts running text down piece by piece, minding the boundaries between them."""

    def __init__(self, marks: Set[str]) -> None:
        self._marks = marks
        self._pieces: list[str] = []
        self._last = "\n"  # what the next piece follows
        self._at_start = True  # of a line, marks apart
        self._closed = False  # whether it follows the end of a span

    def put(self, row: Sequence[Run | Mark]) -> str:
        for part in row:
            if isinstance(part, Mark):
                self._mark(part)
            elif part.kind is Kind.BREAK:
                self._add("\n", closes=False)
                self._at_start = True
            elif part.kind is Kind.CODE:
                self._code(part.text)
            else:
                self._words(part)
        return "".join(self._pieces).strip()

    def _mark(self, mark: Mark) -> None:
        sign = _SIGNS[mark.style]
        if mark.opens:
            self._before_span()
            at_start = self._at_start
            self._add(sign, closes=False)
            self._at_start = at_start
            self._last = " "  # a mark right after an opening one opens too
        else:
            self._closed = False
            self._add(sign, closes=True)

    def _code(self, text: str) -> None:
        code = text.strip().replace("`", _BACKTICK_ALIKE).translate(_ENTITIES)
        if not code:
            return self._add(" ", closes=False)
        self._before_span()
        return self._add(f"`{code}`", closes=True)

    def _words(self, run: Run) -> None:
        if run.kind is Kind.ADDRESS:
            self._add(_address(run.text, run.url), closes=False)
        elif run.kind is Kind.LINK:
            self._add(_link(run.text, run.url), closes=False)
        else:
            words = run.text.lstrip() if self._at_start else run.text
            piece = _escaped(words, self._marks, self._at_start)
            if piece:
                self._add(piece, closes=False, is_boundary=_parts(piece[0]))

    def _before_span(self) -> None:
        if not _parts(self._last) or self._closed:
            self._add(_SPACE, closes=False, is_boundary=True)

    def _add(self, piece: str, *, closes: bool, is_boundary: bool = False) -> None:
        if self._closed and not (is_boundary or piece == "\n"):
            self._pieces.append(_SPACE)
        self._pieces.append(piece)
        self._last = piece[-1]
        self._closed = closes
        self._at_start = False


def _parts(character: str) -> bool:
    """Whether a span may begin or end beside it."""
    return character.isspace() or character in _BOUNDARIES or character == _SPACE


def _escaped(text: str, marks: Set[str], at_line_start: bool) -> str:
    hidden = _MARK.sub(lambda match: _harmless(match) if match[0] in marks else match[0], text)
    hidden = hidden.replace(_SPACE * 2, _SPACE)
    hidden = _CROWD.sub(f"@{_SPACE}", hidden)
    if at_line_start and hidden.startswith(">"):  # Slack reads a quotation even in "&gt;"
        hidden = _SPACE + hidden
    return hidden.translate(_ENTITIES)


def _harmless(match: re.Match[str]) -> str:
    """Keep a mark from what it would have to touch to open or to close a span."""
    if match[0] == "`":
        return _BACKTICK_ALIKE
    before = match.string[match.start() - 1] if match.start() else ""
    after = match.string[match.end() : match.end() + 1]
    opens = not before.isalnum() and not after.isspace()
    closes = not after.isalnum() and not before.isspace()
    if not opens and not closes:
        return match[0]
    # A space on one side alone would be the boundary that the other side lacks.
    return ("" if before.isspace() else _SPACE) + match[0] + ("" if after.isspace() else _SPACE)


def _address(text: str, url: str) -> str:
    target = _target(url)
    return f"<{target}|{_label(text)}>" if target.lower().startswith("mailto:") else f"<{target}>"


def _link(label: str, url: str) -> str:
    return f"<{_target(url)}|{_label(label)}>"


def _target(url: str) -> str:
    return url.replace("|", "%7C").translate(_ENTITIES)


def _label(text: str) -> str:
    # A bar parts the address from the label; a second one is no part of the grammar, the broken bar reads the same.
    line = " ".join(text.removeprefix("mailto:").split()).replace("|", "¦")
    return _escaped(line, _MARKS, at_line_start=False)
