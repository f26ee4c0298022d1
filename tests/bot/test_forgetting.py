"""After a person is forgotten nothing of them is found any more, not even in the bytes of the files."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from kept_questions import GENERAL, KeptQuestions, Person
from noticeboard import Noticeboard, ended
from sqlalchemy import func, insert, select

from bot.access import ADMIN
from bot.adapter import InMemoryAdapter, Limits
from bot.application import Application
from bot.audit import Audit
from bot.database import Database
from bot.delivery import inbox_key
from bot.forgetting import Forgetting
from bot.messages import Author, Place
from bot.settings import Settings
from bot.tables import (
    access_rules,
    audit,
    conversations,
    feedback,
    generation_usage,
    inbox,
    messages,
    outbox,
    place_settings,
    places,
    rate_limits,
    workspaces,
)
from tests.conftest import Conversation

ADA, GRACE = Person("ada"), Person("grace")


async def _count(kept: KeptQuestions, table: object) -> int:
    query = select(func.count()).select_from(table)  # type: ignore[arg-type]
    return await kept.database.read(lambda connection: connection.scalar(query)) or 0


def _found(folder: Path, *planted: str) -> list[tuple[str, str]]:
    """Look for sentences in all files of a folder, as bytes."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files
    return [(file.name, text) for file in files for text in planted if text.encode() in file.read_bytes()]


@pytest.mark.parametrize("seed", range(3))
async def test_the_bytes_of_what_was_said_are_nowhere_among_those_of_others(
    kept: KeptQuestions, tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    hidden = Person("u0forgottenone")
    for number in range(60):
        person = hidden if dice.random() < 0.4 else Person(f"p{number % 7}")
        # Short ones share a page; long ones have pages of their own.
        words = f"{'zanzibar' if person is hidden else 'common'} {number} " * dice.choice((1, 3, 40, 900))
        said = person.message(words, message_id=f"m{number}")
        await kept.answered(said, f"{'quetzal' if person is hidden else 'sparrow'} {words}", question=words)
    assert {text for _, text in _found(tmp_path, "zanzibar", "quetzal", "u0forgottenone")} == {
        "zanzibar",
        "quetzal",
        "u0forgottenone",
    }
    await kept.forgetting.person("memory:u0forgottenone")
    assert _found(tmp_path, "zanzibar", "quetzal", "u0forgottenone", "U0Forgottenone") == []
    assert _found(tmp_path, "common 1", "sparrow")


async def test_a_running_preceptor_forgets_what_a_person_did_in_every_way(settings: Settings) -> None:
    access = settings.access.model_copy(update={"admins": ("memory:u7zyxwv",)})
    settings = settings.model_copy(update={"access": access})
    adapter = InMemoryAdapter(Limits(streaming=True, buttons=True))
    author = Author("u7zyxwv", "Ignatius Plantagenet")
    async with Application(settings).running([adapter]):
        talk = Conversation(adapter, author)
        grace = talk.other(author=Author("grace", "Grace", frozenset({ADMIN})))
        theirs = await grace.say("When does the office open?")
        answer = await talk.say("When does the wolpertinger open the office?")
        await talk.say("Where do quokkas sleep?")
        await talk.say("I have itchy red wolpertinger patches with silvery scales.", command="diagnose")
        await talk.say(f"up {answer.answer_id}", command="feedback")
        await talk.say(f"down {theirs.answer_id}", command="feedback")
        await talk.say("user:u7zyxwv", command="people")
        await talk.say("user:grace", command="people")
        await talk.say(str(theirs.answer_id), command="person")
        await talk.say(str(theirs.answer_id), command="solved", key=f"m1/solved/{author.id}")
        await talk.say("keep on server", command="settings")
        await talk.other(place=Place("memory", "lab", author.id)).say("And where is the wolpertinger here?")
        await grace.say("user:u7zyxwv", command="export", mentions=("user:u7zyxwv",))
        assert _found(settings.data_directory, "wolpertinger", author.id, author.name)
        assert "deleted" in (await talk.say("yes", command="forget")).text
        left = _found(settings.data_directory, "wolpertinger", "quokka", author.id, author.name)
        assert left == [], left
    assert _found(settings.data_directory, "wolpertinger", "quokka", author.id, author.name) == []
    assert _found(settings.data_directory, "memory:grace")


async def test_what_others_said_and_what_it_took_stays(kept: KeptQuestions) -> None:
    hers = await kept.answered(GRACE.message("Where is the door?"))
    mine = await kept.answered(ADA.message("When does it open?"))
    await kept.forgetting.person("memory:ada")
    assert await kept.conversations.kept_answer(hers, "memory:grace")
    assert await kept.conversations.kept_answer(mine, "memory:ada") is None
    assert await kept.forgetting.count("memory:ada") is None
    assert await kept.forgetting.count("memory:grace") == 1
    assert await _count(kept, inbox) == 2


async def test_the_same_id_on_another_platform_and_ids_that_begin_alike_are_others(kept: KeptQuestions) -> None:
    for person in (Person("ada_"), Person("adaX"), Person("ada%"), Person("ad")):
        await kept.answered(person.message("Who am I?"))
    await kept.answered(ADA.elsewhere(Place("discord", "lab", "general")).message("Who am I?"))
    await kept.forgetting.person("memory:ada_")
    assert await _count(kept, conversations) == 4
    await kept.forgetting.person("memory:ada%")
    assert await _count(kept, conversations) == 3
    assert await kept.forgetting.count("discord:ada") == 1


async def test_within_a_server_only_what_was_said_there_is_forgotten(kept: KeptQuestions) -> None:
    away = ADA.elsewhere(Place("memory", "lab2", "general"))
    there, here = await kept.answered(away.message("There?", key="a")), await kept.answered(ADA.message("Here?"))
    values = {"message_id": here, "person_id": "memory:ada", "verdict": 1, "at": ADA.message().received_at}
    await kept.database.transact(
        lambda connection: connection.execute(insert(feedback), [values, values | {"message_id": there}])
    )
    assert await kept.forgetting.count("memory:ada", "memory/lab/") == 1
    await kept.forgetting.person("memory:ada", "memory/lab/")
    assert await kept.forgetting.count("memory:ada", "memory/lab/") is None
    assert await kept.forgetting.count("memory:ada") == 1
    assert await _count(kept, feedback) == 1
    named = select(inbox.c.key).where(inbox.c.person_id == "memory:ada")
    assert await kept.database.read(lambda connection: connection.scalars(named).all()) == ["memory/a"]


async def test_places_in_which_nothing_is_kept_any_more_are_not_kept_either(kept: KeptQuestions) -> None:
    await kept.answered(ADA.elsewhere(Place("memory", "alone", "ada")).message("Hello?"))
    await kept.answered(GRACE.message("Hello?"))
    await kept.forgetting.person("memory:ada")
    assert await kept.database.read(lambda connection: connection.scalars(select(places.c.id)).all()) == [GENERAL.id]
    assert await _count(kept, workspaces) == 1


async def test_what_waits_to_be_delivered_is_forgotten_and_never_answered(kept: KeptQuestions) -> None:
    message = ADA.message("Do you still know me?")
    await kept.delivery.accept(message)
    await kept.forgetting.person("memory:ada")
    row = await kept.database.read(
        lambda connection: connection.execute(select(inbox).where(inbox.c.key == inbox_key(message))).one()
    )
    assert (row.person_id, row.payload, row.lane, row.is_open) == ("", None, "", False)


async def test_what_an_admin_did_stays_without_the_admin_and_rules_about_people_stay_whole(kept: KeptQuestions) -> None:
    at = ADA.message().received_at
    rule = {"effect": "deny", "who": "memory:ada", "place": "", "command": "", "by": "memory:ada", "at": at}
    made = {"place": "memory/lab", "name": "keep", "value": "off", "by": "memory:ada", "at": at}
    done = {"at": at, "place_id": GENERAL.id, "action": "access", "outcome": "done"}
    bucket = [
        {"name": name, "full_again_at": 1e12}
        for name in ("told/memory:ada/x", "told/memory:ad/x", "memory/lab/general")
    ]

    def _fill(connection: object) -> None:
        for table, rows in (
            (access_rules, [rule]),
            (place_settings, [made]),
            (rate_limits, bucket),
            (audit, [done | {"person_id": "memory:ada", "argument": "x"}]),
            (audit, [done | {"person_id": "memory:ann", "argument": "deny @Ada"}]),
        ):
            connection.execute(insert(table), rows)  # type: ignore[attr-defined]

    await kept.answered(ADA.message("Who rules?"))
    await kept.database.transact(_fill)
    await Forgetting(kept.database, Audit.forget_statements).person("memory:ada")

    def _left(connection: object) -> list[tuple[object, ...]]:
        queries = (
            select(access_rules.c.who, access_rules.c.by),
            select(place_settings.c.value, place_settings.c.by),
            select(rate_limits.c.name).order_by(rate_limits.c.name),
            select(audit.c.person_id, audit.c.argument).order_by(audit.c.id),
        )
        return [tuple(row) for query in queries for row in connection.execute(query)]  # type: ignore[attr-defined]

    assert await kept.database.read(_left) == [
        ("memory:ada", ""),
        ("off", ""),
        ("memory/lab/general",),
        ("told/memory:ad/x",),
        ("", ""),
        ("memory:ann", "deny @…"),
    ]


async def test_a_conversation_is_forgotten_but_not_what_it_took(kept: KeptQuestions) -> None:
    message = ADA.message("Which one?")
    await kept.answered(message)
    conversation_id = await kept.conversations.continued_by(message)
    used = {"day": "2026-01-01", "at": message.received_at, "workspace_id": "memory/lab", "generator": "gemini"}
    used |= {"conversation_id": conversation_id, "model": "m", "input_tokens": 1, "output_tokens": 1, "cost": 0.1}
    await kept.database.transact(lambda connection: connection.execute(insert(generation_usage), [used]))
    await kept.forgetting.conversation(conversation_id)
    assert await _count(kept, conversations) == 0
    named = select(generation_usage.c.conversation_id)
    assert await kept.database.read(lambda connection: connection.scalars(named).all()) == [""]


async def test_a_reply_that_was_not_sent_yet_is_not_kept_either(kept: KeptQuestions) -> None:
    message = ADA.message("What did you say?")
    await kept.answered(message)
    await kept.database.transact(
        lambda connection: connection.execute(outbox.update().values(payload='{"text": "You said so."}', is_sent=False))
    )
    other = replace(message, key="later")
    await kept.delivery.accept(other)
    await kept.forgetting.person("memory:ada")
    texts = select(outbox.c.payload)
    assert await kept.database.read(lambda connection: connection.scalars(texts).all()) == [None]


async def test_what_a_button_made_of_a_message_is_taken_back_with_the_message(settings: Settings) -> None:
    board = Noticeboard()
    async with Application(settings).running([board]):
        ada = Conversation(board)
        await board.post(ada.message("Why do I have itchy red patches on my elbows?", key="1"))
        assert await ended(settings, "1") in ("answered", "declined")
        number = next(reply.answer_id for reply in board.standing.values() if reply.answer_id)
        await board.post(ada.message(str(number), key="press", command="diagnose_that"))
        assert await ended(settings, "press") == "answered"
        assert await _said(settings) == ["question", "answer", "question", "answer"]
        await board.post(ada.message("", key="1/deleted", command="withdraw", revises="1"))
        assert await ended(settings, "1/deleted") == "done"
        assert await _said(settings) == []


async def _said(settings: Settings) -> list[str]:
    database = Database(settings.database_file)
    roles = await database.read(lambda connection: connection.scalars(select(messages.c.role)).all())
    await database.close()
    return list(roles)
