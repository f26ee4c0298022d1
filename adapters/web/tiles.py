"""Figures in a row of tiles as HTML: as many beside each other as there is room for, two on a phone."""

from collections.abc import Mapping

from adapters.web.rendering import escaped

_STYLE = """<style>
div.tiles dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(9rem, 45%), 1fr)); gap: .75rem;
  margin: 0; padding: 0; }
div.tiles dl > div { border: 1px solid color-mix(in srgb, currentColor 22%, transparent); border-radius: .5rem;
  padding: .7rem .9rem; }
div.tiles dt { font-size: .875rem; font-weight: 400; color: color-mix(in srgb, currentColor 78%, transparent); }
div.tiles dd { font-size: 1.6rem; margin: 0; line-height: 1.3; overflow-wrap: anywhere;
  font-variant-numeric: tabular-nums; }
</style>"""


def tiles(figures: Mapping[str, str]) -> str:
    """Make tiles of figures by their names, for `st.html`."""
    made = "".join(f"<div><dt>{escaped(name)}</dt><dd>{escaped(text)}</dd></div>" for name, text in figures.items())
    return f'{_STYLE}<div class="tiles"><dl>{made}</dl></div>'
