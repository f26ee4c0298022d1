"""Keys that nobody needs are forgotten with time; what is kept, is called or may be retried keeps its own."""

from datetime import UTC, datetime, timedelta

from kept_questions import KeptQuestions, Person
from sqlalchemy import select, text

from bot.errors import DeliveryRefusedError
from bot.messages import Reply
from bot.pruning import Pruning
from bot.settings.delivery import DeliverySettings
from bot.statistics import Statistics
from bot.tables import inbox, outbox

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=30)


async def _keys(kept: KeptQuestions) -> list[str]:
    return list(await kept.database.read(lambda c: c.scalars(select(inbox.c.key).order_by(inbox.c.id)).all()))


async def _done(kept: KeptQuestions, key: str, at: datetime) -> None:
    message = Person("ada").message("/help", key=key, received_at=at)
    await kept.deliver(message, Reply("I answer.", outcome="done"), f"answer to {key}")


def _pruning(kept: KeptQuestions) -> Pruning:
    return Pruning(kept.database, DeliverySettings(keys_days=14, undelivered_days=7))


async def test_old_keys_go_with_their_parts_and_young_ones_stay(kept: KeptQuestions) -> None:
    for number in range(450):
        await kept.delivery.accept(Person("ada").message("", key=f"old {number}", received_at=LONG_AGO))
    await kept.database.transact(lambda c: c.execute(text("UPDATE inbox SET is_open = 0, payload = NULL")).rowcount)
    await _done(kept, "old", LONG_AGO)
    await _done(kept, "young", NOW - timedelta(days=13))
    assert await _pruning(kept).keys(NOW) == 451
    assert await _keys(kept) == ["memory/young"]
    assert await kept.database.read(lambda c: c.scalars(select(outbox.c.inbox_key)).all()) == ["memory/young"]
    assert await _pruning(kept).keys(NOW) == 0


async def test_what_is_open_or_belongs_to_a_conversation_that_is_kept_stays(kept: KeptQuestions) -> None:
    ada = Person("ada")
    await kept.delivery.accept(ada.message("When?", key="open", received_at=LONG_AGO))
    await kept.answered(ada.message("When?", key="kept", received_at=LONG_AGO))
    edit = ada.message("Where?", key="kept/edited", revises="kept", received_at=LONG_AGO)
    await kept.deliver(edit, Reply("There.", outcome="answered"), "answer to kept")
    assert await _pruning(kept).keys(NOW) == 0
    assert await _keys(kept) == ["memory/open", "memory/kept", "memory/kept/edited"]
    assert await kept.delivery.standing("memory/kept") == ["answer to kept"]


async def test_the_figures_count_what_was_pruned_all_the_same(kept: KeptQuestions) -> None:
    for key, outcome in (("1", "answered"), ("2", "answered"), ("3", "declined")):
        message = Person("ada").message("When?", key=key, received_at=LONG_AGO)
        await kept.deliver(message, Reply("At 8.", outcome=outcome), key)  # type: ignore[arg-type]
    assert await _pruning(kept).keys(NOW) == 3
    asked = Person("root").message("", key="stats", received_at=NOW)
    figures = (await Statistics(kept.database, NOW).tell(asked)).data["windows"]
    assert (figures["all"]["questions"], figures["all"]["declined"]) == (3, 1)
    assert figures["week"]["questions"] == 0


async def test_a_reply_that_nobody_retries_is_dropped_after_its_days_and_then_its_key(kept: KeptQuestions) -> None:
    message = Person("ada").message("When?", key="1", received_at=LONG_AGO)
    await kept.delivery.accept(message)
    reason = DeliveryRefusedError("I may not write there.").sentence
    await kept.delivery.give_up(message, reason, NOW - timedelta(days=6), keeps=True)
    pruning = _pruning(kept)
    assert (await pruning.replies(NOW), await pruning.keys(NOW)) == (0, 0)
    later = NOW + timedelta(days=2)
    assert (await pruning.replies(later), await pruning.keys(later)) == (1, 1)
    assert await _keys(kept) == []
