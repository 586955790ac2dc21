"""What is remembered of requests: claims and the exact cache."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of requests that can be answered again."""
    op.create_table(
        "claims",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("taken", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("kept_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'kept')", name=op.f("ck_claims_known_state")),
        sa.CheckConstraint(
            "(state = 'kept') = (answer IS NOT NULL)", name=op.f("ck_claims_kept_means_answered")
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_claims")),
        sa.UniqueConstraint(
            "workspace_id", "caller", "kind", "name", name=op.f("uq_claims_workspace_id_caller_kind_name")
        ),
    )
    op.create_index(op.f("ix_claims_kind_taken"), "claims", ["kind", "taken"], unique=False)
    op.create_index(op.f("ix_claims_created_us"), "claims", ["created_us"], unique=False)
    op.create_table(
        "cached_answers",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("used_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "key", name=op.f("pk_cached_answers")),
    )
    op.create_index(
        op.f("ix_cached_answers_workspace_id_used_us"),
        "cached_answers",
        ["workspace_id", "used_us"],
        unique=False,
    )
