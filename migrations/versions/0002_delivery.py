"""Delivery: every event that was accepted, and every reply that was or is to be sent."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the inbox and the outbox."""
    op.create_table(
        "inbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sa.UniqueConstraint("key", name="uq_inbox_key"),
    )
    op.create_index("ix_inbox_is_open", "inbox", ["is_open"])
    op.create_table(
        "outbox",
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("inbox_key", sa.String(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("sent_id", sa.String(), nullable=True),
        sa.Column("is_sent", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["inbox_key"], ["inbox.key"], name="fk_outbox_inbox_key_inbox", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("idempotency_key", name="pk_outbox"),
    )
    op.create_index("ix_outbox_inbox_key", "outbox", ["inbox_key"])
    op.create_index("ix_outbox_is_sent", "outbox", ["is_sent"])
