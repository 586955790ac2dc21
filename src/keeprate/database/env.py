"""What Alembic runs around the migrations: the connection it was handed, and no other."""

from alembic import context

# The tables of records join the metadata when they are imported.
from keeprate.database.records_schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite changes a table by copying it.
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
