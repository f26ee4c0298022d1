"""Platforms: replies in several parts, edited and withdrawn questions, feedback, people who are asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen the inbox, the outbox and the messages, and create the tables of feedback and escalations."""
    _widen()
    _create()


def _widen() -> None:
    op.add_column("messages", sa.Column("inbox_key", sa.String(), nullable=True))
    op.create_index("ix_messages_inbox_key", "messages", ["inbox_key"])
    op.create_index(
        "ix_messages_generator_at", "messages", ["generator", "at"], sqlite_where=sa.text("generator IS NOT NULL")
    )
    op.add_column("inbox", sa.Column("place_id", sa.String(), nullable=False, server_default=""))
    op.add_column("inbox", sa.Column("message_id", sa.String(), nullable=False, server_default=""))
    op.create_index("ix_inbox_place_id", "inbox", ["place_id"])
    op.create_index("ix_inbox_person_id", "inbox", ["person_id"])
    op.create_index("ix_inbox_platform_outcome_received_at", "inbox", ["platform", "outcome", "received_at"])
    op.add_column("outbox", sa.Column("answers", sa.String(), nullable=True))
    op.add_column("outbox", sa.Column("part", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE outbox SET answers = inbox_key")
    for column in ("answers", "sent_id"):
        op.create_index(f"ix_outbox_{column}", "outbox", [column])


def _create() -> None:
    op.create_table(
        "feedback",
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("verdict", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("verdict IN (-1, 1)", name="ck_feedback_verdict"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name="fk_feedback_message_id_messages", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", "person_id", name="pk_feedback"),
    )
    op.create_index("ix_feedback_person_id", "feedback", ["person_id"])
    op.create_table(
        "escalations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("inbox_key", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("solved_at", sa.DateTime(), nullable=True),
        sa.Column("solved_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name="fk_escalations_message_id_messages", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_escalations"),
        sa.UniqueConstraint("message_id", name="uq_escalations_message_id"),
    )
    op.create_index("ix_escalations_inbox_key", "escalations", ["inbox_key"])
    op.create_index("ix_escalations_person_id", "escalations", ["person_id"])
    op.create_table(
        "channel_people",
        sa.Column("channel_id", sa.String(), nullable=False),
        sa.Column("mention", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("channel_id", "mention", name="pk_channel_people"),
    )
    op.create_table(
        "kept_values",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_kept_values"),
    )
