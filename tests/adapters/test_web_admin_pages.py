"""What an admin sees on the pages, and what the pages ask the API to do."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.adapters.page_lab import Answers, html, opened, problem, serving, words

NOW = datetime.now(UTC)

STATUS: dict[str, Any] = {
    "running_since": (NOW - timedelta(hours=51)).isoformat(),
    "version": "0.1.0",
    "adapters": [{"name": "slack", "is_up": True, "reason": "", "address": ""}],
    "queue": {"waiting": 0, "answering": 0, "unsent": 0, "oldest_seconds": 0.0},
    "loop_lag_ms": 1.2,
    "memory": {"bytes": 212_000_000},
    "models": [],
    "generators": [{"name": "extractive", "state": "closed", "reason": "", "model": ""}],
    "errors": [],
    "cleaned": None,
    "disk_free": 50_000_000_000,
}

RELOADED = {
    "version": "a1",
    "files": 2,
    "passages": 9,
    "added": 1,
    "removed": 0,
    "duplicates": 0,
    "changed": True,
    "problems": [],
    "elapsed_ms": 12.0,
}

FOUND = {
    "threshold": 0.4,
    "hits": [
        {
            "title": "Parking",
            "text": "Visitors park on the <north> side.",
            "source": "handbook.md",
            "location": "line 7",
            "url": "",
            "score": 0.5,
            "confidence": 0.8,
            "coverage": 0.9,
            "matched": [[9, 13]],
            "terms": [{"word": "park", "term": "park", "weight": 0.5}],
        }
    ],
}

QUESTION = {
    "answer_id": "7",
    "question": "Where do I *park*?",
    "answer": "I don't know.",
    "at": NOW.isoformat(),
    "place": "discord/1",
    "confidence": 0.2,
    "verdicts": {"up": 0, "down": 1},
    "comments": ["<b>useless</b>"],
    "citations": [],
}

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    """An API that knows one person, one file and one question."""
    made = Answers(
        {
            "GET /v1/status": STATUS,
            "GET /v1/undelivered": {"undelivered": []},
            "GET /v1/statistics": {
                "days": [],
                "generators": [],
                "latency": [],
                "total": {"answers": 0, "p50": 0.0, "p95": 0.0},
            },
            "GET /v1/questions": {"questions": [QUESTION], "next": None},
            "GET /v1/knowledge": {"version": "a1b2", "files": 1, "passages": 8},
            "GET /v1/knowledge/search": FOUND,
            "GET /v1/knowledge/files": {
                "version": "a1b2",
                "problems": [],
                "files": [
                    {
                        "name": "a b.md",
                        "source": "library",
                        "passages": 8,
                        "bytes": 900,
                        "changed_at": NOW.isoformat(),
                        "is_managed": True,
                        "problems": [],
                    }
                ],
            },
            "GET /v1/knowledge/versions": {"versions": []},
            "GET /v1/knowledge/answers": {"answers": []},
            "POST /v1/knowledge/answers": RELOADED,
            "DELETE /v1/knowledge/files/a b.md": RELOADED,
            "GET /v1/access": {
                "rules": [],
                "unreadable": [],
                "paired": [],
                "codes": 0,
                "admins": [],
                "admin_roles": [],
            },
            "POST /v1/access": {"rules": []},
            "GET /v1/audit": {"entries": []},
            "GET /v1/retention": {"default_days": 0, "places": [], "cleaned": None, "due": 0},
            "GET /v1/places": {"places": []},
            "GET /v1/people": {"people": [{"id": "discord:80351110224678912", "name": "Ada"}]},
            "DELETE /v1/people/discord:80351110224678912": {"conversations": 2},
            "GET /v1/reports": {"reports": []},
        }
    )
    with serving(made, monkeypatch):
        yield made


def _open(page: AppTest, key: str) -> None:
    page.session_state[key] = True
    page.run()


def _press(page: AppTest, label: str) -> None:
    next(button for button in page.button if button.label == label).click().run()


def test_where_all_is_well_one_line_says_so(answers: Answers) -> None:
    page = opened("now")

    assert [one.value for one in page.success] == ["All is well."]
    assert not page.error
    assert not page.warning
    assert "Heard at" in html(page)


def test_a_model_that_nobody_chose_is_told_as_that(answers: Answers) -> None:
    answers.documents["GET /v1/status"] = STATUS | {"models": [{"what": "labels", "name": "", "state": "not loaded"}]}
    assert "none chosen" in html(opened("now"))


def test_a_front_door_that_is_down_is_named_with_its_reason(answers: Answers) -> None:
    down = {"name": "slack", "is_up": False, "reason": "The token was refused.", "address": ""}
    answers.documents["GET /v1/status"] = STATUS | {"adapters": [down]}

    page = opened("now")

    assert [words(one.value) for one in page.error] == ["slack is down: The token was refused."]
    assert "DOWN" in html(page)


def test_an_error_that_comes_again_and_again_is_told_with_its_number(answers: Answers) -> None:
    at, where = (NOW - timedelta(minutes=3)).isoformat(), "adapters.web.child:71"
    ended = {"id": "d18587a2", "at": at, "level": "error", "event": "web pages ended", "where": where, "kind": ""}
    answers.documents["GET /v1/status"] = STATUS | {"errors": [ended | {"times": 4321}]}

    page = opened("now")

    assert "4,321" in html(page)
    assert "d18587a2" in html(page)


def test_when_the_api_is_gone_the_last_status_stays_with_its_time(answers: Answers) -> None:
    page = opened("now")
    answers.documents["GET /v1/status"] = problem(503, "starting", "Preceptor is starting.", "Wait a moment.")

    page.run()

    assert "Preceptor is starting" in words(page.error[0].value)
    assert not page.success
    assert "Heard last at" in html(page)
    assert "212 MB" in html(page)


def test_nothing_asked_yet_says_what_would_be_here(answers: Answers) -> None:
    page = opened("questions")

    assert any("Nothing was asked in these days" in one.value for one in page.info)


def test_a_question_is_opened_and_taught_and_the_page_says_what_is_answered_now(answers: Answers) -> None:
    page = opened("questions")
    assert ("GET", "/v1/knowledge/search") not in {one[:2] for one in answers.asked}
    _open(page, "question_7")

    assert page.text_area(key="teach_question_7").value == "Where do I *park*?"
    page.text_area(key="teach_answer_7").input("On the north side.")
    _press(page, "Save the answer")

    taught = {"question": "Where do I *park*?", "answer": "On the north side."}
    assert answers.changes() == [("POST", "/v1/knowledge/answers", {}, taught)]
    assert "From now on the answer is" in page.success[0].value


def test_a_taught_answer_without_words_is_not_sent(answers: Answers) -> None:
    page = opened("questions")
    _open(page, "question_7")

    _press(page, "Save the answer")

    assert page.error[0].value == "Write both the question and the answer."
    assert not answers.changes()


def test_what_people_wrote_is_shown_as_text_and_never_as_markup(answers: Answers) -> None:
    answers.documents["GET /v1/questions"] = {
        "questions": [QUESTION | {"question": f"**{EVIL}**", "answer": EVIL, "comments": [EVIL]}],
        "next": None,
    }
    answers.documents["GET /v1/knowledge/search"] = {
        "threshold": 0.4,
        "hits": [FOUND["hits"][0] | {"title": EVIL, "text": EVIL, "source": EVIL, "url": "javascript:alert(1)"}],
    }

    page = opened("questions")
    _open(page, "question_7")

    assert EVIL not in html(page)
    assert "javascript:" not in html(page)
    assert [one.value for one in page.text] == [f"**{EVIL}**", EVIL]
    assert page.expander[0].label.startswith("\\*\\*\\<img")


def test_questions_are_paged_by_the_cursors_of_the_api(answers: Answers) -> None:
    answers.documents["GET /v1/questions"] = {"questions": [QUESTION], "next": "c1"}
    page = opened("questions")

    _press(page, "Older")

    asked = [query.get("before") for _, path, query, _ in answers.asked if path == "/v1/questions"]
    assert asked[0] is None
    assert asked[-1] == "c1"
    _press(page, "Newer")
    assert not any("before" in query for _, path, query, _ in answers.asked[-1:] if path == "/v1/questions")


def test_a_file_is_deleted_only_when_it_is_ticked(answers: Answers) -> None:
    page = opened("knowledge")
    page.selectbox[0].select("a b.md")
    _press(page, "Delete the file")
    assert not answers.changes()

    page.selectbox[0].select("a b.md")
    page.checkbox[0].check()
    _press(page, "Delete the file")

    assert answers.changes() == [("DELETE", "/v1/knowledge/files/a b.md", {}, b"")]
    assert words(page.success[0].value).startswith("a b.md is deleted. Loaded: 9 passages of 2 files")


def test_a_reload_tells_how_far_it_is_and_what_it_changed(answers: Answers) -> None:
    stream = (
        'event: progress\ndata: {"stage": "reading", "done": 1, "total": 2}\n\n'
        f"event: done\ndata: {json.dumps(RELOADED)}\n\n"
    )
    answers.documents["POST /v1/knowledge/reload"] = ("text/event-stream", stream.encode())
    page = opened("knowledge")

    _press(page, "Read the sources again")

    assert words(page.success[0].value) == "Loaded: 9 passages of 2 files (1 added, 0 removed), in 12 ms."


def test_a_reload_that_fails_says_why_and_leaves_the_page_standing(answers: Answers) -> None:
    failed = problem(503, "knowledge_unavailable", "No passage could be loaded.", "Check the sources.")
    stream = f"event: error\ndata: {json.dumps(failed)}\n\n"
    answers.documents["POST /v1/knowledge/reload"] = ("text/event-stream", stream.encode())
    page = opened("knowledge")

    _press(page, "Read the sources again")

    assert words(page.error[0].value) == "No passage could be loaded. Check the sources."
    assert "a b.md" in html(page)


def test_a_search_shows_why_a_passage_is_found(answers: Answers) -> None:
    page = opened("knowledge")
    page.text_input(key="searched").input("where do I park")
    _press(page, "Search")

    shown = html(page)
    assert "<mark>park</mark>" in shown
    assert "&lt;north&gt;" in shown
    assert "80 % sure, enough for an answer" in shown
    assert "it would be answered" in shown


def test_a_rule_is_added_in_the_words_that_the_page_showed_before(answers: Answers) -> None:
    page = opened("people")
    add = page.button(key="add_rule")
    assert add.disabled
    page.selectbox[0].select("A person or role, by id").run()
    page.text_input[0].input("discord:80351110224678912")
    page.selectbox[1].select("On Discord")
    page.selectbox[2].select("diagnose").run()

    change = page.code[0].value
    page.button(key="add_rule").click().run()

    assert change == "deny discord:80351110224678912 in discord to diagnose"
    assert answers.changes() == [("POST", "/v1/access", {}, {"change": change})]


def test_an_id_with_a_blank_makes_no_rule(answers: Answers) -> None:
    page = opened("people")
    page.selectbox[0].select("A person or role, by id").run()
    page.text_input[0].input("everyone in everywhere to").run()
    page.selectbox[1].select("Everywhere").run()

    assert page.button(key="add_rule").disabled


def test_a_person_is_forgotten_only_under_their_own_id(answers: Answers) -> None:
    page = opened("people")
    page.text_input(key="person_searched").input("Ada").run()
    typed = next(one for one in page.text_input if one.label == "Their id")
    typed.input("Ada")
    _press(page, "Forget them")
    assert any("nothing was deleted" in one.value for one in page.error)
    assert not answers.changes()

    next(one for one in page.text_input if one.label == "Their id").input("discord:80351110224678912")
    _press(page, "Forget them")

    assert answers.changes() == [("DELETE", "/v1/people/discord:80351110224678912", {"confirm": "yes"}, b"")]
    assert "2 conversations deleted" in words(page.success[0].value)


def test_a_refusal_of_the_api_is_told_and_the_page_stays(answers: Answers) -> None:
    answers.documents["POST /v1/access"] = problem(422, "request_invalid", "There is no such place.", "Name another.")
    page = opened("people")
    page.selectbox[0].select("Everyone")
    page.selectbox[1].select("Everywhere").run()

    page.button(key="add_rule").click().run()

    assert words(page.error[0].value) == "There is no such place. Name another."
    assert "What admins did" in [one.value for one in page.header]


def test_reports_are_shown_without_running_what_is_in_them(answers: Answers) -> None:
    report = {
        "id": "r1",
        "kind": "diagnosis",
        "name": EVIL,
        "at": NOW.isoformat(),
        "files": ["a.html", "a.md", "a.json"],
    }
    answers.documents |= {
        "GET /v1/reports": {"reports": [report]},
        "GET /v1/reports/r1/a.html": ("text/html", b"<script>alert(1)</script>"),
        "GET /v1/reports/r1/a.md": ("text/markdown", f"# Report\n\n{EVIL}".encode()),
        "GET /v1/reports/r1/a.json": ("application/json", json.dumps({"macro_f1": 0.5, EVIL: EVIL}).encode()),
    }

    page = opened("reports")

    assert EVIL not in html(page)
    assert "<script" not in html(page)
    assert "macro f1" in html(page)
    assert len(page.get("download_button")) == 3


def test_without_keys_the_pages_say_that_everybody_is_an_admin(answers: Answers) -> None:
    for name in ("now", "questions", "knowledge", "people", "reports"):
        page = opened(name, needs_key=False)
        assert not page.exception
        assert any("No key is set" in one.value for one in page.info), name


def test_a_look_at_questions_is_asked_of_the_api_once_and_not_at_every_click(answers: Answers) -> None:
    page = opened("questions")
    _open(page, "question_7")

    assert [one[1] for one in answers.asked].count("/v1/questions") == 1


def test_an_upload_is_looked_at_before_it_is_loaded(answers: Answers) -> None:
    answers.documents["POST /v1/knowledge/files"] = RELOADED
    answers.documents["POST /v1/knowledge/files?preview=true"] = {
        "files": [
            {
                "name": "new.md",
                "replaces": False,
                "passages": 3,
                "titles": ["<b>Lifts</b>"],
                "problems": [{"source": "new.md", "line": 2, "message": "It is empty.", "fix": "Fill it."}],
                "refused": "",
            }
        ],
        "added": 3,
        "removed": 0,
    }
    page = opened("knowledge")

    page.file_uploader(key="upload_0").set_value(("new.md", b"# Lifts", "text/markdown")).run()

    assert not answers.changes()
    assert "&lt;b&gt;Lifts&lt;/b&gt;" in html(page)
    assert "new.md, line 2: It is empty. Fill it." in html(page)
    _press(page, "Load these")
    assert [one[:3] for one in answers.changes()] == [("POST", "/v1/knowledge/files", {})]
    assert words(page.success[0].value).startswith("Loaded: 9 passages")


def test_a_file_that_is_refused_is_named_before_anything_is_loaded_with_it(answers: Answers) -> None:
    good = {"name": "new.md", "replaces": False, "passages": 1, "titles": [], "problems": [], "refused": ""}
    bad = good | {"name": "bad.csv", "passages": 0, "refused": "bad.csv is refused: It is empty. Fill it."}
    answers.documents["POST /v1/knowledge/files?preview=true"] = {"files": [good, bad], "added": 1, "removed": 0}
    page = opened("knowledge")

    page.file_uploader(key="upload_0").set_value(("bad.csv", b"", "text/csv")).run()

    assert words(page.error[0].value) == "bad.csv is refused: It is empty. Fill it."
    assert words(page.warning[-1].value) == "Nothing is loaded until you take out bad.csv."
    assert "This adds" not in " ".join(one.value for one in page.markdown)
    assert next(one for one in page.button if one.label == "Load these").disabled
