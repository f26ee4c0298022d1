"""What somebody sees who talks on the chat page, and what the page asks the API to do."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from adapters.web.api import UploadedFile
from adapters.web.views.chat_answer import in_small_print, sureness
from adapters.web.views.chat_bars import percent
from adapters.web.views.chat_export import in_markdown
from adapters.web.views.chat_heading import file_name, title
from adapters.web.views.chat_turns import Asked, Talk, Turn, Underway, turns_of
from bot.describing import UNASKED
from tests.adapters.page_lab import Answers, html, opened, problem, serving, words

ID = "6f1c3a9b0d3e4c2f8a7b5d4e3c2b1a09"
OHM = "What is Ohm's law?"

ABOUT: dict[str, Any] = {
    "person": {"id": "http:local", "name": "local user"},
    "is_admin": True,
    "is_guest": False,
    "needs_key": False,
    "generators": ["extractive", "flan-t5"],
    "sources": ["physics.json", "handbook"],
    "examples": [OHM, "What are *gears*?"],
    "diagnosis": True,
    "pictures": {"looking": "on", "most": 8, "megabytes": 20},
    "keeps": True,
    "question_length": 2000,
    "version": "0.1.0",
}

SOURCE = {
    "title": "Ohm's <law>",
    "text": "Ohm's law says V = I R.",
    "source": "physics.json",
    "location": "line 7",
    "url": "https://e.example/ohm",
    "score": 0.8,
    "matched": [[0, 5]],
}

ANSWER: dict[str, Any] = {
    "question": OHM,
    "answer": "**V** = I R [1] <script>x</script>",
    "abstained": False,
    "confidence": 0.92,
    "generator": "extractive",
    "note": "",
    "citations": [SOURCE],
    "conversation_id": ID,
    "answer_id": "17",
    "elapsed_ms": 41.2,
    "suggestions": [],
    "offers_diagnosis": False,
}

DIAGNOSIS: dict[str, Any] = {
    "conditions": [
        {
            "label": "migraine",
            "probability": 0.97,
            "because": ["throbbing <b>"],
            "likelihood": "likely",
            "sentence": "A headache.",
            "course": "Days.",
            "urgent": ["Stiff neck."],
        }
    ],
    "abstained": False,
    "reason": "",
    "red_flags": [],
    "model": "floor",
    "disclaimer": "I am a program, not a doctor.",
    "answer": "…",
    "conversation_id": ID,
    "answer_id": "18",
    "elapsed_ms": 9.0,
}

ENTRY = {"conversation_id": ID, "title": OHM, "started_at": "", "last_at": "", "messages": 2}

MESSAGES = [
    {"role": "question", "text": OHM, "at": "2026-01-02T03:04:05Z"},
    {
        "role": "answer",
        "text": "V = I R [1]",
        "at": "2026-01-02T03:04:06Z",
        "outcome": "answered",
        "confidence": 0.92,
        "generator": "extractive",
        "elapsed_ms": 41.2,
        "citations": [SOURCE],
        "answer_id": "17",
        "verdict": "down",
        "comment": "too short",
        "capability": "answer",
    },
]


def streamed(document: dict[str, Any]) -> tuple[str, bytes]:
    """Give an answer as the API streams it."""
    half = len(document["answer"]) // 2
    events = [
        ("status", {"text": "Waking up the model …"}),
        ("token", {"text": document["answer"][:half]}),
        ("token", {"text": document["answer"][half:]}),
        ("citations", document["citations"]),
        ("done", document),
    ]
    return "text/event-stream", "".join(f"event: {n}\ndata: {json.dumps(d)}\n\n" for n, d in events).encode()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    answers = Answers(
        {
            "GET /v1/about": ABOUT,
            "GET /v1/knowledge": {"version": "1", "files": 1, "passages": 856},
            "GET /v1/conversations": {"conversations": [ENTRY], "next": None},
            f"GET /v1/conversations/{ID}": {"conversation_id": ID, "messages": MESSAGES},
            "POST /v1/ask": streamed(ANSWER),
            "POST /v1/diagnose": DIAGNOSIS,
            "PUT /v1/answers/17/feedback": {"answer_id": "17", "verdict": "up", "comment": ""},
        }
    )
    with serving(answers, monkeypatch):
        yield answers


def page() -> AppTest:
    return opened("chat", **ABOUT)


def labels(test: AppTest) -> list[str]:
    return [words(button.label) for button in test.button]


def asked(test: AppTest, text: str = OHM, mode: str = "question") -> AppTest:
    return test.chat_input(key=f"input-{mode}").set_value(text).run()


def test_a_stranger_reads_what_this_is_and_what_one_might_ask(api: Answers) -> None:
    test = page()
    assert test.title[0].value == "Ask Preceptor"
    assert "856 passages in 1 file (physics.json, handbook)" in html(test)
    assert {OHM, "What are *gears*?"} <= set(labels(test))


def test_an_example_is_answered_with_its_sources_and_who_wrote_it(api: Answers) -> None:
    test = page().button(key="example-0").click().run()
    shown = html(test)
    assert "<strong>V</strong> = I R [1] &lt;script&gt;" in shown
    assert "extractive · sure (92 %) · 41 ms" in shown
    assert words(test.expander[0].label) == "[1] Ohm's <law>"
    assert "physics.json, line 7" in shown
    assert "<mark>Ohm&#x27;s</mark> law" in shown
    assert test.query_params["c"] == ID
    assert not test.exception


def test_a_follow_up_goes_on_with_the_conversation_and_asks_whom_and_what_was_chosen(api: Answers) -> None:
    test = asked(page())
    test.selectbox(key="chosen_source").set_value("handbook")
    test.selectbox(key="chosen_generator").set_value("flan-t5")
    asked(test, "And in AC circuits?")
    bodies = [body for method, path, _, body in api.asked if (method, path) == ("POST", "/v1/ask")]
    assert bodies == [
        {"question": OHM},
        {
            "question": "And in AC circuits?",
            "conversation_id": ID,
            "generator": "flan-t5",
            "source": "handbook",
        },
    ]


def test_without_an_answer_it_offers_what_may_have_been_meant(api: Answers) -> None:
    declined = ANSWER | {
        "answer": "Sorry.\n\nDid you mean:\n\n- heat",
        "abstained": True,
        "citations": [],
        "suggestions": ["What is *heat*?"],
    }
    api.documents["POST /v1/ask"] = streamed(declined | {"offers_diagnosis": True})
    test = asked(page(), "my head hurts")
    assert "What is *heat*?" in labels(test)
    assert "<li>heat</li>" not in html(test)
    assert "sure" not in in_small_print(declined)
    test = next(one for one in test.button if one.label == "What may it point to?").click().run()
    assert api.changes()[-1][3] == {"symptoms": "my head hurts", "conversation_id": ID}
    assert "migraine" in html(test)


def test_a_diagnosis_has_bars_with_their_reasons_and_the_disclaimer(api: Answers) -> None:
    test = page()
    test.session_state["mode"] = "symptoms"
    shown = html(asked(test.run(), "throbbing headache", "symptoms"))
    assert "likely · over 95 %" in shown
    assert "because of “throbbing &lt;b&gt;”" in shown
    assert "Stiff neck." in shown
    assert "I am a program, not a doctor." in shown


def test_an_alarm_comes_first_and_nothing_soothes_under_it(api: Answers) -> None:
    api.documents["POST /v1/diagnose"] = DIAGNOSIS | {"red_flags": [{"name": "Stroke", "advice": "Call 112 now."}]}
    test = page()
    test.session_state["mode"] = "symptoms"
    test = asked(test.run(), "my face droops", "symptoms")
    assert words(test.error[0].value) == "**Stroke**: Call 112 now."
    assert [one.label for one in test.expander] == ["What else it may point to"]
    assert "A headache." not in html(test)


def test_a_thumb_and_words_are_stored(api: Answers) -> None:
    test = asked(page())
    key = f"{ID}-0"
    test.feedback(key=f"verdict-{key}").set_value(1).run()
    assert api.changes()[-1][3] == {"verdict": "up", "comment": ""}
    test.text_input(key=f"comment-{key}").set_value("clear")
    test.button(key=f"send-comment-{key}").click().run()
    assert api.changes()[-1][3] == {"verdict": "up", "comment": "clear"}
    assert "your words are noted" in html(test)


def test_the_address_opens_a_conversation_with_what_was_thought_of_it(api: Answers) -> None:
    test = page()
    test.query_params["c"] = ID
    test.run()
    assert test.title[0].value.replace("\\", "") == OHM
    assert "V = I R [1]" in html(test)
    assert test.text_input(key=f"comment-{ID}-0").value == "too short"


def test_a_wrong_address_says_so_and_asks_for_nothing_else(api: Answers) -> None:
    test = page()
    test.query_params["c"] = "../me"
    test.run()
    assert any(path == "/v1/conversations/me" for _, path, _, _ in api.asked)
    assert test.error
    test.button(key="begin").click().run()
    assert test.title[0].value == "Ask Preceptor"


def test_a_conversation_is_renamed_and_deleted_after_it_was_asked_back(api: Answers) -> None:
    api.documents[f"PATCH /v1/conversations/{ID}"] = ENTRY | {"title": "Electricity"}
    api.documents[f"DELETE /v1/conversations/{ID}"] = {}
    test = asked(page())
    test.text_input(key="name").set_value("Electricity")
    test.button(key="rename").click().run()
    assert test.title[0].value == "Electricity"
    test.button(key="delete").click().run()
    assert api.changes()[-1][0] == "PATCH"
    test.button(key="delete-confirmed").click().run()
    assert api.changes()[-1][:2] == ("DELETE", f"/v1/conversations/{ID}")
    assert test.title[0].value == "Ask Preceptor"


def test_the_list_is_fetched_page_by_page_and_searched_by_the_api(api: Answers) -> None:
    api.documents["GET /v1/conversations"] = {"conversations": [ENTRY], "next": "behind"}
    test = page()
    assert [query for _, path, query, _ in api.asked if path == "/v1/conversations"] == [{"limit": "20"}]
    test.button(key="more").click().run()
    assert {"limit": "20", "before": "behind"} in [query for _, path, query, _ in api.asked]
    test.text_input(key="search").set_value("ohm").run()
    assert api.asked[-2][2] == {"search": "ohm", "limit": "20"}


def test_what_the_api_refuses_is_told_and_may_be_asked_again(api: Answers) -> None:
    api.documents["POST /v1/ask"] = problem(429, "limited", "That is a lot.", "Wait a minute.")
    test = asked(page())
    assert words(test.error[0].value) == "That is a lot. Wait a minute."
    api.documents["POST /v1/ask"] = streamed(ANSWER)
    next(one for one in test.button if one.label == "Ask again").click().run()
    assert not test.error
    assert "<strong>V</strong>" in html(test)


def test_what_is_asked_in_a_conversation_that_was_deleted_meanwhile_goes_to_a_new_one(api: Answers) -> None:
    test = asked(page())
    api.documents["POST /v1/ask"] = problem(
        404, "conversation_not_found", "There is no such conversation.", "Leave it out."
    )
    asked(test, "And in AC circuits?")
    assert words(test.error[0].value) == "There is no such conversation."
    api.documents["POST /v1/ask"] = streamed(ANSWER)
    next(one for one in test.button if one.label == "Ask in a new conversation").click().run()
    assert not test.error
    assert api.changes()[-1][3] == {"question": "And in AC circuits?"}


def test_a_question_that_is_too_long_is_told_so_and_goes_back_to_be_shortened(api: Answers) -> None:
    told = "That is 2,016 characters long; I read up to 2,000.", "Send a shorter question."
    api.documents["POST /v1/ask"] = problem(422, "question_too_long", *told)
    # Streamlit drops what is pasted beyond this bound without a word.
    assert page().chat_input(key="input-question").proto.max_chars == 0
    test = asked(page(), "What is torque? " * 126)
    assert words(test.error[0].value) == " ".join(told)
    before = len(api.changes())
    next(one for one in test.button if one.label == "Shorten it").click().run()
    assert test.chat_input(key="input-question").proto.value == "What is torque? " * 126
    assert not test.error
    assert len(api.changes()) == before


def test_a_picture_alone_is_called_in_the_heading_what_the_list_calls_it() -> None:
    sent = Asked("", files=(UploadedFile("cat.png", b"", "image/png"),))
    assert title(Talk(turns=[Turn(sent)])) == UNASKED


def test_blanks_alone_are_not_sent(api: Answers) -> None:
    test = asked(page(), "  \n ")
    assert not api.changes()
    assert test.title[0].value == "Ask Preceptor"


def test_what_was_stopped_stays_in_its_conversation(api: Answers) -> None:
    test = page()
    test.session_state["underway"] = Underway(Asked("And in AC circuits?"), ID, "The same")
    assert "The same" not in html(test.run())
    test.query_params["c"] = ID
    test.session_state["underway"] = Underway(Asked("And in AC circuits?"), ID, "The same")
    assert "Stopped." in html(test.run())


def test_an_answer_that_halts_shows_all_that_has_come() -> None:
    slot = AppTest.from_function(_halting).run()
    assert "First. Second." in html(slot)


def _halting() -> None:
    import streamlit

    from adapters.web.views.chat_asking import Screen

    screen = Screen(streamlit.empty(), "Looking it up …")
    screen.show("First.")
    screen.show("First. Second.")
    screen.pass_time()


def test_nobody_but_an_admin_gets_to_the_admin_pages(api: Answers) -> None:
    api.documents["GET /v1/about"] = ABOUT | {"is_admin": False}
    test = AppTest.from_file("../../adapters/web/main.py", default_timeout=20).run()
    assert test.title[0].value == "Ask Preceptor"
    assert not any(path.startswith("/v1/status") for _, path, _, _ in api.asked)


def test_without_a_session_there_is_the_way_to_sign_in(api: Answers) -> None:
    api.documents["GET /v1/about"] = problem(401, "session_ended", "You were signed out.", "Sign in again.")
    test = AppTest.from_file("../../adapters/web/main.py", default_timeout=20).run()
    assert words(test.info[0].value) == "You were signed out. Sign in again."
    assert 'href="/sign-in"' in html(test)


def test_kept_messages_become_turns_also_where_an_answer_is_missing() -> None:
    turns = list(turns_of([MESSAGES[0], *MESSAGES, MESSAGES[1]]))
    assert [(turn.asked.text, bool(turn.document)) for turn in turns] == [(OHM, False), (OHM, True), ("", True)]


def test_a_conversation_is_written_as_markdown_with_its_sources() -> None:
    written = in_markdown(MESSAGES, "A *b*")
    assert written.startswith(
        "# A \\*b\\*\n\n> What is Ohm's law?\n>\n> 2026-01-02T03:04:05Z\n\nV = I R [1]\n\nSources:"
    )
    assert "1. Ohm\\'s \\<law\\>" in written


@pytest.mark.parametrize(
    ("share", "told"), [(0.0, "under 1 %"), (0.5, "50 %"), (0.999, "over 99 %"), (1.0, "over 99 %")]
)
def test_no_probability_is_told_as_a_certainty(share: float, told: str) -> None:
    assert percent(share) == told


def test_sureness_has_words() -> None:
    assert [sureness(one) for one in (0.95, 0.75, 0.5, 0.1)] == ["sure", "fairly sure", "not quite sure", "unsure"]


def test_a_file_is_named_for_its_conversation_and_any_system_takes_it() -> None:
    assert file_name('../a\\b:"ü"?') == "a-b-ü"
    assert file_name("///") == "conversation"
