"""The ledger: attempts, entries, budgets, verdicts, prices used, keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:  # one statement a table: a list, not a procedure
    """Make the tables of the first release."""
    op.create_table(
        "attempt_images",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "sha256", "attempt_id", "position", name=op.f("pk_attempt_images")
        ),
    )
    op.create_table(
        "attempt_texts",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("request_json", sa.Text(), nullable=False),
        sa.Column("decision_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_attempt_texts")),
    )
    op.create_table(
        "attempts",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("attempt_no", sa.BigInteger(), nullable=False),
        sa.Column("follows", sa.Text(), nullable=True),
        sa.Column("api_key", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("upstream", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("size", sa.Text(), nullable=False),
        sa.Column("thinking", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("payload_sha256", sa.Text(), nullable=False),
        sa.Column("quote_low", sa.BigInteger(), nullable=False),
        sa.Column("quote_expected", sa.BigInteger(), nullable=False),
        sa.Column("hold", sa.BigInteger(), nullable=False),
        sa.Column("price_id", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("booked_us", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("outcome_kind", sa.Text(), nullable=True),
        sa.Column("raw_reason", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("charge", sa.BigInteger(), nullable=True),
        sa.Column("charge_basis", sa.Text(), nullable=True),
        sa.Column("usage_json", sa.Text(), nullable=True),
        sa.Column("served_model", sa.Text(), nullable=True),
        sa.Column("served_lane", sa.Text(), nullable=True),
        sa.Column("charge_price_id", sa.Text(), nullable=True),
        sa.Column("charge_certain", sa.Boolean(), nullable=True),
        sa.Column("overrun", sa.BigInteger(), nullable=False),
        sa.Column("sent_us", sa.BigInteger(), nullable=True),
        sa.Column("settled_us", sa.BigInteger(), nullable=True),
        sa.Column("reply_sha256", sa.Text(), nullable=True),
        sa.Column("image_sha256s", sa.Text(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=True),
        sa.Column("response_id", sa.Text(), nullable=True),
        sa.Column("reconciled_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('intent', 'sent', 'unknown')) = (settled_us IS NULL) AND (settled_us IS NULL) = (charge IS NULL)",
            name=op.f("ck_attempts_settled_means_charged"),
        ),
        sa.CheckConstraint(
            "state IN ('intent', 'sent', 'image', 'text_only', 'blocked', 'empty', 'failed', 'unknown', 'freed')",
            name=op.f("ck_attempts_known_state"),
        ),
        sa.CheckConstraint("charge IS NULL OR charge >= 0", name=op.f("ck_attempts_no_negative_charge")),
        sa.CheckConstraint(
            "held >= 0 AND hold >= 0 AND overrun >= 0", name=op.f("ck_attempts_no_negative_money")
        ),
        sa.CheckConstraint("settled_us IS NULL OR held = 0", name=op.f("ck_attempts_settled_holds_nothing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint(
            "workspace_id",
            "intent",
            "step",
            "attempt_no",
            name=op.f("uq_attempts_workspace_id_intent_step_attempt_no"),
        ),
    )
    op.create_index(
        "ix_attempts_open",
        "attempts",
        ["workspace_id", "state", "booked_us"],
        unique=False,
        sqlite_where=sa.text("settled_us IS NULL"),
        postgresql_where=sa.text("settled_us IS NULL"),
    )
    op.create_index(
        op.f("ix_attempts_workspace_id_booked_us"), "attempts", ["workspace_id", "booked_us"], unique=False
    )
    op.create_table(
        "books",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("latest_us", sa.BigInteger(), nullable=False),
        sa.Column("change_no", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "simulated", name=op.f("pk_books")),
    )
    op.create_table(
        "brakes",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=True),
        sa.Column("raised_us", sa.BigInteger(), nullable=False),
        sa.Column("released_us", sa.BigInteger(), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_brakes")),
    )
    op.create_index(
        "ix_brakes_on",
        "brakes",
        ["workspace_id", "simulated"],
        unique=False,
        sqlite_where=sa.text("released_us IS NULL"),
        postgresql_where=sa.text("released_us IS NULL"),
    )
    op.create_table(
        "budget_windows",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("budget_id", sa.Text(), nullable=False),
        sa.Column("starts_us", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("spent >= 0 AND held >= 0", name=op.f("ck_budget_windows_no_negative_money")),
        sa.PrimaryKeyConstraint("workspace_id", "budget_id", "starts_us", name=op.f("pk_budget_windows")),
    )
    op.create_table(
        "budgets",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("api_key", sa.Text(), nullable=True),
        sa.Column("span", sa.Text(), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("set_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("span IN ('hour', 'day', 'month', 'total')", name=op.f("ck_budgets_known_span")),
        sa.CheckConstraint("cap >= 0", name=op.f("ck_budgets_no_negative_cap")),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_budgets")),
    )
    op.create_table(
        "entries",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("entry_no", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("api_key", sa.Text(), nullable=True),
        sa.Column("booked_us", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "spent >= 0 OR kind = 'correct'", name=op.f("ck_entries_spent_falls_only_by_correction")
        ),
        sa.CheckConstraint("available + held + spent = 0", name=op.f("ck_entries_sums_to_zero")),
        sa.PrimaryKeyConstraint("attempt_id", "entry_no", name=op.f("pk_entries")),
    )
    op.create_index(
        op.f("ix_entries_workspace_id_simulated_booked_us"),
        "entries",
        ["workspace_id", "simulated", "booked_us"],
        unique=False,
    )
    op.create_table(
        "home_facts",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "name", name=op.f("pk_home_facts")),
    )
    op.create_table(
        "keys",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("revoked_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_keys")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_keys_secret_sha256")),
    )
    op.create_table(
        "owners",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("beat_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owners")),
    )
    op.create_table(
        "prices_used",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("price_id", sa.Text(), nullable=False),
        sa.Column("price_json", sa.Text(), nullable=False),
        sa.Column("first_used_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "price_id", name=op.f("pk_prices_used")),
    )
    op.create_table(
        "verdicts",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("image_sha256", sa.Text(), nullable=False),
        sa.Column("verdict_no", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("cleanup_minutes", sa.BigInteger(), nullable=False),
        sa.Column("judge", sa.Text(), nullable=False),
        sa.Column("judged_us", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('accepted', 'rejected')", name=op.f("ck_verdicts_known_kind")),
        sa.CheckConstraint("cleanup_minutes >= 0", name=op.f("ck_verdicts_no_negative_minutes")),
        sa.PrimaryKeyConstraint("attempt_id", "image_sha256", "verdict_no", name=op.f("pk_verdicts")),
    )
    op.create_index(
        op.f("ix_verdicts_workspace_id_attempt_id"), "verdicts", ["workspace_id", "attempt_id"], unique=False
    )
    op.create_index(
        "uq_verdicts_the_one_that_counts",
        "verdicts",
        ["attempt_id", "image_sha256"],
        unique=True,
        sqlite_where=sa.text("counts"),
        postgresql_where=sa.text("counts"),
    )
