"""The page on which one talks to the bot."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from adapters.web import trouble
from adapters.web.api import ApiError, UploadedFile
from adapters.web.views import chat_answer, chat_asking, chat_heading, chat_opening, chat_pictures, chat_sidebar
from adapters.web.views.chat_turns import Asked, Mode, Talk, current, input_key, open_conversation, taken_next

_MODES: Mapping[Mode, str] = {"question": "Question", "symptoms": "Symptoms"}


def show() -> None:
    """Show the page."""
    about: Mapping[str, Any] = st.session_state["about"]
    try:
        talk = current()
    except ApiError as error:
        _show_no_conversation(about, error)
        return
    chat_sidebar.show(about, talk)
    heading, opening = st.empty(), st.empty()
    asked = _input(about) or taken_next()
    if asked is None and not talk.turns:
        with opening.container():
            chat_opening.show(about)
        return
    with heading.container():
        chat_heading.show(talk if talk.turns else Talk(title=asked.name if asked else ""))
    _show_turns(talk, is_asking=asked is not None)
    if asked is not None:
        shown = replace(asked, files=chat_pictures.small(asked.files))
        chat_answer.show_asked(shown, is_new=True)
        chat_asking.ask(asked, shown, talk)
        st.session_state["just_answered"] = True
        st.rerun()


def _show_turns(talk: Talk, *, is_asking: bool) -> None:
    last = len(talk.turns) - 1
    for number, turn in enumerate(talk.turns):
        chat_answer.show(turn, f"{talk.conversation_id or 'new'}-{number}", is_last=number == last and not is_asking)
    if st.session_state.pop("just_answered", False) and not is_asking:
        # Screen readers say this as it appears; the answer itself they then find as the page's last message.
        st.html('<p class="unseen" role="alert">The answer is here.</p>')


def _show_no_conversation(about: Mapping[str, Any], error: ApiError) -> None:
    chat_sidebar.show(about, Talk(conversation_id="none"))
    st.title("Conversation", anchor=False)
    if not (error.is_away and st.session_state.get("is_away")):
        trouble.tell(error)
    if error.status:
        st.button("Begin a new conversation", key="begin", on_click=open_conversation, args=("",))


def _input(about: Mapping[str, Any]) -> Asked | None:
    """Show where one writes, and give what was written."""
    pictures = about.get("pictures") or {}
    mode = _mode() if about.get("diagnosis") else "question"
    takes_files = pictures.get("looking", "off") != "off" and mode == "question"
    # It goes to the bottom by itself; only then the page follows the conversation to its end. Its length has no bound:
    # a longer text would vanish from it without a word, and what is too long the API says.
    said = st.chat_input(
        _hint(mode, takes_files=takes_files),
        key=input_key(mode),
        accept_file="multiple" if takes_files else False,
        file_type=chat_pictures.KINDS if takes_files else None,
        max_upload_size=pictures.get("megabytes") if takes_files else None,
    )
    if not said:
        return None
    text = said if isinstance(said, str) else said.text
    sent = () if isinstance(said, str) else said.files
    files = tuple(UploadedFile(file.name, file.getvalue(), file.type) for file in sent)
    return Asked(text, mode, files) if text.strip() or files else None


def _mode() -> Mode:
    with st.bottom:
        chosen: Mode = st.segmented_control(
            "What do you want to tell?",
            list(_MODES),
            format_func=_MODES.__getitem__,
            default="question",
            required=True,
            key="mode",
            label_visibility="collapsed",
        )
    return chosen


def _hint(mode: Mode, *, takes_files: bool) -> str:
    if mode == "symptoms":
        return "Describe how you feel"
    return "Ask a question, or drop a picture" if takes_files else "Ask a question"
