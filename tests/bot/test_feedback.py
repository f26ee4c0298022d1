"""Verdicts on answers: who may give them, where, and what becomes of a second one."""

import pytest
from kept_questions import GENERAL, KeptQuestions, Person
from sqlalchemy import select

from bot.database import Database
from bot.errors import ConversationNotFoundError, QuestionError
from bot.feedback import Feedback
from bot.messages import Button, Place
from bot.tables import feedback

PERSON = Button("Not helpful? Ask a person", "1", "person")


@pytest.fixture
def verdicts(kept: KeptQuestions) -> Feedback:
    return Feedback(kept.database, _person_button)


async def _person_button(place: Place, answer_id: int) -> tuple[Button, ...]:
    return (PERSON,) if place.channel == "general" else ()


async def _noted(database: Database) -> list[tuple[str, int]]:
    query = select(feedback.c.person_id, feedback.c.verdict).order_by(feedback.c.person_id)
    return [tuple(row) for row in await database.read(lambda connection: connection.execute(query).all())]


async def test_thanks_are_said_to_the_one_who_judged_alone(kept: KeptQuestions, verdicts: Feedback) -> None:
    number = await kept.answered(Person("ada").message("When does the office open?"))
    reply = await verdicts.give(Person("grace").message(f"up {number}"))
    assert (reply.text, reply.ephemeral, reply.buttons) == ("Thanks, noted.", True, ())
    assert await _noted(kept.database) == [("memory:grace", 1)]


async def test_a_second_verdict_takes_the_place_of_the_first(kept: KeptQuestions, verdicts: Feedback) -> None:
    ada, grace = Person("ada"), Person("grace")
    number = await kept.answered(ada.message("When does the office open?"))
    for person, verdict in ((ada, "up"), (grace, "up"), (ada, "down"), (grace, "up")):
        await verdicts.give(person.message(f"{verdict} {number}"))
    assert await _noted(kept.database) == [("memory:ada", -1), ("memory:grace", 1)]


async def test_who_found_it_bad_is_offered_a_person_where_there_is_one(kept: KeptQuestions, verdicts: Feedback) -> None:
    here, elsewhere = Person("ada"), Person("ada", Place("memory", "lab", "random"))
    for person, buttons in ((here, (PERSON,)), (elsewhere, ())):
        number = await kept.answered(person.message("When does the office open?"))
        assert (await verdicts.give(person.message(f"down {number}"))).buttons == buttons


async def test_a_verdict_from_a_thread_counts_in_its_channel(kept: KeptQuestions, verdicts: Feedback) -> None:
    number = await kept.answered(Person("ada").message("When does the office open?"))
    thread = Person("ada", Place("memory", "lab", "general", "thread"))
    assert (await verdicts.give(thread.message(f"up {number}"))).outcome == "done"


@pytest.mark.parametrize(
    "place",
    [Place("memory", "lab", "random"), Place("memory", "elsewhere", "general"), Place("discord", "lab", "general")],
)
async def test_an_answer_in_another_place_does_not_exist(kept: KeptQuestions, verdicts: Feedback, place: Place) -> None:
    number = await kept.answered(Person("ada").message("When does the office open?"))
    with pytest.raises(ConversationNotFoundError, match="no longer kept"):
        await verdicts.give(Person("ada", place).message(f"up {number}"))
    assert await _noted(kept.database) == []


async def test_where_nobody_shares_a_channel_everybody_judges_their_own_answers(
    kept: KeptQuestions, verdicts: Feedback
) -> None:
    ada, grace = Person("ada", Place("http")), Person("grace", Place("http"))
    number = await kept.answered(ada.message("When does the office open?"))
    with pytest.raises(ConversationNotFoundError):
        await verdicts.give(grace.message(f"up {number}"))
    assert (await verdicts.give(ada.message(f"up {number}"))).text == "Thanks, noted."


async def test_a_question_is_not_judged(kept: KeptQuestions, verdicts: Feedback) -> None:
    number = await kept.answered(Person("ada").message("When does the office open?"))
    with pytest.raises(ConversationNotFoundError):
        await verdicts.give(Person("ada").message(f"up {number - 1}"))


async def test_an_answer_that_was_deleted_is_said_to_be(kept: KeptQuestions, verdicts: Feedback) -> None:
    number = await kept.answered(Person("ada").message("When does the office open?"))
    await verdicts.give(Person("ada").message(f"up {number}"))
    await kept.forgetting.person("memory:ada")
    with pytest.raises(ConversationNotFoundError, match="no longer kept"):
        await verdicts.give(Person("ada").message(f"up {number}"))
    assert await _noted(kept.database) == []


@pytest.mark.parametrize(
    "text", ["", "up", "up it", "sideways 1", "1", "up -1", f"up {2**63}", "up " + "9" * 5000, "up ²"]
)
async def test_what_is_no_verdict_is_told_how_to_be_one(verdicts: Feedback, text: str) -> None:
    with pytest.raises(QuestionError, match="`up` or `down`"):
        await verdicts.give(Person("ada", GENERAL).message(text))


async def _comments(database: Database) -> list[str]:
    query = select(feedback.c.comment)
    return list(await database.read(lambda connection: connection.scalars(query).all()))


@pytest.mark.parametrize(
    ("said", "comment"),
    [
        (("down {}: It closes: at 4. ",), "It closes: at 4."),
        (("down {}: Wrong.", "down {}"), "Wrong."),
        (("down {}: Wrong.", "down {}:"), ""),
        (("down {}: Wrong.", "up {}"), ""),
        (("down {}: Wrong.", "up {}: Right after all."), "Right after all."),
    ],
)
async def test_a_comment_holds_until_another_one_or_the_opposite_is_said(
    kept: KeptQuestions, verdicts: Feedback, said: tuple[str, ...], comment: str
) -> None:
    number = await kept.answered(Person("ada").message("When does the office open?"))
    for text in said:
        reply = await verdicts.give(Person("ada").message(text.format(number)))
    assert reply.data["comment"] == comment
    assert await _comments(kept.database) == [comment]


async def test_a_comment_without_end_is_refused(kept: KeptQuestions, verdicts: Feedback) -> None:
    number = await kept.answered(Person("ada").message("When does the office open?"))
    with pytest.raises(QuestionError, match="2,000 characters"):
        await verdicts.give(Person("ada").message(f"down {number}: {'x' * 2_001}"))


async def test_comments_go_with_whoever_is_forgotten(kept: KeptQuestions, verdicts: Feedback) -> None:
    number = await kept.answered(Person("ada").message("When does the office open?"))
    await verdicts.give(Person("grace").message(f"down {number}: Wrong."))
    await kept.forgetting.person("memory:grace")
    assert await _comments(kept.database) == []
