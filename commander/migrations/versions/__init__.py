"""alembic revisions; db_edge.migrate() runs them at each start."""
