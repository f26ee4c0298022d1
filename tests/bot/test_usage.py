"""What answers took is kept by conversation, and held against the budgets of the day."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot import database_file
from bot.database import Change, Database
from bot.forgetting import Forgetting
from bot.messages import Author, IncomingMessage, Place
from bot.settings.generators import BudgetSettings
from bot.tables import generation_usage
from bot.usage import UsageLedger
from models.generation import Usage

HERE, THERE = Place("slack", "T1", "C1"), Place("slack", "T2", "C9")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    file = tmp_path / "usage.sqlite3"
    database_file.upgrade(file)
    opened = Database(file)
    await opened.open()
    yield opened
    await opened.close()


def asked(place: Place) -> IncomingMessage:
    return IncomingMessage("key", place, Author("ada"), "What is resonance?")


async def spend(ledger: UsageLedger, place: Place, usage: Usage, conversation: str = "c1") -> None:
    ledger.account(asked(place), conversation).charge("gemini", "gemini-flash", usage)
    await ledger.written()


async def allowed(ledger: UsageLedger, place: Place, generator: str = "gemini") -> bool:
    """Whether one more answer may be written; it is not."""
    with ledger.account(asked(place), "another") as account:
        return await account.allows(generator)


async def kept(database: Database) -> list[tuple[object, ...]]:
    columns = (generation_usage.c.workspace_id, generation_usage.c.conversation_id, generation_usage.c.cost)
    rows = await database.read(lambda connection: connection.execute(select(*columns)).all())
    return [tuple(row) for row in rows]


async def test_what_an_answer_took_is_kept_with_its_conversation(database: Database) -> None:
    await spend(UsageLedger(database, {}), HERE, Usage(100, 20, 0.01))
    assert await kept(database) == [("slack/T1", "c1", 0.01)]


async def test_without_a_budget_there_is_always_room(database: Database) -> None:
    ledger = UsageLedger(database, {"gemini": BudgetSettings()})
    await spend(ledger, HERE, Usage(10**9, 10**9, 1e6))
    assert await allowed(ledger, HERE)
    assert await allowed(ledger, HERE, "local")


@pytest.mark.parametrize(
    ("budget", "here", "there"),
    [
        (BudgetSettings(tokens=120), False, False),
        (BudgetSettings(tokens=121), True, True),
        (BudgetSettings(cost=0.5), False, False),
        (BudgetSettings(workspace_tokens=120), False, True),
        (BudgetSettings(workspace_cost=0.5), False, True),
        (BudgetSettings(tokens=1_000, workspace_tokens=100), False, True),
    ],
)
async def test_a_budget_binds_all_workspaces_together_or_each(
    database: Database, budget: BudgetSettings, here: bool, there: bool
) -> None:
    ledger = UsageLedger(database, {"gemini": budget})
    assert await allowed(ledger, HERE)
    await spend(ledger, HERE, Usage(100, 20, 0.5))
    assert await allowed(ledger, HERE) is here
    assert await allowed(ledger, THERE) is there


async def test_a_new_day_has_room_again(database: Database) -> None:
    ledger = UsageLedger(database, {"gemini": BudgetSettings(tokens=10)})
    await spend(ledger, HERE, Usage(100, 20))
    assert not await allowed(ledger, HERE)
    await database.write(Change((update(generation_usage).values(day="2026-01-01"),), ([{}],)))
    assert await allowed(ledger, HERE)


async def test_where_the_budget_cannot_be_read_nothing_is_spent(tmp_path: Path) -> None:
    no_tables = Database(tmp_path / "empty.sqlite3")
    ledger = UsageLedger(no_tables, {"gemini": BudgetSettings(tokens=10)})
    assert not await allowed(ledger, HERE)
    await no_tables.close()


async def test_forgetting_a_conversation_keeps_what_it_took_but_not_whose_it_was(database: Database) -> None:
    await spend(UsageLedger(database, {}), HERE, Usage(100, 20, 0.01), "c1")
    await spend(UsageLedger(database, {}), HERE, Usage(1, 2, 0.03), "c2")
    await Forgetting(database).conversation("c1")
    assert await kept(database) == [("slack/T1", "", 0.01), ("slack/T1", "c2", 0.03)]


async def test_a_server_that_counts_nonsense_breaks_neither_the_ledger_nor_the_budget(database: Database) -> None:
    ledger = UsageLedger(database, {"gemini": BudgetSettings(tokens=10**8)})
    await spend(ledger, HERE, Usage(-(10**30), -5, -1e9))
    assert await allowed(ledger, HERE)
    await spend(ledger, HERE, Usage(10**30, 5, 0.5))
    assert not await allowed(ledger, HERE)
    await ledger.written()
    assert [cost for *_, cost in await kept(database)] == [0.0, 0.5]


async def test_the_budget_is_known_however_much_is_charged_meanwhile(database: Database) -> None:
    ledger = UsageLedger(database, {"gemini": BudgetSettings(tokens=10**9)})
    account = ledger.account(asked(HERE), "c1")

    async def charge_on() -> None:
        while True:
            account.charge("gemini", "gemini-flash", Usage(1, 1))
            await asyncio.sleep(0)

    charging = asyncio.create_task(charge_on())
    try:
        assert await asyncio.wait_for(account.allows("gemini"), 5)
    finally:
        charging.cancel()
        await asyncio.gather(charging, return_exceptions=True)
        await ledger.written()


async def answered_at_once(ledger: UsageLedger, questions: int, taken: Usage) -> int:
    """Have as many questions answered side by side, as far as the budget has room; give how many were."""
    all_asked = asyncio.Barrier(questions)

    async def answer(number: int) -> bool:
        with ledger.account(asked(HERE), f"c{number}") as account:
            may = await account.allows("gemini")
            # Nobody's answer is complete before everybody has asked.
            await all_asked.wait()
            if may:
                account.charge("gemini", "gemini-flash", taken)
            return may

    answers = await asyncio.gather(*(answer(number) for number in range(questions)))
    await ledger.written()
    return sum(answers)


async def spent(database: Database) -> int:
    columns = generation_usage.c.input_tokens + generation_usage.c.output_tokens
    return sum(await database.read(lambda connection: connection.scalars(select(columns)).all()))


async def test_questions_asked_at_once_do_not_overrun_the_budget(database: Database) -> None:
    ledger = UsageLedger(database, {"gemini": BudgetSettings(tokens=1_000)}, {"gemini": Usage(100, 20)})
    assert await answered_at_once(ledger, 50, Usage(100, 20)) == 9
    assert await spent(database) == 1_080
    assert not await allowed(ledger, HERE)


async def test_what_answers_took_lately_is_what_the_next_ones_are_reckoned_with(database: Database) -> None:
    ledger = UsageLedger(database, {"gemini": BudgetSettings(tokens=4_000)}, {"gemini": Usage(10, 10)})
    await spend(ledger, HERE, Usage(900, 100))
    assert await answered_at_once(ledger, 50, Usage(900, 100)) == 3
    assert await spent(database) == 4_000


async def test_a_budget_of_cost_holds_for_questions_asked_at_once(database: Database) -> None:
    ledger = UsageLedger(database, {"gemini": BudgetSettings(cost=0.1)}, {"gemini": Usage(100, 20, 0.02)})
    assert await answered_at_once(ledger, 20, Usage(100, 20, 0.02)) == 5


async def test_two_processes_share_what_is_left_of_the_budget(tmp_path: Path) -> None:
    file = tmp_path / "both.sqlite3"
    database_file.upgrade(file)
    databases = [Database(file, busy_seconds=20), Database(file, busy_seconds=20)]
    for one in databases:
        await one.open()
    budget, expected = {"gemini": BudgetSettings(tokens=1_000)}, {"gemini": Usage(100, 20)}
    ledgers = [UsageLedger(one, budget, expected) for one in databases]
    answers = await asyncio.gather(*(answered_at_once(ledger, 25, Usage(100, 20)) for ledger in ledgers))
    assert sum(answers) == 9
    assert await spent(databases[0]) == 1_080
    for one in databases:
        await one.close()


async def test_what_was_reserved_and_is_not_written_is_given_back(database: Database) -> None:
    ledger = UsageLedger(database, {"gemini": BudgetSettings(tokens=100)}, {"gemini": Usage(100)})
    with ledger.account(asked(HERE), "c1") as account:
        assert await account.allows("gemini")
        assert not await allowed(ledger, HERE)
        assert not await ledger.has_room("gemini", "slack/T1")
    assert await allowed(ledger, HERE)
    await ledger.written()
    assert await kept(database) == []


async def test_what_was_reserved_when_a_process_died_counts_for_the_day(database: Database) -> None:
    budget, expected = {"gemini": BudgetSettings(tokens=100)}, {"gemini": Usage(100)}
    assert await UsageLedger(database, budget, expected).account(asked(HERE), "c1").allows("gemini")
    assert not await allowed(UsageLedger(database, budget, expected), HERE)
