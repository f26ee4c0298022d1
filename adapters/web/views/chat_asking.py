"""Asks what the visitor said, and shows the answer as it grows."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from adapters.web import session
from adapters.web.api import ApiError
from adapters.web.rendering import escaped, prose
from adapters.web.views import chat_waiting
from adapters.web.views.chat_answer import BOT
from adapters.web.views.chat_turns import Asked, Talk, Turn, Underway, begin, finish

_REDRAWS_A_SECOND = 15
_PATIENCE_SECONDS = 2.0
"""After this long without a word the seconds are counted, so that nobody thinks that nothing happens."""

_WAITING = {"question": "Looking it up …", "symptoms": "Thinking about it …", "pictures": "Looking at it …"}


def ask(asked: Asked, shown: Asked, talk: Talk) -> None:
    """Have something answered, show the answer as it grows, and add both to the conversation.

    Args:
        asked: what was said, with the files as they were sent.
        shown: the same with small pictures, to be kept with the conversation.
        talk: the conversation.
    """
    underway = begin(shown, talk)
    with st.chat_message("assistant", avatar=BOT):
        slot = st.empty()
        stop = st.empty()
        stop.button("Stop", icon=":material/stop_circle:", key="stop")
        try:
            turn = Turn(shown, _answer(asked, underway, talk, slot))
        except ApiError as error:
            turn = Turn(shown, problem=error)
    finish(talk, turn)


def _answer(asked: Asked, underway: Underway, talk: Talk, slot: DeltaGenerator) -> Mapping[str, Any]:
    """Give the whole answer, having shown what came of it before.

    Raises:
        ApiError: none came.
    """
    screen = Screen(slot, _WAITING["pictures" if asked.files else asked.mode])
    for event in _events(asked, talk):
        if event is None:
            screen.pass_time()
            continue
        name, document = event
        if name == "done":
            return dict(document)
        if name == "status":
            screen.say(str(document["text"]))
        elif name in ("token", "replace"):
            grown = underway.text if name == "token" else ""
            underway.text = grown + str(document["text"])
            screen.show(underway.text)
    raise ApiError("broken_off", "The answer broke off.", "Ask again.")


def _events(asked: Asked, talk: Talk) -> Iterator[chat_waiting.Event | None]:
    api = session.api()
    known = {"conversation_id": talk.conversation_id} if talk.conversation_id else {}
    if asked.files:
        fields = {"question": asked.text, **known} if asked.text else known
        return chat_waiting.document(lambda: api.upload("/v1/describe", asked.files, fields))
    if asked.mode == "symptoms":
        return chat_waiting.document(lambda: api.send("POST", "/v1/diagnose", {"symptoms": asked.text, **known}))
    return chat_waiting.events(api, "/v1/ask", {"question": asked.text, **known, **_chosen()})


def _chosen() -> dict[str, str]:
    """Give who is to write the answer, and from what, where the visitor chose."""
    chosen = {name: st.session_state.get(f"chosen_{name}") for name in ("generator", "source")}
    return {name: value for name, value in chosen.items() if value}


class Screen:
    """Where the answer grows: redrawn so often that it looks alive, and no oftener."""

    def __init__(self, slot: DeltaGenerator, waiting: str) -> None:
        self._slot = slot
        self._words = waiting
        self._started = time.monotonic()
        self._drawn = 0.0
        self._text = ""
        self.pass_time()

    def pass_time(self) -> None:
        """Show that it goes on; also the moment in which Streamlit notices that the visitor wants to stop."""
        if self._text:
            # What came too soon after what was drawn last is not left out for as long as nothing follows it.
            self._draw()
            return
        waited = time.monotonic() - self._started
        counted = f" {waited:.0f} s" if waited >= _PATIENCE_SECONDS else ""
        self._slot.html(f'<p class="quiet waiting">{escaped(self._words)}{counted}</p>')

    def say(self, words: str) -> None:
        """Tell what is waited for."""
        self._words = words
        self.pass_time()

    def show(self, text: str) -> None:
        """Show what has come so far."""
        self._text = text
        if time.monotonic() - self._drawn >= 1 / _REDRAWS_A_SECOND:
            self._draw()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        self._slot.html(prose(self._text))
