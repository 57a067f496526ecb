"""How alembic runs here: on the connection it is handed, inside that connection's transaction; no ini file."""

from __future__ import annotations

from alembic import context

from pipelines.ledger.models import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="ledger_version",  # Dagster's tables, if in the same database, have an alembic_version of their own
)
with context.begin_transaction():
    context.run_migrations()
