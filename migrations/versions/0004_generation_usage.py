"""Usage: what written answers took, for budgets and figures."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of what answers took."""
    op.create_table(
        "generation_usage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("conversation_id", sa.String(), nullable=False),
        sa.Column("generator", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("input_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_generation_usage"),
    )
    op.create_index("ix_generation_usage_generator_day", "generation_usage", ["generator", "day"])
    op.create_index("ix_generation_usage_conversation_id", "generation_usage", ["conversation_id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("generation_usage")
