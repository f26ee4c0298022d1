"""Says where emphasis opens and closes between the runs of a text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

from adapters.rendering.runs import Kind, Run, Style


@dataclass(frozen=True, slots=True)
class Mark:
    """The place between runs where an emphasis opens or closes."""

    style: Style
    opens: bool


def emphasised(runs: Iterable[Run], edges: str) -> list[Run | Mark]:
    """Say where each emphasis opens and closes, properly nested, none over a line break.

    Args:
        runs: the runs.
        edges: characters, besides white space, that may not stand next to a mark on its inner side: at either end
            of an emphasis they are left out of it.
    """
    return _Marking(edges).row(runs)


class _Marking:
    def __init__(self, edges: str) -> None:
        self._edge = re.compile(rf"[\s{re.escape(edges)}]*")
        self._row: list[Run | Mark] = []
        self._open: tuple[Style, ...] = ()
        self._waiting: list[Run] = []  # edges, which stand outside if a mark comes next

    def row(self, runs: Iterable[Run]) -> list[Run | Mark]:
        for run in runs:
            if run.kind is Kind.BREAK:
                self._turn_to(())
                self._row.append(run)
            elif run.kind is Kind.TEXT:
                self._add_text(run)
            else:
                self._add(run)
        self._turn_to(())
        return self._row

    def _add_text(self, run: Run) -> None:
        start = self._end_of_edge(run.text)
        if start == len(run.text):
            self._close_all_but(run.styles)
            self._waiting.append(Run(run.text))
            return
        end = len(run.text) - self._end_of_edge(run.text[::-1])
        if start:
            self._waiting.append(Run(run.text[:start]))
        self._add(Run(run.text[start:end], styles=run.styles))
        if end < len(run.text):
            self._waiting.append(Run(run.text[end:]))

    def _end_of_edge(self, text: str) -> int:
        match = self._edge.match(text)
        return match.end() if match else 0

    def _add(self, run: Run) -> None:
        self._turn_to(run.styles)
        self._put(run)

    def _turn_to(self, styles: tuple[Style, ...]) -> None:
        """Close what does not go on, put down what waits, open what begins."""
        self._close_all_but(styles)
        for edge in self._waiting:
            self._put(edge)
        self._waiting.clear()
        self._row += [Mark(style, opens=True) for style in styles[len(self._open) :]]
        self._open = styles

    def _close_all_but(self, styles: tuple[Style, ...]) -> None:
        """Leave open the outermost emphases that `styles` shares."""
        pairs = zip(self._open, styles, strict=False)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], pairs))
        self._row += [Mark(style, opens=False) for style in reversed(self._open[shared:])]
        self._open = self._open[:shared]

    def _put(self, run: Run) -> None:
        last = self._row[-1] if self._row else None
        if isinstance(last, Run) and last.kind is run.kind is Kind.TEXT:
            self._row[-1] = Run(last.text + run.text, styles=last.styles)
        elif run.text:
            self._row.append(run)
