"""The tables, one schema for SQLite and PostgreSQL.

Money is nano-dollars, moments are microseconds since 1970 UTC (so they read back as they were written),
both 64-bit. Every table leads with its workspace but `owners`: a process serves all of them.
The constraints are the last line of defence of what `ledger.fold` decides.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

# What a migrated database says of itself; a test holds it equal to the newest migration.
HEAD: Final = "0003"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _whole(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _maybe_text(name: str) -> Column[str | None]:
    return Column(name, Text, nullable=True)


def _maybe_whole(name: str) -> Column[int | None]:
    return Column(name, BigInteger, nullable=True)


# One row per attempt. What changes is here and narrow; the long texts lie in `attempt_texts`.
attempts = Table(
    "attempts",
    metadata,
    _text("workspace_id"),
    _text("id"),
    _text("intent"),
    _whole("step"),
    _whole("attempt_no"),
    _maybe_text("follows"),
    _maybe_text("api_key"),
    _text("owner"),
    _text("upstream"),
    _text("model"),
    _text("size"),
    _text("thinking"),
    _text("surface"),
    _text("lane"),
    _text("purpose"),
    Column("simulated", Boolean, nullable=False),
    _text("payload_sha256"),
    _whole("quote_low"),
    _whole("quote_expected"),
    _whole("hold"),
    _text("price_id"),
    _whole("created_us"),
    _whole("booked_us"),
    _text("state"),
    _whole("held"),
    _maybe_text("outcome_kind"),
    _maybe_text("raw_reason"),
    _maybe_text("message"),
    _maybe_text("said"),
    _maybe_whole("charge"),
    _maybe_text("charge_basis"),
    _maybe_text("usage_json"),
    _maybe_text("served_model"),
    _maybe_text("served_lane"),
    _maybe_text("charge_price_id"),
    Column("charge_certain", Boolean, nullable=True),
    _whole("overrun"),
    _maybe_whole("sent_us"),
    _maybe_whole("settled_us"),
    _maybe_text("reply_sha256"),
    _text("image_sha256s"),
    _maybe_text("model_version"),
    _maybe_text("response_id"),
    _maybe_text("reconciled_by"),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("workspace_id", "intent", "step", "attempt_no"),
    CheckConstraint("held >= 0 AND hold >= 0 AND overrun >= 0", name="no_negative_money"),
    CheckConstraint("charge IS NULL OR charge >= 0", name="no_negative_charge"),
    CheckConstraint(
        "state IN ('intent', 'sent', 'image', 'text_only', 'blocked', 'empty', 'failed', 'unknown', 'freed')",
        name="known_state",
    ),
    CheckConstraint(
        "(state IN ('intent', 'sent', 'unknown')) = (settled_us IS NULL) AND (settled_us IS NULL) = (charge IS NULL)",
        name="settled_means_charged",
    ),
    CheckConstraint("settled_us IS NULL OR held = 0", name="settled_holds_nothing"),
    Index(None, "workspace_id", "booked_us"),
)
# Few rows are open at any time, and recovery asks for them at each start. Both databases use this index
# for a question that says "settled_us IS NULL" in so many words, and for no other.
Index(
    "ix_attempts_open",
    attempts.c.workspace_id,
    attempts.c.state,
    attempts.c.booked_us,
    sqlite_where=attempts.c.settled_us.is_(None),
    postgresql_where=attempts.c.settled_us.is_(None),
)

# What was asked and why it was routed so: written once, apart, so that no state change copies it.
attempt_texts = Table(
    "attempt_texts",
    metadata,
    _text("workspace_id"),
    _text("attempt_id"),
    _text("prompt"),
    _text("request_json"),
    _text("decision_json"),
    PrimaryKeyConstraint("attempt_id"),
)

attempt_images = Table(
    "attempt_images",
    metadata,
    _text("workspace_id"),
    _text("sha256"),
    _text("attempt_id"),
    _whole("position"),
    PrimaryKeyConstraint("workspace_id", "sha256", "attempt_id", "position"),
)

# Double entry, a row per move: what leaves one account enters another, or the row is refused.
entries = Table(
    "entries",
    metadata,
    _text("workspace_id"),
    _text("attempt_id"),
    _whole("entry_no"),
    _text("kind"),
    Column("simulated", Boolean, nullable=False),
    _maybe_text("api_key"),
    _whole("booked_us"),
    _whole("at_us"),
    _whole("available"),
    _whole("held"),
    _whole("spent"),
    PrimaryKeyConstraint("attempt_id", "entry_no"),
    CheckConstraint("available + held + spent = 0", name="sums_to_zero"),
    CheckConstraint("spent >= 0 OR kind = 'correct'", name="spent_falls_only_by_correction"),
    Index(None, "workspace_id", "simulated", "booked_us"),
    Index(None, "workspace_id", "at_us"),
)

budgets = Table(
    "budgets",
    metadata,
    _text("workspace_id"),
    _text("id"),
    _maybe_text("api_key"),
    _text("span"),
    _whole("cap"),
    Column("simulated", Boolean, nullable=False),
    _whole("set_us"),
    PrimaryKeyConstraint("workspace_id", "id"),
    CheckConstraint("cap >= 0", name="no_negative_cap"),
    CheckConstraint("span IN ('hour', 'day', 'month', 'total')", name="known_span"),
)

# Counters, derived from `entries`: a missing one is summed anew, and `audit` compares them all.
budget_windows = Table(
    "budget_windows",
    metadata,
    _text("workspace_id"),
    _text("budget_id"),
    _whole("starts_us"),
    _whole("spent"),
    _whole("held"),
    PrimaryKeyConstraint("workspace_id", "budget_id", "starts_us"),
    CheckConstraint("spent >= 0 AND held >= 0", name="no_negative_money"),
)

# The book of a workspace: the latest moment money was booked for (time never runs back in it), and a
# number that rises with each change, so that a writer knows whether what it remembers still holds.
# Its row is also the lock under which several machines take turns.
books = Table(
    "books",
    metadata,
    _text("workspace_id"),
    Column("simulated", Boolean, nullable=False),
    _whole("latest_us"),
    _whole("change_no"),
    PrimaryKeyConstraint("workspace_id", "simulated"),
)

brakes = Table(
    "brakes",
    metadata,
    _text("workspace_id"),
    _text("id"),
    Column("simulated", Boolean, nullable=False),
    _text("reason"),
    _maybe_text("attempt_id"),
    _whole("raised_us"),
    _maybe_whole("released_us"),
    _maybe_text("released_by"),
    PrimaryKeyConstraint("workspace_id", "id"),
)
Index(
    "ix_brakes_on",
    brakes.c.workspace_id,
    brakes.c.simulated,
    sqlite_where=brakes.c.released_us.is_(None),
    postgresql_where=brakes.c.released_us.is_(None),
)

verdicts = Table(
    "verdicts",
    metadata,
    _text("workspace_id"),
    _text("attempt_id"),
    _text("image_sha256"),
    _whole("verdict_no"),
    _text("kind"),
    _maybe_text("reason"),
    _whole("cleanup_minutes"),
    _text("judge"),
    _whole("judged_us"),
    Column("counts", Boolean, nullable=False),
    PrimaryKeyConstraint("attempt_id", "image_sha256", "verdict_no"),
    CheckConstraint("kind IN ('accepted', 'rejected')", name="known_kind"),
    CheckConstraint("cleanup_minutes >= 0", name="no_negative_minutes"),
    Index(None, "workspace_id", "attempt_id"),
)
Index(
    "uq_verdicts_the_one_that_counts",
    verdicts.c.attempt_id,
    verdicts.c.image_sha256,
    unique=True,
    sqlite_where=verdicts.c.counts,
    postgresql_where=verdicts.c.counts,
)

# A price row as it stood when money was first held on it: a later rate card does not touch history.
prices_used = Table(
    "prices_used",
    metadata,
    _text("workspace_id"),
    _text("price_id"),
    _text("price_json"),
    _whole("first_used_us"),
    PrimaryKeyConstraint("workspace_id", "price_id"),
)

keys = Table(
    "keys",
    metadata,
    _text("workspace_id"),
    _text("id"),
    _text("name"),
    _text("prefix"),
    _text("secret_sha256"),
    _whole("created_us"),
    _maybe_whole("revoked_us"),
    # The terms are one JSON document: they are read whole, with the key, and nothing asks for a part.
    Column("terms_json", Text, nullable=False, server_default="{}"),
    _maybe_whole("suspended_us"),
    _maybe_text("suspended_why"),
    PrimaryKeyConstraint("workspace_id", "id"),
    UniqueConstraint("secret_sha256"),
)

# What somebody should look at: a key that is suddenly used from elsewhere, and much more often.
alarms = Table(
    "alarms",
    metadata,
    _text("workspace_id"),
    _text("id"),
    _text("kind"),
    _maybe_text("api_key"),
    _text("message"),
    _whole("raised_us"),
    PrimaryKeyConstraint("workspace_id", "id"),
)

home_facts = Table(
    "home_facts",
    metadata,
    _text("workspace_id"),
    _text("name"),
    _text("value"),
    PrimaryKeyConstraint("workspace_id", "name"),
)

# Signs of life where processes share a database and no disk. Times are the database's own clock.
owners = Table(
    "owners",
    metadata,
    _text("id"),
    _whole("beat_us"),
    PrimaryKeyConstraint("id"),
)
