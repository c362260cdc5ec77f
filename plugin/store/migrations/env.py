"""Alembic's entry: runs on the connection that `plugin.store.schema` opened."""

from alembic import context

from plugin.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, compare_server_default=True)
context.run_migrations()
