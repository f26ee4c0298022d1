"""What the visitor looks at: the turns of one conversation, and the question that is next or underway."""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import streamlit as st

from adapters.web import session
from adapters.web.api import ApiError, UploadedFile

Mode = Literal["question", "symptoms"]

_ADDRESS = "c"
"""The name under which the page's address holds the conversation; only its owner can read that."""


def input_key(mode: Mode) -> str:
    """Name the field in which one writes."""
    return f"input-{mode}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the visitor said: a question, symptoms, or pictures with or without a question."""

    text: str
    mode: Mode = "question"
    files: tuple[UploadedFile, ...] = ()

    @property
    def name(self) -> str:
        """What the API calls a conversation that begins with it."""
        return self.text or ("What is in this picture?" if self.files else "")


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and what came of it.

    Attributes:
        asked: what was said; its files hold small pictures to be shown.
        document: the answer as the API gave it; empty where none came.
        problem: why none came.
        partly: what had come before the visitor stopped it; None where they did not.
    """

    asked: Asked
    document: Mapping[str, Any] = field(default_factory=dict)
    problem: ApiError | None = None
    partly: str | None = None


@dataclass(slots=True)
class Underway:
    """A question whose answer is on its way, in which conversation, and what has come of it."""

    asked: Asked
    conversation_id: str = ""
    text: str = ""


@dataclass(slots=True)
class Talk:
    """One conversation as it is shown. `conversation_id` and `title` are empty for one that nothing is kept of yet."""

    conversation_id: str = ""
    title: str = ""
    turns: list[Turn] = field(default_factory=list)


def current() -> Talk:
    """Give the conversation that the page's address names, a new one where it names none.

    Raises:
        ApiError: there is no such conversation, or it cannot be had.
    """
    wanted = st.query_params.get(_ADDRESS, "")
    talk: Talk | None = st.session_state.get("talk")
    if talk is None or talk.conversation_id != wanted:
        talk = _opened(wanted) if wanted else Talk()
        st.session_state["talk"] = talk
    _keep_what_was_stopped(talk)
    return talk


def open_conversation(conversation_id: str = "") -> None:
    """Turn to a conversation, or to a new one; for callbacks."""
    for name in ("talk", "next", "underway"):
        st.session_state.pop(name, None)
    if conversation_id:
        st.query_params[_ADDRESS] = conversation_id
    else:
        st.query_params.pop(_ADDRESS, None)


def ask_next(asked: Asked) -> None:
    """Have something asked in the coming run; for callbacks."""
    st.session_state["next"] = asked


def ask_again(asked: Asked) -> None:
    """Have asked in the coming run what got no answer, in the stead of the turn that tells so; for callbacks."""
    _drop_unanswered()
    ask_next(asked)


def shorten(asked: Asked) -> None:
    """Put what was too long back to where one writes, in the stead of the turn that tells so; for callbacks."""
    _drop_unanswered()
    st.session_state[input_key(asked.mode)] = asked.text


def ask_in_a_new_conversation(asked: Asked) -> None:
    """Have asked in the coming run what was asked where nothing more can be; for callbacks."""
    open_conversation()
    ask_next(asked)


def _drop_unanswered() -> None:
    talk: Talk = st.session_state["talk"]
    if talk.turns and not talk.turns[-1].document:
        talk.turns.pop()


def taken_next() -> Asked | None:
    """Give what a button asked for, once."""
    asked: Asked | None = st.session_state.pop("next", None)
    return asked


def begin(asked: Asked, talk: Talk) -> Underway:
    """Note that an answer is on its way: if the run ends before it is there, the visitor has stopped it."""
    underway = Underway(asked, talk.conversation_id)
    st.session_state["underway"] = underway
    return underway


def finish(talk: Talk, turn: Turn) -> None:
    """Add a turn to the conversation, whose name the page's address holds from now on."""
    st.session_state.pop("underway", None)
    talk.turns.append(turn)
    conversation_id = str(turn.document.get("conversation_id", ""))
    if conversation_id and conversation_id != talk.conversation_id:
        talk.conversation_id = conversation_id
        st.query_params[_ADDRESS] = conversation_id


def _keep_what_was_stopped(talk: Talk) -> None:
    underway: Underway | None = st.session_state.pop("underway", None)
    # Who went to another conversation meanwhile (with the browser's Back) does not find it there.
    if underway is not None and underway.conversation_id == talk.conversation_id:
        talk.turns.append(Turn(underway.asked, partly=underway.text))


def _opened(conversation_id: str) -> Talk:
    document = session.api().get(f"/v1/conversations/{_as_id(conversation_id)}")
    talk = Talk(conversation_id, str(document.get("title") or ""))
    talk.turns = list(turns_of(document["messages"]))
    return talk


def _as_id(conversation_id: str) -> str:
    """Keep whatever stands in the address from being more than one part of a path."""
    return "".join(character for character in conversation_id if character.isalnum())[:64] or "none"


def turns_of(messages: Sequence[Mapping[str, Any]]) -> Iterator[Turn]:
    """Yield the turns of a kept conversation: each question with the answer behind it."""
    question: Mapping[str, Any] | None = None
    for message in messages:
        if message["role"] == "question":
            if question is not None:
                yield Turn(_asked(question, {}))
            question = message
        else:
            yield Turn(_asked(question or {}, message), _answered(message))
            question = None
    if question is not None:
        yield Turn(_asked(question, {}))


def _asked(question: Mapping[str, Any], answer: Mapping[str, Any]) -> Asked:
    is_diagnosis = "diagnosis" in (question.get("capability"), answer.get("capability"))
    return Asked(str(question.get("text", "")), "symptoms" if is_diagnosis else "question")


def _answered(message: Mapping[str, Any]) -> MutableMapping[str, Any]:
    # How sure it was of symptoms stands in its words, condition by condition; no generator wrote them.
    is_judged = message.get("capability") not in ("diagnosis", "picture")
    return {
        **message,
        "answer": message.get("text", ""),
        "abstained": message.get("outcome") == "declined",
        "confidence": message.get("confidence") if is_judged else None,
        "generator": message.get("generator") if is_judged else "",
    }
