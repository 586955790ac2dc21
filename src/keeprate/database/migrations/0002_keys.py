"""Terms of keys, their suspension, alarms, and moves of money in the order they were made."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give keys terms, and alarms a place."""
    op.add_column("keys", sa.Column("terms_json", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("keys", sa.Column("suspended_us", sa.BigInteger(), nullable=True))
    op.add_column("keys", sa.Column("suspended_why", sa.Text(), nullable=True))
    op.create_table(
        "alarms",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("api_key", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("raised_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_alarms")),
    )
    op.create_index(op.f("ix_entries_workspace_id_at_us"), "entries", ["workspace_id", "at_us"], unique=False)
