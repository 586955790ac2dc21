"""The tables of what is remembered of requests; see `schema` for the conventions."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from keeprate.database.schema import metadata

# Answers hold images by hash, so a row stays small. Its id is the intent that the ledger knows.
claims: Final = Table(
    "claims",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("taken", Boolean, nullable=False),
    Column("answer", LargeBinary, nullable=True),
    Column("created_us", BigInteger, nullable=False),
    Column("kept_us", BigInteger, nullable=True),
    PrimaryKeyConstraint("workspace_id", "id"),
    UniqueConstraint("workspace_id", "caller", "kind", "name"),
    CheckConstraint("state IN ('open', 'kept')", name="known_state"),
    CheckConstraint("(state = 'kept') = (answer IS NOT NULL)", name="kept_means_answered"),
    Index(None, "kind", "taken"),
    Index(None, "created_us"),
)

# The exact cache. `size` counts the images an answer refers to; they live in the asset store.
cached_answers: Final = Table(
    "cached_answers",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("used_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "key"),
    Index(None, "workspace_id", "used_us"),
)
