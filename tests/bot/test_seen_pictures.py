"""Pictures that were shown before: found again where they may be, and nowhere else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from kept_questions import GENERAL, KeptQuestions, Person
from picture_gallery import direction
from sqlalchemy import func, select

from bot.messages import IncomingMessage, Place
from bot.seen_pictures import SeenPictures, Sighting, sight_of
from bot.tables import pictures

CAT, DOG = sight_of(direction(1), "vit"), sight_of(direction(2), "vit")
ADA, BOB = Person("ada"), Person("bob")
THREAD = replace(GENERAL, thread="thread-1")


async def _shown(kept: KeptQuestions, message: IncomingMessage, *sights: object) -> IncomingMessage:
    await kept.answered(message, capability="picture", sights=sights or (CAT,))
    return message


async def _earlier(
    kept: KeptQuestions, message: IncomingMessage, sight: object = CAT, *, open_threads: bool = False
) -> Sighting | None:
    seen = SeenPictures(kept.database, 0.98)
    return await seen.earlier(message, sight, open_threads=open_threads)  # type: ignore[arg-type]


async def _count(kept: KeptQuestions) -> int:
    count = await kept.database.read(lambda connection: connection.scalar(select(func.count()).select_from(pictures)))
    return count or 0


async def test_a_picture_is_found_again_with_its_message_and_its_moment(kept: KeptQuestions) -> None:
    first = await _shown(kept, ADA.message(message_id="m1"))
    found = await _earlier(kept, BOB.message())
    assert found == Sighting(GENERAL, "m1", first.received_at)
    assert await _earlier(kept, BOB.message(), DOG) is None


async def test_of_several_times_the_first_is_told(kept: KeptQuestions) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=9)
    await _shown(kept, ADA.message(message_id="new"))
    await _shown(kept, ADA.message(message_id="old", received_at=long_ago))
    found = await _earlier(kept, BOB.message())
    assert found is not None
    assert (found.shown_as, found.at) == ("old", long_ago)


async def test_nearly_the_same_counts_and_merely_alike_does_not(kept: KeptQuestions) -> None:
    await _shown(kept, ADA.message())
    near, away = direction(1) + 0.1 * direction(3), direction(1) + 0.5 * direction(3)
    assert await _earlier(kept, BOB.message(), sight_of(near / np.linalg.norm(near), "vit"))
    assert not await _earlier(kept, BOB.message(), sight_of(away / np.linalg.norm(away), "vit"))


async def test_embeddings_of_another_model_are_not_compared(kept: KeptQuestions) -> None:
    await _shown(kept, ADA.message())
    assert not await _earlier(kept, BOB.message(), replace(CAT, model="another"))
    assert not await _earlier(kept, BOB.message(), sight_of(direction(1, width=8), "vit"))


@pytest.mark.parametrize(
    "place",
    [
        Place("memory", "lab", "random"),
        Place("memory", "school", "general"),
        Place("slack", "lab", "general"),
        Place("memory", "", "ada-and-the-bot"),
        Place("memory", "lab", "general-2"),
    ],
)
async def test_another_place_is_told_nothing(kept: KeptQuestions, place: Place) -> None:
    await _shown(kept, ADA.message())
    assert not await _earlier(kept, ADA.elsewhere(place).message())
    await _shown(kept, ADA.elsewhere(place).message(), DOG)
    assert not await _earlier(kept, ADA.message(), DOG)


async def test_a_thread_sees_its_channel_and_a_channel_sees_threads_only_where_they_are_open(
    kept: KeptQuestions,
) -> None:
    await _shown(kept, ADA.message(), CAT)
    await _shown(kept, ADA.elsewhere(THREAD).message(), DOG)
    assert await _earlier(kept, BOB.elsewhere(THREAD).message(), CAT)
    assert not await _earlier(kept, BOB.message(), DOG)
    assert not await _earlier(kept, BOB.elsewhere(replace(THREAD, thread="thread-2")).message(), DOG)
    assert await _earlier(kept, BOB.message(), DOG, open_threads=True)


async def test_what_somebody_showed_in_private_is_told_to_them_alone_and_in_private(kept: KeptQuestions) -> None:
    await _shown(kept, ADA.message(private=True))
    assert not await _earlier(kept, BOB.message(private=True))
    assert not await _earlier(kept, ADA.message())
    assert await _earlier(kept, ADA.message(private=True))


async def test_where_everybody_shares_one_place_each_sees_their_own(kept: KeptQuestions) -> None:
    everybodys = Place("http")
    await _shown(kept, ADA.elsewhere(everybodys).message())
    assert not await _earlier(kept, BOB.elsewhere(everybodys).message())
    assert await _earlier(kept, ADA.elsewhere(everybodys).message())


async def test_a_message_that_is_answered_anew_has_not_shown_its_own_picture_before(kept: KeptQuestions) -> None:
    message = await _shown(kept, ADA.message(key="k1"))
    assert not await _earlier(kept, message)
    assert not await _earlier(kept, ADA.message(key="k1-edited", revises="k1"))


async def test_pictures_are_forgotten_with_what_was_said(kept: KeptQuestions) -> None:
    await _shown(kept, ADA.message(key="k1"))
    await _shown(kept, BOB.message(key="k2"), CAT, DOG)
    assert await _count(kept) == 3
    await kept.forgetting.person("memory:bob")
    assert await _count(kept) == 1
    await kept.conversations.take_back("memory/k1")
    assert await _count(kept) == 0


async def test_a_conversation_takes_its_pictures_with_it(kept: KeptQuestions) -> None:
    message = await _shown(kept, ADA.message())
    await kept.forgetting.conversation(await kept.conversations.continued_by(message))
    assert not await _earlier(kept, BOB.message())


async def test_what_is_no_embedding_finds_nothing(kept: KeptQuestions) -> None:
    await _shown(kept, ADA.message())
    assert not await _earlier(kept, BOB.message(), replace(CAT, embedding="not base64!"))
    assert not await _earlier(kept, BOB.message(), replace(CAT, embedding=""))
