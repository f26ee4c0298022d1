"""The database's history: Alembic's scripts, run by `bot.database_file.upgrade`."""
