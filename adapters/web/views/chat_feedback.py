"""Takes what the visitor thinks of an answer: a thumb, and words if they like."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from adapters.web import session, trouble

_VERDICTS = ("down", "up")
_LONGEST_COMMENT = 1_000
_ASKED_FOR = {"up": "What was good about it?", "down": "What should be different?"}


def show(document: Mapping[str, Any], key: str) -> None:
    """Show the thumbs under an answer that is kept."""
    _verdict(key, str(document["answer_id"]), document.get("verdict"), str(document.get("comment") or ""))


@st.fragment
def _verdict(key: str, answer_id: str, verdict: str | None, comment: str) -> None:
    given: dict[str, Any] = st.session_state.setdefault(f"given-{answer_id}", {"verdict": verdict, "comment": comment})
    with st.container(key=f"feedback-{key}"), trouble.told():
        chosen = st.feedback(
            "thumbs", key=f"verdict-{key}", default=_VERDICTS.index(verdict) if verdict in _VERDICTS else None
        )
        if chosen is not None and _VERDICTS[chosen] != given["verdict"]:
            _store(answer_id, given, _VERDICTS[chosen], given["comment"])
        if given["verdict"]:
            _comment(key, answer_id, given)


def _comment(key: str, answer_id: str, given: dict[str, Any]) -> None:
    with st.form(f"comment-form-{key}", border=False):
        words = st.text_input(
            _ASKED_FOR[given["verdict"]],
            value=given["comment"],
            max_chars=_LONGEST_COMMENT,
            key=f"comment-{key}",
            placeholder="In a few words, if you like",
        )
        is_sent = st.form_submit_button("Send", key=f"send-comment-{key}")
    if is_sent:
        _store(answer_id, given, given["verdict"], (words or "").strip())
    st.html(
        f'<p class="quiet" role="status">Thank you, {"your words are" if given["comment"] else "that is"} noted.</p>'
    )


def _store(answer_id: str, given: dict[str, Any], verdict: str, comment: str) -> None:
    session.api().send("PUT", f"/v1/answers/{answer_id}/feedback", {"verdict": verdict, "comment": comment})
    given.update(verdict=verdict, comment=comment)
