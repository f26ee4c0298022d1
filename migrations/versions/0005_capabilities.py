"""Which capability a message belongs to: what was said of symptoms is told apart from questions."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; all that was said before was questions and answers."""
    op.add_column("messages", sa.Column("capability", sa.String(), nullable=False, server_default="answer"))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("messages", "capability")
