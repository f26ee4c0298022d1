"""Renders CommonMark in Discord's markdown, where nothing of it pings anybody.

The client's grammar is that of the `simple-markdown` library with rules of Discord's own (Discord's developer
documentation, "Message Formatting", and its help page "Markdown Text 101"). A backslash keeps a sign of punctuation
from being read as markup, with three exceptions that a zero-width space serves: the server looks for mentions without
minding backslashes, a fence ends at the first three backticks, and two adjoining emphases run into each other.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from adapters.rendering import Dialect, Kind, Mark, Run, Style, emphasised, without_breaks
from adapters.rendering import render as render_in
from adapters.rendering.links import is_reachable, misleads, names_itself

_SPACE = "\u200b"
_SIGNS = {Style.BOLD: "**", Style.ITALIC: "*", Style.STRUCK: "~~"}
_CROWD = re.compile(r"@(?=everyone|here)", re.IGNORECASE)
# In text: every sign of markup, a bracket that would make a link of what stands before it, the colon of an address
# and that of a custom emoji, whose name would still be read as the standard emoji's.
_SPECIAL = re.compile(r"[\\*_~`|<]|(?<=\])\(|:(?=//)|(?<=<):|(?<=<a):")
_AT_LINE_START = re.compile(r"(?:#{1,3}|-#?|\+|(?P<number>\d+)\.)(?=\s|\Z)|>")
_LANGUAGE = re.compile(r"[A-Za-z0-9_+\-.#]+")
_LABEL = re.compile(r"(?:\[[^\[\]]*\]|[^\[\]])*")
_BACKTICKS = re.compile("`+")
_ADJOINING = re.compile("`(?=`)")
# Marks within an address would end an emphasis around it, brackets a masked link.
_MARKS_IN_ADDRESS = str.maketrans({"*": "%2A", "|": "%7C", "`": "%60", "\\": "%5C"})
_BRACKETS_IN_ADDRESS = str.maketrans({"(": "%28", ")": "%29"})


def render(text: str) -> str:
    """Render a CommonMark text for a message's content.

    Links are masked, ``[label](<url>)``; in angle brackets these and bare addresses stay without a preview.
    Never raises; takes time in proportion to the text.
    """
    return render_in(text, _Markdown())


def escape(text: str) -> str:
    """Make a plain string, a title for instance, one line of markdown that shows it and nothing else.

    Nothing of it is formatted, linked or notified, on its own or between marks.
    """
    return _escaped_line_start(_escaped(" ".join(text.split())))


def link(label: str, url: str) -> str:
    """Link a plain label; an address that cannot be followed is left out, one that the label hides is shown."""
    if not is_reachable(url):
        return escape(label)
    if names_itself(label, url):
        return _address(label or url, url)
    return _link(" ".join(label.split()), url)


class _Markdown(Dialect):
    code_at_margin = False

    def inline(self, runs: Sequence[Run]) -> str:
        # A tilde at the end of struck text would join the mark.
        return _Line().put(emphasised([_safely_styled(run) for run in runs], "~"))

    def heading(self, runs: Sequence[Run], level: int, *, in_list: bool) -> str:
        if level <= 3 and not in_list:
            text = self.inline(without_breaks(runs))
            return f"{'#' * level} {text}" if text else ""
        bold = [replace(run, styles=tuple(dict.fromkeys((Style.BOLD, *run.styles)))) for run in runs]
        return self.inline(without_breaks(bold))

    def code(self, text: str, language: str) -> str:
        name = _LANGUAGE.match(language)
        inner = _ADJOINING.sub(f"`{_SPACE}", text) if "```" in text else text
        return f"```{name[0] if name else ''}\n{inner if inner.strip() else _SPACE}\n```"

    def marker(self, depth: int, number: int | None) -> tuple[str, int]:
        marker = "- " if number is None else f"{number}. "
        return marker, len(marker)


def _safely_styled(run: Run) -> Run:
    """The client looks for an emphasis' end without minding code: code that holds such a mark stands outside."""
    return replace(run, styles=()) if run.kind is Kind.CODE and re.search(r"\*|~~", run.text) else run


class _Line:
    """Puts running text down piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._at_start = True  # of a line, marks apart
        self._closed = False  # whether an emphasis has just ended
        self._after_code = False

    def put(self, row: Sequence[Run | Mark]) -> str:
        for part in row:
            if isinstance(part, Mark):
                self._mark(part)
            elif part.kind is Kind.BREAK:
                self._pieces.append("\n")
                self._at_start, self._closed, self._after_code = True, False, False
            else:
                self._words(part)
        return "".join(self._pieces).strip()

    def _mark(self, mark: Mark) -> None:
        if mark.opens and self._closed:
            self._pieces.append(_SPACE)
        self._pieces.append(_SIGNS[mark.style])
        self._closed, self._after_code = not mark.opens, False

    def _words(self, run: Run) -> None:
        piece = _piece(run)
        if self._at_start and run.kind is Kind.TEXT:
            piece = _escaped_line_start(piece.lstrip())
        if self._after_code and run.kind is Kind.CODE:
            self._pieces.append(_SPACE)
        if piece:
            self._pieces.append(piece)
            self._after_code = run.kind is Kind.CODE
            self._at_start = self._closed = False


def _piece(run: Run) -> str:
    if run.kind is Kind.CODE:
        return _code(run.text)
    if run.kind is Kind.ADDRESS:
        return _address(run.text, run.url)
    return _link(run.text, run.url) if run.kind is Kind.LINK else _escaped(run.text)


def _code(text: str) -> str:
    lengths = {len(run) for run in _BACKTICKS.findall(text)}
    if lengths - {1}:  # three would be a fence, and two are the delimiter
        text = _ADJOINING.sub(f"`{_SPACE}", text)
    if not lengths:
        return f"`{text}`"
    before, after = (" " if text.startswith("`") else ""), (" " if text.endswith("`") else "")
    return f"``{before}{text}{after}``"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(_harmless, _CROWD.sub(f"@{_SPACE}", text))


def _harmless(match: re.Match[str]) -> str:
    is_mention = match[0] == "<" and match.string[match.end() : match.end() + 1] in ("@", "#")
    return f"\\{match[0]}{_SPACE if is_mention else ''}"


def _escaped_line_start(text: str) -> str:
    match = _AT_LINE_START.match(text)
    if match is None:
        return text
    number = match["number"] or ""
    return f"{number}\\{text[len(number) :]}"


def _link(label: str, url: str) -> str:
    if url.lower().startswith("mailto:") or misleads(label, url) or not _LABEL.fullmatch(label):
        return f"{_escaped(label)} ({_address(url, url)})"
    return f"[{_escaped(label)}](<{_target(url).translate(_BRACKETS_IN_ADDRESS)}>)"


def _address(text: str, url: str) -> str:
    # The client follows no address of a mailbox: it is shown alone.
    return _escaped(text.removeprefix("mailto:")) if url.lower().startswith("mailto:") else f"<{_target(url)}>"


def _target(url: str) -> str:
    # The server hears the crowd's name in an address too.
    return _CROWD.sub("%40", url).replace("~~", "%7E%7E").translate(_MARKS_IN_ADDRESS)
