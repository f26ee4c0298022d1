"""Who answers what is open, who may do what, how much of it, what admins did, and what holds in a place."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_EMPTY: dict[str, Any] = {"nullable": False, "server_default": ""}


def upgrade() -> None:
    """Create the tables, and the columns of the inbox that say who answers what."""
    op.add_column("inbox", sa.Column("lane", sa.String(), **_EMPTY))
    op.add_column("inbox", sa.Column("claimed_by", sa.String(), **_EMPTY))
    op.drop_index("ix_inbox_is_open", "inbox")
    op.create_index("ix_inbox_open_lane", "inbox", ["lane"], sqlite_where=sa.text("is_open"))
    op.create_index("ix_inbox_open_claimed_by", "inbox", ["claimed_by"], sqlite_where=sa.text("is_open"))
    op.create_index("ix_inbox_open_person_id", "inbox", ["person_id"], sqlite_where=sa.text("is_open"))
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"])
    op.create_table(
        "processes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("leased_until", sa.Float(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_processes"),
    )
    op.create_table(
        "undelivered",
        sa.Column("inbox_key", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("retried_at", sa.DateTime()),
        sa.PrimaryKeyConstraint("inbox_key", name="pk_undelivered"),
        sa.ForeignKeyConstraint(
            ["inbox_key"], ["inbox.key"], name="fk_undelivered_inbox_key_inbox", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "pruned_events",
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "outcome", name="pk_pruned_events"),
    )
    op.create_table(
        "postings",
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("inbox_key", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", "command", name="pk_postings"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name="fk_postings_message_id_messages", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "access_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("effect", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_rules"),
        sa.CheckConstraint("effect IN ('allow', 'deny')", name="ck_access_rules_effect"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "pairing_codes",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_pairing_codes"),
    )
    op.create_table(
        "paired_people",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_paired_people"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("place_id", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("argument", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_person_id", "audit", ["person_id"])
    op.create_table(
        "rate_limits",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("full_again_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_rate_limits"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "place_settings",
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("place", "name", name="pk_place_settings"),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("postings", "pruned_events", "undelivered"):
        op.drop_table(table)
    tables = ("place_settings", "rate_limits", "audit", "paired_people", "pairing_codes", "access_rules", "processes")
    for table in tables:
        op.drop_table(table)
    op.drop_index("ix_inbox_received_at", "inbox")
    op.drop_index("ix_inbox_open_person_id", "inbox")
    op.drop_index("ix_inbox_open_claimed_by", "inbox")
    op.drop_index("ix_inbox_open_lane", "inbox")
    op.create_index("ix_inbox_is_open", "inbox", ["is_open"])
    op.drop_column("inbox", "claimed_by")
    op.drop_column("inbox", "lane")
