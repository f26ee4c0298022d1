"""What the pages need: sessions, titles of conversations, comments on answers, indexes for the admins."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_EMPTY: dict[str, Any] = {"nullable": False, "server_default": ""}


def upgrade() -> None:
    """Create the sessions, the columns and the indexes."""
    op.add_column("conversations", sa.Column("title", sa.String(), **_EMPTY))
    op.add_column("feedback", sa.Column("comment", sa.Text(), **_EMPTY))
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("key_digest", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_sessions"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.drop_index("ix_messages_generator_at", "messages")
    of_answers = ["generator", "at", "conversation_id", "elapsed_ms"]
    op.create_index("ix_messages_answers", "messages", of_answers, sqlite_where=sa.text("generator IS NOT NULL"))
    op.create_index("ix_messages_declined", "messages", ["id"], sqlite_where=sa.text("outcome = 'declined'"))


def downgrade() -> None:
    """Drop them, and bring the one index back."""
    op.drop_index("ix_messages_declined", "messages")
    op.drop_index("ix_messages_answers", "messages")
    kept = sa.text("generator IS NOT NULL")
    op.create_index("ix_messages_generator_at", "messages", ["generator", "at"], sqlite_where=kept)
    op.drop_table("sessions")
    op.drop_column("feedback", "comment")
    op.drop_column("conversations", "title")
