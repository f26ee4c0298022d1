"""Shows what the knowledge base has for a question, and why it ranks so."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from adapters.web.figures import share
from adapters.web.quiet import quiet
from adapters.web.rendering import escaped, link, marked

_Document = Mapping[str, Any]


def show(document: _Document, key: str, *, explained: bool = False) -> None:
    """Show the passages of a search, best first.

    Args:
        document: the API's.
        key: parts these from other passages on the page.
        explained: whether the weight of each word is drawn as well.
    """
    threshold = document["threshold"]
    if not document["hits"]:
        st.info("Nothing in the knowledge base has a word of this.")
        return
    best = document["hits"][0]["confidence"]
    verdict = "it would be answered" if best >= threshold else "it would be declined"
    quiet(f"Answers are given from {share(threshold)} on; the best passage has {share(best)}: {verdict}.")
    for rank, hit in enumerate(document["hits"], start=1):
        with st.container(border=True, key=f"hit_{key}_{rank}"):
            st.html(_hit(rank, hit, threshold) + (_weights(hit) if explained and hit["terms"] else ""))


def _hit(rank: int, hit: _Document, threshold: float) -> str:
    where = " · ".join(part for part in (hit["source"], hit["location"]) if part)
    read_on = f" · {link(hit['url'], 'read on')}" if hit["url"] else ""
    above = "enough for an answer" if hit["confidence"] >= threshold else "too little for an answer"
    return (
        f'<p class="name"><strong>{rank}. {escaped(hit["title"] or where)}</strong></p>'
        f"{marked(hit['text'], hit['matched'])}"
        f'<p class="origin">{escaped(where)}{read_on}<br>Score {hit["score"]:.3f}'
        f" · {share(hit['confidence'])} sure, {above}"
        f" · {share(hit['coverage'])} of the question’s weight is in it</p>"
    )


def _weights(hit: _Document) -> str:
    weights: dict[str, float] = {}
    for term in hit["terms"]:
        word = term["word"] if term["word"] == term["term"] else f"{term['word']} (as “{term['term']}”)"
        weights[word] = weights.get(word, 0) + term["weight"]
    most = max(weights.values()) or 1
    bars = "".join(
        f'<div><div class="name"><span>{escaped(word)}</span><span class="figure">{weight:.3f}</span></div>'
        f'<div class="track"><div class="value" style="width: {100 * weight / most:.0f}%"></div></div></div>'
        for word, weight in sorted(weights.items(), key=lambda pair: -pair[1])
    )
    return f'<p class="quiet">What each word adds to the score:</p><div class="bars">{bars}</div>'
