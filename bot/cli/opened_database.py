"""The database as a command uses it: brought up to date, open, also while Preceptor runs; and given back."""

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.database import Database
    from bot.settings import Settings


@contextlib.asynccontextmanager
async def opened(settings: "Settings") -> "AsyncIterator[Database]":
    """Open the settings' database for the while of the body.

    Raises:
        StorageError: it cannot be opened.
    """
    import asyncio

    from bot import database_file
    from bot.database import Database

    await asyncio.to_thread(database_file.upgrade, settings.database_file)
    database = Database(
        settings.database_file,
        synchronous=settings.database.synchronous,
        busy_seconds=settings.database.busy_seconds,
    )
    await database.open()
    try:
        yield database
    finally:
        await database.close()
