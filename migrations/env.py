"""What Alembic runs first: it migrates on the connection it is handed, inside the transaction begun there."""

from alembic import context

from bot.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
