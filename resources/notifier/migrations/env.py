"""How alembic runs here: on the connection it is handed, inside that connection's transaction; no ini file."""

from __future__ import annotations

from alembic import context

from resources.notifier.models import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="notices_version",
)
with context.begin_transaction():
    context.run_migrations()
