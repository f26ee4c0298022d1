"""What people are handed of what is kept about them: all of it, and nothing of anybody else's."""

import json
from typing import Any

from kept_questions import GENERAL, KeptQuestions, Person

from bot.access import ADMIN, Access
from bot.channel_people import ChannelPeople
from bot.escalations import Escalations
from bot.export import Export
from bot.feedback import Feedback
from bot.messages import Place
from bot.settings.access import AccessSettings

ADA, GRACE = Person("ada"), Person("grace")


async def _no_link(place: Place, message_id: str) -> str:
    return ""


async def _busy_channel(kept: KeptQuestions) -> tuple[int, int]:
    """Have Ada and Grace ask, judge and call each other; give the numbers of their answers."""
    people = ChannelPeople(kept.database)
    calls = Escalations(kept.database, people, Access(AccessSettings()), _no_link)
    feedback = Feedback(kept.database, calls.buttons)
    await people.show_or_set(Person("ann", roles=frozenset({ADMIN})).message("user:ada user:grace"))
    hers = await kept.answered(ADA.message("When does the office open?", key="q1", message_id="m1"))
    theirs = await kept.answered(GRACE.message("Where is the secret door?", key="q2"), "Behind the shelf.")
    await kept.answered(ADA.elsewhere(Place("memory", "lab", "random", "t1")).message("And on Fridays?", key="q3"))
    await feedback.give(ADA.message(f"up {hers}"))
    await feedback.give(ADA.message(f"down {theirs}"))
    await feedback.give(GRACE.message(f"down {hers}"))
    await calls.ask(ADA.message(str(hers), key="call 1"))
    await calls.solve(GRACE.message(str(hers), command="solved"))
    await calls.ask(GRACE.message(str(theirs), key="call 2"))
    await calls.solve(ADA.message(str(theirs), command="solved"))
    return hers, theirs


async def _exported(kept: KeptQuestions, person: Person) -> dict[str, Any]:
    reply = await Export(kept.database).give(person.message(command="export"))
    (file,) = reply.files
    document: dict[str, Any] = json.loads(file.text)
    assert document == reply.data
    return document


async def test_the_document_comes_as_a_file_to_the_asker_alone(kept: KeptQuestions) -> None:
    await _busy_channel(kept)
    reply = await Export(kept.database).give(ADA.message(command="export"))
    assert reply.text == "Here is what I keep of you: 2 conversations, 4 messages."
    assert reply.ephemeral
    assert [(file.name, file.media_type) for file in reply.files] == [("preceptor-export.json", "application/json")]


async def test_conversations_come_whole_with_their_citations(kept: KeptQuestions) -> None:
    await _busy_channel(kept)
    document = await _exported(kept, ADA)
    assert document["person"] == {"id": "memory:ada", "platform": "memory", "external_id": "ada", "name": "Ada"}
    first, second = document["conversations"]
    assert second["place"] == {"platform": "memory", "workspace": "lab", "channel": "random", "thread": "t1"}
    question, answer = first["messages"]
    assert (question["role"], question["text"]) == ("question", "When does the office open?")
    assert (answer["text"], answer["outcome"], answer["generator"]) == ("It opens at 8.", "answered", "extractive")
    assert [(c["number"], c["title"], c["score"]) for c in answer["citations"]] == [(1, "Opening hours", 0.9)]


async def test_verdicts_calls_and_events_are_in_it(kept: KeptQuestions) -> None:
    hers, theirs = await _busy_channel(kept)
    document = await _exported(kept, ADA)
    assert [(one["answer_id"], one["verdict"]) for one in document["feedback"]] == [
        (str(hers), "up"),
        (str(theirs), "down"),
    ]
    (asked,) = document["people_asked_for"]
    assert asked["answer_id"] == str(hers)
    assert asked["solved_at"]
    assert [one["answer_id"] for one in document["requests_solved"]] == [str(theirs)]
    assert document["called_in"] == [GENERAL.channel_id]
    assert [event["key"] for event in document["events"]] == ["memory/q1", "memory/q3"]
    assert document["events"][0]["message_id"] == "m1"


async def test_nothing_of_anybody_else_is_in_it(kept: KeptQuestions) -> None:
    await _busy_channel(kept)
    text = json.dumps(await _exported(kept, ADA))
    for strange in ("grace", "Grace", "secret door", "Behind the shelf", "memory/q2"):
        assert strange not in text


async def test_the_same_person_id_on_another_platform_is_somebody_else(kept: KeptQuestions) -> None:
    await _busy_channel(kept)
    document = await _exported(kept, ADA.elsewhere(Place("discord", "lab", "general")))
    assert document.pop("person") == {"id": "discord:ada"}
    assert set(map(bool, document.values())) == {False}


async def test_after_forgetting_nothing_is_left_to_export(kept: KeptQuestions) -> None:
    await _busy_channel(kept)
    await kept.forgetting.person("memory:ada")
    document = await _exported(kept, ADA)
    # That admins have her called in this channel is theirs to undo, and that she solved something others' matter.
    assert document.pop("called_in") == [GENERAL.channel_id]
    document.pop("requests_solved")
    assert document.pop("person") == {"id": "memory:ada"}
    assert set(map(bool, document.values())) == {False}
