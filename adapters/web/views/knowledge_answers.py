"""The standard answers that admins taught: the list, a form for another one, and deleting."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import streamlit as st

from adapters.web import notices, session, trouble
from adapters.web.quiet import quiet
from adapters.web.rendering import plain, prose
from adapters.web.views.knowledge_loading import in_words

_SHOWN = 50

_Document = Mapping[str, Any]


def show() -> None:
    """Show the taught answers."""
    st.header("Taught answers", anchor=False)
    answers = session.api().get("/v1/knowledge/answers")["answers"]
    if not answers:
        quiet("Answers that you teach, here or on the page Questions, would be listed here. There is none yet.")
    if len(answers) > _SHOWN:
        part = (st.text_input("Part of a question", key="answers_filter") or "").lower()
        answers = [one for one in answers if part in one["question"].lower()]
    for one in answers[:_SHOWN]:
        _answer(one)
    if len(answers) > _SHOWN:
        quiet(f"and {len(answers) - _SHOWN:,} more")
    _teach()


def _answer(one: _Document) -> None:
    with st.expander(plain(one["question"]), key=f"answer_{one['id']}"):
        st.html(prose(one["answer"]))
        if st.button("Forget this answer", icon=":material/delete:", key=f"delete_answer_{one['id']}"):
            with trouble.told():
                report = session.api().send("DELETE", f"/v1/knowledge/answers/{quote(str(one['id']), safe='')}")
                notices.leave(f"The answer is gone; “Undo” brings it back. {in_words(report)}")
                st.rerun()


def _teach() -> None:
    with st.expander("Teach an answer", icon=":material/school:"), st.form("teach", border=False):
        question = st.text_input("Question, as people ask it", max_chars=500, key="taught_question")
        answer = st.text_area(
            "Answer", help="It is given as you write it (CommonMark).", max_chars=20_000, key="taught_answer"
        )
        if not st.form_submit_button("Save the answer"):
            return
        if not (question or "").strip() or not (answer or "").strip():
            st.error("Write both the question and the answer.")
            return
        with trouble.told():
            body = {"question": (question or "").strip(), "answer": (answer or "").strip()}
            report = session.api().send("POST", "/v1/knowledge/answers", body)
            notices.leave(f"Saved. {in_words(report)}")
            st.rerun()
