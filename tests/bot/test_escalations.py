"""Asking for a person: who is called, with which links, once, and who may say that it is solved."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kept_questions import GENERAL, KeptQuestions, Person
from markdown_it import MarkdownIt
from noticeboard import Noticeboard, ended
from sqlalchemy import select

from bot.access import ADMIN, Access
from bot.application import Application
from bot.channel_people import ChannelPeople
from bot.errors import ConversationNotFoundError, NotAllowedError, QuestionError
from bot.escalations import Escalations, quoted
from bot.messages import Author, Button, Place, Reply
from bot.question_text import clean
from bot.settings import Settings
from bot.settings.access import AccessSettings
from bot.tables import escalations
from tests.conftest import Conversation

ADA, GRACE, EVE = Person("ada"), Person("grace"), Person("eve")
ADMIN_ANN = Person("ann", roles=frozenset({ADMIN}))
ELSEWHERE = Place("memory", "lab", "random")


async def _link(place: Place, message_id: str) -> str:
    return f"https://chat.example/{place.channel}/{message_id.replace(' ', '-')}"


async def _no_link(place: Place, message_id: str) -> str:
    return ""


@dataclass
class Desk:
    """A channel where Grace and the holders of role 7 are called."""

    kept: KeptQuestions
    people: ChannelPeople
    escalations: Escalations

    async def question(self, text: str = "When does the office open?", key: str = "q1", person: Person = ADA) -> int:
        message = person.message(text, key=key, message_id=f"question {key}")
        return await self.kept.answered(message)

    async def call(self, number: int, key: str = "press 1", person: Person = ADA) -> Reply:
        """Press "Ask a person" and have the call delivered."""
        message = person.message(str(number), key=key, command="person")
        reply = await self.escalations.ask(message)
        await self.kept.deliver(message, reply, f"call of {key}")
        return reply

    async def react(self, about: str, person: Person = GRACE) -> Reply:
        return await self.escalations.solve(person.message(command="solved", about=about))

    async def press(self, number: int, person: Person = GRACE) -> Reply:
        return await self.escalations.solve(person.message(str(number), command="solved", about="call of press 1"))

    async def rows(self) -> list[tuple[str, bool, str | None]]:
        query = select(escalations.c.person_id, escalations.c.solved_at.is_not(None), escalations.c.solved_by)
        rows = await self.kept.database.read(lambda connection: connection.execute(query).all())
        return [(who, bool(solved), by) for who, solved, by in rows]


@pytest.fixture
async def desk(kept: KeptQuestions) -> Desk:
    people = ChannelPeople(kept.database)
    await people.show_or_set(ADMIN_ANN.message("user:grace role:7"))
    return Desk(kept, people, Escalations(kept.database, people, Access(AccessSettings()), _link))


async def test_the_people_of_the_channel_are_called_with_links_to_question_and_answer(desk: Desk) -> None:
    number = await desk.question()
    reply = await desk.call(number, person=EVE)
    assert reply.text == (
        "**Eve** would like a person to look at this.\n\n"
        "> “When does the office open?”\n\n"
        "[the question](https://chat.example/general/question-q1)"
        " · [the answer](https://chat.example/general/answer-to-q1)"
    )
    assert reply.mentions == ("role:7", "user:grace")
    assert reply.buttons == (Button("Solved", str(number), "solved"),)
    assert not reply.ephemeral
    assert await desk.rows() == [("memory:eve", False, None)]


async def test_where_messages_have_no_address_none_is_given(desk: Desk) -> None:
    without = Escalations(desk.kept.database, desk.people, Access(AccessSettings()), _no_link)
    reply = await without.ask(ADA.message(str(await desk.question())))
    assert reply.text.endswith("> “When does the office open?”")


async def test_a_platform_that_does_not_tell_an_address_holds_no_call_up(desk: Desk) -> None:
    async def never(place: Place, message_id: str) -> str:
        await asyncio.Event().wait()
        return ""

    impatient = Escalations(desk.kept.database, desk.people, Access(AccessSettings()), never, link_seconds=0.01)
    reply = await impatient.ask(ADA.message(str(await desk.question())))
    assert reply.text.endswith("> “When does the office open?”")
    assert reply.mentions


async def test_the_button_is_there_where_somebody_is_called(desk: Desk) -> None:
    (button,) = await desk.escalations.buttons(Place("memory", "lab", "general", "thread"), 5)
    assert button == Button("Not helpful? Ask a person", "5", "person")
    assert await desk.escalations.buttons(ELSEWHERE, 5) == ()


async def test_nobody_is_called_twice_for_one_answer(desk: Desk) -> None:
    number = await desk.question()
    await desk.call(number)
    again = await desk.call(number, key="press 2", person=EVE)
    assert (again.text, again.ephemeral, again.mentions) == ("A person was asked already.", True, ())


async def test_of_two_who_press_at_once_one_calls(desk: Desk) -> None:
    number = await desk.question()
    replies = await asyncio.gather(*(desk.escalations.ask(p.message(str(number))) for p in (ADA, EVE, GRACE)))
    assert sorted(bool(reply.mentions) for reply in replies) == [False, False, True]
    assert len(await desk.rows()) == 1


async def test_a_call_that_was_cut_off_before_it_was_sent_goes_out_after_a_restart(desk: Desk) -> None:
    message = ADA.message(str(await desk.question()), key="press 1")
    assert await desk.escalations.ask(message) == await desk.escalations.ask(message)


async def test_where_nobody_is_set_the_asker_hears_who_can_change_that(desk: Desk) -> None:
    number = await desk.question(person=ADA.elsewhere(ELSEWHERE))
    reply = await desk.escalations.ask(ADA.elsewhere(ELSEWHERE).message(str(number)))
    assert (reply.ephemeral, reply.outcome) == (True, "refused")
    assert "`/people`" in reply.text
    assert await desk.rows() == []


@pytest.mark.parametrize("text", ["", "5", "five", str(2**63), "9" * 5000])
async def test_an_answer_that_is_not_kept_is_said_not_to_be(desk: Desk, text: str) -> None:
    with pytest.raises(ConversationNotFoundError, match="no longer kept"):
        await desk.escalations.ask(ADA.message(text))


async def test_an_answer_in_another_channel_does_not_exist(desk: Desk) -> None:
    number = await desk.question(person=ADA.elsewhere(ELSEWHERE))
    with pytest.raises(ConversationNotFoundError):
        await desk.escalations.ask(ADA.message(str(number)))


async def test_pressing_solved_puts_a_word_in_the_calls_place(desk: Desk) -> None:
    number = await desk.question()
    await desk.call(number)
    reply = await desk.press(number)
    assert reply.text.startswith("✅ Solved by **Grace**.\n\n> “When does the office open?”\n\n[the question](")
    assert (reply.revises, reply.buttons, reply.mentions) == ("press 1", (), ())
    assert await desk.rows() == [("memory:ada", True, "memory:grace")]


@pytest.mark.parametrize("about", ["call of press 1", "answer to q1"])
async def test_a_reaction_on_the_call_or_on_the_answer_solves_it(desk: Desk, about: str) -> None:
    await desk.call(await desk.question())
    assert (await desk.react(about)).revises == "press 1"


async def test_a_reaction_on_another_message_or_in_another_channel_means_nothing(desk: Desk) -> None:
    await desk.call(await desk.question())
    await desk.question(key="q2")
    assert await desk.react("answer to q2") == Reply("")
    assert await desk.react("some message") == Reply("")
    assert await desk.react("call of press 1", GRACE.elsewhere(ELSEWHERE)) == Reply("")
    assert await desk.rows() == [("memory:ada", False, None)]


async def test_those_who_are_not_called_do_not_solve_it(desk: Desk) -> None:
    number = await desk.question()
    await desk.call(number)
    with pytest.raises(NotAllowedError, match="Only those who are called here"):
        await desk.press(number, ADA)
    assert await desk.react("call of press 1", ADA) == Reply("")
    assert await desk.rows() == [("memory:ada", False, None)]


@pytest.mark.parametrize("person", [Person("hal", roles=frozenset({"role:7"})), ADMIN_ANN])
async def test_holders_of_a_called_role_and_admins_solve_it(desk: Desk, person: Person) -> None:
    await desk.call(await desk.question())
    assert (await desk.react("call of press 1", person)).revises == "press 1"


async def test_what_is_solved_is_solved_once(desk: Desk) -> None:
    number = await desk.question()
    await desk.call(number)
    await desk.press(number)
    late = await desk.press(number, ADMIN_ANN)
    assert (late.text, late.ephemeral, late.revises) == ("That was solved already.", True, "")
    assert (await desk.react("call of press 1", ADMIN_ANN)).text == ""
    assert await desk.rows() == [("memory:ada", True, "memory:grace")]


async def test_a_solution_that_was_cut_off_before_it_was_shown_is_shown_after_a_restart(desk: Desk) -> None:
    number = await desk.question()
    await desk.call(number)
    message = GRACE.message(str(number), command="solved")
    assert await desk.escalations.solve(message) == await desk.escalations.solve(message)


async def test_who_is_not_content_with_the_solution_may_ask_again(desk: Desk) -> None:
    number = await desk.question()
    await desk.call(number)
    await desk.press(number)
    again = await desk.call(number, key="press 2")
    assert again.mentions
    assert await desk.rows() == [("memory:ada", False, None)]
    assert (await desk.press(number)).revises == "press 2"


async def test_a_call_for_a_deleted_answer_is_gone_with_it(desk: Desk) -> None:
    number = await desk.question()
    await desk.call(number)
    await desk.kept.forgetting.person("memory:ada")
    assert await desk.rows() == []
    with pytest.raises(ConversationNotFoundError, match="no such request"):
        await desk.press(number)
    assert await desk.react("call of press 1") == Reply("")


async def test_solved_alone_asks_what(desk: Desk) -> None:
    with pytest.raises(QuestionError, match="no request for a person"):
        await desk.escalations.solve(GRACE.message())


async def test_a_long_question_is_quoted_shortened(desk: Desk) -> None:
    reply = await desk.call(await desk.question("why " * 400))
    quote = reply.text.split("\n\n")[1]
    assert quote.endswith(" …”")
    assert len(quote) < 310


@example("&lt;b&gt; &#64;everyone &amp \\& \\\\&amp;")
@example("- 1. # > + ~~~ `x` <b> ![a](b) [c][d] *e* __f__ === ---")
@example("1. x\n\n2. y\n---\n    z")
@given(st.text(min_size=1, max_size=60).map(clean).filter(str.strip))
async def test_a_question_stays_one_plain_line_whatever_is_in_it(question: str) -> None:
    tokens = MarkdownIt("commonmark").parse(quoted(question))
    assert [token.type for token in tokens] == [
        "blockquote_open",
        "paragraph_open",
        "inline",
        "paragraph_close",
        "blockquote_close",
    ]
    assert {child.type for child in tokens[2].children or []} <= {"text", "text_special"}
    shown = "".join(child.content for child in tokens[2].children or [])
    assert shown == f"“{' '.join(question.split())}”"


async def test_people_shows_who_is_called_here(desk: Desk) -> None:
    reply = await desk.people.show_or_set(ADMIN_ANN.message())
    assert "I call `role:7`, `user:grace`." in reply.text
    assert reply.ephemeral
    elsewhere = await desk.people.show_or_set(ADMIN_ANN.elsewhere(ELSEWHERE).message())
    assert "I call nobody." in elsewhere.text
    assert "`/people user:1 role:2`" in elsewhere.text


async def test_people_takes_mentions_and_puts_them_in_the_place_of_those_before(desk: Desk) -> None:
    reply = await desk.people.show_or_set(ADMIN_ANN.message("please", mentions=("group:S1", "user:2", "user:2")))
    assert "`group:S1`, `user:2`" in reply.text
    assert await desk.people.called_in(Place("memory", "lab", "general", "thread")) == ("group:S1", "user:2")
    assert await desk.people.called_in(ELSEWHERE) == ()


async def test_people_none_calls_nobody_any_more(desk: Desk) -> None:
    assert "I call nobody here" in (await desk.people.show_or_set(ADMIN_ANN.message("None"))).text
    assert await desk.people.called_in(GENERAL) == ()


@pytest.mark.parametrize(
    "text",
    [
        *("grace", "user:", "user:1; drop", "everyone", "@everyone", "user:1 here", "channel:1", "none user:1"),
        "role:lab",
        " ".join(f"user:{number}" for number in range(11)),
    ],
)
async def test_people_refuses_what_names_nobody_or_a_crowd(desk: Desk, text: str) -> None:
    with pytest.raises(QuestionError):
        await desk.people.show_or_set(ADMIN_ANN.message(text))
    assert await desk.people.called_in(GENERAL) == ("role:7", "user:grace")


async def test_from_the_question_to_solved_on_a_running_bot(settings: Settings) -> None:
    board = Noticeboard()
    async with Application(settings).running([board]):
        ada = Conversation(board)
        grace = ada.other(author=Author("grace", "Grace"))
        ann = ada.other(author=Author("ann", "Ann", frozenset({ADMIN})))
        await board.post(ann.message("user:grace", command="people", key="set"))
        await ended(settings, "set")
        await board.post(ada.message("When does the office open?"))
        await board.until(lambda texts: "8 in the morning" in "".join(texts))
        ask = next(b for reply in board.standing.values() for b in reply.buttons if b.command == "person")
        assert ask.label == "Not helpful? Ask a person"
        await board.post(ada.message(ask.text, command=ask.command))
        await board.until(lambda texts: "“When does the office open?”" in texts[-1])
        name, call = list(board.standing.items())[-1]
        assert call.mentions == ("user:grace",)
        await board.post(grace.message("", command="solved", about=name, key="✅"))
        await ended(settings, "✅")
        assert "✅ Solved by **Grace**." in board.texts
        assert "**Ada** would like a person to look at this." not in board.texts
        assert not any(reply.mentions for reply in board.standing.values())
