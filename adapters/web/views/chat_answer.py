"""Shows one turn of a conversation: what was said, what came of it, what it rests on, and what to do next."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from adapters.web import trouble
from adapters.web.api import ApiError
from adapters.web.rendering import escaped, plain, prose
from adapters.web.views import chat_diagnosis, chat_feedback, chat_pictures, chat_sources
from adapters.web.views.chat_bars import percent
from adapters.web.views.chat_turns import Asked, Turn, ask_again, ask_in_a_new_conversation, ask_next, shorten

BOT, _VISITOR = ":material/school:", ":material/person:"
"""Who speaks, as icons."""

_SUGGESTIONS = "\n\nDid you mean:"

_SURENESS = ((0.9, "sure"), (0.7, "fairly sure"), (0.4, "not quite sure"), (0.0, "unsure"))


def show(turn: Turn, key: str, *, is_last: bool) -> None:
    """Show a turn.

    Args:
        turn: which.
        key: names it among all that are on the page.
        is_last: whether it is the newest: what to do next is offered there alone.
    """
    show_asked(turn.asked)
    with st.chat_message("assistant", avatar=BOT):
        if turn.problem is not None:
            st.error(_why_not(turn.problem), icon=":material/error:")
        elif turn.partly is not None:
            st.html(prose(turn.partly) + '<p class="quiet">Stopped.</p>')
        elif not turn.document:
            st.html('<p class="quiet">This was not answered.</p>')
        else:
            _show_answer(turn, key, is_last=is_last)
        # Always there, so that what was offered is gone as soon as something else is asked.
        with st.empty():
            if is_last:
                with st.container():
                    _offer_next(turn, key)


def show_asked(asked: Asked, *, is_new: bool = False) -> None:
    """Show what the visitor said; to what is new the page turns, wherever they had scrolled to."""
    with st.chat_message("user", avatar=_VISITOR):
        if is_new:
            st.html('<span class="newly-asked"></span>')
        if asked.files:
            chat_pictures.show_sent(asked.files)
        if asked.text:
            st.html(f'<div class="said">{escaped(asked.text)}</div>')


def sureness(confidence: float) -> str:
    """Say in words how sure an answer is, from its calibrated probability."""
    return next(words for least, words in _SURENESS if confidence >= least)


def in_small_print(document: Mapping[str, Any]) -> str:
    """Say who wrote an answer, how sure it is, and how long it took."""
    confidence, elapsed = document.get("confidence"), document.get("elapsed_ms")
    is_judged = bool(document.get("generator")) and confidence is not None and not document.get("abstained")
    parts = [
        str(document.get("generator") or ""),
        f"{sureness(confidence)} ({percent(confidence)})" if is_judged and confidence is not None else "",
        _duration(elapsed) if elapsed is not None else "",
        str(document.get("note") or "").removesuffix("."),
    ]
    return " · ".join(part for part in parts if part)


def _duration(milliseconds: float) -> str:
    return f"{milliseconds:,.0f} ms" if milliseconds < 1_000 else f"{milliseconds / 1_000:.1f} s"


def _why_not(problem: ApiError) -> str:
    """Say why there is no answer; that the page tries again is not so of a question."""
    return plain(problem.sentence) if problem.is_away or _is_gone(problem) else trouble.in_words(problem)


def _is_gone(problem: ApiError | None) -> bool:
    """Say whether the conversation was deleted meanwhile, in another tab."""
    return problem is not None and problem.code == "conversation_not_found"


def _show_answer(turn: Turn, key: str, *, is_last: bool) -> None:
    document = turn.document
    if "conditions" in document:
        chat_diagnosis.show(document, key)
    elif "pictures" in document:
        chat_pictures.show(document, key)
    else:
        text = str(document.get("answer", ""))
        # What may have been meant stands below, to be pressed.
        st.html(prose(text.partition(_SUGGESTIONS)[0] if is_last and document.get("suggestions") else text))
    chat_sources.show(document.get("citations") or [], key)
    if small_print := in_small_print(document):
        st.html(f'<p class="quiet">{escaped(small_print)}</p>')
    if document.get("answer_id"):
        chat_feedback.show(document, key)


def _offer_next(turn: Turn, key: str) -> None:
    if turn.problem is not None or turn.partly is not None or not turn.document:
        _offer(turn, key)
        return
    suggestions = [str(one) for one in turn.document.get("suggestions") or []]
    if suggestions:
        st.html('<p class="quiet">Did you mean</p>')
        with st.container(key=f"suggestions-{key}"):
            for number, text in enumerate(suggestions):
                label = plain(text) or "…"
                st.button(label, key=f"suggestion-{key}-{number}", on_click=ask_next, args=(Asked(text),))
    if turn.document.get("offers_diagnosis"):
        st.button(
            "What may it point to?",
            key=f"points-to-{key}",
            icon=":material/stethoscope:",
            on_click=ask_next,
            args=(Asked(turn.asked.text, "symptoms"),),
        )


def _offer(turn: Turn, key: str) -> None:
    """Offer to ask again what got no answer; pictures are no longer there to be sent again."""
    if not turn.asked.text or turn.asked.files:
        return
    if _is_gone(turn.problem):
        st.button(
            "Ask in a new conversation",
            key=f"anew-{key}",
            icon=":material/add:",
            on_click=ask_in_a_new_conversation,
            args=(turn.asked,),
        )
    elif turn.problem is not None and turn.problem.code == "question_too_long":
        st.button("Shorten it", key=f"shorten-{key}", icon=":material/edit:", on_click=shorten, args=(turn.asked,))
    else:
        st.button("Ask again", key=f"again-{key}", icon=":material/refresh:", on_click=ask_again, args=(turn.asked,))
