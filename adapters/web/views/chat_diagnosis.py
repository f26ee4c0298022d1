"""Shows what symptoms may point to: what to do at once on top, then how likely each is, why, and what to watch."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from adapters.web.rendering import escaped, plain, prose
from adapters.web.views.chat_bars import Bar, bars

_SUREST = 0.95
"""Beyond this no figure is told, as in the words of a chat."""


def show(diagnosis: Mapping[str, Any], key: str) -> None:
    """Show a diagnosis as a card."""
    with st.container(border=True, key=f"diagnosis-{key}"):
        for flag in diagnosis["red_flags"]:
            st.error(f"**{plain(flag['name'])}**: {plain(flag['advice'], 1_000)}", icon=":material/emergency:")
        conditions: Sequence[Mapping[str, Any]] = diagnosis["conditions"]
        if not conditions:
            st.html(prose(_without_disclaimer(diagnosis)))
        elif diagnosis["red_flags"]:
            # Nothing else takes the place of an alarm on a small screen.
            with st.expander("What else it may point to", key=f"else-{key}"):
                st.html(_bars(conditions))
        else:
            st.html(f"<p>What you describe may point to:</p>{_bars(conditions)}")
            for number, condition in enumerate(conditions):
                with st.expander(f"About {plain(condition['label'], 80)}", key=f"condition-{key}-{number}"):
                    st.html(_about(condition))
        st.html(f'<p class="quiet"><strong>{escaped(diagnosis["disclaimer"])}</strong></p>')


def _bars(conditions: Sequence[Mapping[str, Any]]) -> str:
    return bars(
        [Bar(one["label"], one["probability"], one["likelihood"], _because(one["because"])) for one in conditions],
        "How likely each is",
        _SUREST,
    )


def _because(phrases: Sequence[str]) -> str:
    return f"because of {', '.join(f'“{phrase}”' for phrase in phrases)}" if phrases else ""


def _about(condition: Mapping[str, Any]) -> str:
    urgent = "".join(f"<li>{escaped(sign)}</li>" for sign in condition["urgent"])
    parts = (
        f"<p>{escaped(condition['sentence'])}</p>" if condition["sentence"] else "",
        f"<p><strong>How it usually goes:</strong> {escaped(condition['course'])}</p>" if condition["course"] else "",
        f"<p><strong>When it is urgent:</strong></p><ul>{urgent}</ul>" if urgent else "",
    )
    return f'<div class="prose">{"".join(parts) or "<p>Nothing more is known of it here.</p>"}</div>'


def _without_disclaimer(diagnosis: Mapping[str, Any]) -> str:
    """Give the words without what the card says by itself: the disclaimer behind them, the alarms before them."""
    paragraphs = str(diagnosis["answer"]).split("\n\n")
    flags = len(diagnosis["red_flags"])
    return "\n\n".join(part for part in paragraphs[flags:] if diagnosis["disclaimer"] not in part)
