"""Tables as HTML: read by screen readers, and turned into cards on a phone; every cell is text."""

import re
from collections.abc import Iterable, Sequence

from adapters.web.rendering import escaped

_STYLE = """<style>
.pt { border-collapse: collapse; width: 100%; font-size: .925rem; }
.pt caption { text-align: left; font-weight: 600; padding: .25rem 0; }
.pt th, .pt td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0;
  border-bottom: 1px solid rgba(128, 128, 128, .35); overflow-wrap: break-word; }
.pt thead th { font-weight: 600; white-space: nowrap; }
.pt tbody th { font-weight: 600; }
.pt .n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
@media (max-width: 640px) {
  .pt thead { position: absolute; left: -9999px; }
  .pt, .pt tbody, .pt tr, .pt th, .pt td, .pt caption { display: block; width: auto; }
  .pt tr { padding: .5rem 0; border-bottom: 1px solid rgba(128, 128, 128, .5); }
  .pt th, .pt td, .pt .n { border: 0; padding: .1rem 0; text-align: left; white-space: normal; }
  .pt td::before { content: attr(data-label) ": "; opacity: .75; }
  .pt td:empty { display: none; }
}
</style>"""


_LONG_WORD = 24
"""Characters after which a word may be broken."""

_WORDS = re.compile(r"\S+|\s+")


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[str] = ()) -> str:
    """Make a table, for `st.html`.

    Args:
        caption: what it tells; read before the rest.
        columns: their headings; the first column names the row.
        rows: a text for each column.
        numbers: which columns hold figures, to be set to the right.
    """
    figures = frozenset(numbers)
    kinds = ['class="n"' if column in figures else "" for column in columns]
    head = "".join(
        f'<th scope="col" {kind}>{escaped(column)}</th>' for column, kind in zip(columns, kinds, strict=True)
    )
    body = "".join(_row(columns, kinds, row) for row in rows)
    return (
        f'{_STYLE}<table class="pt"><caption>{escaped(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _row(columns: Sequence[str], kinds: Sequence[str], row: Sequence[str]) -> str:
    cells = [
        f'<td data-label="{escaped(column)}" {kind}>{_breakable(text)}</td>'
        for column, kind, text in list(zip(columns, kinds, row, strict=True))[1:]
    ]
    return f'<tr><th scope="row">{_breakable(row[0])}</th>{"".join(cells)}</tr>'


def _breakable(text: str) -> str:
    """Let long words be broken, without a sign that would be copied with them."""
    return "".join(
        "<wbr>".join(escaped(word[at : at + _LONG_WORD]) for at in range(0, len(word), _LONG_WORD))
        for word in _WORDS.findall(text)
    )
