"""Lists the questions that had no answer, or one that people disliked, and takes the answers that they should have."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from adapters.web import notices, recently, session, trouble
from adapters.web.api import ApiError
from adapters.web.figures import counted, moment, place, share
from adapters.web.quiet import quiet
from adapters.web.rendering import plain, prose
from adapters.web.views import found

_PAGE = 20

_LONGEST_QUESTION, _LONGEST_ANSWER = 500, 20_000

_Kind = Literal["unanswered", "disliked"]

_WORDS: Mapping[_Kind, tuple[str, str]] = {
    "unanswered": ("Not answered", "Questions that I had no answer to would be listed here. There are none."),
    "disliked": ("Found not helpful", "Answers that people rated down would be listed here. There are none."),
}

_Document = Mapping[str, Any]


@st.fragment
def show() -> None:
    """Show the lists, one at a time."""
    st.header("What to look at", anchor=False)
    with trouble.told():
        _list()


def _list() -> None:
    kind = st.segmented_control(
        "Which questions", tuple(_WORDS), default="unanswered", format_func=lambda kind: _WORDS[kind][0], required=True
    )
    questions, following = _page(kind)
    if not questions:
        st.info(_WORDS[kind][1])
        return
    for question in questions:
        _question(question)
    _pager(kind, following)


def _page(kind: _Kind) -> tuple[Sequence[_Document], str | None]:
    before = _cursors(kind)[-1]
    document = recently.got(
        f"questions {kind} {before}",
        lambda: session.api().get("/v1/questions", kind=kind, limit=_PAGE, before=before),
    )
    return document["questions"], document["next"]


def _cursors(kind: _Kind) -> list[str | None]:
    """Give where each page begins, up to the one that is shown."""
    cursors: list[str | None] = st.session_state.setdefault(f"cursors_{kind}", [None])
    return cursors


def _pager(kind: _Kind, following: str | None) -> None:
    cursors = _cursors(kind)
    if len(cursors) == 1 and not following:
        return
    with st.container(horizontal=True):
        first = len(cursors) == 1
        st.button("Newer", disabled=first, icon=":material/arrow_back:", on_click=_turn, args=(kind, None))
        last = not following
        st.button("Older", disabled=last, icon=":material/arrow_forward:", on_click=_turn, args=(kind, following))


def _turn(kind: _Kind, following: str | None) -> None:
    """Go on to the page that begins there, or back where none does."""
    if following:
        _cursors(kind).append(following)
    else:
        _cursors(kind).pop()


def _question(question: _Document) -> None:
    number = question["answer_id"]
    opened = st.expander(plain(question["question"]), on_change="rerun", key=f"question_{number}")
    if not opened.open:
        # What is found now is looked for once somebody wants to see it.
        return
    with opened:
        _asked(question)
        _found_now(question["question"])
        _teach(question)


def _asked(question: _Document) -> None:
    verdicts = question["verdicts"]
    quiet(
        f"{moment(question['at'])} · {place(question['place'])} · {share(question['confidence'] or 0)} sure"
        f" · helpful for {verdicts['up']}, not for {verdicts['down']}"
    )
    st.subheader("What was asked", anchor=False)
    st.text(question["question"])
    st.subheader("What was answered", anchor=False)
    st.html(prose(question["answer"]))
    if question["comments"]:
        st.subheader(counted(len(question["comments"]), "comment").capitalize(), anchor=False)
        for comment in question["comments"]:
            st.text(comment)


def _found_now(question: str) -> None:
    st.subheader("What is found now", anchor=False)
    try:
        found.show(session.api().get("/v1/knowledge/search", q=question, limit=3), key="now")
    except ApiError as error:
        st.warning(trouble.in_words(error))


def _teach(question: _Document) -> None:
    number = question["answer_id"]
    st.subheader("Teach the answer", anchor=False)
    with st.form(f"teach_{number}", border=False):
        asked = st.text_area(
            "Question",
            question["question"][:_LONGEST_QUESTION],
            max_chars=_LONGEST_QUESTION,
            height="content",
            key=f"teach_question_{number}",
        )
        answer = st.text_area(
            "Answer",
            help="It is given as you write it (CommonMark).",
            height=140,
            max_chars=_LONGEST_ANSWER,
            key=f"teach_answer_{number}",
        )
        if not st.form_submit_button("Save the answer", icon=":material/school:"):
            return
    if not asked.strip() or not answer.strip():
        st.error("Write both the question and the answer.")
        return
    with trouble.told():
        session.api().send("POST", "/v1/knowledge/answers", {"question": asked.strip(), "answer": answer.strip()})
        notices.leave(_answered_now(asked.strip()))
        st.rerun()


def _answered_now(question: str) -> str:
    """Say what would be answered from now on."""
    document = session.api().get("/v1/knowledge/search", q=question, limit=1)
    best = next(iter(document["hits"]), None)
    if best is None or best["confidence"] < document["threshold"]:
        return "Saved; but the question as it stands is still declined. Write the question as people ask it."
    return f"Saved. From now on the answer is: {best['text']} ({share(best['confidence'])} sure)"
