"""How Alembic runs the migrations: on the connection that medcxr.storage.migration gives it."""

from alembic import context

from medcxr.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    render_as_batch=True,  # SQLite cannot change a column in place
)
with context.begin_transaction():
    context.run_migrations()
